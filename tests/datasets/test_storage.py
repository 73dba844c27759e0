"""Disks that are full or read-only, damage, links, locks: one true sentence each."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from kamp_lib.datasets import ingest, list_datasets, open_dataset, restore, undo
from kamp_lib.datasets.storage import lock
from kamp_lib.datasets.storage.durable import Stopped, storing
from kamp_lib.datasets.storage.remembered import mapping_path, remembered
from kamp_lib.datasets.storage.store import Store
from kamp_lib.datasets.storage.table_files import TableFiles
from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import Tenant, add_tenant
from kamp_lib.text import Text

KIND = "generic"


def csv(path: Path, rows: int, year: int) -> Path:
    rng = np.random.default_rng(year)
    time = pd.date_range(f"{year}-01-01", periods=rows, freq="61s").astype(str)
    frame = pd.DataFrame({"time": time, "x": rng.normal(size=rows)})
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def store(tenant: Tenant, tmp_path: Path) -> Store:
    """A data set of two ingests."""
    ingest(tenant, KIND, csv(tmp_path / "a.csv", 40, 2020))
    ingest(tenant, KIND, csv(tmp_path / "b.csv", 30, 2021))
    return Store(tenant.data / KIND)


def tree(folder: Path) -> dict[str, int]:
    return {
        str(p.relative_to(folder)): p.lstat().st_mtime_ns
        for p in folder.rglob("*")
        if p.is_file() and not p.name.endswith(".lock")
    }


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 400 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]
    if (
        os.geteuid() != 0
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("mounting a small disk needs root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("room", [300_000, 200_000, 120_000, 60_000, 8_000])
def test_a_full_disk_leaves_the_store_as_it_was(
    small_disk: Path, tmp_path: Path, room: int
) -> None:
    tenant = add_tenant("acme", "에이스", home=small_disk)
    ingest(tenant, KIND, csv(tmp_path / "a.csv", 20, 2020))
    before = tree(tenant.data)
    free = shutil.disk_usage(small_disk).free
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * max(0, free - room))
    with pytest.raises(KampError, match="공간"):
        ingest(tenant, KIND, csv(tmp_path / "b.csv", 9000, 2021))
    assert tree(tenant.data) == before
    filler.unlink()
    assert ingest(tenant, KIND, csv(tmp_path / "c.csv", 30, 2022)).version == 2


def test_a_read_only_store_is_read_and_refuses_to_be_written(
    small_disk: Path, tmp_path: Path
) -> None:
    tenant = add_tenant("acme", "에이스", home=small_disk)
    ingest(tenant, KIND, csv(tmp_path / "a.csv", 20, 2020))
    read_only = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(read_only, check=True)
    assert open_dataset(tenant, KIND).rows == 20
    with pytest.raises(KampError, match="권한"):
        ingest(tenant, KIND, csv(tmp_path / "b.csv", 30, 2021))
    with pytest.raises(KampError, match="권한"):
        undo(tenant, KIND)


@pytest.mark.parametrize(
    "part", ["", "table", "table/_delta_log", "ingests", "staging", "writing"]
)
@pytest.mark.parametrize("what", ["link", "file"])
def test_a_folder_of_the_store_that_is_a_link_or_a_file_is_refused(
    tenant: Tenant, store: Store, tmp_path: Path, part: str, what: str
) -> None:
    place = store.folder / part
    place.mkdir(exist_ok=True)  # two are there only while something is written
    moved = place.rename(tmp_path / "moved")
    if what == "link":
        place.symlink_to(moved)
    else:
        place.write_text("not a folder")
    before = tree(moved)
    with pytest.raises(KampError, match=KIND):
        ingest(tenant, KIND, csv(tmp_path / "c.csv", 10, 2022))
    assert tree(moved) == before


def test_a_pipe_in_the_log_holds_nobody_up(
    tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    before = open_dataset(tenant, KIND).rows
    os.mkfifo(store.table_folder / "_delta_log" / "_last_checkpoint")
    ingest(tenant, KIND, csv(tmp_path / "c.csv", 10, 2022))
    assert open_dataset(tenant, KIND).rows == before + 10


def test_a_foreign_checkpoint_in_the_log_hides_no_new_column(
    tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    held = open_dataset(tenant, KIND).schema
    wider = pa.schema([*held, pa.field("new", pa.string())])
    write_deltalake(str(other), wider.empty_table())
    DeltaTable(str(other)).create_checkpoint()
    for path in (other / "_delta_log").glob("*checkpoint*"):
        shutil.copy(path, store.table_folder / "_delta_log" / path.name)
    path = csv(tmp_path / "c.csv", 10, 2022)
    frame = pd.read_csv(path).assign(new="word")
    frame.to_csv(path, index=False)
    ingest(tenant, KIND, path)
    stored = open_dataset(tenant, KIND).to_pandas()
    assert (stored["new"] == "word").sum() == 10


def test_rows_are_not_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("theirs")
    files = TableFiles(tmp_path / "writing", pa.table({"x": [1]}), "part-1")
    make = Path.mkdir

    def with_a_trap(self: Path, *args: object, **kwargs: object) -> None:
        make(self, *args, **kwargs)  # type: ignore[arg-type]
        (self / "part-1-00000.parquet").symlink_to(victim)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "mkdir", with_a_trap)
        files.start()
    with pytest.raises(FileExistsError):
        files.ready()
    assert victim.read_text() == "theirs"


def test_writers_of_rows_that_nobody_needs_stop_early(tmp_path: Path) -> None:
    rows = pa.table({"x": np.arange(2_000_000.0)})  # two files, both begun at once
    files = TableFiles(tmp_path / "writing", rows, "part-1")
    files.start()
    files.stop()
    files.wait()
    with pytest.raises(Stopped):
        files.ready()


@pytest.mark.parametrize("name", ["manifest.json", "quarantine.parquet"])
@pytest.mark.parametrize("how", ["gone", "damaged", "link"])
def test_a_damaged_record_is_named(
    tenant: Tenant, store: Store, tmp_path: Path, name: str, how: str
) -> None:
    path = next(store.ingests.glob(f"*/{name}"))
    _spoil(path, how, tmp_path)
    with pytest.raises(KampError, match=f"{path.name}.*백업"):
        open_dataset(tenant, KIND).quarantine()


@pytest.mark.parametrize("how", ["gone", "damaged", "link"])
def test_a_damaged_table_file_is_named(
    tenant: Tenant, store: Store, tmp_path: Path, how: str
) -> None:
    path = next(store.table_folder.glob("*.parquet"))
    _spoil(path, how, tmp_path)
    with pytest.raises(KampError, match=path.name):
        open_dataset(tenant, KIND).to_pandas()


@pytest.mark.parametrize("how", ["gone", "damaged", "link"])
def test_a_damaged_commit_is_named(
    tenant: Tenant, store: Store, tmp_path: Path, how: str
) -> None:
    path = store.table_folder / "_delta_log" / f"{0:020}.json"
    _spoil(path, how, tmp_path)
    with pytest.raises(KampError, match=path.name):
        open_dataset(tenant, KIND)


def _spoil(path: Path, how: str, aside: Path) -> None:
    moved = path.rename(aside / "moved")
    if how == "damaged":
        path.write_bytes(moved.read_bytes()[:40])
    elif how == "link":
        path.symlink_to(moved)


def test_a_lost_log_does_not_have_the_rest_swept_away(
    tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    shutil.rmtree(store.table_folder / "_delta_log")
    before = tree(store.folder)
    with pytest.raises(KampError, match="_delta_log"):
        ingest(tenant, KIND, csv(tmp_path / "c.csv", 10, 2022))
    assert tree(store.folder) == before


def test_a_damaged_data_set_does_not_stop_the_others(
    tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    (store.table_folder / "_delta_log" / f"{0:020}.json").write_text("{")
    ingest(tenant, KIND, csv(tmp_path / "c.csv", 10, 2022), dataset="other")
    told: list[KampError] = []
    there = list_datasets(tenant, unreadable=told.append)
    assert ([d.name for d in there], len(told)) == (["other"], 1)


@pytest.mark.parametrize("path", ["../../../x.parquet", "/etc/passwd", "a/b.parquet"])
def test_a_commit_that_names_a_file_elsewhere_is_damaged(
    tenant: Tenant, store: Store, path: str
) -> None:
    commit = store.table_folder / "_delta_log" / f"{1:020}.json"
    text = commit.read_text()
    held = next(p.name for p in store.table_folder.glob("*.parquet") if p.name in text)
    commit.write_text(text.replace(held, path))
    with pytest.raises(KampError, match=commit.name):
        open_dataset(tenant, KIND)


def test_a_table_is_one_that_the_delta_library_reads(
    tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    other = pd.DataFrame({"time": ["2022-01-01 00:00:00"] * 2, "y": [1.5, 2.5]})
    other.to_csv(tmp_path / "c.csv", index=False)
    ingest(tenant, KIND, tmp_path / "c.csv")
    restore(tenant, KIND, 1)
    for version in (1, 2, 3, 4):
        data = open_dataset(tenant, KIND, version)
        library = DeltaTable(str(store.table_folder), version=version - 1)
        names = {Path(uri).name for uri in library.file_uris()}
        assert {p.name for p in data.state.files} == names
        assert data.schema == pa.schema(library.schema().to_arrow())


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kamp_lib.datasets.door"])
    return context


def hold(folder: str, held: object, enough: object) -> None:
    with Store(Path(folder)).locked():
        held.set()  # type: ignore[attr-defined]
        enough.wait(60)  # type: ignore[attr-defined]


def test_who_waits_is_told_for_whom_and_then_goes_on(
    tenant: Tenant, store: Store, tmp_path: Path, processes: ForkServerContext
) -> None:
    held, enough = processes.Event(), processes.Event()
    other = processes.Process(target=hold, args=(str(store.folder), held, enough))
    other.start()
    assert held.wait(60)
    told: list[str] = []

    def listen(step: Text, *, done: float = 0, total: float | None = None) -> None:
        told.append(step.en)
        if "waiting" in step.en:
            enough.set()

    path = csv(tmp_path / "c.csv", 10, 2022)
    assert ingest(tenant, KIND, path, progress=listen).rows_stored == 10
    other.join(60)
    assert any(f"process {other.pid}" in step for step in told)


def test_who_waited_too_long_is_told_who_holds_the_data_set(
    tenant: Tenant,
    store: Store,
    tmp_path: Path,
    processes: ForkServerContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lock, "WAIT_S", 0.05)
    held, enough = processes.Event(), processes.Event()
    other = processes.Process(target=hold, args=(str(store.folder), held, enough))
    other.start()
    assert held.wait(60)
    with pytest.raises(KampError, match=str(other.pid)):
        undo(tenant, KIND)
    other.kill()
    other.join()
    assert undo(tenant, KIND) is not None  # a killed writer's lock is free


def read_on(folder: str, begun: object, done: object, seen: object) -> None:
    """Read the data set again and again; every state seen is one that was committed."""
    from kamp_lib.tenancy import tenant_at

    tenant = tenant_at(Path(folder))
    begun.set()  # type: ignore[attr-defined]
    while not done.is_set():  # type: ignore[attr-defined]
        data = open_dataset(tenant, KIND)
        seen.put((data.version, data.rows, len(data.to_pandas())))  # type: ignore[attr-defined]
        time.sleep(0.02)


def test_a_reader_during_writes_sees_whole_versions(
    tenant: Tenant, store: Store, tmp_path: Path, processes: ForkServerContext
) -> None:
    begun, done, seen = processes.Event(), processes.Event(), processes.SimpleQueue()
    reader = processes.Process(
        target=read_on, args=(str(tenant.home), begun, done, seen)
    )
    reader.start()
    assert begun.wait(60)
    for number, year in enumerate((2022, 2023, 2024)):
        ingest(tenant, KIND, csv(tmp_path / f"{year}.csv", 10 + number, year))
    done.set()
    states = set()
    while reader.is_alive() or not seen.empty():
        if not seen.empty():
            states.add(seen.get())
    reader.join(60)
    assert reader.exitcode == 0
    assert states <= {(2, 70, 70), (3, 80, 80), (4, 91, 91), (5, 103, 103)}


def test_a_mapping_lost_between_commit_and_copy_is_that_of_the_ingest(
    tenant: Tenant, tmp_path: Path
) -> None:
    ingest(tenant, KIND, csv(tmp_path / "a.csv", 40, 2020))
    copy = mapping_path(tenant, KIND, KIND)
    old = copy.read_bytes()
    text = copy.read_text(encoding="utf-8").replace("name: x", "name: speed")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    ingest(
        tenant, KIND, tmp_path / "a.csv", replace=True, mapping=tmp_path / "mine.yaml"
    )
    copy.write_bytes(old)  # as a kill before the copy was renamed leaves it
    assert remembered(tenant, KIND)[KIND].names()["x"] == "speed"
    copy.unlink()
    assert remembered(tenant, KIND)[KIND].names()["x"] == "speed"


def test_a_mapping_that_a_person_edited_counts(tenant: Tenant, store: Store) -> None:
    copy = mapping_path(tenant, KIND, KIND)
    text = copy.read_text(encoding="utf-8").replace("name: x", "name: speed")
    copy.write_text(text, encoding="utf-8")
    assert remembered(tenant, KIND)[KIND].names()["x"] == "speed"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "공간"),
        (OSError(13, "Permission denied", "/x/y"), "/x/y"),
        (OSError(20, "Not a directory", "/x"), "파일이나 링크"),
        (pa.ArrowInvalid("Integer value out of bounds"), "out of bounds"),
        (OSError("Generic error (os error 28)"), "공간"),
    ],
)
def test_what_went_wrong_is_what_is_said(error: Exception, said: str) -> None:
    with pytest.raises(KampError, match=said) as raised, storing(Path("/store")):
        raise error
    assert "쓸 수 없" not in str(raised.value)


def test_a_version_that_does_not_exist_is_answered_with_those_that_do(
    tenant: Tenant, store: Store
) -> None:
    with pytest.raises(UsageError, match="1~2"):
        open_dataset(tenant, KIND, version=0)
