"""The mapping as an ingest uses it: units of the file, questions, what is remembered."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from kamp_lib.datasets import IngestResult, ingest, load_mapping, open_dataset
from kamp_lib.datasets.options import Options
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant
from kamp_lib.testbed import simulate

HEADER = "생산일시,샷번호,사출압력(kgf/cm2),후단 실린더 온도 2,사이클타임"


def shots(path: Path, header: str = HEADER, first: int = 1, more: str = "") -> Path:
    """Sixty shots; `more` is added to every row."""
    rows = [
        f"2026-03-02 08:{i % 60:02d}:00,{i},{1400 + i % 7},{228 + i % 5}.5,{31 + i % 3}.2{more}"
        for i in range(first, first + 60)
    ]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def codes(result: IngestResult) -> set[str]:
    return {f.code for f in result.findings}


def test_a_data_set_keeps_both_units_of_a_column(tenant: Tenant, tmp_path: Path):
    result = ingest(tenant, "injection-moulding", shots(tmp_path / "a.csv"))
    data = open_dataset(tenant, result.dataset)
    column = next(c for c in data.columns if c.name == "max_injection_pressure")
    assert (column.unit, column.source_unit) == ("MPa", "kgf/cm2")
    assert data.to_pandas()["max_injection_pressure"].between(137, 139).all()
    assert "unit-converted" in codes(result)


def test_an_unsure_column_is_kept_under_its_own_name(tenant: Tenant, tmp_path: Path):
    result = ingest(tenant, "injection-moulding", shots(tmp_path / "a.csv"))
    assert "mapping-unsure" in codes(result)
    frame = open_dataset(tenant, result.dataset).to_pandas()
    assert "후단 실린더 온도 2" in frame
    assert "barrel_temperature_2" not in frame


def test_an_answer_is_stored_and_remembered(tenant: Tenant, tmp_path: Path):
    answered = Options(column=lambda match, names: match.maybe)
    result = ingest(
        tenant, "injection-moulding", shots(tmp_path / "a.csv"), options=answered
    )
    assert "mapping-unsure" not in codes(result)
    later = shots(tmp_path / "b.csv", first=61)
    again = ingest(tenant, "injection-moulding", later)
    assert "mapping-unsure" not in codes(again)
    assert "barrel_temperature_2" in open_dataset(tenant, again.dataset).to_pandas()


def test_next_month_may_have_one_more_column(tenant: Tenant, tmp_path: Path):
    answered = Options(column=lambda match, names: match.maybe)
    ingest(tenant, "injection-moulding", shots(tmp_path / "a.csv"), options=answered)
    later = shots(tmp_path / "b.csv", f"{HEADER},비고", first=61, more=",ok")
    result = ingest(tenant, "injection-moulding", later)
    names = result.mapping.names()
    assert names["후단 실린더 온도 2"] == "barrel_temperature_2"
    assert names["비고"] == "비고"


def test_a_mapping_file_of_another_equipment_is_refused(tenant: Tenant, tmp_path: Path):
    file = tmp_path / "m.yaml"
    file.write_text("equipment: press\ncolumns:\n- {source: 샷번호, name: stroke_no}\n")
    with pytest.raises(KampError, match=r"m\.yaml.*press"):
        ingest(tenant, "injection-moulding", shots(tmp_path / "a.csv"), mapping=file)


def at_a_terminal(tenant: Tenant, typed: str, *arguments: str) -> str:
    """What `kamp ingest` shows at a terminal where a person types these lines."""
    command = [sys.executable, "-m", "kamp_lib.cli", "ingest", *arguments]
    master, slave = pty.openpty()
    environment = {
        **os.environ,
        "KAMP_HOME": str(tenant.home.parent.parent),
        "KAMP_LANG": "en",
        "TERM": "xterm",
    }
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment
    ) as process:
        os.close(slave)
        os.write(master, typed.encode())
        shown = b""
        try:
            while chunk := os.read(master, 4096):
                shown += chunk
        except OSError:  # the other end is closed
            pass
        process.wait(60)
    os.close(master)
    return shown.decode()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("y\n", "barrel_temperature_2"), ("what\nn\n", "후단 실린더 온도 2")],
)
def test_at_a_terminal_a_person_is_asked(
    tenant: Tenant, tmp_path: Path, typed: str, stored: str
):
    file = str(shots(tmp_path / "a.csv"))
    shown = at_a_terminal(tenant, typed, "haneul-mold", "injection-moulding", file)
    assert "barrel_temperature_2(barrel temperature 2)" in shown
    assert "mapping-unsure" not in shown
    assert stored in open_dataset(tenant, "injection").to_pandas()


def test_with_yes_nothing_is_asked(tenant: Tenant, tmp_path: Path):
    file = str(shots(tmp_path / "a.csv"))
    shown = at_a_terminal(
        tenant, "", "haneul-mold", "injection-moulding", file, "--yes"
    )
    assert "mapping-unsure" in shown
    path = tenant.data / "mappings" / "injection-moulding" / "injection.yaml"
    maybe = [m.maybe for m in load_mapping(path).columns if m.maybe]
    assert maybe == ["barrel_temperature_2"]


def test_a_header_that_breaks_later_is_found_although_the_sound_one_is_remembered(
    tenant: Tenant, tmp_path: Path
) -> None:
    sound = simulate("injection-quality", tmp_path / "sound", size="fast", seed=1)
    broken = simulate(
        *("injection-quality", tmp_path / "broken"),
        size="fast",
        seed=2,
        defects=["shifted-columns"],
    )
    ingest(tenant, "injection-moulding", sound.files)
    looked = ingest(tenant, "injection-moulding", broken.files, dry_run=True)
    assert "shifted-columns" in {f.code for f in looked.findings}
