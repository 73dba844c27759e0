"""The addresses of the start page, spoken to without a browser: who may, and what comes back."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from workspace.lab_server import HOSTILE, Lab, running

from kamp_lib.datasets import ingest
from kamp_lib.workspace.handlers import ADDRESSES

pytestmark = pytest.mark.e2e
MACHINE = "injection-moulding"
VERBS = ("get", "post", "put", "delete")
NOBODY = "AAAAAAAAAAAAAAAA"
EXAMPLES = {
    r"([A-Za-z0-9_-]{8,40})": NOBODY,
    r"([a-z0-9][a-z0-9_-]{0,59})": "injection",
    r"([0-9]{8}-[0-9]{6}-[a-z0-9-]{1,100})": "20260101-000000-injection-quality-aaaaaa",
    r"([0-9]{1,6})": "0",
    r"([A-Za-z.-]{1,60}\.woff)": "Pretendard-Bold.subset.woff",
}


def addresses() -> list[tuple[str, str]]:
    """Every verb of every address, with something in its places."""
    found = []
    for pattern, handler in ADDRESSES:
        path = pattern
        for place, example in EXAMPLES.items():
            path = path.replace(place, example)
        verbs = [v for v in VERBS if v in dir(handler) and _own(handler, v)]
        found += [(verb.upper(), f"/kamp/{path}") for verb in verbs]
    return found


def _own(handler: type, verb: str) -> bool:
    return any(
        verb in vars(kind) for kind in handler.__mro__ if "kamp" in kind.__module__
    )


def start(lab: Lab, **files: bytes) -> str:
    return lab.upload({name.replace("_", "."): c for name, c in files.items()})


def looked_at(lab: Lab, content: bytes, **choices: Any) -> tuple[str, dict[str, Any]]:
    """Upload a file and look at it; the upload and the job's end."""
    upload = start(lab, shots_csv=content)
    told = {"equipment": MACHINE, **choices}
    job = lab.ask("POST", f"/kamp/uploads/{upload}/look", told).json["job"]
    return upload, lab.wait(job)


# --- who may -----------------------------------------------------------------------------


def test_the_list_of_addresses_has_no_place_left_unfilled() -> None:
    assert len(addresses()) >= len(ADDRESSES)
    assert not [path for _, path in addresses() if "(" in path]


CLOSED = [(verb, path) for verb, path in addresses() if "/fonts/" not in path]


@pytest.mark.parametrize(("verb", "path"), CLOSED)
def test_nobody_gets_in_without_signing_in(lab: Lab, verb: str, path: str) -> None:
    answer = lab.ask(verb, path, {}, token=None)
    assert answer.status in (302, 403)
    assert b"kamp-" not in answer.body


@pytest.mark.parametrize(("verb", "path"), [a for a in addresses() if a[0] != "GET"])
def test_a_signed_in_browser_needs_the_token_against_forged_requests(
    lab: Lab, verb: str, path: str
) -> None:
    forged = lab.ask(verb, path, {}, token=None, headers=lab.cookie_headers(xsrf=False))
    assert forged.status == 403
    own = lab.ask(verb, path, {}, token=None, headers=lab.cookie_headers(xsrf=True))
    assert own.status != 403


def test_a_page_of_another_site_cannot_ask_even_with_the_cookie(lab: Lab) -> None:
    headers = lab.cookie_headers(xsrf=True) | {"Origin": "http://evil.example"}
    answer = lab.ask(
        "POST", "/kamp/uploads", {"files": []}, token=None, headers=headers
    )
    assert answer.status in (403, 404)


@pytest.mark.parametrize(
    "path", ["/kamp/view/start", "/kamp/view/datasets", "/kamp/jobs"]
)
def test_a_fragment_by_itself_can_run_nothing(lab: Lab, path: str) -> None:
    headers = lab.ask("GET", path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("sandbox;")
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"


# --- garbage and strangers ---------------------------------------------------------------


@pytest.mark.parametrize(("verb", "path"), addresses())
def test_ids_of_nobody_and_empty_requests_get_a_sentence(
    lab: Lab, verb: str, path: str
) -> None:
    answer = lab.ask(verb, path, {} if verb != "GET" else None)
    assert answer.status < 500
    if answer.status >= 400:
        assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"7", b"\xff", b"[" * 100_000]
)
@pytest.mark.parametrize("path", ["/kamp/uploads", "/kamp/runs"])
def test_a_body_that_is_no_object_is_refused(lab: Lab, path: str, body: bytes) -> None:
    answer = lab.ask("POST", path, body)
    assert answer.status == 400
    assert set(answer.json) == {"message"}


