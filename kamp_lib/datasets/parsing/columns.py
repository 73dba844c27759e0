"""Raw cells -> typed columns; what does not fit its column is told, never dropped."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.options import UNSAID, Options
from kamp_lib.datasets.parsing.settle import settle_times
from kamp_lib.datasets.parsing.times import Times, parse_times, straight_times
from kamp_lib.datasets.raw import FILE, PROVENANCE, ROW, RUN, Raw
from kamp_lib.datasets.types import Finding

MISSING = ("none", "nan", "n/a", "na", "null", "nat", "-", "--", "없음", "#n/a", "#na",
           "inf", "-inf", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "<na>")  # fmt: skip
WHOLE = r"^[+-]?\d+$"
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
GROUPED = r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$"  # 1,234,567.8
DECIMAL_COMMA = r"^[+-]?\d*,\d+([eE][+-]?\d+)?$"  # 3,14
PADDED = r"^[+-]?0\d"  # 007 is a code, not a number
TOTAL = r"^\s*(합\s*계|총\s*계|소\s*계|누\s*계|평\s*균|총\s*합|(grand |sub)?total|sum|average|mean)\s*:?\s*$"
ENOUGH = 0.9  # of the filled cells that must be numbers for a number column
EXACT = 2**53  # whole numbers beyond this lose digits as floats


@dataclass
class Parsed:
    """Typed columns under their source names.

    `bad_cells` has one row per cell that does not fit its column: `row_index` (position
    in `frame`), `column`, `text`, `reason` (a code of `raw.REASONS`). `set_aside` maps
    positions of repeated headers and totals rows to their code. `units` holds the unit
    of a column as the file writes it, where the file tells.
    """

    frame: pd.DataFrame
    bad_cells: pd.DataFrame
    set_aside: dict[int, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)


def parse(
    raw: Raw, *, time_zone: str = "Asia/Seoul", options: Options = UNSAID
) -> Parsed:
    """Give every column of `raw` its type.

    Numbers become int64 (when all are whole) or float64, times datetime64 in local
    time, all else text. A cell that does not fit a column that otherwise does
    (at least 90 %) is a bad cell, and its row will not be stored.

    Parameters
    ----------
    raw : Raw
        What `read` gave.
    time_zone : str
        Where times without an offset were written.
    options : Options
        How doubtful dates are written, when a person says so.
    """
    aside = _set_aside(raw)
    keep = np.ones(raw.table.num_rows, dtype=bool)
    keep[list(aside)] = False
    columns: dict[str, pd.Series] = {}
    bad: list[pd.DataFrame] = []
    findings = _aside_findings(raw, aside)
    words: dict[str, list[str]] = {}
    spoken = 0
    times: dict[str, Times] = {}
    for name in raw.columns:
        typed = _typed(raw.table[name], keep, time_zone)
        columns[name] = typed.values
        if typed.words:
            words[name] = typed.words
            spoken += typed.spoken
        if typed.times is not None:
            times[name] = typed.times
        if len(typed.bad):
            reason = "not-a-number" if typed.times is None else "not-a-time"
            bad.append(typed.bad.assign(column=name, reason=reason))
    findings += settle_times(columns, times, raw, options.dates, time_zone)
    if words:
        shown = dict.fromkeys(word for column in words.values() for word in column)
        findings.append(
            finding("text-for-missing", columns=words, count=spoken, examples=shown)
        )
    for name in PROVENANCE:
        columns[name] = raw.table[name].to_pandas()
    cells = pd.concat(bad) if bad else pd.DataFrame(columns=["row_index", "text"])
    cells = cells.reindex(columns=["row_index", "column", "text", "reason"])
    return Parsed(pd.DataFrame(columns), cells, aside, findings, dict(raw.units))


@dataclass
class _Typed:
    values: pd.Series
    bad: pd.DataFrame
    words: list[str] = field(default_factory=list)
    spoken: int = 0
    times: Times | None = None  # what is known of a column of times in text


_NO_BAD = pd.DataFrame(
    {"row_index": pd.Series(dtype="int64"), "text": pd.Series(dtype="str")}
)


def _typed(column: pa.ChunkedArray, keep: np.ndarray, time_zone: str) -> _Typed:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _from_text(column, keep, time_zone)
    if pa.types.is_timestamp(kind):
        values = column.cast(pa.timestamp("us", kind.tz), safe=False).to_pandas()
        if kind.tz is not None:
            values = values.dt.tz_convert(time_zone).dt.tz_localize(None)
        return _Typed(values, _NO_BAD)
    if pa.types.is_date(kind):
        return _Typed(column.cast(pa.timestamp("us")).to_pandas(), _NO_BAD)
    if pa.types.is_boolean(kind):
        return _Typed(column.cast(pa.string()).to_pandas().astype("string"), _NO_BAD)
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    ):
        wide = pa.int64() if pa.types.is_signed_integer(kind) else pa.float64()
        if pa.types.is_unsigned_integer(kind) and kind.bit_width < 64:
            wide = pa.int64()
        return _Typed(_numbers(column.cast(wide, safe=False)), _NO_BAD)
    return _from_text(column.cast(pa.string()), keep, time_zone)


def _from_text(column: pa.ChunkedArray, keep: np.ndarray, time_zone: str) -> _Typed:
    plain = _plain_decimals(column) if keep.all() else None
    if plain is not None:
        return plain
    straight = straight_times(column, time_zone) if keep.all() else None
    if straight is not None:
        return _Typed(straight, _NO_BAD, times=Times(straight))
    text = pc.utf8_trim_whitespace(column)
    nothing = pa.scalar(None, text.type)
    if not keep.all():  # a header among the rows says nothing about the column
        text = pc.if_else(pa.array(keep), text, nothing)
    lower = pc.utf8_lower(text)
    spoken = pc.is_in(lower, value_set=pa.array(MISSING, lower.type))
    empty = pc.or_kleene(pc.equal(text, ""), spoken)
    words = pc.unique(text.filter(spoken)).to_pylist() if pc.any(spoken).as_py() else []
    count = int(pc.sum(spoken).as_py() or 0)
    text = pc.if_else(pc.fill_null(empty, True), nothing, text)
    made = _as_numbers(text) or _as_times(text, time_zone)
    if made is None:
        made = _Typed(text.to_pandas().astype("string"), _NO_BAD)
    made.words, made.spoken = words, count
    return made


def _plain_decimals(column: pa.ChunkedArray) -> _Typed | None:
    """The short way for what most columns are: decimal numbers and empty cells."""
    try:
        empty = pc.equal(column, "")
        if pc.any(empty).as_py():
            column = pc.if_else(empty, pa.scalar(None, column.type), column)
        numbers = column.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    values = numbers.to_numpy()
    finite = np.isfinite(values)
    if finite.sum() != len(values) - numbers.null_count:
        return None  # the words nan and inf
    known = values[finite]
    if not len(known) or np.all(known == np.floor(known)):
        return None  # whole numbers may be codes
    return _Typed(pd.Series(values), _NO_BAD)


def _as_numbers(text: pa.ChunkedArray) -> _Typed | None:
    """The column as numbers, when (nearly) all of its filled cells are."""
    filled = len(text) - text.null_count
    if filled == 0:
        empty = pd.Series(np.nan, index=range(len(text)), dtype="float64")
        return _Typed(empty, _NO_BAD)
    head = text.drop_null().slice(0, 1000)
    if not pc.any(pc.match_substring_regex(head, r"^[+-]?[.,]?\d")).as_py():
        return None
    if pc.any(pc.match_substring_regex(text, PADDED)).as_py():
        return None
    if pc.any(pc.match_substring(head, ",")).as_py():
        text = _without_commas(text)
    try:  # the usual case needs no pattern
        return _Typed(_numbers(text.cast(_narrowest(text))), _NO_BAD)
    except pa.ArrowInvalid:
        pass
    fits = pc.fill_null(pc.match_substring_regex(text, NUMBER), True)
    places = np.flatnonzero(~fits.to_numpy().astype(bool))
    if not len(places) or filled - len(places) < ENOUGH * filled:
        return None  # without a misfit: whole numbers too long for 64 bits, so ids
    wrong = text.take(pa.array(places)).to_pylist()
    numbers = pc.if_else(fits, text, pa.scalar(None, text.type))
    try:
        values = _numbers(numbers.cast(_narrowest(numbers)))
    except pa.ArrowInvalid:
        return None
    return _Typed(values, pd.DataFrame({"row_index": places, "text": wrong}))


def _without_commas(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Thousands commas taken out, or decimal commas made points, when cells agree."""
    with_comma = text.filter(pc.match_substring(text, ","))
    for pattern, point in ((GROUPED, ""), (DECIMAL_COMMA, ".")):
        fits = pc.match_substring_regex(text, pattern)
        if (pc.sum(fits).as_py() or 0) >= ENOUGH * len(with_comma):
            return pc.if_else(fits, pc.replace_substring(text, ",", point), text)
    return text


