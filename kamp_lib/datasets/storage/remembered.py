"""The mapping of a data set: the last ingest holds it, a file beside is there to edit.

The file names the ingest that it was written for. When a later ingest was committed
without writing it (a kill in between), or the file is gone, the ingest's own counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kamp_lib.datasets.mapping.file import load_mapping, save_mapping
from kamp_lib.datasets.storage.durable import PARTIAL, sync
from kamp_lib.datasets.storage.manifest import Manifest
from kamp_lib.datasets.storage.store import NAME, Store
from kamp_lib.datasets.types import Mapping
from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant

MARK = "# ingest: "
_MARKED = re.compile(rf"^{MARK}(\S+)$", re.MULTILINE)


def mapping_path(tenant: Tenant, equipment: str, dataset: str) -> Path:
    """Where the mapping of a data set may be edited."""
    return tenant.data / "mappings" / equipment / f"{dataset}.yaml"


@contextmanager
def remembering(mapping: Mapping, ingest: str, path: Path) -> Iterator[None]:
    """Write the editable copy of a mapping when, and only when, the block succeeds.

    It is written beforehand, so that a full disk stops the ingest and not what follows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{PARTIAL}{path.stem}")  # the data set is locked
    try:
        save_mapping(mapping, partial)
        text = partial.read_text(encoding="utf-8")
        partial.write_text(f"{MARK}{ingest}\n{text}", encoding="utf-8")
        sync(partial)
        yield
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
        for folder in (path.parent, path.parent.parent):
            if not any(folder.iterdir()):
                folder.rmdir()


def remembered(tenant: Tenant, equipment: str) -> dict[str, Mapping]:
    """The mapping of every data set of an equipment, by name of the data set."""
    copies = mapping_path(tenant, equipment, "x").parent
    names = {path.stem for path in copies.glob("*.yaml")}
    names |= {path.parent.name for path in tenant.data.glob("*/table")}
    found = {}
    for name in sorted(filter(NAME.fullmatch, names)):
        mapping = _of(Store(tenant.data / name), copies / f"{name}.yaml", equipment)
        if mapping is not None:
            found[name] = mapping
    return found


def _of(store: Store, copy: Path, equipment: str) -> Mapping | None:
    last = _last_ingest(store)
    if copy.is_file():
        mark = _MARKED.search(copy.read_text(encoding="utf-8"))
        if mark is None or last is None or mark[1] == last.id:
            return load_mapping(copy)
    return last.mapping if last is not None and last.equipment == equipment else None


def _last_ingest(store: Store) -> Manifest | None:
    try:
        # a repair reads no file and writes no copy
        ids = [c.ingest for c in store.commits() if c.ingest and c.op != "repair"]
        return store.manifest(ids[-1]) if ids else None
    except KampError:  # damaged: said when it is opened, not when another one is
        return None
