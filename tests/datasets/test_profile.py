"""What the page of a data set says of its columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kamp_lib.datasets import Dataset, ingest, open_dataset
from kamp_lib.datasets.profile import BARS, ColumnCard, Profile, profile
from kamp_lib.tenancy import Tenant, add_tenant

ROWS = 400


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAMP_HOME", str(home))
        return add_tenant("haneul-mold", "하늘몰드", equipment=["generic"])


@pytest.fixture(scope="module")
def dataset(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    rng = np.random.default_rng(1)
    times = pd.date_range("2026-03-02 08:00", periods=ROWS, freq="30s").to_series()
    times.iloc[ROWS // 2 :] += pd.Timedelta(hours=14)
    heat = rng.normal(180, 2, ROWS).round(2)
    heat[5] = 9000.0
    frame = pd.DataFrame(
        {
            "시각": times.dt.strftime("%Y-%m-%d %H:%M:%S").to_numpy(),
            "히터": heat,
            "죽은열": 0.0,
            "드문값": np.where(np.arange(ROWS) % 10, np.nan, rng.normal(size=ROWS)),
            "교대": np.where(np.arange(ROWS) % 4, "주간", "야간"),
        }
    )
    path: Path = tmp_path_factory.mktemp("files") / "furnace.csv"
    frame.to_csv(path, index=False)
    ingest(tenant, "generic", path)
    return open_dataset(tenant, "generic")


@pytest.fixture(scope="module")
def seen(dataset: Dataset) -> Profile:
    return profile(dataset)


def card(seen: Profile, source: str) -> ColumnCard:
    return next(c for c in seen.cards if c.column.source == source)


def test_a_column_that_never_moves_is_not_for_use_and_says_why(seen):
    dead = card(seen, "죽은열")
    assert dead.use == "no"
    assert "하나뿐" in dead.why.ko


def test_a_mostly_empty_column_is_to_be_used_with_care(seen):
    rare = card(seen, "드문값")
    assert rare.use == "care"
    assert rare.filled == pytest.approx(0.1)
    assert "90%" in rare.why.ko


def test_one_wild_value_does_not_press_all_others_into_one_bar(seen):
    spread = card(seen, "히터").spread
    assert spread.high == 9000.0
    assert spread.edges[-1] < 300
    assert sum(spread.bars) == ROWS
    assert sum(bar > 0 for bar in spread.bars) > BARS // 3


def test_words_are_counted_the_commonest_first(seen):
    assert card(seen, "교대").tops == (("주간", ROWS * 3 // 4), ("야간", ROWS // 4))


def test_the_timeline_tells_the_usual_step_and_the_longest_pause_in_local_time(seen):
    line = seen.timeline
    assert line.step == pd.Timedelta("30s")
    assert sum(line.counts) == ROWS
    assert str(line.first) == "2026-03-02 08:00:00+09:00"
    assert line.gaps[0].end - line.gaps[0].start == pd.Timedelta("14h30s")


def test_the_preview_shows_the_first_rows_in_local_time(seen):
    name = seen.timeline.column.name
    assert str(seen.preview[name].iloc[0]) == "2026-03-02 08:00:00+09:00"


def test_the_card_of_a_time_column_is_in_local_time(seen):
    spread = card(seen, seen.timeline.column.name).spread
    first = pd.Timestamp(spread.low, unit="s")
    assert str(first) == "2026-03-02 08:00:00"
