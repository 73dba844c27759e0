"""Attacks through the channel to a page's kernel: what a viewer sends is never code."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket
from hub.live_hub import LiveHub, Visitor
from hub.report_hub import (
    address,
    channel_of,
    given,
    kernel_of,
    open_page,
    page_address,
    reader,
)
from reports.page_socket import PageSocket, header

from kamp_lib.tenancy import Role, open_registry

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def mina(report_hub: LiveHub) -> Visitor:
    """The manager of acme, signed in to its reports."""
    return reader(report_hub, "mina")


@pytest.fixture(scope="module")
def carl(report_hub: LiveHub) -> Visitor:
    """A consultant, signed in to the same reports."""
    return reader(report_hub, "carl")


@pytest.fixture(scope="module")
def kernel(mina: Visitor) -> str:
    return open_page(mina)


@pytest.fixture(scope="module")
def attacker(mina: Visitor, kernel: str) -> Iterator[PageSocket]:
    """The channel of mina's own page, in the hands of a program."""
    socket = channel_of(mina, kernel)
    yield socket
    socket.close()


@pytest.fixture(scope="module")
def widgets(attacker: PageSocket) -> dict[str, dict[str, Any]]:
    return attacker.widgets()


# -- code ---------------------------------------------------------------------------


@pytest.mark.parametrize("through", ["shell", "control", "stdin", "iopub"])
def test_code_is_never_executed(
    attacker: PageSocket, tmp_path: Path, through: str
) -> None:
    proof = tmp_path / "proof"
    code = {"code": f"open({str(proof)!r}, 'w').close()", "silent": False}
    assert attacker.answers_to("execute_request", code, through) == []
    assert not proof.exists()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("input_reply", {"value": "__import__('os').getcwd()"}),
        ("debug_request", {"type": "request", "command": "evaluate", "seq": 1}),
        ("shutdown_request", {"restart": True}),
        ("interrupt_request", {}),
        ("complete_request", {"code": "page.", "cursor_pos": 5}),
        ("inspect_request", {"code": "page", "cursor_pos": 4, "detail_level": 1}),
        ("history_request", {"hist_access_type": "tail", "n": 100, "raw": True}),
        ("is_complete_request", {"code": "1"}),
        ("create_subshell_request", {}),
    ],
)
@pytest.mark.parametrize("through", ["shell", "control", "stdin"])
def test_no_other_request_reaches_the_kernel(
    attacker: PageSocket, kind: str, content: dict[str, Any], through: str
) -> None:
    assert attacker.answers_to(kind, content, through) == []


