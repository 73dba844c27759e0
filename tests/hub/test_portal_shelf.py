"""What the portal reads of a company's folder, which may be anything."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hub.portal_hub import release

from kamp_lib.hub.portal import shelf
from kamp_lib.hub.portal.shelf import released

RUN = "20261120-010203-injection-quality-aaaaaa"
OLDER = "20261118-010203-injection-quality-bbbbbb"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    release(tmp_path, "acme", RUN)
    return tmp_path / "tenants" / "acme" / "published"


def rewrite(published: Path, text: str | bytes) -> None:
    content = text.encode() if isinstance(text, str) else text
    (published / RUN / "run.json").write_bytes(content)


def test_a_report_is_listed_with_its_verdict(published: Path) -> None:
    (report,) = released(published, 10)
    assert (report.run, report.state) == (RUN, "usable")
    assert report.sentence.ko == "불량 10개 중 8개를 미리 찾습니다."


def test_a_failed_run_gives_its_reason(published: Path, tmp_path: Path) -> None:
    reason = {"ko": "데이터가 없습니다.", "en": "There is no data."}
    release(tmp_path, "acme", OLDER, status="failed", verdict=None, reason=reason)
    assert released(published, 10)[1].sentence.en == "There is no data."
    assert released(published, 10)[1].state == "failed"


def test_the_newest_comes_first_and_no_more_than_asked_for(
    published: Path, tmp_path: Path
) -> None:
    release(tmp_path, "acme", OLDER)
    assert [r.run for r in released(published, 10)] == [RUN, OLDER]
    assert [r.run for r in released(published, 1)] == [RUN]


def note(folder: Path, when: str, dataset: str = "injection") -> None:
    """`publication.json`, as far as it says which reports are overtaken."""
    said = {"run": folder.name, "tenant": "acme", "published": when}
    said |= {"model": "injection-quality", "dataset": dataset}
    (folder / "publication.json").write_text(json.dumps(said))


def test_a_report_that_was_released_again_is_an_earlier_one(
    published: Path, tmp_path: Path
) -> None:
    note(published / RUN, "2026-11-20T02:00:00Z")
    note(release(tmp_path, "acme", OLDER), "2026-11-18T02:00:00Z")
    assert [r.current for r in released(published, 10)] == [True, False]


def test_reports_on_other_data_stay_current(published: Path, tmp_path: Path) -> None:
    note(published / RUN, "2026-11-20T02:00:00Z")
    note(release(tmp_path, "acme", OLDER), "2026-11-18T02:00:00Z", dataset="line 2")
    assert [r.current for r in released(published, 10)] == [True, True]


def test_a_damaged_note_hides_no_report(published: Path) -> None:
    (published / RUN / "publication.json").write_text("[" * 10_000)
    assert [r.current for r in released(published, 10)] == [True]


def test_a_company_without_reports_has_none(tmp_path: Path) -> None:
    assert released(tmp_path / "published", 10) == []


def test_a_real_run_is_readable(tmp_path: Path) -> None:
    """The few fields that are read are fields of a run's record."""
    from kamp_lib.runs import RunRecord

    for part, inner in (
        (shelf._Record, RunRecord),
        (shelf._Model, RunRecord.model_fields["model"].annotation),
    ):
        assert set(part.model_fields) <= set(inner.model_fields)  # type: ignore[union-attr]


@pytest.mark.parametrize("depth", ["published", "run", "file"])
def test_no_link_is_followed(depth: str, published: Path, tmp_path: Path) -> None:
    place = {"published": published, "run": published / RUN}.get(
        depth, published / RUN / "run.json"
    )
    aside = tmp_path / "aside"
    place.rename(aside)
    place.symlink_to(aside)
    assert released(published, 10) == []


def test_a_secret_behind_a_link_is_not_read(published: Path) -> None:
    (published / RUN / "run.json").unlink()
    (published / RUN / "run.json").symlink_to("/etc/passwd")
    assert released(published, 10) == []


def test_a_pipe_keeps_nobody_waiting(published: Path) -> None:
    (published / RUN / "run.json").unlink()
    os.mkfifo(published / RUN / "run.json")
    assert released(published, 10) == []


def test_a_gigabyte_is_not_read(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (published / RUN / "run.json").open("r+b") as file:
        file.truncate(2**30)
    monkeypatch.setattr(shelf, "_parsed", lambda *_: pytest.fail("it was read"))
    assert released(published, 10) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"[" * 100_000,
        b'{"run":' * 50_000,
        b'{"run": NaN}',
        b'{"run": "' + b"9" * 1_000_000 + b'"}',
    ],
    ids=["empty", "binary", "null", "deep list", "deep object", "NaN", "long"],
)
def test_what_is_no_record_is_left_out(content: bytes, published: Path) -> None:
    rewrite(published, content)
    assert released(published, 10) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"run": "../../../etc"},
        {"run": OLDER},
        {"status": "great"},
        {"verdict": {"value": "usable", "sentence": "only one language"}},
        {"finished": "soon"},
        {"model": None},
    ],
)
def test_a_record_that_lies_about_itself_is_left_out(
    changes: dict[str, Any], published: Path
) -> None:
    record = json.loads((published / RUN / "run.json").read_text()) | changes
    rewrite(published, json.dumps(record))
    assert released(published, 10) == []


def test_one_bad_report_hides_no_other(published: Path, tmp_path: Path) -> None:
    release(tmp_path, "acme", OLDER)
    rewrite(published, "nonsense")
    assert [r.run for r in released(published, 10)] == [OLDER]


def test_odd_names_are_not_opened(published: Path) -> None:
    for name in (".staging-x", "..hidden", "20261120-010203-<b>", "a" * 200):
        (published / name).mkdir()
    assert [r.run for r in released(published, 10)] == [RUN]


def test_a_folder_full_of_rubbish_is_given_up(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "MOST_ENTRIES", 3)
    for number in range(10):
        (published / f"rubbish-{number}").touch()
    assert len(released(published, 10)) <= 1


def test_words_that_change_direction_or_break_lines_are_cleaned(
    published: Path,
) -> None:
    record = json.loads((published / RUN / "run.json").read_text())
    record["model"]["name"] = {"ko": "좋은\u202e\n\x00모델", "en": "x" * 5_000}
    rewrite(published, json.dumps(record))
    (report,) = released(published, 10)
    assert report.title.ko == "좋은 모델"
    assert len(report.title.en) == shelf.LONGEST_TEXT
