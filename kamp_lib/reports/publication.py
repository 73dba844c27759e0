"""Releasing a bundle and taking it back.

`published/<run>/` holds the parts of the bundle, `report.ipynb` and `publication.json`.
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

from kamp_lib.errors import KampError
from kamp_lib.reports.copying import Copied, copy_bundle, make_folder, write_new
from kamp_lib.reports.notes import (
    PUBLICATION,
    REPORT,
    WITHDRAWN,
    Publication,
    Release,
    list_publications,
    published_run,
    read_publication,
    unknown_publication,
)
from kamp_lib.runs import Bundle, RunRecord, open_run
from kamp_lib.runs.bundle import LARGEST_RECORD
from kamp_lib.settings import package_version, person, settings
from kamp_lib.tenancy import Tenant

STAGING = ".staging-"
REPLACED = ".replaced-"
# kept free for the platform, whatever companies publish
DISK_RESERVE = 256 * 2**20
WAIT_S = 60.0
# of renameat2(2); Python has no name for them
AT_FDCWD, RENAME_EXCHANGE = -100, 2
FAMILY = re.compile(r"[a-z][a-z0-9-]*")


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
        note = read_publication(folder) or unknown_publication(folder, tenant)
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


@contextmanager
def _writing(tenant: Tenant) -> Iterator[Path]:
    """Hold `published/` alone; whatever a killed release left behind goes at the end."""
    published = tenant.published
    lock = FileLock(published / ".lock", timeout=WAIT_S)
    try:
        if published.is_symlink():
            raise OSError("a link stands where the folder should be")
        if not published.exists():
            make_folder(published)
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