def test_code_in_the_older_protocol_is_not_executed_either(
    mina: Visitor, tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    message = {
        "channel": "shell",
        "header": header("execute_request"),
        "parent_header": {},
        "metadata": {},
        "content": {"code": f"open({str(proof)!r}, 'w').close()", "silent": False},
        "buffers": [],
    }
    socket = channel_of(mina, open_page(mina), subprotocols=None)
    socket.send(json.dumps(message))
    time.sleep(3)
    socket.close()
    assert not proof.exists()


def test_bytes_that_lie_about_their_length_do_no_harm(attacker: PageSocket) -> None:
    for lie in (b"\xff" * 8, (2**31).to_bytes(8, "little") * 4, b"", b"\x06"):
        attacker.send(lie)
    attacker.say("kernel_info_request", {})
    assert attacker.until("kernel_info_reply")


# -- widgets ------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["jupyter.widget", "jupyter.widget.version", "evil"])
def test_a_viewer_makes_no_widgets(attacker: PageSocket, target: str) -> None:
    state = {
        "_model_module": "@jupyter-widgets/controls",
        "_model_module_version": "2.0.0",
        "_model_name": "IntSliderModel",
        "_view_name": "IntSliderView",
    }
    content = {"comm_id": "c1", "target_name": target, "data": {"state": state}}
    assert attacker.answers_to("comm_open", content) == []


@pytest.mark.parametrize(
    "state",
    [
        {"max": 10**9},
        {"min": -5},
        {"value": [0] * 1000},
        {"value": {"a": 1}},
        {"value": float("nan")},
        {"value": 10**400},
        {"_options_labels": ["x"]},
        {"children": ["IPY_MODEL_x"]},
        {"no_such_trait": 1},
    ],
)
def test_bounds_choices_and_odd_values_of_widgets_stay_ours(
    attacker: PageSocket, widgets: dict[str, dict[str, Any]], state: dict[str, Any]
) -> None:
    slider = next(i for i, w in widgets.items() if w["model"] == "IntSliderModel")
    data = {"method": "update", "state": state, "buffer_paths": []}
    assert attacker.answers_to("comm_msg", {"comm_id": slider, "data": data}) == []


@pytest.mark.parametrize("value", [-1, 10**12, "x", 2.5, None, True, -(2**62)])
def test_a_value_of_the_wrong_kind_leaves_the_page_as_it_was(
    attacker: PageSocket, widgets: dict[str, dict[str, Any]], value: object
) -> None:
    for id_, widget in widgets.items():
        if widget["model"] not in ("IntSliderModel", "ToggleButtonsModel"):
            continue
        trait = "value" if widget["model"] == "IntSliderModel" else "index"
        data = {"method": "update", "state": {trait: value}, "buffer_paths": []}
        attacker.say("comm_msg", {"comm_id": id_, "data": data})
    now = attacker.widgets()
    for id_, widget in now.items():
        if widget["model"] == "IntSliderModel":
            assert widgets[id_]["min"] <= widget["value"] <= widgets[id_]["max"]
        elif widget["model"] == "ToggleButtonsModel":
            assert widget["index"] in (None, 0, 1)


def test_the_page_still_answers_a_reader_after_all_that(
    attacker: PageSocket, widgets: dict[str, dict[str, Any]]
) -> None:
    slider = next(i for i, w in widgets.items() if w["model"] == "IntSliderModel")
    before = [
        w["value"] for w in attacker.widgets().values() if w["model"] == "HTMLModel"
    ]
    data = {"method": "update", "state": {"value": 3}, "buffer_paths": []}
    attacker.say("comm_msg", {"comm_id": slider, "data": data})
    after = [
        w["value"] for w in attacker.widgets().values() if w["model"] == "HTMLModel"
    ]
    assert before != after


def test_a_flood_of_messages_is_not_passed_on(mina: Visitor) -> None:
    socket = channel_of(mina, open_page(mina))
    for _ in range(1500):
        socket.say("kernel_info_request", {})
    answers = sum(1 for h in socket.hear(4) if h.kind == "kernel_info_reply")
    socket.close()
    assert 0 < answers <= 600


# -- whose channel ------------------------------------------------------------------


def test_a_channel_needs_a_sign_in(mina: Visitor, kernel: str) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        channel_of(mina, kernel, cookie="")
    assert refused.value.status_code == 403


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://bolt.kamp.localhost:{port}",
        "http://kamp.localhost:{port}",
        "http://acme.kamp.localhost:{port}.evil.example",
        "null",
    ],
)
def test_a_page_of_another_origin_opens_no_channel(
    mina: Visitor, kernel: str, origin: str
) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        channel_of(mina, kernel, origin=origin.format(port=mina.hub.port))
    assert refused.value.status_code == 403


