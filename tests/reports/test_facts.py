from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from kamp_lib.errors import KampError
from kamp_lib.reports.facts import PAGE, draw_facts, facts_of
from kamp_lib.runs import Bundle


def test_what_the_run_kept_is_what_the_tables_say(bundle: Bundle) -> None:
    assert facts_of(bundle) == draw_facts(bundle)


def test_a_bundle_without_kept_facts_is_read_from_its_tables(bundle: Bundle) -> None:
    kept = facts_of(bundle)
    (bundle.path / PAGE).unlink()
    assert facts_of(bundle) == kept


def test_broken_facts_are_one_clear_sentence(bundle: Bundle) -> None:
    (bundle.path / PAGE).write_text('{"cases": [{"case": 1}]}')
    with pytest.raises(KampError, match=r"page\.json"):
        facts_of(bundle)


def test_the_case_with_the_highest_score_comes_first(bundle: Bundle) -> None:
    cases = bundle.table("cases")
    first = cases.loc[cases["score"].idxmax(), "case"]
    assert facts_of(bundle).cases[0].case == first


def test_a_threshold_of_infinity_is_no_point_on_a_page(bundle: Bundle) -> None:
    file = bundle.path / "tables" / "thresholds.parquet"
    frame = pd.read_parquet(file)
    frame.loc[0, "threshold"] = float("inf")
    frame.to_parquet(file)
    assert len(draw_facts(bundle).thresholds) == len(frame) - 1


def test_thinning_a_chart_keeps_what_is_beyond_the_limit(
    tmp_path: Path, bundle: Bundle
) -> None:
    n = 10_000
    value = [1.0] * n
    value[4321] = 99.0
    frame = pd.DataFrame(
        {
            "case": [str(i) for i in range(n)],
            "statistic": "T2",
            "value": value,
            "limit": 10.0,
            "out": [v > 10 for v in value],
        }
    )
    frame.to_parquet(bundle.path / "tables" / "control_chart.parquet")
    chart = draw_facts(bundle).charts[0]
    assert max(chart.values) == 99.0
    assert len(chart.values) <= 400
    assert (chart.total, chart.out) == (n, 1)
