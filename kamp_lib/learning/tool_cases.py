"""Samples of runs -> runs to judge: which run, which tool, worn or not, copied or not."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kamp_lib.catalog import said
from kamp_lib.errors import KampError
from kamp_lib.learning.coded import coded
from kamp_lib.learning.signal_copies import copied_runs
from kamp_lib.learning.signal_features import (
    RunTable,
    command_errors,
    identifying,
    run_table,
)
from kamp_lib.learning.task import Task, labels_of
from kamp_lib.text import Text

# Written after the part was looked at, so they know the answer.
AFTERWARDS = re.compile(
    r"inspect|visual|finali[sz]ed|pass(ed)?(_|$)|result|검사|판정", re.I
)
STEP = re.compile(r"process_?step|machining_?process|(^|_)step(_|$)|공정", re.I)
RUN_COLUMNS = ("run_id", "run", "experiment", "_file")
TOOL = "tool_id"


@dataclass
class ToolCases:
    """Runs in order, each with its label, and everything measured on them.

    Attributes
    ----------
    frame : DataFrame
        `case` (run), `group` (tool, else run), `label` (1 worn, 0 good, NaN unknown),
        `time`; originals only.
    table : RunTable
        One row per run, same order.
    samples : list of ndarray
        Signals of each run, for the candidate that looks at single samples.
    signals, setpoints : list of str
    left_out : dict
        Column -> why it is no input.
    copies : dict
        Copied run -> the run it copies; not among the cases.
    contradicting : list of str
        Copies whose label is the opposite of the original's.
    """

    frame: pd.DataFrame
    table: RunTable
    samples: list[np.ndarray]
    signals: list[str]
    setpoints: list[str]
    left_out: dict[str, Text]
    copies: dict[str, str]
    contradicting: list[str]
    by_tool: bool
    rows: int

    @property
    def label(self) -> np.ndarray:
        return self.frame["label"].to_numpy(dtype=float)

    @property
    def groups(self) -> np.ndarray:
        return self.frame["group"].astype(str).to_numpy()

    def __len__(self) -> int:
        return len(self.frame)


def read_runs(data: pd.DataFrame, task: Task) -> ToolCases:
    """Turn a data set of samples into runs.

    Raises
    ------
    KampError
        When no column tells the runs apart, or no number is left to look at.
    """
    run_column = _run_column(data, task)
    rows = data[data[run_column].notna()].reset_index(drop=True)
    rows = _in_time_order(rows, run_column, task.time)
    run = rows[run_column].astype(str)
    numbers, setpoints, left_out = _inputs(rows, run, task, run_column)
    if not numbers:
        raise KampError(
            "가공 신호(숫자 열)를 찾지 못했습니다. 열 맞추기를 확인하세요.",
            "no machining signal (number column) was found; check the mapping",
        )
    label = labels_of(rows, task).groupby(run, sort=False).median().round()
    origin = copied_runs(rows, run, numbers)
    copies = {str(k): str(v) for k, v in origin.items() if k != v}
    opposite = [k for k, v in copies.items() if abs(label[k] - label[v]) == 1]
    keep = ~run.isin(list(copies)).to_numpy()
    rows, run = rows[keep].reset_index(drop=True), run[keep].reset_index(drop=True)
    labels = {c.name: c.label for c in task.columns}
    units = {c.name: said(c.unit) for c in task.columns}
    names = {c: labels.get(c, Text(c, c)) for c in [*numbers, *setpoints]}
    names_here = map(str, rows)
    step = next(
        (c for c in names_here if STEP.search(c) and not _is_number(rows[c])), None
    )
    table = run_table(
        rows, run, numbers, names, units, rows[step] if step else None, setpoints
    )
    tool = _tool(rows, run, task)
    first = rows.groupby(run, sort=False).first()
    order = table.frame.index
    frame = pd.DataFrame(
        {
            "case": order.astype(str),
            "group": tool.reindex(order).to_numpy() if tool is not None else order,
            "label": label.reindex(order).to_numpy(dtype=float),
            "time": first[task.time].reindex(order).to_numpy()
            if task.time in first
            else pd.NaT,
        }
    )
    signals = rows[numbers].astype(float)
    signals = pd.concat([signals, command_errors(rows, numbers)], axis=1)
    matrix = signals.to_numpy(dtype=np.float32)
    place = pd.Series(np.arange(len(rows))).groupby(run, sort=False).indices
    samples = [matrix[np.sort(place[k])] for k in order]
    return ToolCases(
        frame,
        table,
        samples,
        list(signals.columns),
        setpoints,
        left_out,
        copies,
        opposite,
        tool is not None,
        len(data),
    )


def _is_number(values: pd.Series) -> bool:
    return bool(
        pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    )


def _run_column(data: pd.DataFrame, task: Task) -> str:
    said = task.parameters.get("group")
    for column in [said, *task.case_keys, *RUN_COLUMNS]:
        if column and str(column) in data and str(column) != TOOL:
            return str(column)
    raise KampError(
        "가공 회차를 구분하는 열이 없습니다. -p group=열이름 으로 알려 주세요.",
        "no column tells the runs apart; name it with -p group=COLUMN",
    )


def _in_time_order(rows: pd.DataFrame, run: str, time: str | None) -> pd.DataFrame:
    """Runs in natural order of their names, samples by time, else as they stood."""
    names, codes = coded(rows[run].astype(str))
    # once per run, not once per sample
    natural = [re.sub(r"\d+", lambda m: m[0].zfill(12), name) for name in names]
    keys = pd.DataFrame({"run": coded(natural)[1][codes]})
    if time in rows:
        keys["time"] = rows[time]
    if keys["run"].is_monotonic_increasing and time not in rows:
        return rows
    order = keys.sort_values(list(keys.columns), kind="stable").index
    return rows.iloc[order].reset_index(drop=True)


def _inputs(
    rows: pd.DataFrame, run: pd.Series, task: Task, run_column: str
) -> tuple[list[str], list[str], dict[str, Text]]:
    """Signals, setpoints, and why each other number column is no input."""
    left_out: dict[str, Text] = {}
    by_hand = bool(task.parameters.get("features"))
    known = {task.target, task.time, run_column, TOOL, "_row", "_file"}
    everything = [str(c) for c in rows]
    wanted = task.features if by_hand else everything
    numbers = [
        c for c in wanted if c in rows and c not in known and _is_number(rows[c])
    ]
    for column in [c for c in everything if c in task.leaks or AFTERWARDS.search(c)]:
        if column != task.target:
            left_out[column] = Text(
                "검사 뒤에 적히는 값이라 판정을 이미 알고 있습니다",
                "written after the inspection: it knows the answer",
            )
    numbers = [c for c in numbers if c not in left_out]
    setpoints = [
        c
        for c in numbers
        if c in task.controllable or task.column(c).role == "setpoint"
    ]
    for column in identifying(rows, run, [c for c in numbers if c not in setpoints]):
        left_out[column] = Text(
            "어느 회차인지(또는 몇 번째 행인지)를 알려 줄 뿐이라 답을 외우게 합니다",
            "it only tells which run (or which row) this is, so answers would be learned"
            " by heart",
        )
    for column in numbers:
        if rows[column].nunique(dropna=True) <= 1:
            left_out[column] = Text("값이 변하지 않습니다", "it never changes")
    used = [c for c in numbers if c not in left_out]
    chosen = [c for c in used if c in setpoints]
    return [c for c in used if c not in chosen], chosen, left_out


def _tool(rows: pd.DataFrame, run: pd.Series, task: Task) -> pd.Series | None:
    """The tool of each run, when there is more than one tool."""
    if TOOL not in rows or rows[TOOL].nunique() < 2:
        return None
    tool = rows[TOOL].astype("string").fillna("?").groupby(run, sort=False).first()
    return tool.astype(str)
