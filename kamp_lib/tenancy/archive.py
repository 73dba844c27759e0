"""A zip file with a list of what is in it, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from kamp_lib.errors import KampError

BLOCK = 2**20
LONGEST_PART = 150
# what cannot be made smaller
DENSE = {".parquet", ".zip", ".gz", ".png", ".jpg", ".jpeg", ".xlsx", ".mp4", ".npz"}
FORBIDDEN = set('<>:"\\|?*')
DEVICES = {"con", "prn", "aux", "nul", "clock$"} | {
    f"{kind}{number}" for kind in ("com", "lpt") for number in range(10)
}
FIRST_YEAR, LAST_YEAR = 1980, 2107  # what a zip file can say


@dataclass
class Archive:
    """A zip file while it is written."""

    file: zipfile.ZipFile
    entries: list[dict[str, Any]] = field(default_factory=list)
    # names in use, with the number that the next one like it would get
    _taken: dict[str, int] = field(default_factory=dict)

    def add_text(self, name: str, text: str) -> None:
        """A text of ours, under exactly this name."""
        self.reserve(name)
        self._write(_info(name, time.time()), iter([text.encode()]), original=name)

    def reserve(self, name: str) -> None:
        """Keep a name for a text that comes later."""
        self._taken[_alike(name)] = 2

    def add_file(
        self,
        name: str,
        source: BinaryIO,
        *,
        read: Callable[[int], None] | None = None,
    ) -> None:
        """Copy an open file as long as it is now, under a name that harms nobody."""
        status = os.fstat(source.fileno())
        info = _info(self._free(name), status.st_mtime)
        blocks = _blocks(source, status.st_size, read)
        self._write(info, blocks, original=name)

    def _write(
        self, info: zipfile.ZipInfo, blocks: Iterator[bytes], *, original: str
    ) -> None:
        digest, size = hashlib.sha256(), 0
        with self.file.open(info, "w", force_zip64=True) as out:
            for block in blocks:
                digest.update(block)
                size += len(block)
                out.write(block)
        entry = {"path": info.filename, "bytes": size, "sha256": digest.hexdigest()}
        if info.filename != original:
            entry["original"] = original
        self.entries.append(entry)

    def _free(self, name: str) -> str:
        """The harmless form of a name, numbered when another has it already."""
        plain = free = harmless(name)
        path = PurePosixPath(plain)
        while _alike(free) in self._taken:
            number = self._taken[_alike(plain)]
            self._taken[_alike(plain)] = number + 1
            free = str(path.with_name(f"{path.stem}~{number}{path.suffix}"))
        self._taken[_alike(free)] = 2
        return free


@contextmanager
def new_archive(to: Path) -> Iterator[Archive]:
    """An archive that appears at `to` when it is complete; nothing is overwritten.

    Raises
    ------
    KampError
        When there is something at `to` already.
    """
    _refuse_overwriting(to)
    partial = to.with_name(f".{to.name}.{os.getpid()}.partial")
    handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w+b") as raw:
            with zipfile.ZipFile(raw, "w") as file:
                yield Archive(file)
            raw.flush()
            os.fsync(raw.fileno())
        _refuse_overwriting(to)
        partial.rename(to)
    finally:
        partial.unlink(missing_ok=True)
    _sync(to.parent)


def _refuse_overwriting(path: Path) -> None:
    if os.path.lexists(path):
        raise KampError(
            f"이미 있는 파일입니다: {path}. 다른 이름을 적으세요.",
            f"there is a file already: {path}. Choose another name.",
        )


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _blocks(
    source: BinaryIO, size: int, read: Callable[[int], None] | None
) -> Iterator[bytes]:
    """The file's first `size` bytes; what is appended meanwhile is not waited for."""
    while size > 0 and (block := source.read(min(BLOCK, size))):
        size -= len(block)
        yield block
        if read is not None:
            read(len(block))


def _info(name: str, modified: float) -> zipfile.ZipInfo:
    when = time.gmtime(min(max(modified, 0), 2**33))
    year = min(max(when.tm_year, FIRST_YEAR), LAST_YEAR)
    info = zipfile.ZipInfo(name, (year, *when[1:6]))
    dense = PurePosixPath(name).suffix.lower() in DENSE
    info.compress_type = zipfile.ZIP_STORED if dense else zipfile.ZIP_DEFLATED
    info.external_attr = 0o100600 << 16
    return info


def harmless(name: str) -> str:
    """A path that unpacks to the same place everywhere, and shows as what it is.

    Letters that no file name has everywhere, or that nobody sees, become `_x2a_`.
    """
    return "/".join(_part(part) for part in name.split("/"))


def _part(part: str) -> str:
    composed = unicodedata.normalize("NFC", part)
    plain = "".join(
        c if c.isprintable() and c not in FORBIDDEN else f"_x{ord(c):x}_"
        for c in composed
    )
    if plain.endswith((".", " ")) or plain.split(".")[0].casefold() in DEVICES:
        plain += "_"
    if len(plain) > LONGEST_PART:
        mark = hashlib.sha256(plain.encode()).hexdigest()[:8]
        suffix = PurePosixPath(plain).suffix[-20:]
        plain = f"{plain[: LONGEST_PART - 30]}~{mark}{suffix}"
    return plain


def _alike(name: str) -> str:
    """What a file system that knows no case takes for the same name."""
    return unicodedata.normalize("NFC", name).casefold()


def as_json(value: Any) -> str:
    """JSON that any reader takes: letters that are no letters stay escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return text.encode("utf-8", "backslashreplace").decode() + "\n"