@pytest.mark.parametrize(
    "files",
    [
        None,
        "a.csv",
        [],
        ["a.csv"],
        [{"name": "a.csv"}],
        [{"name": "a.csv", "size": -1}],
        [{"name": "a.csv", "size": True}],
        [{"name": "a.csv", "size": "1"}],
        [{"name": "a.csv", "size": 1 << 60}],
        [{"name": "a.csv", "size": 1 << 48}],
        [{"name": 7, "size": 1}],
        [{"name": "x" * 5000, "size": 1}],
        [{"name": "a.csv", "size": 0}] * 20_001,
    ],
)
def test_files_announced_wrongly_are_refused_and_nothing_is_kept(
    lab: Lab, files: Any
) -> None:
    before = set((lab.tenant.data / ".uploads").glob("*"))
    assert lab.ask("POST", "/kamp/uploads", {"files": files}).status == 400
    assert set((lab.tenant.data / ".uploads").glob("*")) == before


def test_a_path_that_tries_to_climb_is_no_address(lab: Lab) -> None:
    for path in ("../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00", "a/b/c"):
        for base in (
            "/kamp/fonts/",
            "/kamp/view/intake/",
            "/kamp/runs/",
            "/kamp/datasets/",
        ):
            assert lab.ask("GET", f"{base}{path}").status == 404


def test_a_font_is_a_font_and_nothing_else(lab: Lab) -> None:
    good = lab.ask("GET", "/kamp/fonts/Pretendard-Bold.subset.woff")
    assert good.headers["content-type"] == "font/woff"
    assert lab.ask("GET", "/kamp/fonts/OFL.txt.woff").status == 404


# --- uploads -----------------------------------------------------------------------------


def test_a_piece_that_is_too_large_is_refused(lab: Lab) -> None:
    told = {"files": [{"name": "a.csv", "size": 9 << 20}]}
    upload = lab.ask("POST", "/kamp/uploads", told).json["upload"]
    answer = lab.ask("PUT", f"/kamp/uploads/{upload}/0?offset=0", b"x" * (5 << 20))
    assert answer.status == 413
    lab.ask("DELETE", f"/kamp/uploads/{upload}")


def test_an_unfinished_upload_is_not_looked_at(lab: Lab) -> None:
    told = {"files": [{"name": "a.csv", "size": 3}]}
    upload = lab.ask("POST", "/kamp/uploads", told).json["upload"]
    answer = lab.ask("POST", f"/kamp/uploads/{upload}/look", {"equipment": MACHINE})
    assert (answer.status, "다 올린 뒤" in answer.json["message"]) == (400, True)
    lab.ask("DELETE", f"/kamp/uploads/{upload}")


def test_two_uploads_at_once_do_not_mix(lab: Lab) -> None:
    contents = [bytes([65 + i]) * 5_000_000 for i in range(2)]
    with ThreadPoolExecutor(2) as pool:
        ids = list(pool.map(lambda c: lab.upload({"a.csv": c}), contents))
    for upload, content in zip(ids, contents, strict=True):
        (file,) = (lab.tenant.data / ".uploads" / upload / "files").iterdir()
        assert file.read_bytes() == content
        lab.ask("DELETE", f"/kamp/uploads/{upload}")


def test_what_is_discarded_is_gone_at_once(lab: Lab) -> None:
    upload = start(lab, a_csv=b"x")
    assert lab.ask("DELETE", f"/kamp/uploads/{upload}").status == 200
    assert not (lab.tenant.data / ".uploads" / upload).exists()
    assert lab.ask("GET", f"/kamp/view/intake/{upload}").status == 400


# --- the way of a file --------------------------------------------------------------------


