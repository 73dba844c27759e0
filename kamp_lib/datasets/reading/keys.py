"""Keys by which label files name files and rows, compared as people read them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from unicodedata import normalize

import pyarrow.compute as pc

from kamp_lib.datasets.raw import Raw
from kamp_lib.datasets.reading.folders import run_names

MOST_KEYS = 200_000  # distinct keys of rows that are looked at


def key_of(value: object) -> str:
    """What a key is compared by.

    >>> key_of("01"), key_of(1.0), key_of(" Part_7.CSV ")
    ('1', '1', 'part_7.csv')
    """
    text = "" if value is None else normalize("NFC", str(value)).strip().casefold()
    whole = re.fullmatch(r"(\d+)(\.0+)?", text)
    return str(int(whole[1])) if whole and len(text) < 300 else text.replace("\\", "/")


def file_keys(names: Sequence[str]) -> dict[str, str]:
    """Every key that means one file and no other -> that file's name.

    >>> file_keys(["a/run_01.csv", "a/run_02.csv"])["1"]
    'a/run_01.csv'
    """
    runs = run_names(names)
    keys: dict[str, set[str]] = {}
    for name, run in zip(names, runs, strict=True):
        path = PurePosixPath(name)
        number = re.search(r"(\d+)\D*$", path.stem)
        spellings = {name, path.with_suffix("").as_posix(), path.name, path.stem, run}
        spellings |= {number[1]} if number else set()
        for spelling in spellings:
            keys.setdefault(key_of(spelling), set()).add(name)
    return {key: next(iter(of)) for key, of in keys.items() if len(of) == 1}


def file_meant(key: str, meant: Mapping[str, str]) -> str | None:
    """The file that a key of a label file means; a path counts by its end, too."""
    base = PurePosixPath(key)
    for spelling in (key, base.name, base.stem, key_of(base.stem)):
        if spelling in meant:
            return meant[spelling]
    return None


def distinct_keys(raw: Raw, column: str) -> set[str]:
    """The keys that a column of the data holds."""
    if column not in raw.table.column_names:
        return set()
    values = pc.unique(raw.table[column])
    return {key_of(v) for v in values.slice(0, MOST_KEYS).to_pylist()}
