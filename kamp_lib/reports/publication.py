"""Releasing a bundle and taking it back: `published/` and its history.

    published/<run>/                     parts of the bundle, `report.ipynb`, `publication.json`
    published/.withdrawn/<run>.<when>.json   what is left of a page taken back: who, when

A company's folder is treated as hostile: no link is followed, sizes are capped, its JSON
is validated, and no table, model or notebook of the bundle is opened. Everything here
belongs to the platform; a company reads it.
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field

from kamp_lib.errors import KampError
from kamp_lib.reports.copying import Copied, copy_bundle, make_folder, write_new
from kamp_lib.runs import Bundle, RunRecord, open_run
from kamp_lib.runs.bundle import LARGEST_RECORD, RUN_ID
from kamp_lib.runs.plain import read_plain
from kamp_lib.settings import package_version, person, settings
from kamp_lib.tenancy import Tenant

REPORT = "report.ipynb"
PUBLICATION = "publication.json"
WITHDRAWN = ".withdrawn"
STAGING = ".staging-"
REPLACED = ".replaced-"
LARGEST_NOTE = 2**20
# kept free for the platform, whatever companies publish
DISK_RESERVE = 256 * 2**20
WAIT_S = 60.0
# of renameat2(2); Python has no name for them
AT_FDCWD, RENAME_EXCHANGE = -100, 2
FAMILY = re.compile(r"[a-z][a-z0-9-]*")


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


def publish(
    tenant: Tenant, run_id: str, *, by: str | None = None, most: int | None = None
) -> Path:
    """Release a run's bundle; releasing it again replaces what was there.

    Parameters
    ----------
    run_id
        The run's id, an unambiguous start of it, or `latest`.
    by
        Who releases it; the person at work when left out.
    most
        Bytes that all released pages of the company may take.

    Returns
    -------
    Path
        `published/<run id>`, with `report.ipynb` and `publication.json` (the SHA-256 of
        every file).

    Raises
    ------
    KampError
        When the run is unknown, holds a link or a special file, is too large, or its
        record is not one of this company and run.
    """
    run = open_run(tenant, run_id).path.name
    with _writing(tenant) as published:
        _check_room(published)
        staged = published / f"{STAGING}{run}-{secrets.token_hex(4)}"
        make_folder(staged)
        copied = copy_bundle(tenant.runs / run, staged)
        record = _checked(staged, tenant, run)
        copied.sha256[REPORT] = write_new(staged / REPORT, _template(record))
        taken = sum(p.size for p in list_publications(tenant) if p.run != run)
        if most is not None and taken + copied.size > most:
            raise _shelf_full(most)
        note = _note(record, copied, by or person())
        note.earlier = _releases(published / run)
        write_new(staged / PUBLICATION, note.model_dump_json(indent=1).encode())
        _swap(staged, published / run)
        _sync(published)
    return published / run


def withdraw(tenant: Tenant, run_id: str, *, by: str | None = None) -> Publication:
    """Take a released page back; who released it and who took it back stays on record.

    Raises
    ------
    KampError
        When no page of this run is released.
    """
    with _writing(tenant) as published:
        folder = published / published_run(tenant, run_id)
        note = read_publication(folder) or _unknown(folder, tenant)
        note.withdrawn, note.withdrawn_by = datetime.now(UTC), by or person()
        aside = published / WITHDRAWN
        if not aside.exists():
            make_folder(aside)
        stamp = note.withdrawn.strftime("%Y%m%d-%H%M%S-%f")
        record = aside / f"{folder.name}.{stamp}"
        write_new(
            aside / f"{record.name}.json", note.model_dump_json(indent=1).encode()
        )
        # the one step that takes the page away; its content goes afterwards
        gone = published / f"{STAGING}{record.name}"
        folder.rename(gone)
        _sync(published)
        shutil.rmtree(gone, ignore_errors=True)
    return note


def list_publications(tenant: Tenant, *, withdrawn: bool = False) -> list[Publication]:
    """Released pages, newest first; on request with those that were taken back."""
    found = [
        read_publication(folder) or _unknown(folder, tenant)
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


def _unknown(folder: Path, tenant: Tenant) -> Publication:
    """What can be said of a released page whose note cannot be read."""
    when = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    return Publication(run=folder.name, tenant=tenant.slug, published=when)


def _releases(folder: Path) -> list[Release]:
    """Former releases of this run, newest first."""
    note = read_publication(folder)
    if note is None:
        return []
    return [Release(published=note.published, by=note.by), *note.earlier]


def _note(record: RunRecord, copied: Copied, by: str) -> Publication:
    return Publication(
        run=record.run,
        tenant=record.tenant,
        model=record.model.id,
        dataset=record.dataset.name if record.dataset else None,
        published=datetime.now(UTC),
        by=by,
        version=package_version(),
        size=copied.size,
        sha256=dict(sorted(copied.sha256.items())),
        left_out=copied.left_out[:20],
    )


def _checked(staged: Path, tenant: Tenant, run: str) -> RunRecord:
    """The record of the copy, which no company can change any more."""
    from kamp_lib.reports.facts import PAGE, facts_of

    bundle = Bundle(staged)
    record = bundle.record
    if (record.run, record.tenant) != (run, tenant.slug):
        raise KampError(
            f"이 분석 기록은 '{tenant.slug}'의 '{run}'이(가) 아니어서 게시할 수 없습니다:"
            f" {record.tenant!r}, {record.run!r}",
            f"cannot publish: this is the record of {record.tenant!r}, {record.run!r},"
            f" not of {tenant.slug!r}, {run!r}",
        )
    page = staged / PAGE
    if page.is_file():
        if page.stat().st_size > LARGEST_RECORD:
            raise KampError(
                f"페이지 내용이 너무 커서 게시할 수 없습니다: {PAGE}",
                f"too large to publish: {PAGE}",
            )
        facts_of(bundle)
    return record


def _template(record: RunRecord) -> bytes:
    """The report notebook of the run's problem family: ours, never the bundle's."""
    family = record.model.family
    template = settings().templates / "reports" / f"{family}.ipynb"
    if not FAMILY.fullmatch(family) or not template.is_file():
        raise KampError(
            f"'{family}' 문제 유형의 보고서 양식이 없어 게시할 수 없습니다.",
            f"there is no report template for the problem family {family!r}.",
        )
    return template.read_bytes()


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


@contextmanager
def _writing(tenant: Tenant) -> Iterator[Path]:
    """Hold `published/` alone; whatever a killed release left behind goes at the end."""
    published = tenant.published
    lock = FileLock(published / ".lock", timeout=WAIT_S)
    try:
        if published.is_symlink():
            raise OSError("a link stands where the folder should be")
        published.mkdir(parents=True, exist_ok=True)
        with lock:
            _tidy(published)
            try:
                yield published
            finally:
                _tidy(published)
    except Timeout as error:
        raise KampError(
            "다른 게시 작업이 진행 중입니다. 잠시 뒤 다시 하세요.",
            "another release is going on; try again in a moment.",
        ) from error
    except OSError as error:
        raise KampError(
            f"게시하지 못했습니다: {published} ({error.strerror or error})",
            f"could not publish to {published} ({error.strerror or error})",
        ) from error


def _tidy(published: Path) -> None:
    """Clear away what this release, or one that was killed, has left."""
    for replaced in published.glob(f"{REPLACED}*"):
        final = published / replaced.name.removeprefix(REPLACED)
        if not final.exists():
            replaced.rename(final)
        else:
            shutil.rmtree(replaced, ignore_errors=True)
    for staged in published.glob(f"{STAGING}*"):
        shutil.rmtree(staged, ignore_errors=True)


def _check_room(published: Path) -> None:
    if shutil.disk_usage(published).free < DISK_RESERVE:
        raise KampError(
            "디스크에 남은 공간이 모자라 게시할 수 없습니다. 운영자에게 알려 주세요.",
            "too little disk space is left to publish; tell the operator.",
        )


def _shelf_full(most: int) -> KampError:
    return KampError(
        f"게시된 보고서가 차지하는 공간이 한도({most // 2**20:,} MB)를 넘습니다."
        " 오래된 보고서를 게시 취소하세요(kamp withdraw).",
        f"published pages would take more than {most // 2**20:,} MB;"
        " withdraw old ones (kamp withdraw).",
    )


def _swap(staged: Path, final: Path) -> None:
    """Put the staged folder in place in one step: a kill leaves the old one or the new."""
    if final.is_symlink():
        raise OSError(f"a link stands in the way: {final.name}")
    if final.exists():
        # afterwards `staged` holds the old report, which goes with the rest
        _exchange(staged, final)
    else:
        staged.rename(final)


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders' names; where the system cannot do it at once, in two steps."""
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    paths = os.fsencode(one), os.fsencode(other)
    if swap and swap(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE) == 0:
        return
    # killed in between, the next release puts the old one back: see _tidy
    other.rename(other.with_name(f"{REPLACED}{other.name}"))
    one.rename(other)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
