"""Tool condition: runs as cases, copies and answers left out, on mills made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kamp_lib.catalog import families, resolve_parameters
from kamp_lib.datasets.types import StoredColumn
from kamp_lib.errors import KampError
from kamp_lib.learning import load_model, tool_wear
from kamp_lib.learning.outcome import Outcome
from kamp_lib.learning.signal_copies import copied_runs
from kamp_lib.learning.task import Task, task_for
from kamp_lib.learning.tool_models import Levelling, Runs

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "kamp_cnc"
SETPOINTS = ("feedrate_set", "clamp_pressure")


def mill(
    tools: int, per_tool: int = 5, seed: int = 0, effect: float = 1.0
) -> pd.DataFrame:
    """Runs of tools that wear: power and its spread rise with wear and with feed."""
    rng = np.random.default_rng(seed)
    parts = []
    for tool in range(tools):
        for k in range(per_tool):
            n = 60
            worn = k >= per_tool - 2
            feed = rng.choice([300.0, 600.0, 900.0])
            wear = effect * (k + rng.normal(0, 0.3)) / per_tool
            power = feed / 600 * (1 + 0.5 * wear) + rng.normal(0, 0.05 + 0.1 * wear, n)
            parts.append(
                pd.DataFrame(
                    {
                        "run_id": f"r{len(parts):03d}",
                        "tool_id": f"T{tool:02d}",
                        "process_step": ["Prep"] * 10 + ["Cut"] * 45 + ["End"] * 5,
                        "spindle_power": power,
                        "feedrate": feed + rng.normal(0, 3, n),
                        "current_x": rng.normal(2 + wear, 0.2, n),
                        "feedrate_set": feed,
                        "clamp_pressure": rng.choice([3.0, 4.0]),
                        "program_number": len(parts),
                        "visual_pass": "no" if worn else "yes",
                        "tool_worn": "worn" if worn else "unworn",
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def tool_task(data: pd.DataFrame, **given: object) -> Task:
    def role(name: str) -> str:
        return "setpoint" if name in SETPOINTS else "sensor"

    columns = [
        StoredColumn(
            name=c,
            source=c,
            ko=c,
            en=c,
            kind="number" if pd.api.types.is_numeric_dtype(data[c]) else "category",
            role=role(c),
        )
        for c in data
    ]
    family = families()["tool-wear-rul"]
    target = "tool_worn" if "tool_worn" in data else "tool_condition"
    named = {"target": target} if target in data else {}
    values = resolve_parameters(family, None, {**named, **given})
    return task_for(
        family, None, columns, values, time_zone="Asia/Seoul", simulated=True
    )


@pytest.fixture(scope="module")
def worn() -> Outcome:
    data = mill(tools=16)
    return tool_wear.analyse(data, tool_task(data))


def test_wear_is_seen_on_tools_never_met(worn: Outcome) -> None:
    assert (worn.metrics["roc_auc"].value or 0) > 0.9
    assert worn.verdict.value == "usable"
    assert worn.split.by == "tool_id"


def test_a_run_is_one_case_with_a_reason(worn: Outcome) -> None:
    cases = worn.tables["cases"]
    assert len(cases) == 80
    flagged = cases[cases["score"] >= worn.threshold]
    assert flagged[["reason_ko", "reason_en"]].notna().all(axis=None)


def test_no_tool_stands_on_both_sides_of_a_fold() -> None:
    data = mill(tools=6)
    task = tool_task(data)
    cases = tool_wear.load(data, task)
    folds = tool_wear.split(cases, task)
    assert folds
    for learn, held in folds:
        assert not set(cases.groups[learn]) & set(cases.groups[held])


def test_the_answer_in_disguise_and_the_run_number_are_no_inputs() -> None:
    data = mill(tools=3)
    cases = tool_wear.load(data, tool_task(data))
    assert {"visual_pass", "program_number"} <= set(cases.left_out)
    assert not {"visual_pass", "program_number"} & set(cases.signals)


def test_noise_does_not_become_usable() -> None:
    data = mill(tools=14, effect=0.0)
    rng = np.random.default_rng(5)
    labels = dict(
        zip(
            data["run_id"].unique(),
            rng.permutation(["worn", "unworn"] * 35),
            strict=True,
        )
    )
    data["tool_worn"] = data["run_id"].map(labels)
    outcome = tool_wear.analyse(data, tool_task(data))
    assert outcome.verdict.value == "not-usable-yet"
    # rows dealt out at random must not be worth much here either, or the sim leaks
    assert (outcome.metrics["roc_auc"].value or 0) < 0.75


def test_a_copied_run_is_left_out_and_its_opposite_label_told() -> None:
    data = mill(tools=4)
    copy = data[data["run_id"] == "r001"].assign(run_id="r900", tool_worn="worn")
    both = pd.concat([data, copy], ignore_index=True)
    outcome = tool_wear.analyse(both, tool_task(both))
    assert outcome.notes["copied_runs"] == 1
    assert "contradicting-copies" in [r.code for r in outcome.verdict.reasons]
    assert "r900" not in set(outcome.tables["cases"]["case"])


def test_a_copy_with_altered_columns_is_still_a_copy() -> None:
    data = mill(tools=2, per_tool=2)
    twin = data[data["run_id"] == "r000"].assign(run_id="r999")
    twin["spindle_power"] *= 1.01
    both = pd.concat([data, twin], ignore_index=True)
    signals = ["spindle_power", "feedrate", "current_x"]
    origin = copied_runs(both, both["run_id"], signals)
    assert origin["r999"] == "r000"
    assert (origin.drop("r999") == origin.drop("r999").index).all()


def test_levelling_takes_the_feed_out_of_the_power() -> None:
    data = mill(tools=20, effect=0.0)
    cases = tool_wear.load(data, tool_task(data))
    runs = Runs.of(cases.table, cases.samples)
    names = [f.name for f in cases.table.without_places().features if not f.setpoint]
    power = names.index("spindle_power__cutting_mean")
    feed = cases.table.frame["feedrate_set"].to_numpy()
    level = Levelling.fit(runs)(runs)[:, power]
    assert abs(np.corrcoef(runs.values[:, power], feed)[0, 1]) > 0.9
    assert abs(np.corrcoef(level, feed)[0, 1]) < 0.5


def test_a_saved_model_gives_the_same_risk(worn: Outcome, tmp_path: Path) -> None:
    assert worn.model is not None
    worn.model.save(tmp_path)
    again = load_model(tmp_path)
    ranges = worn.tables["ranges"]
    frame = pd.DataFrame([dict(zip(ranges["column"], ranges["typical"], strict=True))])
    np.testing.assert_allclose(again.risk(frame), worn.model.risk(frame))
    assert list(again.contributions(frame)) == again.columns
    assert {p.suffix for p in tmp_path.iterdir()} <= {".json", ".npz", ".ubj"}


def test_without_worn_runs_there_is_an_alarm_score_and_no_verdict() -> None:
    data = mill(tools=4)
    data = data[data["tool_worn"] == "unworn"]
    outcome = tool_wear.analyse(data, tool_task(data))
    assert outcome.verdict.reasons[0].code == "single-class-label"
    assert outcome.metrics["roc_auc"].value is None
    assert not outcome.tables["control_chart"].empty


def test_without_a_run_column_it_says_what_to_do() -> None:
    data = mill(tools=2).drop(columns=["run_id"])
    with pytest.raises(KampError, match="group"):
        tool_wear.load(data, tool_task(data))


@pytest.mark.skipif(not SHARED.is_dir(), reason="real data are not here")
def test_the_25_kamp_runs_are_18_and_not_usable_yet() -> None:
    labels = pd.read_csv(SHARED / "train.csv").drop(columns="material")
    parts = [
        pd.read_csv(SHARED / f"experiment_{k:02d}.csv").assign(run_id=f"{k:02d}", No=k)
        for k in range(1, 26)
    ]
    data = pd.concat(parts, ignore_index=True).merge(labels, on="No").drop(columns="No")
    outcome = tool_wear.analyse(data, tool_task(data))
    codes = [r.code for r in outcome.verdict.reasons]
    assert outcome.split.cases == 18
    assert outcome.notes["copied_runs"] == 7
    assert {"too-few-positives", "contradicting-copies", "no-tool-id"} <= set(codes)
    honest, shuffled = outcome.metrics["roc_auc"], outcome.shuffled["roc_auc"]
    assert (shuffled.value or 0) > 0.99 > (honest.value or 1) + 0.1
    assert (honest.low or 0) < 0.65
