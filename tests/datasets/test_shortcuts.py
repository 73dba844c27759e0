"""Short ways of reading and checking give what the long and obvious ones give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from datasets.small_machine import shots
from hypothesis import given, settings
from hypothesis import strategies as st

from kamp_lib.catalog import equipment_type
from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.checks.stamps import Stamps
from kamp_lib.datasets.checks.times import _only_forward
from kamp_lib.datasets.reading import counting
from kamp_lib.datasets.reading.text_table import _in_one_piece
from kamp_lib.datasets.rising import rises
from kamp_lib.datasets.storage.duplicates import repeats


@settings(deadline=None, max_examples=30)
@given(
    text=st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b'"']), max_size=40),
    sign=st.sampled_from([b"\r", b"\n", b"\r\n", b'"']),
    block=st.integers(1, 12),
)
def test_signs_are_counted_as_bytes_counts_them(
    text: list[bytes], sign: bytes, block: int
) -> None:
    whole = b"".join(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "BLOCK", block)
        assert counting.count(whole, sign) == whole.count(sign)


@settings(deadline=None, max_examples=30)
@given(
    parts=st.lists(
        st.lists(st.one_of(st.none(), st.floats(-9, 9)), max_size=6),
        min_size=1,
        max_size=6,
    ),
    likely=st.integers(0, 40),
)
def test_numbers_laid_out_are_the_numbers_that_were_read(
    parts: list[list[float | None]], likely: int
) -> None:
    tables = [
        pa.table(
            {
                "word": pa.array([str(n) for n in part], pa.string()),
                "x": pa.array(part, pa.float64()),
                "no": pa.array(range(len(part)), pa.int64()),
            }
        )
        for part in parts
    ]
    whole = pa.concat_tables(tables)
    made = _in_one_piece(iter(tables), likely)
    assert made.schema == whole.schema
    assert made.to_pydict() == whole.to_pydict()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.one_of(st.integers(-5, 5), st.just(np.nan)), max_size=8))
def test_what_rises_holds_nothing_twice_and_no_gap(values: list[float]) -> None:
    column = pd.Series(values, dtype="float64")
    if rises(column):
        assert not column.duplicated().any()
        assert column.notna().all()
    if len(values) > 1 and column.notna().all() and sorted({*values}) == values:
        assert rises(column)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.to_datetime(["2026-01-01", "2026-01-02"]), True),
        (pd.to_datetime(["2026-01-01", "2026-01-01"]), False),
        (pd.to_datetime([None, "2026-01-01"]), False),
        (np.arange(5000), True),
        (np.r_[0:3000, 2000], False),
        (["a", "b"], False),
        ([1], False),
    ],
)
def test_stamps_and_counters_rise(values: object, expected: bool) -> None:
    assert rises(pd.Series(values)) is expected


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2))
def test_repeated_rows_are_those_that_pandas_finds(rows: list[tuple[int, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b"])
    pd.testing.assert_series_equal(repeats(frame), frame.duplicated())


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), min_size=1))
def test_what_only_goes_forward_repeats_no_stamp(rows: list[tuple[int, int]]) -> None:
    frame = shots(len(rows))
    frame["_file"] = [f"{file}.csv" for file, _ in rows]
    start = pd.Timestamp("2026-01-05")
    frame["ts"] = [start + pd.Timedelta(minutes=step) for _, step in rows]
    stamps = Stamps(Context(frame, equipment_type("generic"), None), "ts")
    pairs = pd.DataFrame({"group": stamps.group, "stamp": stamps.times})
    if _only_forward(stamps):
        assert not pairs.duplicated().any()
