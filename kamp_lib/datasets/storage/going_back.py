"""Taking back: `undo` of the last change, `restore` of any version; both new versions."""

from __future__ import annotations

from kamp_lib.datasets.storage.commit import commit_going_back
from kamp_lib.datasets.storage.dataset import Dataset, open_dataset
from kamp_lib.datasets.storage.durable import storing
from kamp_lib.datasets.storage.log import damaged
from kamp_lib.datasets.storage.store import State, Store, check_name
from kamp_lib.datasets.storage.sweep import sweep
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant


def undo(tenant: Tenant, dataset: str) -> Dataset | None:
    """Take back the last ingest, repair or restore, with its quarantined rows.

    Returns
    -------
    Dataset or None
        The data set as it is now; None when nothing is left of it.

    Raises
    ------
    KampError
        When there is no such data set, or what was before is no longer kept.
    """
    open_dataset(tenant, dataset)
    store = Store(tenant.data / check_name(dataset))
    with storing(store.folder), store.locked():
        state = State(store)
        if not state.ingests:
            raise KampError(
                f"데이터셋 '{dataset}'에는 되돌릴 것이 없습니다.",
                f"there is nothing to take back in data set {dataset!r}.",
            )
        _check_readable(state, state.previous)
        sweep(store)
        commit_going_back(store, state.previous, op="undo")
    now = State(store)
    return Dataset(now) if now.ingests else None


def restore(tenant: Tenant, dataset: str, version: int) -> Dataset:
    """Make an old version the newest again; `undo` takes that back.

    Raises
    ------
    KampError
        When there is no such version, it is empty, or it is no longer kept.
    """
    open_dataset(tenant, dataset)
    store = Store(tenant.data / check_name(dataset))
    with storing(store.folder), store.locked():
        old = State(store, version)
        if not old.ingests:
            raise KampError(
                f"데이터셋 '{dataset}'의 버전 {version}은(는) 비어 있어 복원할 수 없습니다.",
                f"version {version} of data set {dataset!r} is empty and cannot be restored.",
            )
        _check_readable(old, version)
        sweep(store)
        commit_going_back(store, version, op="restore")
    return Dataset(State(store))


def _check_readable(state: State, version: int) -> None:
    """Going back to what is no longer kept would lose the rows there are."""
    if not state.readable(version):
        raise state.given_up(version)
    for path in state.files_of(version):
        if not path.is_file():
            raise damaged(path)