def _narrowest(data: pa.ChunkedArray) -> pa.DataType:
    whole = pc.all(pc.match_substring_regex(data, WHOLE)).as_py()
    return pa.int64() if whole else pa.float64()


def _numbers(column: pa.ChunkedArray) -> pd.Series:
    """int64 when every number is whole, else float64; long ids with gaps stay exact.

    A sheet does not tell 4 from 4.0; so no file does.
    """
    if pa.types.is_floating(column.type):
        values = column.to_numpy()
        known = values[~np.isnan(values)]
        whole = len(known) == len(values) and bool(
            np.all((np.abs(known) < EXACT) & (known == np.floor(known)))
        )
        return pd.Series(values.astype("int64") if whole else values)
    if column.null_count == 0:
        return pd.Series(column.to_numpy())
    largest = pc.max(pc.abs(column)).as_py()
    if largest is not None and largest >= EXACT:
        return column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return pd.Series(column.cast(pa.float64()).to_numpy())


def _as_times(text: pa.ChunkedArray, time_zone: str) -> _Typed | None:
    times = parse_times(text, time_zone)
    if times is None:
        return None
    known = pc.is_valid(text).to_numpy()
    wrong = np.flatnonzero(known & times.values.isna().to_numpy())
    texts = text.take(pa.array(wrong)).to_pylist()
    bad = pd.DataFrame({"row_index": wrong, "text": texts}) if len(wrong) else _NO_BAD
    return _Typed(times.values, bad, times=times)


