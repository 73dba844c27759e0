"""JSON lines and JSON documents -> raw cells: one object is one row.

Cells are text, so that what they mean is decided later, as for those of a text file: an
id of 17 digits keeps them all. Nested objects become columns with dots.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.options import Options
from kamp_lib.datasets.raw import FILE, ROW, Raw, Rejected, unique_names
from kamp_lib.datasets.reading.arrow_files import source_of
from kamp_lib.datasets.reading.encodings import HEAD, Decoder
from kamp_lib.datasets.reading.refusals import no_data
from kamp_lib.errors import KampError, UsageError

CHUNK = 20_000
MOST_COLUMNS = 10_000
MOST_DOCUMENT = 512 << 20  # a document has to fit in memory as a whole; lines do not
Rows = list[tuple[int, dict[str, str | None]]]


def read_json(path: Path, name: str, options: Options) -> Raw:
    """Read JSON lines, an array of objects, or a document that holds one.

    Raises
    ------
    KampError
        When there is no array of objects in it.
    """
    data = path.read_bytes()
    text = Decoder(data[:HEAD], name).utf8(data)
    rejected: list[Rejected] = []
    document = None if _is_lines(text) else _document(text, name)
    if document is None:
        raw = _raw_of(_lines(text, name, rejected), path, name, {})
        if len(rejected) > raw.table.num_rows:
            raise _no_json(name)
    else:
        found = {k: v for k, v in _tables(document).items() if v}
        chosen = _chosen(found, name, options)
        raw = _raw_of(enumerate(found[chosen], start=1), path, name, {"table": chosen})
        others = [table for table in found if table != chosen]
        if others and options.sheet is None:
            raw.findings.append(
                finding(
                    "sheet-chosen", count=len(others), examples=others, chosen=chosen
                )
            )
    raw.rejected = rejected
    raw.sources = [
        source_of(path, name, raw.table.num_rows + len(rejected), s.details)
        for s in raw.sources
    ]
    return raw


def _is_lines(text: bytes) -> bool:
    """Whether the first filled line is an object of its own."""
    first, _, rest = text.lstrip().partition(b"\n")
    return first.startswith(b"{") and bool(rest.strip()) and _loads(first) is not None


def _loads(text: bytes) -> Any:
    """The value; None when it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _document(text: bytes, name: str) -> Any:
    if len(text) > MOST_DOCUMENT:
        raise KampError(
            f"'{name}'은(는) 한 번에 읽기에 너무 큽니다. JSON Lines(한 줄에 하나)나 CSV로 내보내세요.",
            f"{name!r} is too large to be read in one piece; export JSON lines or CSV.",
        )
    document = _loads(text)
    if document is None:
        raise _no_json(name)
    return document


def _lines(
    text: bytes, name: str, rejected: list[Rejected]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of JSON lines; a line that is none is rejected as it stands."""
    for number, line in enumerate(text.split(b"\n"), start=1):
        if not line.strip():
            continue
        value = _loads(line)
        if isinstance(value, dict):
            yield number, value
        else:
            original = line.decode("utf-8", "replace").rstrip("\r")
            rejected.append(
                Rejected.because("unreadable-line", name, number, original=original)
            )


def _tables(document: Any, place: str = "", depth: int = 0) -> dict[str, list[Any]]:
    """The arrays of objects in a document, by where they are; columns made rows."""
    if isinstance(document, list):
        all_objects = all(isinstance(row, dict) for row in document)
        return {place or "-": document} if all_objects else {}
    if not isinstance(document, dict) or depth > 5:
        return {}
    lists = {k: v for k, v in document.items() if _is_column(v)}
    if len(lists) > 1 and len({len(v) for v in lists.values()}) == 1:
        rows = [
            dict(zip(lists, values, strict=True))
            for values in zip(*lists.values(), strict=True)
        ]
        return {place or "-": rows}
    found: dict[str, list[Any]] = {}
    for key, value in document.items():
        found |= _tables(value, f"{place}.{key}" if place else key, depth + 1)
    if not found and depth == 0:
        return {"-": [document]}
    return found


def _is_column(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and not any(isinstance(v, dict | list) for v in value)
    )


def _chosen(found: dict[str, list[Any]], name: str, options: Options) -> str:
    if not found:
        raise _no_json(name)
    if options.sheet is None:
        return max(found, key=lambda table: len(found[table]))
    if options.sheet not in found:
        known = ", ".join(found)
        raise UsageError(
            f"'{name}'에 표 '{options.sheet}'이(가) 없습니다. 있는 표: {known}",
            f"{name!r} has no table {options.sheet!r}; it has {known}.",
        )
    return options.sheet


def _no_json(name: str) -> KampError:
    return KampError(
        f"'{name}'에서 행으로 읽을 JSON 객체를 찾지 못했습니다. 객체의 배열이나"
        " 한 줄에 객체 하나씩(JSON Lines) 내보내세요.",
        f"{name!r} holds no JSON objects to read as rows; export an array of objects,"
        " or one object per line.",
    )


def _raw_of(
    objects: Iterable[tuple[int, dict[str, Any]]],
    path: Path,
    name: str,
    details: dict[str, str],
) -> Raw:
    """A table of all objects, made of a few thousand at a time."""
    parts: list[pa.Table] = []
    numbers: list[int] = []
    walk = iter(objects)
    while chunk := [(n, _flat(value)) for n, value in islice(walk, CHUNK)]:
        numbers += [number for number, _ in chunk]
        keys = dict.fromkeys(key for _, row in chunk for key in row)
        if len(keys) > MOST_COLUMNS:
            raise KampError(
                f"'{name}'의 객체마다 이름이 달라 열이 너무 많습니다({len(keys):,}개)."
                " 같은 이름을 쓰는 객체로 내보내세요.",
                f"the objects of {name!r} have too many different names ({len(keys):,});"
                " export objects that share theirs.",
            )
        cells = [pa.array([row.get(k) for _, row in chunk], pa.string()) for k in keys]
        parts.append(pa.table(cells, names=list(keys)))
    if not parts or not parts[0].num_columns:
        raise no_data(name)
    table = pa.concat_tables(parts, promote_options="default")
    table = table.rename_columns(unique_names(table.column_names))
    rows = table.num_rows
    table = table.append_column(FILE, pa.array([name] * rows, pa.string()))
    table = table.append_column(ROW, pa.array(numbers, pa.int64()))
    return Raw(table, [source_of(path, name, rows, details)])


def _flat(value: dict[str, Any], place: str = "") -> dict[str, str | None]:
    """Cells of text by name; those of objects inside with dots."""
    cells: dict[str, str | None] = {}
    for key, inner in value.items():
        own = f"{place}{key}"
        if isinstance(inner, dict):
            cells |= _flat(inner, f"{own}.")
        elif inner is None:
            cells[own] = None
        elif isinstance(inner, str):
            cells[own] = inner
        else:
            cells[own] = json.dumps(inner, ensure_ascii=False)
    return cells
