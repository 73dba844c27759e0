"""CSV copies made inside a company's walls, and what could come out in their place."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kamp_lib.datasets import ingest
from kamp_lib.datasets.csv_frames import HEADER, LONGEST, Part
from kamp_lib.errors import KampError
from kamp_lib.hub import csv_job
from kamp_lib.hub.walls import inspect_walls
from kamp_lib.tenancy import Tenant, open_registry, tenant_named


@pytest.fixture
def acme() -> Tenant:
    registry = open_registry()
    registry.add_sme("acme", "에이스")
    registry.close()
    tenant = tenant_named("acme")
    for name in ("shots", "모터", ".hidden", "empty"):
        (tenant.data / name / "table").mkdir(parents=True)
    (tenant.data / "empty" / "table").rmdir()
    return tenant


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[list[str]]]:
    """Have the job write these bytes, whatever it was asked."""

    def write(*pieces: bytes, status: int = 0) -> list[list[str]]:
        asked: list[list[str]] = []

        def run(_: Tenant, argv: list[str], *, out: int, err: object) -> int:
            asked.append(argv)
            try:
                for piece in pieces:
                    os.write(out, piece)
            except BrokenPipeError:
                return 141
            return status

        monkeypatch.setattr(csv_job, "walls_needed", lambda: True)
        monkeypatch.setattr(csv_job, "run_inside", run)
        return asked

    return write


def frame(number: int, part: int, data: bytes) -> bytes:
    return HEADER.pack(number, part, len(data)) + data


def test_every_data_set_is_asked_for_by_name(acme: Tenant, tmp_path, inside) -> None:
    asked = inside(frame(0, 0, b"a\n"), frame(0, 0, b"1\n"), frame(1, 1, b"b\n"))
    csv_job.tables_as_csv(acme, tmp_path)
    ((*_, first, second),) = asked
    assert (first, second) == ("shots", "모터")
    made = {p.name: p.read_bytes() for p in tmp_path.glob("*.csv")}
    assert made == {"shots.csv": b"a\n1\n", "모터.quarantine.csv": b"b\n"}


def test_no_job_is_started_when_there_is_nothing(
    acme: Tenant, tmp_path, inside
) -> None:
    asked = inside()
    acme.data.rename(acme.home / "elsewhere")
    acme.data.symlink_to(tmp_path)
    csv_job.tables_as_csv(acme, tmp_path)
    assert asked == []


def test_a_complaint_is_told_without_what_steers_a_terminal(
    acme: Tenant, tmp_path, inside
) -> None:
    said = b"\x1b[2Jdamaged " + b"x" * 5000
    inside(frame(0, 0, b"a\n"), frame(1, Part.COMPLAINT, said))
    with pytest.raises(KampError, match="damaged") as failed:
        csv_job.tables_as_csv(acme, tmp_path)
    assert failed.value.text.ko.isprintable()
    assert len(failed.value.text.ko) < 500
    assert (tmp_path / "shots.csv").is_file()


@pytest.mark.parametrize(
    "stream",
    [
        b"nonsense, and more than a header",
        frame(2, 0, b"x"),
        frame(0, 9, b"x"),
        HEADER.pack(0, 0, 100) + b"short",
    ],
)
def test_a_stream_that_lies_makes_no_file_and_is_told(
    acme: Tenant, tmp_path, inside, stream: bytes
) -> None:
    inside(stream)
    with pytest.raises(KampError):
        csv_job.tables_as_csv(acme, tmp_path)
    assert list(tmp_path.glob("*.csv")) == []


@pytest.mark.timeout(60)
def test_a_stream_without_end_is_ended_before_the_disk_is(
    acme: Tenant, tmp_path, inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    free = SimpleNamespace(free=20 * LONGEST)
    monkeypatch.setattr("shutil.disk_usage", lambda _: free)
    inside(*[frame(0, 0, b"x" * LONGEST)] * 1000)
    with pytest.raises(KampError):
        csv_job.tables_as_csv(acme, tmp_path)
    assert (tmp_path / "shots.csv").stat().st_size == 10 * LONGEST


def test_a_job_that_dies_is_told(acme: Tenant, tmp_path, inside) -> None:
    inside(frame(0, 0, b"a\n"), status=137)
    with pytest.raises(KampError):
        csv_job.tables_as_csv(acme, tmp_path)


def test_without_walls_no_table_is_read(
    acme: Tenant, tmp_path, inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = inside()
    monkeypatch.setattr(csv_job, "walls_needed", lambda: False)
    with pytest.raises(KampError, match="kamp doctor"):
        csv_job.tables_as_csv(acme, tmp_path)
    assert asked == []


@pytest.mark.e2e
def test_an_export_has_csv_copies_made_behind_walls(kamp, tmp_path: Path) -> None:
    walls = inspect_walls()
    if not walls.stand:
        if os.environ.get("CI"):
            pytest.fail("no walls on this machine; CI must have them")
        pytest.skip("no walls on this machine")
    assert kamp("tenant", "add", "acme", "에이스").status == 0
    (tmp_path / "shots.csv").write_text("shot_id,금형온도\n1,80.5\n2,81\n")
    tenant = tenant_named("acme")
    ingest(tenant, "generic", [tmp_path / "shots.csv"])
    broken = tenant.data / "broken" / "table" / "_delta_log"
    broken.mkdir(parents=True)
    (broken / f"{0:020}.json").write_text("not a log")
    to = tmp_path / "acme.zip"
    said = kamp("tenant", "export", "acme", "--to", str(to), "--json")
    assert said.status == 0, said.err
    assert said.json["csv"] is False  # one of them could not be read
    with zipfile.ZipFile(to) as archive:
        copy = archive.read("csv/generic.csv").decode("utf-8-sig")
        assert "broken" in archive.read("manifest.json").decode()
    assert copy.splitlines()[1].startswith("1,80.5")
