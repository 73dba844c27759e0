"""Everything of a company in one zip file, in open formats: its data are its own.

Files are copied as they are. A table is never parsed here: CSV copies are made inside the
company's walls and handed in as a folder, which is as hostile as all the others.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kamp_lib.errors import KampError
from kamp_lib.progress import Progress, silent
from kamp_lib.settings import package_version
from kamp_lib.tenancy.archive import Archive, as_json, new_archive
from kamp_lib.tenancy.export_words import README
from kamp_lib.tenancy.hostile import Size, Skipped, measure, open_plain, walk
from kamp_lib.tenancy.registry import Registry
from kamp_lib.tenancy.tenants import Tenant, tenant_at
from kamp_lib.tenancy.types import Person, Role
from kamp_lib.text import Text

README_FILE, MANIFEST = "README.txt", "manifest.json"
PEOPLE, AUDIT = "people.json", "audit.json"
FORMAT = 1
STEP = 64 * 2**20  # bytes between two words about progress
# Writes the tables of a company as CSV into a folder, inside the company's walls.
TablesAsCsv = Callable[[Tenant, Path], None]


@dataclass(frozen=True)
class Exported:
    """The file that was written, and what is not in it."""

    path: Path
    files: int
    bytes: int
    skipped: tuple[Skipped, ...]
    without_csv: Text | None

    @property
    def lost(self) -> list[Skipped]:
        """What was passed over although it may hold data."""
        return [one for one in self.skipped if one.is_loss]


def export_sme(
    registry: Registry,
    slug: str,
    to: Path,
    *,
    csv: TablesAsCsv | None = None,
    progress: Progress = silent,
) -> Exported:
    """Write everything of a company to the zip file `to`, whole or not at all.

    Parameters
    ----------
    csv
        Writes the tables as CSV into the folder it is given; runs inside the company's
        walls. Left out, or failing, the Parquet files of the tables are there anyway.

    Raises
    ------
    KampError
        When the company is unknown, `to` exists or lies in a company's folder, or the
        disk is too small.
    """
    people, audit = _rows(registry, slug)
    tenant = tenant_at(registry.folder(slug))
    to = _outside(registry, to)
    size = measure(tenant.home)
    _refuse_a_full_disk(to, size)
    skipped: list[Skipped] = []
    with new_archive(to) as archive:
        for name in (README_FILE, MANIFEST):
            archive.reserve(name)
        archive.add_text(PEOPLE, as_json(people))
        archive.add_text(AUDIT, as_json(audit))
        _add_folder(archive, tenant.home, "", size, skipped, progress)
        reason = _add_csv(archive, tenant, to.parent, csv, skipped, progress)
        archive.add_text(README_FILE, _readme(tenant))
        entries = list(archive.entries)
        manifest = _manifest(tenant, entries, skipped, reason)
        archive.add_text(MANIFEST, as_json(manifest))
    registry.audit(registry.actor, "tenant.export", slug, {"files": len(entries)})
    total = sum(entry["bytes"] for entry in entries)
    return Exported(to, len(entries), total, tuple(skipped), reason)


def _readme(tenant: Tenant) -> str:
    return README.format(name_ko=tenant.name.ko, name_en=tenant.name.en)


def _rows(
    registry: Registry, slug: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the registry knows of a company: its people, and what was done to it."""
    sme = registry.sme(slug)
    roles = registry.people_of(slug)
    known = {person.name: person for person in registry.people()}
    people = [_person(known[name], held) for name, held in roles.items()]
    # an older company of the same name is another company
    lines = registry.audit_entries(slug, limit=None, since=sme.created)
    return people, [
        {
            "at": line.at.isoformat(),
            "actor": line.actor,
            "action": line.action,
            "detail": line.detail,
        }
        for line in lines
    ]


def _person(person: Person, held: frozenset[Role]) -> dict[str, Any]:
    return {
        "name": person.name,
        "display_name": person.display_name,
        "email": person.email,
        "roles": sorted(held),
    }


def _outside(registry: Registry, to: Path) -> Path:
    """`to` itself; in a company's folder its people could put a link in our way."""
    parent = to.expanduser().absolute().parent.resolve()
    if not parent.is_dir():
        raise KampError(
            f"폴더가 없습니다: {parent}. 먼저 만드세요.",
            f"there is no folder {parent}; make it first.",
        )
    if parent.is_relative_to((registry.home / "tenants").resolve()):
        raise KampError(
            f"기업 폴더 안에는 내보낼 수 없습니다: {to}. 다른 곳을 적으세요.",
            f"cannot export into a company's folder: {to}. Choose another place.",
        )
    return parent / to.name


def _refuse_a_full_disk(to: Path, size: Size) -> None:
    free = shutil.disk_usage(to.parent).free
    needed = min(size.bytes, size.on_disk)
    if needed > free:
        need, there = (f"{n / 2**30:,.1f}" for n in (needed, free))
        raise KampError(
            f"디스크에 빈 공간이 모자랍니다: {to.parent} (필요 {need} GB, 남음 {there} GB).",
            f"not enough room in {to.parent}: {need} GB needed, {there} GB free.",
        )


def _add_folder(
    archive: Archive,
    root: Path,
    prefix: str,
    size: Size,
    skipped: list[Skipped],
    progress: Progress,
) -> None:
    """Copy every plain file below `root`; what is passed over is remembered."""
    done = told = 0

    def read(count: int) -> None:
        nonlocal done, told
        done += count
        if done - told >= STEP:
            told = done
            progress(Text("파일 복사", "copying"), done=done, total=size.bytes)

    for place in walk(root, skipped):
        file = open_plain(place, size.names)
        if isinstance(file, str):
            skipped.append(Skipped(prefix + place.path, file))
            continue
        with file:
            archive.add_file(prefix + place.path, file, read=read)


def _add_csv(
    archive: Archive,
    tenant: Tenant,
    beside: Path,
    csv: TablesAsCsv | None,
    skipped: list[Skipped],
    progress: Progress,
) -> Text | None:
    """The tables as CSV, too; why not, when they are not."""
    if csv is None:
        return Text("요청하지 않았습니다.", "not asked for.")
    progress(Text("CSV 만들기", "writing CSV"))
    with tempfile.TemporaryDirectory(prefix=".kamp-csv-", dir=beside) as folder:
        made, reason = Path(folder), None
        try:
            csv(tenant, made)
        except KampError as error:
            reason = error.text
        # what could be written is worth having
        _add_folder(archive, made, "csv/", measure(made), skipped, progress)
    return reason


def _manifest(
    tenant: Tenant,
    entries: list[dict[str, Any]],
    skipped: list[Skipped],
    without_csv: Text | None,
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "tenant": tenant.slug,
        "name_ko": tenant.name.ko,
        "name_en": tenant.name.en,
        "exported": datetime.now(UTC).isoformat(),
        "version": package_version(),
        "csv": without_csv is None,
        "without_csv": without_csv.model_dump() if without_csv else None,
        "files": entries,
        "skipped": [{"path": one.path, "reason": one.reason} for one in skipped],
    }