def _set_aside(raw: Raw) -> dict[int, str]:
    """Rows that repeat the header, and totals: position -> code."""
    table = raw.table
    texts = [c for c in raw.columns if pa.types.is_string(table.schema.field(c).type)]
    if not texts:
        return {}
    same = np.zeros(table.num_rows, dtype=np.int32)
    for name in texts:
        equal = pc.equal(pc.utf8_trim_whitespace(table[name]), name)
        same += pc.fill_null(equal, False).to_numpy().astype(np.int32)
    aside = dict.fromkeys(
        np.flatnonzero(same >= max(1, 0.8 * len(texts))).tolist(), "repeated-header"
    )
    # A total stands in the first filled cell of its row.
    before = np.ones(table.num_rows, dtype=bool)
    first = [c for c in raw.columns if c != RUN][:3]
    for name in first:
        if name not in texts:
            break
        total = pc.match_substring_regex(table[name], TOTAL, ignore_case=True)
        hit = before & pc.fill_null(total, False).to_numpy().astype(bool)
        if hit.mean() <= 0.05 or hit.sum() == 1:
            aside |= dict.fromkeys(np.flatnonzero(hit).tolist(), "totals-row")
        filled = pc.fill_null(
            pc.not_equal(pc.utf8_trim_whitespace(table[name]), ""), False
        )
        before &= ~filled.to_numpy().astype(bool)
    return aside


def _aside_findings(raw: Raw, aside: dict[int, str]) -> list[Finding]:
    found = []
    for code in ("repeated-header", "totals-row"):
        places = [place for place, why in aside.items() if why == code]
        if places:
            rows = raw.table.take(places)
            first = raw.columns[0]
            shown = [f"{f}:{r}" for f, r in zip(
                rows[FILE].to_pylist(), rows[ROW].to_pylist(), strict=True)]  # fmt: skip
            if code == "totals-row":
                shown = [str(cell) for cell in rows[first].to_pylist()]
            found.append(finding(code, count=len(places), examples=shown))
    return found
