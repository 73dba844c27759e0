"""A store that is killed, at any moment, holds the old state or the new one."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kamp_lib.datasets import ingest, list_datasets, open_dataset, restore, undo
from kamp_lib.datasets.options import Options
from kamp_lib.datasets.repair import rejections, repair
from kamp_lib.datasets.storage.remembered import remembered
from kamp_lib.datasets.storage.retention import Policy, retain
from kamp_lib.datasets.storage.sheet import sheet_bytes
from kamp_lib.datasets.storage.store import State, Store
from kamp_lib.progress import Progress, silent
from kamp_lib.tenancy import Tenant, tenant_at

KIND = "generic"
KILLS = 24  # of each kind of change
FEW = 3
FEW_KINDS = ("append", "replace", "undo", "widen", "repair")


def rows(path: Path, count: int, year: int, step: float = 1.0, bad: int = 0) -> Path:
    rng = np.random.default_rng(year)
    frame = pd.DataFrame(
        {
            "time": pd.date_range(f"{year}-01-01", periods=count, freq="61s").astype(
                str
            ),
            "pieces": np.arange(count) % 7 * step,
            "x": rng.normal(size=count).round(6).astype(str),
        }
    )
    frame.loc[frame.index[5 : 5 + bad], "x"] = "broken"
    frame.to_csv(path, index=False)
    return path


def pictures(folder: Path, count: int, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    for number in range(count):
        place = folder / ("ok" if number % 2 else "ng") / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)).save(place)
    return folder


def nothing(tenant: Tenant, files: Path) -> None:
    """An empty company."""


def two_ingests(tenant: Tenant, files: Path) -> None:
    ingest(tenant, KIND, rows(files / "a.csv", 60, 2019, bad=3))
    ingest(tenant, KIND, rows(files / "b.csv", 50, 2020))


def one_ingest_of_pictures(tenant: Tenant, files: Path) -> None:
    ingest(tenant, "machine-vision", pictures(files / "one", 10, 1), dataset=KIND)
    pictures(files / "two", 30, 2)


def with_mended_rows(tenant: Tenant, files: Path) -> None:
    two_ingests(tenant, files)
    sheet = sheet_bytes(rejections(open_dataset(tenant, KIND)))
    (files / "mended.csv").write_bytes(sheet.replace(b"broken\r\n", b"0.5\r\n"))


def with_placeholders(tenant: Tenant, files: Path) -> None:
    ingest(tenant, KIND, rows(files / "a.csv", 60, 2019, bad=3))
    path = rows(files / "b.csv", 50, 2020, bad=4)
    path.write_text(path.read_text().replace("broken", "-999"))
    ingest(tenant, KIND, path)


def append(tenant: Tenant, files: Path) -> None:
    ingest(tenant, KIND, files / "c.csv")


def replace(tenant: Tenant, files: Path) -> None:
    ingest(tenant, KIND, files / "c.csv", replace=True)


def widen(tenant: Tenant, files: Path) -> None:
    ingest(tenant, KIND, files / "d.csv")


def bring_pictures(tenant: Tenant, files: Path) -> None:
    ingest(tenant, "machine-vision", files / "two", dataset=KIND)


def fix(tenant: Tenant, files: Path) -> None:
    ingest(tenant, KIND, files / "b.csv", options=Options(fixes=("sentinel-value",)))


def take_back(tenant: Tenant, files: Path) -> None:
    undo(tenant, KIND)


def bring_back(tenant: Tenant, files: Path) -> None:
    restore(tenant, KIND, 1)


def mend(tenant: Tenant, files: Path) -> None:
    repair(tenant, KIND, files / "mended.csv")


def clean_up(tenant: Tenant, files: Path) -> None:
    retain(tenant, KIND, Policy(keep_versions=1))


@dataclass(frozen=True)
class Change:
    """A store as it was, and what is done to it."""

    before: Callable[[Tenant, Path], None]
    change: Callable[[Tenant, Path], None]


CHANGES = {
    "first": Change(nothing, append),
    "append": Change(two_ingests, append),
    "replace": Change(two_ingests, replace),
    "undo": Change(two_ingests, take_back),
    "widen": Change(two_ingests, widen),
    "pictures": Change(one_ingest_of_pictures, bring_pictures),
    "restore": Change(two_ingests, bring_back),
    "repair": Change(with_mended_rows, mend),
    "fix": Change(with_placeholders, fix),
    "retain": Change(two_ingests, clean_up),
}


def work(kind: str, home: str, files: str, holding: object) -> None:
    """One change in a process of its own, that tells when it holds the data set."""
    locked = Store.locked

    @contextmanager
    def told(store: Store, progress: Progress = silent) -> Iterator[None]:
        with locked(store, progress):
            holding.set()  # type: ignore[attr-defined]
            yield

    Store.locked = told  # type: ignore[method-assign]
    CHANGES[kind].change(tenant_at(Path(home)), Path(files))


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that have the library loaded when they start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "kamp_lib.datasets.door",
            "kamp_lib.datasets.repair",
            "kamp_lib.datasets.reading.pictures",
            "kamp_lib.datasets.storage.retention",
            "kamp_lib.datasets.storage.going_back",
        ]
    )
    return context


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    rows(folder / "c.csv", 700, 2021, bad=2)
    rows(folder / "d.csv", 400, 2022, step=0.5)
    return folder


def state_of(tenant: Tenant) -> tuple[object, ...] | None:
    """All that a person sees of the store; None when there is nothing."""
    if not list_datasets(tenant):
        return None
    data = open_dataset(tenant, KIND)
    frame = data.to_pandas()
    assert (len(frame), len(data.quarantine())) == (data.rows, data.rows_quarantined)
    for made in data.state.manifests:
        counts = made.rows
        assert counts["read"] == sum(counts.values()) - counts["read"]
    mapping = remembered(tenant, data.equipment)[KIND].names()
    told = [(v.version, v.what, v.rows) for v in data.history()]
    total = float(np.nansum(frame.select_dtypes("number").to_numpy()))
    return (data.rows, data.rows_quarantined, total, *told, *sorted(mapping))


def leftovers(tenant: Tenant) -> set[str]:
    """What lies in the store and no version names."""
    store = Store(tenant.data / KIND)
    state = State(store)
    kept = [store.manifest(i) for i in state.kept_ingests]
    named = {f["sha256"] for m in kept for f in m.files} | state.log.named
    named |= {c.ingest for c in state.log.commits if c.ingest}
    places = [store.table_folder, store.ingests, store.originals, store.images]
    there = {p.name for place in places for p in place.glob("*")} - {"_delta_log"}
    left = {name for name in there if not {name, name.split(".")[0]} & named}
    partial = {p.name for p in tenant.data.rglob("*") if "partial" in p.name}
    half = {p.name for p in (store.writing, store.staging) if p.exists()}
    return left | partial | half


def killed_at_random(
    kind: str, tenant: Tenant, files: Path, processes: ForkServerContext, kills: int
) -> None:
    CHANGES[kind].before(tenant, files)
    kept = files.parent / "kept"
    shutil.copytree(tenant.home, kept)
    old = state_of(tenant)

    def started() -> tuple[BaseProcess, Event]:
        shutil.rmtree(tenant.home)
        shutil.copytree(kept, tenant.home)
        holding = processes.Event()
        process = processes.Process(
            target=work, args=(kind, str(tenant.home), str(files), holding)
        )
        process.start()
        return process, holding

    for _ in range(2):  # the first warms up
        start = time.perf_counter()
        process, holding = started()
        assert holding.wait(60)
        waited = time.perf_counter()
        process.join(60)
        whole, held = (time.perf_counter() - since for since in (start, waited))
        assert process.exitcode == 0
    new = state_of(tenant)
    assert new != old
    moment = random.Random(kind)
    for number in range(kills):
        process, holding = started()
        share = (number + moment.random()) / kills
        if number % 3:  # two of three while something is written
            assert holding.wait(60)
            time.sleep(share * held)
        else:
            time.sleep(share * whole)
        process.kill()
        process.join()
        assert state_of(tenant) in (old, new)
        if kills > FEW or number == FEW - 1:
            _goes_on(kind, tenant, files)


def _goes_on(kind: str, tenant: Tenant, files: Path) -> None:
    """The next ingest works and sweeps what a killed one left."""
    before = len(open_dataset(tenant, KIND).to_pandas()) if list_datasets(tenant) else 0
    if kind == "pictures":
        result = ingest(
            tenant, "machine-vision", pictures(files / "x", 3, 9), dataset=KIND
        )
    else:
        result = ingest(tenant, KIND, rows(files / "e.csv", 40, 2023))
    assert len(open_dataset(tenant, KIND).to_pandas()) == before + result.rows_stored
    assert leftovers(tenant) == set()


@pytest.mark.parametrize("kind", FEW_KINDS)
def test_a_killed_change_leaves_the_old_state_or_the_new(
    kind: str, tenant: Tenant, files: Path, processes: ForkServerContext
) -> None:
    killed_at_random(kind, tenant, files, processes, FEW)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_killed_many_times_leaves_the_old_state_or_the_new(
    kind: str, tenant: Tenant, files: Path, processes: ForkServerContext
) -> None:
    killed_at_random(kind, tenant, files, processes, KILLS)
