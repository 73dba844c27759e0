"""What is released of a company: the notes in `published/`, read and listed.

published/<run>/publication.json         who released this page, when, what is in it
published/.withdrawn/<run>.<when>.json   what is left of a page that was taken back
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, Field

from kamp_lib.errors import KampError
from kamp_lib.runs.bundle import RUN_ID
from kamp_lib.runs.plain import read_plain
from kamp_lib.tenancy import Tenant

REPORT = "report.ipynb"
PUBLICATION = "publication.json"
WITHDRAWN = ".withdrawn"
LARGEST_NOTE = 2**20


class Release(BaseModel):
    """One time that a run was released."""

    published: datetime
    by: str | None = None


class Publication(Release):
    """`publication.json`: which run, who released it and when, and every file's hash."""

    run: str
    tenant: str
    model: str | None = None
    dataset: str | None = None
    version: str = ""
    size: int = 0
    sha256: dict[str, str] = Field(default_factory=dict)
    left_out: list[str] = Field(
        default_factory=list, description="files that are no part of a bundle"
    )
    earlier: list[Release] = Field(
        default_factory=list, description="former releases of the same run"
    )
    withdrawn: datetime | None = None
    withdrawn_by: str | None = None


def list_publications(tenant: Tenant, *, withdrawn: bool = False) -> list[Publication]:
    """Released pages, newest first; on request with those that were taken back."""
    found = [
        read_publication(folder) or unknown_publication(folder, tenant)
        for folder in published_folders(tenant.published)
    ]
    there = {(note.run, note.published) for note in found}
    if withdrawn:
        for file in sorted((tenant.published / WITHDRAWN).glob("*.json")):
            note = _read_note(file)
            # a kill just before the page went leaves both; then it is still there
            if note is not None and (note.run, note.published) not in there:
                found.append(note)
    return sorted(found, key=lambda p: p.published, reverse=True)


def published_folders(published: Path) -> list[Path]:
    """The folders of released pages, in no order."""
    if not published.is_dir():
        return []
    return [f for f in published.iterdir() if RUN_ID.fullmatch(f.name) and f.is_dir()]


def current_runs(publications: list[Publication]) -> set[str]:
    """Of each model and data set, the run that was released last."""
    newest: dict[tuple[str, ...], Publication] = {}
    for note in sorted(publications, key=lambda p: p.published):
        known = note.model is not None and note.dataset is not None
        newest[(note.model or "", note.dataset or "") if known else (note.run,)] = note
    return {note.run for note in newest.values() if note.withdrawn is None}


def read_publication(folder: Path) -> Publication | None:
    """The note of a released page; None where there is none that can be read."""
    return _read_note(folder / PUBLICATION)


def _read_note(file: Path) -> Publication | None:
    try:
        text = read_plain(file.parent, file.name, LARGEST_NOTE)
        return Publication.model_validate_json(text)
    except (OSError, ValueError):  # of an older release, or damaged
        return None


def unknown_publication(folder: Path, tenant: Tenant) -> Publication:
    """What can be said of a released page whose note cannot be read."""
    when = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    return Publication(run=folder.name, tenant=tenant.slug, published=when)


def published_run(tenant: Tenant, run_id: str) -> str:
    """The released run with this id, or the start of it."""
    names = [folder.name for folder in published_folders(tenant.published)]
    fitting = [n for n in names if n == run_id] or [
        n for n in names if run_id and n.startswith(run_id)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        several = ", ".join(sorted(fitting)[:5])
        raise KampError(
            f"'{run_id}'로 시작하는 게시된 보고서가 여럿입니다: {several}",
            f"more than one published page starts with {run_id!r}: {several}",
        )
    raise KampError(
        f"'{run_id}'은(는) 게시되어 있지 않습니다. 목록: kamp published {tenant.slug}",
        f"{run_id!r} is not published; list them: kamp published {tenant.slug}",
    )