def test_the_kernel_of_another_reader_is_not_there(
    report_hub: LiveHub, mina: Visitor, carl: Visitor
) -> None:
    theirs = open_page(carl)
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        channel_of(mina, theirs)
    assert refused.value.status_code == 404
    url = address(report_hub, "acme", f"api/kernels/{theirs}")
    assert mina.get(url).status_code == 404
    assert carl.get(url).status_code == 200
    close = address(report_hub, "acme", f"voila/api/shutdown/{theirs}")
    assert mina.post(close, params={"_xsrf": xsrf(mina)}).status_code == 404
    assert carl.get(url).status_code == 200


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "PUT", "POST"])
def test_even_ones_own_kernel_can_only_be_asked_for(
    report_hub: LiveHub, mina: Visitor, kernel: str, method: str
) -> None:
    for path in (f"api/kernels/{kernel}", f"api/kernels/{kernel}/restart"):
        answer = mina.session.request(
            method,
            address(report_hub, "acme", path),
            params={"_xsrf": xsrf(mina)},
            timeout=30,
        )
        assert answer.status_code in (403, 404, 405)


def test_a_kernel_is_closed_by_its_own_page_only_with_its_mark(mina: Visitor) -> None:
    own = open_page(mina)
    close = address(mina.hub, "acme", f"voila/api/shutdown/{own}")
    model = address(mina.hub, "acme", f"api/kernels/{own}")
    assert mina.post(close).status_code == 403
    assert mina.get(model).status_code == 200
    assert mina.post(close, params={"_xsrf": xsrf(mina)}).status_code == 204
    assert mina.get(model).status_code == 404


def test_the_token_of_a_workspace_opens_no_page(
    report_hub: LiveHub, mina: Visitor
) -> None:
    ann = report_hub.visitor("ann")
    ann.start("acme", "ann")
    token = given(report_hub, "acme", "ann")["JUPYTERHUB_API_TOKEN"]
    answer = requests.get(
        page_address(report_hub, "acme"),
        headers={"Authorization": f"token {token}"},
        allow_redirects=False,
        timeout=30,
    )
    assert answer.status_code == 403
    assert "kernelId" not in answer.text


# -- room and time ------------------------------------------------------------------


def test_one_reader_does_not_take_the_places_of_all(
    report_hub: LiveHub, mina: Visitor, carl: Visitor
) -> None:
    kernels = [open_page(mina) for _ in range(9)]
    there = [
        k
        for k in kernels
        if mina.get(address(report_hub, "acme", f"api/kernels/{k}")).status_code == 200
    ]
    assert len(there) <= 6
    assert kernels[-1] in there
    assert open_page(carl)


def test_a_reader_who_looks_at_many_pages_is_asked_to_close_some(
    mina: Visitor,
) -> None:
    held = []
    while len(held) < 8:
        answer = mina.get(page_address(mina.hub, "acme"))
        if answer.status_code != 200:
            break
        held.append(channel_of(mina, kernel_of(answer.text)))
    for socket in held:
        socket.close()
    assert 0 < len(held) <= 6
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "저절로 다시 시도" in answer.text
    assert f'content="{answer.headers["Retry-After"]}"' in answer.text


def test_reading_ends_with_the_right_to_read_open_channels_included(
    report_hub: LiveHub,
) -> None:
    registry = open_registry(f"sqlite:///{report_hub.home / 'platform.db'}")
    registry.add_person("guest", "Guest")
    first = registry.reset_password("guest")
    registry.change_password("guest", first, "drill-and-reamer-9")
    registry.assign("guest", "acme", Role.MANAGER)
    visitor = report_hub.visitor("guest", "drill-and-reamer-9")
    visitor.open(address(report_hub, "acme"))
    socket = channel_of(visitor, open_page(visitor))
    socket.say("kernel_info_request", {})
    assert socket.until("kernel_info_reply")
    registry.unassign("guest", "acme", Role.MANAGER)
    started = time.monotonic()
    with pytest.raises(websocket.WebSocketConnectionClosedException):
        list(socket.hear(60))
    assert time.monotonic() - started < 60
    assert visitor.get(page_address(report_hub, "acme")).status_code == 403


def xsrf(visitor: Visitor) -> str:
    """The mark that the report server's pages send along."""
    return next(
        c.value or ""
        for c in visitor.session.cookies
        if c.name == "_xsrf" and c.path == "/user/acme/report/"
    )