def test_a_file_is_looked_at_stored_and_taken_back(lab: Lab, shots: Any) -> None:
    content = shots()
    upload, job = looked_at(lab, content)
    assert job["state"] == "done"
    seen = lab.ask("GET", f"/kamp/view/intake/{upload}").text
    assert "보압 설정 (holding_pressure)" in seen
    assert 'value="sentinel-value"' in seen
    assert not (lab.tenant.data / "injection").exists()

    told = {"equipment": MACHINE, "fixes": ["sentinel-value"]}
    job_id = lab.ask("POST", f"/kamp/uploads/{upload}/store", told).json["job"]
    assert lab.wait(job_id)["state"] == "done"
    assert not (lab.tenant.data / ".uploads" / upload).exists()
    stored = lab.ask("GET", f"/kamp/view/intake/{upload}").text
    version = re.search(r'data-version="(\d+)"', stored)
    assert version
    assert "injection" in lab.ask("GET", "/kamp/view/datasets").text

    undo = {"version": int(version[1]), "upload": upload}
    job_id = lab.ask("POST", "/kamp/datasets/injection/undo", undo).json["job"]
    assert lab.wait(job_id)["state"] == "done"
    assert "되돌렸습니다" in lab.ask("GET", f"/kamp/view/intake/{upload}").text
    assert "아직 데이터셋이 없습니다" in lab.ask("GET", "/kamp/view/datasets").text
    lab.ask("DELETE", f"/kamp/uploads/{upload}")


def test_a_file_that_cannot_be_read_is_a_sentence_and_can_be_tried_again(
    lab: Lab,
) -> None:
    upload, job = looked_at(lab, b"\x00\x01\x02" * 100)
    assert job["state"] == "failed"
    seen = lab.ask("GET", f"/kamp/view/intake/{upload}").text
    assert 'role="alert"' in seen
    assert "살펴보기" in seen
    lab.ask("DELETE", f"/kamp/uploads/{upload}")


def test_hostile_names_and_values_are_only_words(lab: Lab, shots: Any) -> None:
    content = shots(note="bad").decode("cp949")
    content = content.replace("비고", "<img src=x onerror=alert(1)>")
    content = content.replace("bad", "<script>alert(2)</script>")
    hostile = f"{HOSTILE}/../<b>.csv"
    upload = lab.upload({hostile: content.encode("cp949")})
    told = {"equipment": MACHINE}
    job = lab.ask("POST", f"/kamp/uploads/{upload}/look", told).json["job"]
    assert lab.wait(job)["state"] == "done"
    for path in (f"view/intake/{upload}", "view/start", "jobs"):
        answer = lab.ask("GET", f"/kamp/{path}")
        shown = answer.json["html"] if path == "jobs" else answer.text
        assert "<img src=x" not in shown
        assert "<script" not in shown
        assert "<b>.csv" not in shown
    assert (
        "&lt;img src=x onerror=alert(1)&gt;"
        in lab.ask("GET", f"/kamp/view/intake/{upload}").text
    )
    lab.ask("DELETE", f"/kamp/uploads/{upload}")


# --- jobs ---------------------------------------------------------------------------------


def test_a_job_is_activity_for_as_long_as_it_works(lab: Lab, shots: Any) -> None:
    """The idle culler asks the server; an open page that does nothing is no reason."""
    before = lab.ask("GET", "/api/status?no_track_activity=1").json["last_activity"]
    upload = start(lab, shots_csv=shots(40_000))
    told = {"equipment": MACHINE}
    job = lab.ask("POST", f"/kamp/uploads/{upload}/look", told).json["job"]
    lab.wait(job)
    after = lab.ask("GET", "/api/status?no_track_activity=1").json["last_activity"]
    lab.ask("GET", "/kamp/view/start")
    later = lab.ask("GET", "/api/status?no_track_activity=1").json["last_activity"]
    assert before < after == later
    lab.ask("DELETE", f"/kamp/uploads/{upload}")


def test_a_job_can_be_stopped_and_its_files_are_still_there(
    lab: Lab, shots: Any
) -> None:
    upload = start(lab, shots_csv=shots(60_000))
    told = {"equipment": MACHINE}
    job = lab.ask("POST", f"/kamp/uploads/{upload}/look", told).json["job"]
    busy = lab.ask("POST", f"/kamp/uploads/{upload}/look", told)
    assert (busy.status, "진행 중" in busy.json["message"]) == (400, True)
    assert lab.ask("POST", f"/kamp/jobs/{job}/cancel").json["state"] == "stopped"
    assert "중단했습니다" in lab.ask("GET", f"/kamp/view/intake/{upload}").text
    assert (lab.tenant.data / ".uploads" / upload).exists()
    lab.ask("DELETE", f"/kamp/uploads/{upload}")


