"""Encodings: what the head decides, and what later slices of a file may still show."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kamp_lib.datasets.reading.encodings import HEAD, Decoder
from kamp_lib.errors import KampError

ASCII = b"no,temp\n" + b"".join(b"%d,%d.5\n" % (i, i) for i in range(40_000))
KOREAN = "".join(f"{i},금형온도 상승,{i}.5\n" for i in range(40))


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("cp949", "cp949"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_the_head_tells_the_encoding(encoding: str, found: str) -> None:
    data = KOREAN.encode(encoding)
    decoder = Decoder(data, "a.csv")
    assert (decoder.utf8(data).decode(), decoder.encoding) == (KOREAN, found)


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_korean_that_begins_after_the_head_is_decided_there(encoding: str) -> None:
    data = ASCII + KOREAN.encode(encoding)
    assert len(ASCII) > HEAD
    decoder = Decoder(data[:HEAD], "a.csv")
    assert decoder.utf8(ASCII) == ASCII
    assert decoder.utf8(KOREAN.encode(encoding)).decode() == KOREAN
    assert decoder.encoding == encoding


@settings(deadline=None, max_examples=40)
@given(
    lines=st.lists(st.text("가나다힣ab1,°\t", max_size=8), min_size=1, max_size=20),
    cut=st.integers(0, 20),
    encoding=st.sampled_from(["utf-8", "utf-16"]),
)
def test_slices_give_the_text_of_the_whole(
    lines: list[str], cut: int, encoding: str
) -> None:
    text = KOREAN + "\n".join(lines) + "\n"
    data = text.encode(encoding)
    decoder = Decoder(data, "a.csv")
    end = "\n".encode("utf-16-le") if encoding == "utf-16" else b"\n"
    places = [p + len(end) for p in range(0, len(data), len(end))
              if data[p : p + len(end)] == end]  # fmt: skip
    place = places[min(cut, len(places) - 1)]
    parts = [decoder.utf8(data[:place]), decoder.utf8(data[place:])]
    assert b"".join(parts).decode() == text


@pytest.mark.parametrize(
    "end", ["\r", "\r\r\n", "\n"], ids=["old Mac", "converted twice", "usual"]
)
def test_every_line_end_is_read_as_one(end: str) -> None:
    data = KOREAN.replace("\n", end).encode("cp949")
    assert Decoder(data, "a.csv").utf8(data).decode() == KOREAN


def test_lines_of_two_encodings_are_each_read_in_their_own() -> None:
    data = KOREAN.encode("utf-8") * 2 + KOREAN.encode("cp949")
    decoder = Decoder(data, "a.csv")
    assert decoder.utf8(data).decode() == KOREAN * 3
    assert [(f.severity, f.count) for f in decoder.findings()] == [("info", 40)]


def test_shift_jis_of_a_japanese_controller_is_no_korean() -> None:
    text = "日時,温度,判定\n" + "10:00,20.5,良品カタカナ\n" * 20
    data = text.encode("shift_jis")
    assert Decoder(data, "a.csv").utf8(data).decode() == text


@pytest.mark.parametrize(
    "data",
    [bytes(range(256)) * 20, b"\x00" * 100 + b"a,b\n1,2\n", b"a,b\n1,\x002\n" * 9],
    ids=["junk", "zeros first", "zeros in cells"],
)
def test_what_is_no_text_is_refused_with_its_name(data: bytes) -> None:
    with pytest.raises(KampError, match=r"a\.csv"):
        Decoder(data, "a.csv").utf8(data)
