"""`--fix` of times: what was mended is no longer found, whatever source it is in."""

from __future__ import annotations

import pandas as pd
import pytest
from datasets.small_machine import MACHINE, check, shots

from kamp_lib.datasets.fixes import apply_fixes
from kamp_lib.errors import KampError


def mended(frame: pd.DataFrame, code: str) -> pd.DataFrame:
    return apply_fixes(
        frame, check(frame), [code], equipment=MACHINE, record_kind="shot", mapping=None
    ).frame


def two_files(start: str, freq: str, rows: int = 400) -> pd.DataFrame:
    times = pd.date_range(start, periods=2 * rows, freq=freq)
    frame = shots(2 * rows).assign(ts=times)
    return frame.assign(_file=["1.csv"] * rows + ["2.csv"] * rows)


def test_coarse_stamps_are_rebuilt_in_every_file():
    true = two_files("2026-01-05 08:00", "6s")
    fixed = mended(true.assign(ts=true["ts"].dt.floor("min")), "coarse-timestamps")
    assert (fixed["ts"] == true["ts"]).all()


def test_coarse_stamps_that_cannot_be_rebuilt_are_refused():
    frame = shots().assign(ts=lambda f: f["ts"].dt.normalize())
    frame.loc[150:, "ts"] += pd.Timedelta(days=1)
    with pytest.raises(KampError):
        mended(frame, "coarse-timestamps")


def test_a_slip_of_the_date_takes_the_stamp_around_it():
    frame = shots().assign(ts=pd.Timestamp("2026-01-05"))
    frame.loc[200:, "ts"] = pd.Timestamp("2026-01-06")
    frame.loc[[50, 51, 300], "ts"] = pd.Timestamp("1999-12-31")
    assert mended(frame, "implausible-dates")["ts"].dt.year.unique().tolist() == [2026]


def test_ends_of_days_move_to_the_next_day_in_every_file():
    true = two_files("2026-01-05 00:15", "15min", rows=480)
    midnight = true["ts"] == true["ts"].dt.normalize()
    written = true["ts"].where(~midnight, true["ts"] - pd.Timedelta(days=1))
    fixed = mended(true.assign(ts=written), "day-end-midnight")
    assert (fixed["ts"] == true["ts"]).all()