# --- analyses -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stocked(lab: Lab, tmp_path_factory: pytest.TempPathFactory, shots: Any) -> Lab:
    """The same server, with a data set."""
    file = tmp_path_factory.mktemp("stock") / "shots.csv"
    file.write_bytes(shots(90))
    ingest(lab.tenant, MACHINE, file, dataset="stock")
    return lab


def test_every_analysis_shows_its_form(stocked: Lab) -> None:
    for name in ("injection-quality", "quality-classification", "tool-wear-rul"):
        answer = stocked.ask("GET", f"/kamp/view/model/{name}?dataset=stock")
        assert answer.status == 200
        assert 'name="cost_missed"' in answer.text
    assert "injection-quality" in stocked.ask("GET", "/kamp/view/analyse/stock").text


def test_a_form_lists_the_columns_of_the_data_set(stocked: Lab) -> None:
    shown = stocked.ask("GET", "/kamp/view/model/quality-classification?dataset=stock")
    assert '<option value="pass_or_fail">' in shown.text


@pytest.mark.parametrize(
    "parameters",
    [
        {"cost_missed": "-5"},
        {"folds": "many"},
        {"x=__import__('os').system('touch pwned') #": "1"},
        {"bundle": "/etc"},
    ],
)
def test_wrong_parameters_start_nothing_and_say_why(
    stocked: Lab, parameters: dict[str, str]
) -> None:
    before = len(stocked.jobs())
    told = {"model": "injection-quality", "dataset": "stock", "parameters": parameters}
    answer = stocked.ask("POST", "/kamp/runs", told)
    assert answer.status == 400
    assert set(answer.json["fields"]) == set(parameters)
    assert len(stocked.jobs()) == before
    assert list(stocked.tenant.runs.iterdir()) == []


@pytest.mark.parametrize(
    "told",
    [
        {"model": "nobody", "dataset": "stock"},
        {"model": "injection-quality", "dataset": "nobody"},
        {"model": "injection-quality", "dataset": "../../x"},
        {"model": ["injection-quality"], "dataset": "stock"},
        {"dataset": "stock"},
        {"model": "injection-quality", "dataset": "stock", "parameters": [1]},
    ],
)
def test_what_there_is_not_cannot_be_run(stocked: Lab, told: dict[str, Any]) -> None:
    assert stocked.ask("POST", "/kamp/runs", told).status == 400


def test_a_data_set_is_a_page_that_can_run_nothing(stocked: Lab) -> None:
    answer = stocked.ask("GET", "/kamp/datasets/stock/page?lang=en")
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    assert "Data quality" in answer.text or "quality" in answer.text
    started = time.monotonic()
    assert stocked.ask("GET", "/kamp/datasets/stock/page?lang=en").body == answer.body
    assert time.monotonic() - started < 1  # it was kept


def test_a_run_that_is_damaged_does_not_hide_the_page(stocked: Lab) -> None:
    folder = stocked.tenant.runs / "20260101-000000-injection-quality-abcdef"
    folder.mkdir()
    try:
        for hostile in ("{", '{"run": 1}', "null"):
            (folder / "run.json").write_text(hostile)
            answer = stocked.ask("GET", "/kamp/view/start")
            assert answer.status == 200
            assert "기록을 읽을 수 없는" in answer.text
            page = stocked.ask("GET", f"/kamp/runs/{folder.name}/page")
            assert page.status == 400
            assert "읽을 수 없습니다" in page.text
    finally:
        (folder / "run.json").unlink()
        folder.rmdir()


def test_both_languages_are_spoken(lab: Lab) -> None:
    assert "My data sets" in lab.ask("GET", "/kamp/view/datasets?lang=en").text
    assert "내 데이터셋" in lab.ask("GET", "/kamp/view/datasets?lang=ko").text
    assert (
        "내 데이터셋" in lab.ask("GET", f"/kamp/view/datasets?lang={quote('<x>')}").text
    )


def test_nothing_of_an_upload_is_left_in_the_tree_that_jupyterlab_shows(
    lab: Lab,
) -> None:
    shown = [p.name for p in lab.tenant.workspace.iterdir() if p.name[0] != "."]
    assert sorted(shown) == ["가이드북", "분석 템플릿", "처음 시작하기.ipynb"]


def test_the_server_leaves_no_upload_behind(tmp_path: Path, company: Any) -> None:
    with running(company, tmp_path) as own:
        start(own, a_csv=b"x")
        assert list((company.data / ".uploads").iterdir())
    assert list((company.data / ".uploads").iterdir()) == []
