"""The form of an upload: what a browser may say, and what it may not."""

from __future__ import annotations

from typing import Any

import pytest

from kamp_lib.errors import UsageError
from kamp_lib.tenancy import Tenant
from kamp_lib.workspace.choices import Choices
from kamp_lib.workspace.uploads import Upload, Uploads

GOOD = {"equipment": "injection-moulding"}


@pytest.fixture
def upload(company: Tenant) -> Upload:
    return Uploads(company).start([("runs/1.csv", 0), ("labels.csv", 0)])


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"equipment": "../../etc"},
        {"equipment": ["injection-moulding"]},
        {**GOOD, "dates": "sometimes"},
        {**GOOD, "layout": {"a": 1}},
        {**GOOD, "personal": "sell"},
        {**GOOD, "fixes": "all"},
        {**GOOD, "fixes": ["x" * 400]},
        {**GOOD, "labels": -1},
        {**GOOD, "labels": "/etc/passwd"},
        {**GOOD, "files": ["/etc/passwd"]},
        {**GOOD, "mapping_to": "/etc/cron.d/x"},
        {**GOOD, "edits": {"a": {"name": ""}}},
        {**GOOD, "edits": {"a": {"source": "b"}}},
        {**GOOD, "edits": {"a": 1}},
        {**GOOD, "password": "x" * 2000},
        {**GOOD, "dataset": "x" * 2000},
        [],
        "text",
        None,
        7,
    ],
)
def test_garbage_is_one_sentence(wrong: Any) -> None:
    with pytest.raises(UsageError, match="올바르지 않습니다"):
        Choices.checked(wrong)


def test_empty_fields_say_nothing(upload: Upload) -> None:
    told = {**GOOD, "dataset": "", "sheet": "", "dates": "", "on": "", "labels": ""}
    request = Choices.checked(told).request(upload)
    assert set(request) == {"equipment", "replace", "personal", "files"}


def test_the_job_is_told_the_files_of_the_upload_and_no_others(upload: Upload) -> None:
    request = Choices.checked(GOOD).request(upload)
    assert request["files"] == [str(p) for p in upload.tops()]


def test_a_label_file_is_named_by_its_number(upload: Upload) -> None:
    request = Choices.checked({**GOOD, "labels": 1, "on": "No"}).request(upload)
    assert request["labels"] == str(upload.files[1].path)
    with pytest.raises(UsageError, match="판정 파일"):
        Choices.checked({**GOOD, "labels": 2}).request(upload)


def test_no_fix_at_all_is_something_else_than_nothing_said(upload: Upload) -> None:
    assert Choices.checked({**GOOD, "fixes": []}).request(upload)["fixes"] == []
    assert "fixes" not in Choices.checked(GOOD).request(upload)


def test_a_correction_goes_with_the_mapping_that_was_shown(upload: Upload) -> None:
    told = {**GOOD, "edits": {"온도": {"name": "mold_temperature_1"}}}
    assert "edits" not in Choices.checked(told).request(upload)  # nothing was shown
    upload.seen = {**GOOD, "mapping": {**GOOD, "columns": []}}
    request = Choices.checked(told).request(upload)
    assert request["edits"] == {"온도": {"name": "mold_temperature_1"}}
    assert request["mapping"] is upload.seen["mapping"]


def test_what_was_said_of_another_machine_is_dropped(upload: Upload) -> None:
    upload.seen = {"equipment": "press", "mapping": {"equipment": "press"}}
    edits = {"온도": {"name": "mold_temperature_1"}}
    told = {**GOOD, "edits": edits, "fixes": ["sentinel-value"]}
    assert not {"edits", "mapping", "fixes"} & set(
        Choices.checked(told).request(upload)
    )


def test_a_password_is_passed_on_and_not_remembered(upload: Upload) -> None:
    choices = Choices.checked({**GOOD, "password": "geheim"})
    assert choices.request(upload)["password"] == "geheim"
    assert "geheim" not in repr(choices.kept())
