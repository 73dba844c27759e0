"""What `kamp ingest` tells at a terminal, and that what it proposes works as it stands."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from in_process import command

from kamp_lib.tenancy import Tenant

Kamp = Callable[..., str]


@pytest.fixture
def kamp(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Kamp:
    """Run a command in this process; it has to go well."""
    run = command(monkeypatch, capsys, lang="ko")

    def call(*words: str) -> str:
        said = run(*words)
        assert said.status == 0, said.err
        return said.out

    return call


@pytest.fixture
def placeholders(tmp_path: Path) -> Path:
    """A log with a title line, a sensor that writes -999, and a verdict."""
    lines = [
        f"2026-03-02 08:{i // 60:02}:{i % 60:02},{-999 if i % 9 == 0 else 20 + i % 7},"
        f"{'NG' if i % 5 == 0 else 'OK'}"
        for i in range(120)
    ]
    path = tmp_path / "온도 기록.csv"
    path.write_text("생산 기록\n시간,온도,판정\n" + "\n".join(lines), encoding="utf-8")
    return path


def proposed(told: str, start: str) -> list[str]:
    """The command of the line that begins with `start`."""
    line = next(line for line in told.splitlines() if line.startswith(start))
    return shlex.split(line.partition(": kamp ")[2])


def test_notes_take_a_line_each(kamp: Kamp, tenant: Tenant, placeholders: Path) -> None:
    told = kamp("ingest", tenant.slug, "generic", str(placeholders)).splitlines()
    at = told.index("○ 안내 1건")
    assert "제목이나 설명" in told[at + 1]
    assert told[at + 2] == ""


def test_the_command_that_mends_works_as_it_is_told(
    kamp: Kamp, tenant: Tenant, placeholders: Path
) -> None:
    told = kamp(
        "ingest", tenant.slug, "generic", str(placeholders), "--dataset", "oven"
    )
    again = proposed(told, "고쳐서 다시 가져오기")
    assert again[-2:] == ["--fix", "sentinel-value"]
    assert "고침 · " in kamp(*again)


def test_the_command_that_mends_keeps_what_was_mended_already(
    kamp: Kamp, tenant: Tenant, placeholders: Path
) -> None:
    text = placeholders.read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(text) if "," in line)
    rows = [f"{line},0" if i > at else line for i, line in enumerate(text)]
    rows[at] += ",oil temperature"  # a dead sensor
    placeholders.write_text("\n".join(rows) + "\n", encoding="utf-8")
    words = ("ingest", tenant.slug, "generic", str(placeholders))
    told = kamp(*words, "--fix", "sentinel-value")
    again = proposed(told, "고쳐서 다시 가져오기")
    assert again[-4:] == ["--fix", "sentinel-value", "--fix", "dead-column"]


def test_the_analysis_that_is_proposed_names_the_column_with_the_verdict(
    kamp: Kamp, tenant: Tenant, placeholders: Path
) -> None:
    told = kamp("ingest", tenant.slug, "generic", str(placeholders))
    assert proposed(told, "다음")[-1] == "target=판정"


def test_rejected_rows_come_with_the_command_that_takes_them_out(
    kamp: Kamp, tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    rows = [f"2026-03-02 08:00:{i:02},{i}" for i in range(40)]
    path.write_text("\n".join(["time,x", *rows, "점검,77"]), "utf-8")
    told = kamp("ingest", tenant.slug, "generic", str(path))
    monkeypatch.chdir(tmp_path)
    kamp(*proposed(told, "보류된 행"))
    assert "점검" in (tmp_path / "보류.csv").read_text("utf-8-sig")


def test_rows_that_are_stored_already_lower_no_score(
    kamp: Kamp, tenant: Tenant, tmp_path: Path
) -> None:
    rows = [f"2026-03-02 08:{i // 60:02}:{i % 60:02},{i % 7}" for i in range(200)]
    for name, some in (("a.csv", rows[:150]), ("b.csv", rows)):
        (tmp_path / name).write_text("\n".join(["time,x", *some]), "utf-8")
        told = kamp("ingest", tenant.slug, "generic", str(tmp_path / name))
    assert "이미 저장되어 있는 행 150개" in told
    assert "유일성 100" in told


def test_columns_that_are_no_standard_ones_are_named(
    kamp: Kamp, tenant: Tenant, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    rows = [f"2026-03-02 08:00:{i:02},{42 + i / 100},{i % 7}" for i in range(60)]
    path.write_text("\n".join(["시각,사이클타임,우리값", *rows]), "utf-8")
    told = kamp("ingest", tenant.slug, "injection-moulding", str(path))
    assert "열 3개 가운데 2개를 표준 열로" in told
    assert "이름 그대로 둔 열: 우리값" in told
