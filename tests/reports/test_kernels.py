"""What a browser may say to a page's kernel, and what that kernel inherits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1
from reports.page_socket import PROTOCOL, header

from kamp_lib.reports.forking import page_environment
from kamp_lib.reports.sieve import (
    LARGEST_MESSAGE,
    Said,
    is_page_talk,
    read_message,
)


def raw(kind: object, content: object, channel: str = "shell", extra: int = 0) -> bytes:
    head = {**header("x"), "msg_type": kind}
    parts = [json.dumps(p).encode() for p in (head, {}, {}, content)]
    return serialize_msg_to_ws_v1([*parts, *[b"buffer"] * extra], channel)


def passes(kind: object, content: object, channel: str = "shell") -> bool:
    said = read_message(PROTOCOL, raw(kind, content, channel))
    return said is not None and is_page_talk(said)


def update(**state: Any) -> dict[str, Any]:
    data = {"method": "update", "state": state, "buffer_paths": []}
    return {"comm_id": "c", "data": data}


CONTROL = {"comm_id": "c", "target_name": "jupyter.widget.control", "data": {}}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("kernel_info_request", {}),
        ("comm_info_request", {"target_name": "jupyter.widget"}),
        ("comm_open", CONTROL),
        ("comm_close", {"comm_id": "c", "data": {}}),
        ("comm_msg", {"comm_id": "c", "data": {"method": "request_states"}}),
        ("comm_msg", {"comm_id": "c", "data": {"method": "request_state"}}),
        ("comm_msg", update(value=3)),
        ("comm_msg", update(value=2.5)),
        ("comm_msg", update(index=1)),
        (
            "comm_msg",
            {"data": {"method": "custom", "content": {"event": "click"}}},
        ),
    ],
)
def test_what_our_pages_say_passes(kind: str, content: dict[str, Any]) -> None:
    assert passes(kind, content)


@pytest.mark.parametrize("channel", ["shell", "control", "stdin", "iopub", "", "x"])
@pytest.mark.parametrize(
    "kind",
    [
        "execute_request",
        "input_reply",
        "debug_request",
        "shutdown_request",
        "interrupt_request",
        "inspect_request",
        "complete_request",
        "history_request",
        "is_complete_request",
        "create_subshell_request",
        "apply_request",
        "comm_open\x00",
        "EXECUTE_REQUEST",
        "",
        None,
        7,
        ["execute_request"],
    ],
)
def test_nothing_else_passes(kind: object, channel: str) -> None:
    assert not passes(kind, {"code": "1", "value": "x", "restart": False}, channel)


@pytest.mark.parametrize("channel", ["control", "stdin", "iopub", "nowhere"])
def test_even_what_passes_does_so_through_one_channel(channel: str) -> None:
    assert not passes("comm_msg", update(value=1), channel)


@pytest.mark.parametrize(
    "target", ["jupyter.widget", "jupyter.widget.version", "", None, 3, ["x"], "x" * 99]
)
def test_a_browser_makes_no_widgets_and_opens_no_other_target(target: object) -> None:
    state = {"_model_name": "FileUploadModel", "_model_module": "@jupyter-widgets/base"}
    content = {"comm_id": "c", "target_name": target, "data": {"state": state}}
    assert not passes("comm_open", content)


@pytest.mark.parametrize(
    "state",
    [
        {"max": 10**9},
        {"min": -1, "value": 3},
        {"_options_labels": ["a"]},
        {"children": ["IPY_MODEL_x"]},
        {"layout": "IPY_MODEL_x"},
        {"_model_module": "evil"},
        {"_dom_classes": ["x"]},
        {"no_such_trait": 1},
        {"value": [1]},
        {"value": {"a": 1}},
        {"value": "x" * 10_000},
        {"value": 10**400},
        {"value": 2**63},
        {"value": float("nan")},
        {"value": float("inf")},
        {"value": -float("inf")},
    ],
)
def test_only_a_plain_value_of_a_widget_is_moved(state: dict[str, Any]) -> None:
    assert not passes("comm_msg", update(**state))


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "update",
        {},
        {"method": "update"},
        {"method": "update", "state": []},
        {"method": "update", "state": {}, "buffer_paths": [["value"]]},
        {"method": "custom", "content": {"event": "run", "code": "1"}},
        {"method": "custom"},
        {"method": "echo_update", "state": {"value": 1}},
        {"method": ["update"]},
        {"method": "backbone", "sync_data": {"value": 1}},
    ],
)
def test_other_words_of_widgets_do_not_pass(data: object) -> None:
    assert not passes("comm_msg", {"comm_id": "c", "data": data})


@pytest.mark.parametrize(
    "bytes_",
    [
        b"",
        b"\x06",
        # a count of parts that lies: read naively, each of these fills the memory
        b"\xff" * 8,
        (2**31).to_bytes(8, "little") + b"\x00" * 64,
        # offsets beyond the end, and backwards
        (6).to_bytes(8, "little") + (2**60).to_bytes(8, "little") * 6,
        (6).to_bytes(8, "little") + bytes(range(48)),
        raw("comm_msg", update(value=1))[:-9],
        # a buffer more than our pages send
        raw("comm_msg", update(value=1), extra=1),
        b"x" * (LARGEST_MESSAGE + 1),
    ],
)
def test_what_is_no_message_is_dropped(bytes_: bytes) -> None:
    assert read_message(PROTOCOL, bytes_) is None


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 30_000,
        b'{"a":' * 12_000,
        b"nothing",
        b"\xff\xfe{\x00}\x00",
        json.dumps({}).encode("utf-16"),
        b"null",
        b"[]",
        b'"execute_request"',
    ],
)
@pytest.mark.parametrize("part", [0, 3])
def test_parts_that_are_no_objects_are_dropped(text: bytes, part: int) -> None:
    parts = [json.dumps(p).encode() for p in (header("comm_msg"), {}, {}, {})]
    parts[part] = text
    said = read_message(PROTOCOL, serialize_msg_to_ws_v1(parts, "shell"))
    assert said is None or not is_page_talk(said)


@pytest.mark.parametrize("protocol", [None, "", "v0", PROTOCOL + ".x"])
def test_only_the_protocol_of_our_pages_is_spoken(protocol: str | None) -> None:
    assert read_message(protocol, raw("kernel_info_request", {})) is None
    legacy = {
        "channel": "shell",
        "header": header("kernel_info_request"),
        "content": {},
    }
    assert read_message(protocol, json.dumps(legacy)) is None
    assert read_message(PROTOCOL, json.dumps(legacy)) is None


def test_the_last_of_two_kinds_counts_as_it_does_in_the_kernel() -> None:
    two = b'{"msg_type": "comm_msg", "msg_type": "execute_request"}'
    content = json.dumps(update(value=1)).encode()
    said = read_message(
        PROTOCOL, serialize_msg_to_ws_v1([two, b"{}", b"{}", content], "shell")
    )
    assert said == Said("shell", "execute_request", update(value=1))
    assert not is_page_talk(said)


def test_a_kernel_inherits_no_token_and_no_place_of_a_company() -> None:
    env = {
        "PATH": "/bin",
        "HOME": "/home/report",
        "QUERY_STRING": "lang=en",
        "JUPYTERHUB_API_TOKEN": "t",
        "JPY_API_TOKEN": "t",
        "JUPYTERHUB_API_URL": "u",
        "KAMP_TENANT_HOME": "/workspace",
        "KAMP_DATABASE": "postgresql://u:p@h/d",
        "AWS_SECRET_ACCESS_KEY": "s",
    }
    kept = page_environment(env)
    assert set(kept) == {"PATH", "HOME", "QUERY_STRING", "PYTHONSAFEPATH"}
