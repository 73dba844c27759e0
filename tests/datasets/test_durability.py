"""Whatever happens while rows are brought in, the store holds the old state or the new."""

from __future__ import annotations

import multiprocessing
import resource
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from kamp_lib.datasets import ingest, job, open_dataset
from kamp_lib.datasets.storage import originals, transaction
from kamp_lib.datasets.storage.store import Store
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant, tenant_at
from kamp_lib.text import Text

KIND = "generic"


def csv(path: Path, rows: int, start: str, *, bad: bool = False) -> Path:
    rng = np.random.default_rng(rows)
    frame = pd.DataFrame(
        {
            "time": pd.date_range(start, periods=rows, freq="61s").astype(str),
            "x": rng.normal(size=rows).astype(str),
            "y": rng.normal(size=rows),
        }
    )
    if bad:
        frame.loc[3, "x"] = "broken"
    frame.to_csv(path, index=False)
    return path


def work(home: str, path: str, storing: object, limit: int | None = None) -> None:
    """One ingest in a process of its own, that tells when it begins to store."""

    def told(step: Text, *, done: float = 0, total: float | None = None) -> None:
        if step.en == "storing":
            storing.set()  # type: ignore[attr-defined]

    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        ingest(tenant_at(Path(home)), KIND, path, progress=told)
    except KampError:
        raise SystemExit(1) from None


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that have the library loaded when they start."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["kamp_lib.datasets.door"])
    return context


def parquet_files(store: Store) -> set[str]:
    return {p.name for p in store.table_folder.glob("*.parquet")}


def leftovers(tenant: Tenant) -> set[str]:
    """Ingest folders that no commit names."""
    store = Store(tenant.data / KIND)
    named = {c.ingest for c in store.commits()}
    return {p.name for p in (store.folder / "ingests").glob("*")} - named


def test_two_ingests_at_once_both_survive(
    tenant: Tenant, tmp_path: Path, processes: ForkServerContext
) -> None:
    files = [
        csv(tmp_path / f"{y}.csv", 100 + y, f"{y}-01-01") for y in (2019, 2020, 2021)
    ]
    ready = processes.Event()
    started = [
        processes.Process(target=work, args=(str(tenant.home), str(f), ready))
        for f in files
    ]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    data = open_dataset(tenant, KIND)
    assert [p.exitcode for p in started] == [0, 0, 0]
    assert (data.version, data.rows) == (3, 300 + 2019 + 2020 + 2021)


@pytest.mark.parametrize("limit", [100, 3_000, 90_000, 110_000, 130_000])
def test_a_full_disk_leaves_the_store_as_it_was(
    tenant: Tenant, tmp_path: Path, processes: ForkServerContext, limit: int
) -> None:
    ingest(tenant, KIND, csv(tmp_path / "a.csv", 10, "2020-01-01"))
    before = {p: p.stat().st_mtime_ns for p in tenant.data.rglob("*") if p.is_file()}
    second = csv(tmp_path / "b.csv", 1500, "2021-01-01")
    ready = processes.Event()
    process = processes.Process(
        target=work, args=(str(tenant.home), str(second), ready, limit)
    )
    process.start()
    process.join(60)
    data = open_dataset(tenant, KIND)
    assert (process.exitcode, data.rows) in {(1, 10), (0, 1510)}
    if process.exitcode == 1:
        after = {p: p.stat().st_mtime_ns for p in tenant.data.rglob("*") if p.is_file()}
        assert {p for p in after if not p.name.endswith(".lock")} == {
            p for p in before if not p.name.endswith(".lock")
        }


@pytest.mark.parametrize(
    ("module", "where"),
    [
        (transaction, "quarantine_file"),
        (transaction, "write_durably"),
        (originals, "_keep"),
        (transaction, "commit_rows"),
    ],
)
def test_ctrl_c_before_the_commit_leaves_nothing(
    tenant: Tenant,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    where: str,
) -> None:
    ingest(tenant, KIND, csv(tmp_path / "a.csv", 10, "2020-01-01"))
    before = sorted(tenant.data.rglob("*"))

    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, where, interrupted)
    with pytest.raises(KeyboardInterrupt):
        ingest(tenant, KIND, csv(tmp_path / "b.csv", 20, "2021-01-01"))
    assert sorted(tenant.data.rglob("*")) == before


def test_ctrl_c_after_the_commit_leaves_the_new_state_whole(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = transaction.commit_rows

    def committed_then_interrupted(*args: object, **kwargs: object) -> int:
        commit(*args, **kwargs)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(transaction, "commit_rows", committed_then_interrupted)
    with pytest.raises(KeyboardInterrupt):
        ingest(tenant, KIND, csv(tmp_path / "a.csv", 20, "2021-01-01", bad=True))
    data = open_dataset(tenant, KIND)
    assert (data.rows, len(data.quarantine()), data.columns[0].source) == (
        19,
        1,
        "time",
    )


def test_a_file_that_changes_while_it_is_read_is_not_stored(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = csv(tmp_path / "a.csv", 20, "2021-01-01")
    check = job.check

    def meanwhile(*args: object, **kwargs: object) -> object:
        with open(path, "a", encoding="utf-8") as file:
            file.write("2022-01-01 00:00:00,1,2\n")
        return check(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(job, "check", meanwhile)
    with pytest.raises(KampError, match=r"a\.csv"):
        ingest(tenant, KIND, path)
    assert [p for p in tenant.data.rglob("*") if not p.name.endswith(".lock")] == []


def test_leftovers_of_a_failed_write_are_swept(tenant: Tenant, tmp_path: Path) -> None:
    ingest(tenant, KIND, csv(tmp_path / "a.csv", 10, "2020-01-01"))
    store = Store(tenant.data / KIND)
    kept = parquet_files(store)
    (store.table_folder / "part-orphan.parquet").write_bytes(b"half")
    (store.folder / "ingests" / "20200101-dead").mkdir()
    (store.originals / ".partial-1-x").write_bytes(b"half")
    ingest(tenant, KIND, csv(tmp_path / "b.csv", 10, "2021-01-01"))
    assert leftovers(tenant) == set()
    assert parquet_files(store) > kept
    assert "part-orphan.parquet" not in parquet_files(store)
    assert not list(store.originals.glob(".partial-*"))
