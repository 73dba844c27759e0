"""Originals are copied while the rows are still being checked, and none is left over."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kamp_lib.datasets import ingest, job
from kamp_lib.datasets.raw import Raw, Source, sha256_of
from kamp_lib.datasets.storage import originals
from kamp_lib.datasets.storage.originals import Originals
from kamp_lib.datasets.storage.store import Store
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant

KIND = "generic"
PATIENCE_S = 30.0


def csv(path: Path, rows: int, day: int) -> Path:
    lines = [f"2026-01-{day:02} 08:{n // 60:02}:{n % 60:02},{n}.5" for n in range(rows)]
    path.write_text("\n".join(["time,x", *lines, ""]))
    return path


def kept(tenant: Tenant) -> list[str]:
    """What lies among the originals, whole or in part."""
    return sorted(p.name for p in Store(tenant.data / KIND).originals.glob("*"))


def tree(tenant: Tenant) -> list[Path]:
    """All files and folders of the company's data, but for locks."""
    return sorted(p for p in tenant.data.rglob("*") if not p.name.endswith(".lock"))


def at_the_checks(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Have something done when the rows are checked."""
    check = job.check

    def meanwhile(*args: object, **kwargs: object) -> object:
        do()
        return check(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(job, "check", meanwhile)


def copied(tenant: Tenant, path: Path) -> None:
    """Wait until the original is in its place."""
    place = Store(tenant.data / KIND).originals / sha256_of(path.read_bytes())
    until = time.monotonic() + PATIENCE_S
    while not place.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert place.exists()


def test_the_original_is_copied_while_the_rows_are_checked(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv(tmp_path / "a.csv", 30, 1)
    at_the_checks(monkeypatch, lambda: copied(tenant, path))
    ingest(tenant, KIND, path)
    assert kept(tenant) == [sha256_of(path.read_bytes())]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("error", [KampError("안 됩니다", "no"), KeyboardInterrupt()])
def test_nothing_is_left_of_a_copy_when_the_ingest_comes_to_nothing(
    tenant: Tenant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    first: bool,
    error: BaseException,
) -> None:
    if not first:
        ingest(tenant, KIND, csv(tmp_path / "a.csv", 30, 1))
    before = tree(tenant)
    path = csv(tmp_path / "b.csv", 40, 2)

    def refused() -> None:
        copied(tenant, path)
        raise error

    at_the_checks(monkeypatch, refused)
    with pytest.raises(type(error)):
        ingest(tenant, KIND, path)
    assert tree(tenant) == before


def test_a_file_that_changes_after_it_was_copied_is_not_stored(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv(tmp_path / "a.csv", 30, 1)

    def goes_on() -> None:
        copied(tenant, path)
        with open(path, "a", encoding="utf-8") as file:
            file.write("2026-01-02 08:00:00,1.5\n")

    at_the_checks(monkeypatch, goes_on)
    with pytest.raises(KampError, match=r"a\.csv.*읽는 동안 바뀌었습니다"):
        ingest(tenant, KIND, path)
    assert tree(tenant) == []


def test_a_dry_run_copies_nothing(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[Path]] = []
    at_the_checks(monkeypatch, lambda: seen.append(tree(tenant)))
    ingest(tenant, KIND, csv(tmp_path / "a.csv", 30, 1), dry_run=True)
    assert (seen, tree(tenant)) == ([[]], [])


def test_a_file_with_names_that_are_masked_is_never_copied(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv(tmp_path / "a.csv", 30, 1)
    lines = path.read_text().splitlines()
    mails = [f"{line},kim{n}@example.com" for n, line in enumerate(lines[1:])]
    path.write_text("\n".join([lines[0] + ",메일", *mails, ""]))
    at_the_checks(monkeypatch, lambda: time.sleep(0.2))
    ingest(tenant, KIND, path)
    assert kept(tenant) == []


def test_a_copy_that_nobody_needs_stops_at_once(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(originals, "BLOCK", 1)
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(1 << 24))  # byte by byte it would take half a minute
    source = Source("a.bin", path, sha256_of(path.read_bytes()), 1 << 24, 0)
    store = Store(tenant.data / KIND)
    copy = Originals(store, Raw(None, [source]))
    began = time.process_time()
    copy.stop()
    copy.wait()
    assert time.process_time() - began < 5
    assert source.sha256 not in kept(tenant)
