"""From a stored row back to its file, and from a data set to the runs that used it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from kamp_lib.datasets.storage.dataset import Dataset
from kamp_lib.datasets.storage.durable import read_plain
from kamp_lib.errors import UsageError

RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9-]+")
LONGEST_RECORD = 16 * 2**20


class Origin(BaseModel):
    """Where one stored row came from."""

    row: int  # place among the stored rows, from 1
    file: str
    line: int  # of the file or sheet, as an editor shows it
    sheet: str | None
    sha256: str
    original: Path | None  # the file as it came; None: not kept, people stand in it
    ingest: str
    brought: datetime
    version: int  # the first version that held the row
    repaired: bool  # its cells were corrected by hand after it was rejected


class _Used(BaseModel):
    name: str
    version: int
    fingerprint: str


class _Model(BaseModel):
    id: str


class UsedBy(BaseModel):
    """One run that read a data set; only what its record says of that."""

    run: str
    status: str
    model: _Model
    dataset: _Used | None = None
    started: datetime


class Runs(BaseModel):
    """Runs that used a data set, and records that could not be read."""

    runs: list[UsedBy] = Field(default_factory=list)
    unreadable: list[str] = Field(default_factory=list)


def trace(data: Dataset, rows: Iterable[int]) -> list[Origin]:
    """Where stored rows came from.

    Parameters
    ----------
    data : Dataset
        One version.
    rows : iterable of int
        Places from 0, as in the index of `to_pandas`.

    Raises
    ------
    UsageError
        When there is no such row.
    """
    wanted = list(rows)
    wrong = [row for row in wanted if not 0 <= row < data.rows]
    if wrong:
        raise UsageError(
            f"데이터셋 '{data.name}'에는 1번째부터 {data.rows:,}번째 행까지 있습니다.",
            f"data set {data.name!r} has the rows 1 to {data.rows:,}.",
        )
    places = data.places().take(wanted).to_pylist()
    return [
        _origin(data, row, place) for row, place in zip(wanted, places, strict=True)
    ]


def _origin(data: Dataset, row: int, place: dict[str, object]) -> Origin:
    ingest, name, line = place["_ingest"], place["_file"], place["_row"]
    state = data.state
    manifest = next(m for m in state.manifests if m.id == ingest)
    file = next(f for f in manifest.files if f["name"] == name)
    store = state.store
    places = [store.originals / file["sha256"]]
    places += store.images.glob(f"{file['sha256']}.*")
    kept = [path for path in places if path.is_file()]
    repaired = any(
        (p.ingest, p.file, p.row) == (ingest, name, line)
        for m in state.manifests
        for p in m.repaired
    )
    return Origin(
        row=row + 1,
        file=str(name),
        line=int(str(line)),
        sheet=file.get("sheet"),
        sha256=file["sha256"],
        original=kept[0] if kept else None,
        ingest=str(ingest),
        brought=datetime.fromisoformat(manifest.created),
        version=next(c.version for c in state.log.commits if c.ingest == ingest),
        repaired=repaired,
    )


def runs_using(folder: Path, dataset: str | None = None) -> Runs:
    """Runs of a company that read a data set (None: any), newest first.

    The folder belongs to the company: no link is followed, and a record counts only
    when it is a plain file of bounded size that says what it should.
    """
    found = Runs()
    for path in sorted(folder.glob("*"), reverse=True):
        record = path / "run.json"
        if not RUN_ID.fullmatch(path.name) or not _is_folder(path):
            continue
        try:
            used = UsedBy.model_validate_json(read_plain(record, LONGEST_RECORD))
        except (OSError, ValidationError):
            found.unreadable.append(path.name)
            continue
        if used.dataset is not None and dataset in (None, used.dataset.name):
            # the folder's name is the run's id, whatever the record claims
            found.runs.append(used.model_copy(update={"run": path.name}))
    return found


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
