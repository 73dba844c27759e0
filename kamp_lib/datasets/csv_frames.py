"""Several files in one stream: how tables leave a company's walls.

A frame says which file it belongs to and how long it is. Whoever reads it may distrust
whoever writes it: there is nothing in a frame but bytes for a file that the reader named.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from io import RawIOBase
from typing import Any, BinaryIO

HEADER = struct.Struct(">IBI")  # data set, part, bytes
LONGEST = 2**20


class Part(IntEnum):
    """What of a data set a frame belongs to."""

    ROWS = 0
    QUARANTINE = 1
    COMPLAINT = 2


class Framed(RawIOBase):
    """A file to write into, one of several in the stream."""

    def __init__(self, stream: BinaryIO, number: int, part: Part) -> None:
        self._stream, self._number, self._part = stream, number, part

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        for first in range(0, len(view), LONGEST):
            piece = view[first : first + LONGEST]
            self._stream.write(HEADER.pack(self._number, self._part, len(piece)))
            self._stream.write(piece)
        return len(view)


def frames(stream: BinaryIO, files: int) -> Iterator[tuple[int, Part, bytes]]:
    """The frames of a stream, up to its end.

    Raises
    ------
    ValueError
        When the stream ends in a frame, or names a file that there is not.
    """
    while header := stream.read(HEADER.size):
        if len(header) < HEADER.size:
            raise ValueError("cut off")
        number, part, length = HEADER.unpack(header)
        if number >= files or length > LONGEST:
            raise ValueError("no such file, or too long a piece")
        data = stream.read(length)
        if len(data) < length:
            raise ValueError("cut off")
        yield number, Part(part), data
