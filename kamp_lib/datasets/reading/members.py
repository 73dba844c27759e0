"""The files inside a zip: which are read, under which names, and which are tricks."""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path
from unicodedata import normalize

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.reading.folders import LITTER, natural, passed_over
from kamp_lib.datasets.reading.kinds import ARCHIVE_ENDINGS, ENDINGS, IMAGE_ENDINGS
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError

UTF_8 = 0x800  # a bit of a member's flags
OTHER_ARCHIVES = (*ARCHIVE_ENDINGS, ".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz")


def wanted_members(
    infos: Sequence[zipfile.ZipInfo], name: str
) -> list[tuple[zipfile.ZipInfo, str]]:
    """The members to read, with their names; tricks refuse the whole archive."""
    wanted = []
    for info in infos:
        member = _member_name(info)
        parts = member.split("/")
        if _leads_out(info, member, parts):
            raise KampError(
                f"'{name}' 안에 안전하지 않은 경로나 링크가 있습니다({member!r})."
                " 파일만 골라 다시 압축하세요.",
                f"{name!r} holds an unsafe path or a link ({member!r}); pack just the files again.",
            )
        if info.is_dir() or _is_litter(member):
            continue
        ending = Path(parts[-1]).suffix.lower()
        if ending in (*ENDINGS, *IMAGE_ENDINGS) and ending not in ARCHIVE_ENDINGS:
            wanted.append((info, member))
    return sorted(wanted, key=lambda w: natural(w[1]))


def _leads_out(info: zipfile.ZipInfo, member: str, parts: list[str]) -> bool:
    return (
        "\0" in info.orig_filename
        or ".." in parts
        or member.startswith("/")
        or re.match(r"[A-Za-z]:", member) is not None
        or stat.S_ISLNK(info.external_attr >> 16)
    )


def _member_name(info: zipfile.ZipInfo) -> str:
    """A member's name as text: what an old Korean Windows packed is CP949."""
    name = info.orig_filename
    if not info.flag_bits & UTF_8:  # not marked as UTF-8: Python has read it as cp437
        raw = name.encode("cp437", errors="replace")
        for encoding in ("utf-8", "cp949"):
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return normalize("NFC", name).replace("\\", "/")


def own_name(member: str, taken: set[str]) -> str:
    """A name no other member has."""
    wanted, number = Path(member), 1
    while member in taken:
        number += 1
        member = f"{wanted.with_suffix('')} ({number}){wanted.suffix}"
    taken.add(member)
    return member


def left_aside(
    infos: Sequence[zipfile.ZipInfo],
    wanted: list[tuple[zipfile.ZipInfo, str]],
    name: str,
) -> list[Finding]:
    """Say which members are not read; what systems leave behind goes without saying."""
    read = {id(info) for info, _ in wanted}
    names = [_member_name(i) for i in infos if id(i) not in read and not i.is_dir()]
    names = [n for n in names if not _is_litter(n)]
    nested = [n for n in names if n.lower().endswith(OTHER_ARCHIVES)]
    said = passed_over([n for n in names if n not in nested], name)
    if nested:
        said.append(
            finding("nested-archive", count=len(nested), examples=nested, archive=name)
        )
    return said


def _is_litter(member: str) -> bool:
    """What Macs, Windows and open workbooks leave in every folder."""
    parts = member.split("/")
    hidden = any(part.startswith((".", "__", "~$")) for part in parts)
    return hidden or parts[-1].lower() in LITTER
