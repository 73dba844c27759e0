"""What `--fix` does about a finding: the finding is gone, nothing else is touched."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kamp_lib.catalog import equipment_type
from kamp_lib.datasets import check
from kamp_lib.datasets.findings import catalogue
from kamp_lib.datasets.fixes import Fixed, apply_fixes, fixes
from kamp_lib.errors import KampError, UsageError

ROWS = 300
GENERIC = equipment_type("generic")


def sound() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "time": pd.date_range("2026-03-02 08:00", periods=ROWS, freq="30s"),
            "counter": np.arange(1, ROWS + 1),
            "oil temperature": rng.normal(52, 1, ROWS).round(2),
            "hydraulic pressure": rng.normal(140, 2, ROWS).round(4),
            "_file": "a.csv",
            "_row": np.arange(2, ROWS + 2),
        }
    ).rename(columns={"counter": "id"})


def said(frame: pd.DataFrame) -> set[str]:
    return {f.code for f in check(frame, GENERIC, None) if f.severity != "info"}


def mended(frame: pd.DataFrame, *codes: str) -> Fixed:
    findings = check(frame, GENERIC, None)
    return apply_fixes(
        frame, findings, codes, equipment=GENERIC, record_kind=None, mapping=None
    )


def test_placeholders_become_gaps_and_other_values_stay():
    frame = sound()
    frame.loc[10:19, "oil temperature"] = -999.0
    fixed = mended(frame, "sentinel-value")
    assert fixed.frame["oil temperature"].isna().sum() == 10
    rest = fixed.frame["oil temperature"].drop(index=range(10, 20))
    assert rest.equals(sound()["oil temperature"].drop(index=range(10, 20)))
    assert [(a.code, a.count) for a in fixed.applied] == [("sentinel-value", 10)]
    assert "sentinel-value" not in said(fixed.frame)


def test_a_dead_column_is_not_stored():
    frame = sound().assign(spindle_current=0.0)
    fixed = mended(frame, "dead-column")
    assert "spindle_current" not in fixed.frame
    assert fixed.frame.equals(sound())


def test_a_counter_that_starts_over_goes_on():
    frame = sound()
    frame["id"] = np.tile(np.arange(1, 101), 3)
    assert "restarting-id" in said(frame)
    fixed = mended(frame, "restarting-id")
    assert fixed.frame["id"].tolist() == list(range(1, ROWS + 1))


def test_rows_that_a_fix_leaves_out_are_named_by_their_index():
    frame = sound().drop(columns=["time", "id"])
    frame = pd.concat([frame, frame.iloc[:50]], ignore_index=True)
    fixed = mended_rows(frame)
    assert sorted(fixed.left_out) == list(range(ROWS, ROWS + 50))
    assert len(fixed.frame) == ROWS
    assert set(fixed.left_out.values()) == {"duplicate-rows"}


def mended_rows(frame: pd.DataFrame) -> Fixed:
    from kamp_lib.datasets import duplicate_rows

    _, findings = duplicate_rows(frame, GENERIC, None)
    codes = ["duplicate-rows"]
    return apply_fixes(
        frame, findings, codes, equipment=GENERIC, record_kind=None, mapping=None
    )


def test_two_fixes_are_applied_one_after_the_other():
    frame = sound().assign(spindle_current=0.0)
    frame.loc[3, "oil temperature"] = -999.0
    fixed = mended(frame, "dead-column", "sentinel-value")
    assert [a.code for a in fixed.applied] == ["dead-column", "sentinel-value"]
    assert said(fixed.frame) == said(sound())


def test_a_finding_that_the_file_does_not_have_cannot_be_fixed():
    with pytest.raises(KampError, match="dead-column"):
        mended(sound(), "dead-column")


def test_a_finding_without_a_fix_says_what_to_do_instead():
    with pytest.raises(UsageError, match="single-class-label"):
        mended(sound(), "single-class-label")


def test_an_unknown_code_lists_those_that_can_be_fixed():
    with pytest.raises(UsageError, match="sentinel-value"):
        mended(sound(), "nonsense")


def test_every_fix_mends_a_finding_that_exists():
    assert set(fixes()) <= set(catalogue())
