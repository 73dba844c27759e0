"""A text file of any size, in slices of complete records.

A small file is one slice. What passes is hashed on the way, and a file that is written
to meanwhile is noticed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from kamp_lib.datasets.reading.counting import count
from kamp_lib.datasets.reading.encodings import HEAD, Decoder
from kamp_lib.errors import KampError

SLICE = 1 << 24  # bytes read at a time
FIRST = 1 << 20  # of the first slice, which tells how the others are read
LONGEST = 1 << 24  # bytes of a record; what is longer is no row of a table


class OpenQuote(Exception):
    """A quote that is never closed: quotes mean nothing in this file."""


class Slices:
    """The slices of a file, each as UTF-8 text with the number of lines before it.

    Parameters
    ----------
    path : Path
        Where it is.
    name : str
        What the person calls it.
    quotes : bool, default True
        Whether a line break between quotes is part of a cell.

    Attributes
    ----------
    decoder : Decoder
        Of this passage; it has findings to tell when all slices are taken.
    sha256, bytes : str and int
        Of the whole file, when all slices are taken.

    Raises
    ------
    KampError
        When it is no text, a line is endless, or the file changes while it is read.
    OpenQuote
        When a record would be endless because of a quote.
    """

    def __init__(self, path: Path, name: str, *, quotes: bool = True) -> None:
        self.path = path
        self.name = name
        self.quotes = quotes
        self.bytes = 0
        self._hash = hashlib.sha256()
        with open(path, "rb") as file:
            head = file.read(HEAD)
        self.decoder = Decoder(head, name)
        mac = b"\r" in head and b"\n" not in head
        self._line_end = b"\r" if mac else self.decoder.line_end

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        lines, rest = 0, b""
        for text in self._decoded():
            text = rest + text
            cut = self._records(text)
            rest = text[cut:]
            if len(rest) > LONGEST:
                raise OpenQuote
            if cut:
                yield text[:cut], lines
                lines += count(memoryview(text)[:cut], b"\n")
        if rest:
            yield rest, lines

    def _decoded(self) -> Iterator[bytes]:
        """Whole lines of text; the last one may lack its end."""
        rest = b""
        for block in self._blocks():
            cut = self._last_line_end(block, len(rest))
            if cut:
                yield self.decoder.utf8(b"".join((rest, block[:cut])))
                rest = bytes(block[cut:])
            else:
                rest += block
            if len(rest) > LONGEST:
                raise _endless(self.name)
        if rest:
            yield self.decoder.utf8(rest)

    def _blocks(self) -> Iterator[memoryview]:
        """What the file holds, in memory that the next block uses again."""
        with open(self.path, "rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            buffer = memoryview(bytearray(max(1, min(SLICE, before.st_size))))
            size = min(FIRST, SLICE)
            while held := file.readinto(buffer[:size]):
                block = buffer[:held]
                self._hash.update(block)
                self.bytes += held
                if self.bytes > before.st_size:  # it may grow without end
                    raise changed(self.name)
                yield block
                size = SLICE
            after = os.stat(self.path)
        same = (before.st_size, before.st_mtime_ns, before.st_ino)
        if same != (after.st_size, after.st_mtime_ns, after.st_ino):
            raise changed(self.name)

    def _last_line_end(self, block: memoryview, before: int) -> int:
        """How many bytes of a block end a line; `before` it stand others of the line."""
        end, width = len(block), len(self._line_end)
        while (at := _last(block, self._line_end, end)) >= 0:
            # in UTF-16 the bytes may be halves of two letters
            if (before + at) % width == 0:
                return at + width
            end = at + width - 1
        return 0

    def _records(self, text: bytes) -> int:
        """How many bytes are complete records: no quote is open at their end."""
        if not self.quotes or count(text, b'"') % 2 == 0:
            return len(text)
        end, even = len(text), False
        while not even and end > 0:
            start = text.rfind(b"\n", 0, end - 1) + 1
            even ^= text.count(b'"', start, end) % 2 == 1
            end = start
        return end


def _last(block: memoryview, sign: bytes, end: int) -> int:
    """Where a sign stands last; most lines are short, so that few bytes are copied."""
    size = 1 << 12
    while True:
        first = max(0, end - size)
        at = bytes(block[first:end]).rfind(sign)
        if at >= 0 or first == 0:
            return first + at if at >= 0 else -1
        size *= 16


def changed(name: str) -> KampError:
    """What is said of a file that is written to while it is read."""
    return KampError(
        f"'{name}'이(가) 읽는 동안 바뀌었습니다. 쓰기가 끝난 뒤 다시 가져오세요.",
        f"{name!r} changed while it was read; ingest it again when it is complete.",
    )


def _endless(name: str) -> KampError:
    return KampError(
        f"'{name}'에 {LONGEST >> 20} MB가 넘는 줄이 있어 표로 읽을 수 없습니다."
        " 줄바꿈이 있는 CSV로 다시 내보내세요.",
        f"{name!r} holds a line of more than {LONGEST >> 20} MB, which is no row of a"
        " table; export it as CSV with line breaks.",
    )
