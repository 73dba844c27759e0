"""What `--fix` does about a finding: the finding is gone, nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kamp_lib.catalog import equipment_type
from kamp_lib.datasets import Options, check, ingest, open_dataset, undo
from kamp_lib.datasets.findings import catalogue
from kamp_lib.datasets.fixes import Fixed, apply_fixes, fixes
from kamp_lib.errors import KampError, UsageError
from kamp_lib.tenancy import Tenant, add_tenant

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


def test_words_are_written_as_they_are_written_most():
    frame = sound().assign(state=["End"] * 200 + ["end"] * 60 + ["Ｅｎｄ"] * 40)
    fixed = mended(frame, "category-variants")
    assert set(fixed.frame["state"]) == {"End"}
    assert fixed.applied[0].count == 100


def test_the_part_in_another_unit_is_converted():
    frame = sound()
    frame.loc[200:, "hydraulic pressure"] /= 10
    fixed = mended(frame, "unit-change")
    whole = sound()["hydraulic pressure"]
    assert np.allclose(fixed.frame["hydraulic pressure"], whole)


def test_a_sensor_that_stood_still_leaves_a_gap():
    rng = np.random.default_rng(8)
    frame = pd.concat([sound()] * 4, ignore_index=True)
    frame["time"] = pd.date_range("2026-03-02", periods=len(frame), freq="30s")
    frame["id"] = np.arange(len(frame))
    for column in ("oil temperature", "hydraulic pressure", "motor current"):
        frame[column] = rng.normal(50, 2, len(frame)).round(4)
    frame.loc[500:799, "oil temperature"] = frame.loc[500, "oil temperature"]
    fixed = mended(frame, "frozen-sensor")
    gone = fixed.frame["oil temperature"].isna()
    assert gone[500:800].all()
    assert gone.sum() == 300


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


# --- through the door -----------------------------------------------------------------


@pytest.fixture
def tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    monkeypatch.setenv("KAMP_HOME", str(tmp_path / "home"))
    return add_tenant("haneul-mold", "하늘몰드", equipment=["generic"])


def file_of(folder: Path, name: str, start: str) -> Path:
    frame = sound().drop(columns=["_file", "_row", "id"])
    frame["time"] = pd.date_range(start, periods=ROWS, freq="30s")
    frame.loc[10:19, "oil temperature"] = -999.0
    frame.to_csv(folder / name, index=False)
    return folder / name


def gaps(tenant: Tenant) -> int:
    data = open_dataset(tenant).to_pandas()
    return int(data["oil temperature"].isna().sum())


MEND = Options(fixes=("sentinel-value",))


def test_a_file_that_is_in_already_is_mended_in_its_place(tenant, tmp_path):
    first = file_of(tmp_path, "march.csv", "2026-03-02 08:00")
    second = file_of(tmp_path, "april.csv", "2026-04-02 08:00")
    ingest(tenant, "generic", first)
    ingest(tenant, "generic", second)
    result = ingest(tenant, "generic", second, options=MEND)
    data = open_dataset(tenant)
    assert [f.code for f in result.fixes] == ["sentinel-value"]
    assert (data.rows, gaps(tenant)) == (2 * ROWS, 10)
    assert len(data.to_pandas()) == 2 * ROWS
    assert data.history()[-1].what == "fix"


def test_an_undo_takes_a_fix_back(tenant, tmp_path):
    path = file_of(tmp_path, "march.csv", "2026-03-02 08:00")
    ingest(tenant, "generic", path)
    ingest(tenant, "generic", path, options=MEND)
    assert gaps(tenant) == 10
    undo(tenant, "generic")
    assert (gaps(tenant), open_dataset(tenant).rows) == (0, ROWS)


def test_fixing_can_be_unfixed_without_an_undo(tenant, tmp_path):
    path = file_of(tmp_path, "march.csv", "2026-03-02 08:00")
    ingest(tenant, "generic", path, options=MEND)
    ingest(tenant, "generic", path, options=Options(fixes=()))
    assert (gaps(tenant), open_dataset(tenant).rows) == (0, ROWS)


def test_what_was_mended_last_month_is_mended_this_month(tenant, tmp_path):
    first = file_of(tmp_path, "march.csv", "2026-03-02 08:00")
    ingest(tenant, "generic", first, options=MEND)
    second = file_of(tmp_path, "april.csv", "2026-04-02 08:00")
    result = ingest(tenant, "generic", second)
    assert [f.code for f in result.fixes] == ["sentinel-value"]
    assert gaps(tenant) == 20


def test_a_file_that_others_came_after_is_not_mended_behind_their_back(
    tenant, tmp_path
):
    first = file_of(tmp_path, "march.csv", "2026-03-02 08:00")
    ingest(tenant, "generic", first)
    ingest(tenant, "generic", file_of(tmp_path, "april.csv", "2026-04-02 08:00"))
    with pytest.raises(KampError, match="--undo"):
        ingest(tenant, "generic", first, options=MEND)


def test_rows_that_a_fix_leaves_out_are_in_quarantine(tenant, tmp_path):
    rng = np.random.default_rng(4)
    half = pd.DataFrame({"pressure": rng.normal(size=60), "speed": rng.normal(size=60)})
    pd.concat([half, half]).to_csv(tmp_path / "twice.csv", index=False)
    mend = Options(fixes=("duplicate-rows",))
    result = ingest(tenant, "generic", tmp_path / "twice.csv", options=mend)
    assert (result.rows_stored, result.rows_quarantined) == (60, 60)
    held = open_dataset(tenant).quarantine()
    assert held["_row"].tolist() == list(range(62, 122))
    assert set(held["reason_code"]) == {"duplicate-rows"}
