"""What jobs do with a company's files, without the process around them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kamp_lib.datasets import open_dataset
from kamp_lib.errors import KampError
from kamp_lib.progress import silent
from kamp_lib.tenancy import Tenant
from kamp_lib.workspace.choices import Choices
from kamp_lib.workspace.tasks import TASKS
from kamp_lib.workspace.uploads import Uploads

MACHINE = "injection-moulding"


@pytest.fixture(autouse=True)
def _in_the_workspace(company: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAMP_TENANT_HOME", str(company.home))
    monkeypatch.setenv("KAMP_PERSON", "ann")


def do(task: str, **request: Any) -> dict[str, Any]:
    return TASKS[task](request, silent)


@pytest.fixture
def asked(tmp_path: Path, shots: Any) -> dict[str, Any]:
    """What a job about one small file is told."""
    file = tmp_path / "shots.csv"
    file.write_bytes(shots())
    return {
        "equipment": MACHINE,
        "files": [str(file)],
        "mapping_to": str(tmp_path / "mapping.yaml"),
    }


def test_a_look_stores_nothing_and_shows_everything(
    company: Tenant, asked: dict[str, Any]
) -> None:
    result = do("look", fixes=[], **asked)
    assert result["dry_run"]
    assert result["first_rows"]["rows"]
    assert "sentinel-value" in result["fixable"]
    assert [p.name for p in company.data.iterdir() if not p.name.startswith(".")] == []


def test_a_corrected_column_is_stored_as_corrected(asked: dict[str, Any]) -> None:
    seen = do("look", **asked)
    edits = {"실린더온도1": {"name": "barrel_temperature_3", "unit": "°F"}}
    stored = do("ingest", mapping=seen["mapping"], edits=edits, **asked)
    columns = {m["source"]: m for m in stored["mapping"]["columns"]}
    assert columns["실린더온도1"]["canonical"] == "barrel_temperature_3"
    assert columns["실린더온도1"]["unit"] == "[degF]"
    assert columns["생산일시"]["canonical"] == "ts"


def test_a_column_can_be_kept_under_its_own_name(asked: dict[str, Any]) -> None:
    seen = do("look", **asked)
    edits = {"실린더온도1": {"name": "실린더온도1"}}
    stored = do("ingest", mapping=seen["mapping"], edits=edits, **asked)
    names = {m["source"]: m["canonical"] for m in stored["mapping"]["columns"]}
    assert names["실린더온도1"] == "실린더온도1"


@pytest.mark.parametrize(
    "edit",
    [{"unit": "bananas"}, {"name": "cycle_time"}, {"name": "_file"}],
    ids=["a unit nobody knows", "a name that is taken", "a name of the store"],
)
def test_a_wrong_correction_is_a_sentence(
    asked: dict[str, Any], edit: dict[str, str]
) -> None:
    seen = do("look", **asked)
    with pytest.raises(KampError):
        do("look", mapping=seen["mapping"], edits={"실린더온도1": edit}, **asked)


def test_a_fix_is_applied_and_said(asked: dict[str, Any]) -> None:
    stored = do("ingest", fixes=["sentinel-value"], **asked)
    assert [fix["code"] for fix in stored["fixes"]] == ["sentinel-value"]


def test_the_commit_says_who_stored(company: Tenant, asked: dict[str, Any]) -> None:
    do("ingest", **asked)
    (made,) = open_dataset(company, "injection").history()
    assert made.who == "ann"


def test_an_undo_leaves_a_colleagues_later_work_alone(
    company: Tenant, asked: dict[str, Any], tmp_path: Path, shots: Any
) -> None:
    mine = do("ingest", **asked)["version"]
    later = tmp_path / "later.csv"
    later.write_bytes(shots(80))
    do("ingest", **{**asked, "files": [str(later)]})
    with pytest.raises(KampError, match="바뀌었습니다"):
        do("undo", dataset="injection", version=mine)
    assert open_dataset(company, "injection").version == mine + 1


def test_an_undo_takes_back_ones_own_ingest(
    company: Tenant, asked: dict[str, Any]
) -> None:
    mine = do("ingest", **asked)["version"]
    assert do("undo", dataset="injection", version=mine)["rows"] == 0
    assert do("datasets")["datasets"] == []


def test_the_list_of_data_sets_has_what_the_page_shows(asked: dict[str, Any]) -> None:
    do("ingest", **asked)
    (shown,) = do("datasets")["datasets"]
    assert (shown["name"], shown["equipment"], shown["rows"]) == (
        "injection",
        MACHINE,
        60,
    )
    assert shown["findings"]["warning"] >= 1
    assert "ts" in [c["name"] for c in shown["columns"]]


def test_a_damaged_data_set_does_not_hide_the_others(
    company: Tenant, asked: dict[str, Any]
) -> None:
    do("ingest", **asked)
    do("ingest", **{**asked, "dataset": "other"})
    (log,) = (company.data / "other" / "table" / "_delta_log").glob("*.json")
    log.write_text("{")
    told = do("datasets")
    assert [d["name"] for d in told["datasets"]] == ["injection"]
    assert len(told["damaged"]) == 1


def test_a_file_of_labels_is_joined_to_the_runs_it_names(company: Tenant) -> None:
    run = b"spindle_load,spindle_speed\n" + b"40.5,2000\n41.5,2010\n" * 20
    labels = b"No,tool_condition\n1,worn\n2,unworn\n3,unworn\n"
    files = {f"runs/run_{n}.csv": run + b"%d,1\n" % n for n in (1, 2, 3)}
    files["labels.csv"] = labels
    upload = Uploads(company).start([(n, len(c)) for n, c in files.items()])
    for number, content in enumerate(files.values()):
        upload.write(number, 0, content)
    told = {"equipment": "cnc-machine", "labels": 3, "on": "No"}
    result = do("look", **Choices.checked(told).request(upload))
    names = result["mapping"]["columns"]
    assert "tool_worn" in [m["canonical"] for m in names]
    assert result["rows_read"] == 3 * 41


def locked(folder: Path) -> Path:
    import msoffcrypto
    import openpyxl
    from msoffcrypto.format.ooxml import OOXMLFile

    plain, file = folder / "plain.xlsx", folder / "locked.xlsx"
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["생산일시", "사이클타임(s)"])
    for second in range(30):
        book.active.append([f"2026-03-02 08:00:{second:02}", 31.5 + second / 10])
    book.save(plain)
    with plain.open("rb") as source, file.open("wb") as to:
        OOXMLFile(source).encrypt("geheim", to)
    assert msoffcrypto.OfficeFile(file.open("rb")).is_encrypted()
    return file


def test_a_locked_file_asks_for_its_password_and_opens_with_it(tmp_path: Path) -> None:
    asked = {"equipment": MACHINE, "files": [str(locked(tmp_path))]}
    for password in (None, "wrong"):
        with pytest.raises(KampError) as raised:
            do("look", password=password, **asked)
        assert raised.value.details == {"locked": True}  # type: ignore[attr-defined]
        assert "KAMP_FILE_PASSWORD" not in str(raised.value)
    assert do("look", password="geheim", **asked)["rows_read"] == 30
