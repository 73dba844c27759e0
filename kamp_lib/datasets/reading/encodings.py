"""Bytes -> UTF-8 text: which encoding, decided by the beginning of a file.

The beginning decides, so that a file of any size can be read slice by slice; a slice
that contradicts it is decoded line by line, and what was damaged is counted and said.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.reading.counting import count
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError

HEAD = 1 << 18  # bytes that decide
BOM = b"\xef\xbb\xbf"
ZERO_SHARE = 0.2  # of every second byte: digits, commas and line ends in UTF-16
DAMAGE = 0.02  # of the characters beyond ASCII; with more, it is another encoding
# What a western machine writes beside ASCII: signs of units and letters with marks.
WESTERN = frozenset("°µ²³±·×÷ÄÖÜäöüßàâçéèêëîïôûùÀÂÇÉÈÊñáíóúÑÅåØøÆæ€–—“”‘’…§\xa0")


class Decoder:
    """Turns the slices of one file into UTF-8 without a byte-order mark.

    Slices have to end where a line ends (`\\n`); the line ends themselves are made one
    kind only where lone carriage returns would otherwise hide in the lines.

    Parameters
    ----------
    head : bytes
        The beginning of the file, `HEAD` bytes of it if there are as many.
    name : str
        What the person calls the file.

    Attributes
    ----------
    encoding : str
        Python's name of the encoding; `utf-8-sig` for UTF-8 with a byte-order mark.
    strangers : int
        Lines that were in another encoding than the rest.
    damaged : int
        Characters that could not be read at all, U+FFFD in the text.

    Raises
    ------
    KampError
        When it is no text: at once, or with the slice that shows it.
    """

    def __init__(self, head: bytes, name: str) -> None:
        self.name = name
        self.encoding = _encoding(head[:HEAD], name)
        self.strangers = 0
        self.damaged = 0
        self._beyond_ascii = not head.isascii()
        _check_controls(self._text(head[:HEAD], guess=True).rstrip(b"\x00"), name)

    @property
    def line_end(self) -> bytes:
        """What a slice has to end with."""
        return "\n".encode(self.encoding.removesuffix("-sig"))

    def utf8(self, data: bytes) -> bytes:
        """A slice (or the whole file) as UTF-8 text."""
        text = self._text(data)
        if b"\x00" in text:
            text = _without_padding(text, self.name)
        if text.endswith(b"\x1a"):  # the end of a file, to DOS
            text = text.rstrip(b"\x1a")
        return one_line_end(text)

    def findings(self) -> list[Finding]:
        """What was not in order, after the last slice."""
        if not self.strangers and not self.damaged:
            return []
        variant = None if self.damaged else "readable"
        said = self.damaged or self.strangers
        return [finding("mixed-encodings", count=said, variant=variant)]

    def _text(self, data: bytes, *, guess: bool = False) -> bytes:
        if self.encoding.startswith("utf-8"):
            text = data.removeprefix(BOM)
            if text.isascii() or _decodes(text, "utf-8"):
                self._beyond_ascii = self._beyond_ascii or not text.isascii()
                marked = BOM[:1] in text and BOM in text  # one byte is found faster
                return text.replace(b"\n" + BOM, b"\n") if marked else text
        else:
            text = data
            if _decodes(text, self.encoding):
                decoded = text.decode(self.encoding).removeprefix("\ufeff")
                return decoded.encode("utf-8")
        if guess:
            return text.decode(self.encoding, errors="replace").encode("utf-8")
        if not self._beyond_ascii:  # the head could not tell
            self._beyond_ascii = True
            self.encoding = _encoding(_from_first_letter(text), self.name)
            return self._text(data)
        return self._line_by_line(text)

    def _line_by_line(self, data: bytes) -> bytes:
        """A slice that is not all in one encoding: files pasted together, cut letters."""
        if self.encoding.startswith("utf-16"):
            text = data.decode(self.encoding, errors="replace")
            self._count_damage(text)
            return text.encode("utf-8")
        lines = data.split(b"\n")
        for place, line in enumerate(lines):
            if line.isascii():
                continue
            fits = [e for e in ("utf-8", self.encoding, "cp949") if _decodes(line, e)]
            text = line.decode(fits[0] if fits else self.encoding, errors="replace")
            self.strangers += bool(fits) and not self.encoding.startswith(fits[0])
            lines[place] = text.encode("utf-8")
        whole = b"\n".join(lines)
        self._count_damage(whole.decode("utf-8"))
        return whole

    def _count_damage(self, text: str) -> None:
        damaged = text.count("\ufffd")
        beyond = sum(not c.isascii() for c in text[:HEAD]) if damaged else 1
        if damaged > 20 and text[:HEAD].count("\ufffd") > max(20, DAMAGE * beyond):
            raise _no_text(self.name)
        self.damaged += damaged


def _from_first_letter(data: bytes) -> bytes:
    """What decides when a file begins with nothing but ASCII."""
    found = re.search(rb"[\x80-\xff]", data)
    start = data.rfind(b"\n", 0, found.start()) + 1 if found else 0
    return data[start : start + HEAD]


def one_line_end(text: bytes) -> bytes:
    """Lone carriage returns, of old Macs and of line ends converted twice, as `\\n`."""
    if b"\r" in text and count(text, b"\r") > count(text, b"\r\n"):
        text = text.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n")
        text = text.replace(b"\r", b"\n")
    return text


def _encoding(head: bytes, name: str) -> str:
    """Korean that is not UTF-8 is nearly always CP949; a guesser is asked last.

    It would call CP949 Big5 when Korean appears late in a file.
    """
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        little = head.startswith(codecs.BOM_UTF16_LE)
        return "utf-16-le" if little else "utf-16-be"
    if b"\x00" in head:
        by_zeros = _zero_pattern(head)
        if by_zeros:
            return by_zeros
        head = _without_padding(head, name)
    if head.startswith(BOM):
        return "utf-8-sig"
    tests: list[tuple[str, Callable[[str], bool]]] = [
        ("utf-8", lambda text: True),
        ("cp949", _is_korean),
        ("cp1252", _is_western),
    ]
    for encoding, plausible in tests:
        text = _decoded(head, encoding)
        if text is not None and plausible(text):
            return encoding
    found = _mostly(head) or _guessed(head)
    if found is None:
        raise _no_text(name)
    return found


def _zero_pattern(head: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of digits and commas is zero."""
    pairs = np.frombuffer(head[: len(head) // 2 * 2], dtype=np.uint8).reshape(-1, 2)
    first, second = (pairs == 0).mean(axis=0)
    for high, low, encoding in (
        (second, first, "utf-16-le"),
        (first, second, "utf-16-be"),
    ):
        if high > ZERO_SHARE and low < 0.01 and _decoded(head, encoding) is not None:
            return encoding
    return None


def _is_korean(text: str) -> bool:
    """Real Korean is common syllables; Chinese would be odd ones and Chinese signs."""
    beyond = [c for c in text if not c.isascii()][:2000]
    chinese = sum(
        "\u3400" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff" for c in beyond
    )
    common = sum(_is_common(c) for c in beyond)
    return common * 2 >= len(beyond) and chinese * 3 <= len(beyond)


def _is_western(text: str) -> bool:
    return all(c.isascii() or c in WESTERN for c in text)


def _guessed(head: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(head).best()
    if best is None or _decoded(head, best.encoding) is None:
        return None
    return None if "\x00" in head.decode(best.encoding, "ignore") else best.encoding


def _mostly(head: bytes) -> str | None:
    """The encoding of most lines: files pasted together, letters cut by a field's width."""
    lines = [line for line in head.split(b"\n") if not line.isascii()]
    unicode = [line for line in lines if _decodes(line, "utf-8")]
    korean = [
        line
        for line in lines
        if (text := _decoded(line, "cp949")) is not None and _is_korean(text)
    ]
    found = "utf-8" if len(unicode) * 2 >= len(lines) else "cp949"
    if len({*unicode, *korean}) >= 0.9 * len(set(lines)):
        return found
    beyond = [c for c in head.decode("cp949", errors="replace") if not c.isascii()]
    broken = beyond.count("\ufffd")
    whole = "".join(c for c in beyond if c != "\ufffd")
    return "cp949" if broken <= 0.1 * len(beyond) and _is_korean(whole) else None


def _decoded(head: bytes, encoding: str) -> str | None:
    """The text, where the last letter may be cut; None when it does not decode."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head, final=False)
    except UnicodeDecodeError:
        return None


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        if encoding == "utf-8":  # many times as fast as making a str of it
            _as_one_cell(data).validate(full=True)
        else:
            data.decode(encoding)
    except (UnicodeDecodeError, pa.ArrowInvalid):
        return False
    return True


def _as_one_cell(data: bytes) -> pa.Array:
    ends = pa.py_buffer(np.array([0, len(data)], dtype=np.int64))
    return pa.LargeStringArray.from_buffers(1, ends, pa.py_buffer(data))


def _is_common(letter: str) -> bool:
    """Whether KS X 1001 has it in two bytes; others are spelled out in eight."""
    try:
        return len(letter.encode("euc_kr")) == 2
    except UnicodeEncodeError:
        return False


def _check_controls(text: bytes, name: str) -> None:
    """Text holds hardly any control characters; junk does."""
    sample = np.frombuffer(text, dtype=np.uint8)
    controls = int(((sample < 32) & ~np.isin(sample, (9, 10, 12, 13))).sum())
    if controls > max(2, len(sample) * 0.002):
        raise _no_text(name)


def _without_padding(text: bytes, name: str) -> bytes:
    """A logger that lost power leaves zeros at the end; anywhere else they are damage."""
    text = text.rstrip(b"\x00")
    if b"\x00" not in text:
        return text
    at = text.count(b"\n", 0, text.index(b"\x00")) + 1
    raise KampError(
        f"'{name}'에 글자가 아닌 빈 바이트(NUL)가 있습니다({at}번째 줄 근처). 저장하다 끊긴 파일일 수"
        " 있으니 다시 내보내세요.",
        f"{name!r} holds NUL bytes, which are no text (near line {at}); it may have been cut"
        " off while it was saved: export it again.",
    )


def _no_text(name: str) -> KampError:
    return KampError(
        f"'{name}'을(를) 글자로 읽을 수 없습니다. CSV(UTF-8 또는 CP949)나 엑셀(.xlsx)로 다시 저장하세요.",
        f"{name!r} cannot be read as text; save it as CSV (UTF-8 or CP949) or Excel (.xlsx).",
    )
