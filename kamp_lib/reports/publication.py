"""Releasing a bundle: copied whole into `published/`, with its report notebook.

A company's folder is treated as hostile: no link is followed, sizes are capped, and no
table, model or notebook of the bundle is opened.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path

from kamp_lib.errors import KampError
from kamp_lib.runs import Bundle, open_run
from kamp_lib.settings import package_version, settings
from kamp_lib.tenancy import Tenant

REPORT = "report.ipynb"
PUBLICATION = "publication.json"
LARGEST_BUNDLE = 512 * 2**20
MOST_FILES = 5_000
BLOCK = 2**20
# of renameat2(2); Python has no name for them
AT_FDCWD, RENAME_EXCHANGE = -100, 2
FAMILY = re.compile(r"[a-z][a-z0-9-]*")


def publish(tenant: Tenant, run_id: str) -> Path:
    """Release a run's bundle; releasing it again replaces what was there.

    Parameters
    ----------
    run_id
        The run's id, an unambiguous start of it, or `latest`.

    Returns
    -------
    Path
        `published/<run id>`, with `report.ipynb` and `publication.json` (the SHA-256 of
        every file).

    Raises
    ------
    KampError
        When the run is unknown, holds a link or a special file, or is too large.
    """
    bundle = open_run(tenant, run_id)
    run = bundle.path.name
    template = _template(bundle)
    tenant.published.mkdir(parents=True, exist_ok=True)
    staged = tenant.published / f".staging-{run}-{secrets.token_hex(4)}"
    final = tenant.published / run
    try:
        staged.mkdir()
        hashes = _copy(bundle.path, staged)
        report = template.read_bytes()
        (staged / REPORT).write_bytes(report)
        hashes[REPORT] = hashlib.sha256(report).hexdigest()
        note = {
            "run": run,
            "tenant": tenant.slug,
            "published": datetime.now(UTC).isoformat(),
            "version": package_version(),
            "sha256": dict(sorted(hashes.items())),
        }
        text = json.dumps(note, ensure_ascii=False, indent=1)
        (staged / PUBLICATION).write_text(text, encoding="utf-8")
        _swap(staged, final)
    except OSError as error:
        raise KampError(
            f"게시하지 못했습니다: {final} ({error.strerror or error})",
            f"could not publish to {final} ({error.strerror or error})",
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return final


def _template(bundle: Bundle) -> Path:
    """The report notebook of the run's problem family: ours, never the bundle's."""
    family = bundle.record.model.family
    template = settings().templates / "reports" / f"{family}.ipynb"
    if not FAMILY.fullmatch(family) or not template.is_file():
        raise KampError(
            f"'{family}' 문제 유형의 보고서 양식이 없어 게시할 수 없습니다.",
            f"there is no report template for the problem family {family!r}.",
        )
    return template


def _copy(source: Path, target: Path) -> dict[str, str]:
    """Copy plain files and folders; anything else stops the release."""
    hashes: dict[str, str] = {}
    left = LARGEST_BUNDLE
    for folder, names, files in os.walk(source, followlinks=False):
        here = Path(folder)
        for name in (*names, *files):
            if not name.isprintable():
                raise _odd_name(name)
        for name in names:
            if (here / name).is_symlink():
                raise _link(here / name)
            (target / (here / name).relative_to(source)).mkdir()
        for name in files:
            inside = (here / name).relative_to(source)
            digest, size = _copy_file(here / name, target / inside, left)
            hashes[inside.as_posix()] = digest
            left -= size
            if len(hashes) > MOST_FILES:
                raise _too_large(source)
    return hashes


def _copy_file(source: Path, target: Path, most: int) -> tuple[str, int]:
    # opened without following a link, then asked what it is: no gap between the two
    try:
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise _link(source) from error
    with os.fdopen(handle, "rb") as reader:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _link(source)
        digest, size = hashlib.sha256(), 0
        with target.open("wb") as writer:
            while block := reader.read(BLOCK):
                size += len(block)
                if size > most:
                    raise _too_large(source.parent)
                digest.update(block)
                writer.write(block)
    return digest.hexdigest(), size


def _swap(staged: Path, final: Path) -> None:
    """Put the staged folder in place in one step: a kill leaves the old one or the new."""
    if final.is_symlink():
        raise _link(final)
    if final.exists():
        # afterwards `staged` holds the old report, which the caller removes
        _exchange(staged, final)
    else:
        staged.rename(final)


def _exchange(one: Path, other: Path) -> None:
    """Swap two folders' names; where the system cannot do it at once, in two steps."""
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    paths = os.fsencode(one), os.fsencode(other)
    if swap and swap(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE) == 0:
        return
    aside = one.with_name(f"{one.name}.old")
    other.rename(aside)
    one.rename(other)
    aside.rename(one)


def _link(path: Path) -> KampError:
    return KampError(
        f"일반 파일이 아니어서 게시할 수 없습니다: {path.name}. 링크를 지우고 다시 게시하세요.",
        f"not a plain file, so it cannot be published: {path.name}. Remove the link.",
    )


def _odd_name(name: str) -> KampError:
    return KampError(
        f"파일 이름에 쓸 수 없는 글자가 있어 게시할 수 없습니다: {name!r}. 이름을 바꾸세요.",
        f"a file name with odd letters cannot be published: {name!r}. Rename the file.",
    )


def _too_large(path: Path) -> KampError:
    limit = LARGEST_BUNDLE // 2**20
    return KampError(
        f"분석 결과가 너무 커서 게시할 수 없습니다(한도 {limit} MB, 파일 {MOST_FILES}개): {path.name}",
        f"too large to publish (limit {limit} MB, {MOST_FILES} files): {path.name}",
    )
