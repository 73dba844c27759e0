"""Damage as it happens to files: on disks, in mail, in spreadsheets, by hand, on purpose."""

from __future__ import annotations

import random
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]

ODD_CELLS = (
    b"", b"-", b"N/A", b"#DIV/0!", b"NaN", b"1e999", b"-1e999", b"inf", b"0x1F", b"=1+1",
    b"'", b'"', b'""', b"1,234,567", b"1.234,5", b"23.5 \xe2\x84\x83", b"9" * 40, b"\x00",
    b"24:00", b"31/02/2026", b"2026-13-45", b"\xec\x98\xa4\xed\x9b\x84 13:00", b"\xff\xfe",
    b"a" * 5000, b"\xef\xbb\xbf", b"True", b"-0", b"00012", b"1 000", b"\xe3\x80\x80",
    "합계".encode(), "１２３".encode(), "없음".encode("cp949"), b"1970-01-01", b"1e-320",
)  # fmt: skip
SEPARATORS = (
    b",",
    b";",
    b"\t",
    b"|",
    b" ",
    b"\r",
    b"\n",
    b"\r\n",
    b'"',
    b"\x1a",
    b"\x00",
)


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.randint(1, 20)):
        if out:
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def cut_off(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def lose_the_beginning(data: bytes, rng: random.Random) -> bytes:
    return data[rng.randrange(len(data) + 1) :]


def lose_a_part(data: bytes, rng: random.Random) -> bytes:
    start, end = _stretch(data, rng)
    return data[:start] + data[end:]


def repeat_a_part(data: bytes, rng: random.Random) -> bytes:
    start, end = _stretch(data, rng)
    return data[:end] + data[start:end] * rng.randint(1, 5) + data[end:]


def overwrite_with_zeros(data: bytes, rng: random.Random) -> bytes:
    start, end = _stretch(data, rng)
    return data[:start] + bytes(end - start) + data[end:]


def overwrite_with_noise(data: bytes, rng: random.Random) -> bytes:
    start, end = _stretch(data, rng)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def insert_odd_cells(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    for _ in range(rng.randint(1, 30)):
        place = rng.randrange(len(lines))
        cells = lines[place].split(b",")
        cells[rng.randrange(len(cells))] = rng.choice(ODD_CELLS)
        lines[place] = b",".join(cells)
    return b"\n".join(lines)


def a_column_of_odd_cells(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    column, cells = rng.randrange(8), rng.choices(ODD_CELLS, k=3)
    damaged = []
    for line in lines:
        parts = line.split(b",")
        if column < len(parts) and rng.random() < 0.7:
            parts[column] = rng.choice(cells)
        damaged.append(b",".join(parts))
    return b"\n".join(damaged)


def exchange_separators(data: bytes, rng: random.Random) -> bytes:
    return data.replace(rng.choice(SEPARATORS), rng.choice(SEPARATORS))


def sprinkle_separators(data: bytes, rng: random.Random) -> bytes:
    out = data
    for _ in range(rng.randint(1, 10)):
        place = rng.randrange(len(out) + 1)
        out = out[:place] + rng.choice(SEPARATORS) + out[place:]
    return out


def shuffle_lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    rng.shuffle(lines)
    return b"\n".join(lines)


def repeat_lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    again = rng.choices(lines, k=rng.randint(1, 2 * len(lines)))
    return b"\n".join([*lines, *again])


def one_endless_line(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data) + 1)
    return data[:place] + rng.choice((b"x", b",", b'"', b"1")) * 300_000 + data[place:]


def another_encoding(data: bytes, rng: random.Random) -> bytes:
    text = data.decode("utf-8", errors="replace")
    encoding = rng.choice(("cp949", "utf-16", "utf-16-be", "utf-8-sig", "latin-1"))
    return text.encode(encoding, errors="replace")


def half_in_another_encoding(data: bytes, rng: random.Random) -> bytes:
    half = len(data) // 2
    return data[:half] + another_encoding(data[half:], rng)


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    cut_off,
    lose_the_beginning,
    lose_a_part,
    repeat_a_part,
    overwrite_with_zeros,
    overwrite_with_noise,
    insert_odd_cells,
    a_column_of_odd_cells,
    exchange_separators,
    sprinkle_separators,
    shuffle_lines,
    repeat_lines,
    one_endless_line,
    another_encoding,
    half_in_another_encoding,
)


def _stretch(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.randint(1, max(1, len(data) // 4)))


def damaged(corpus: dict[str, bytes], seed: int) -> tuple[str, bytes]:
    """One damaged file, always the same for a seed: its name and content."""
    rng = random.Random(seed)
    names = sorted(corpus)
    # damage to text can be lived with; other formats are mostly refused
    weights = [3 if name.endswith((".csv", ".txt")) else 1 for name in names]
    (name,) = rng.choices(names, weights)
    data = corpus[name]
    for mutate in rng.choices(MUTATIONS, k=rng.randint(1, 3)):
        data = mutate(data, rng)
    if rng.random() < 0.05:  # the ending lies
        name = rng.choice(("x.csv", "x.xlsx", "x.parquet", "x.zip", "x.png", "x.mat"))
    return name, data
