"""From rows to cases: one case is what gets judged, once, and belongs to one group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from kamp_lib.errors import KampError, UsageError
from kamp_lib.learning.coded import coded
from kamp_lib.learning.particles import particle
from kamp_lib.learning.splits import order_blocks
from kamp_lib.learning.task import DAY, Task, labels_of
from kamp_lib.learning.verdict import BLOCK, LOT, Labelled, Noun
from kamp_lib.learning.verdict import DAY as DAY_NOUN
from kamp_lib.text import Text

BLOCKS = 10
MIN_CASES = 20
# A product with fewer cases has no normal state of its own.
MIN_REGIME = 30
OTHER = "other"
# More different values than this, and a text column is a name, not a category.
MAX_LEVELS = 12
NOUNS = {
    DAY: DAY_NOUN,
    "lot_id": LOT,
    "die_id": Noun("금형", "die", "dies"),
    "mold_id": Noun("금형", "mould", "moulds"),
    "machine_id": Noun("설비", "machine", "machines", "대"),
}


@dataclass(frozen=True)
class Cases:
    """One row per case, in time order where there is time.

    Attributes
    ----------
    frame : DataFrame
        The inputs, index 0 .. n-1.
    label : ndarray, shape (n,)
        1 bad, 0 good, NaN unknown.
    group : ndarray of str
        What is held out together; `by` says what it is called.
    period : ndarray of str
        What forward-in-time goes by; sortable.
    regime : ndarray of str
        Product whose normal state applies.
    row_case, row_label : ndarray, shape (rows,)
        Case and own label of each row: only to tell what judging rows would claim.
    products : dict
        Product name as in the data -> regime.
    natural_groups : int
        Distinct values of the group that the model will meet; 0 when there is none and
        stretches of the order stand in. `natural_by` says what they are called.
    """

    frame: pd.DataFrame
    label: np.ndarray
    group: np.ndarray
    by: Noun
    by_column: str
    period: np.ndarray
    time: pd.Series
    case: np.ndarray
    regime: np.ndarray
    products: dict[str, str]
    rows: int
    natural_groups: int
    natural_by: Noun
    dropped: dict[str, Text]
    row_case: np.ndarray
    row_label: np.ndarray

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def positives(self) -> int:
        return int(np.nansum(self.label))

    @cached_property
    def group_count(self) -> int:
        """How many different groups there are."""
        return len(coded(self.group)[0])

    @cached_property
    def positive_groups(self) -> int:
        """How many groups have a bad case."""
        return len(coded(self.group[self.label == 1])[0])

    @property
    def episodes(self) -> int:
        """Separate stretches of bad cases that follow one another within a group."""
        known = ~np.isnan(self.label)
        group = coded(self.group[known])[1]
        order = np.argsort(group, kind="stable")
        bad, group = self.label[known][order] == 1, group[order]
        goes_on = np.r_[False, bad[:-1] & (group[1:] == group[:-1])][: len(bad)]
        return int((bad & ~goes_on).sum())

    @property
    def labelled(self) -> Labelled:
        """Which classes the labels hold."""
        known = np.unique(self.label[~np.isnan(self.label)])
        kinds: tuple[Labelled, ...] = ("none", "single", "both")
        return kinds[len(known)]

    @property
    def good(self) -> np.ndarray:
        """Cases that may count as good: said to be good, or nobody knows."""
        mask: np.ndarray = self.label != 1
        return mask if mask.any() else np.ones(len(self), dtype=bool)

    def without(self, columns: list[str]) -> Cases:
        """The same cases without some inputs."""
        return replace(self, frame=self.frame.drop(columns=columns))

    def summary(self, task: Task) -> pd.DataFrame:
        """Cases and bad ones per group: what a person looks at first."""
        table = pd.DataFrame({"group": self.group, "bad": self.label})
        counts = table.groupby("group")["bad"].agg(["size", "sum"]).astype(int)
        counts.index.name = str(self.by.name)
        return counts.set_axis([str(task.case), str(task.bad)], axis=1)


def build_cases(data: pd.DataFrame, task: Task) -> Cases:
    """Turn the rows of a data set into cases.

    Rows that share the model's case keys (the cavities of one shot) become one case,
    bad if any of them is. Without keys, rows that agree in a fine time stamp and in
    every input do.

    Raises
    ------
    UsageError
        For a product that the data do not hold.
    KampError
        When too few cases, or no usable input, are left.
    """
    rows = _of_product(_needed(data, task), task)
    if task.time is not None and not rows[task.time].is_monotonic_increasing:
        rows = rows.sort_values(task.time, kind="stable")
    rows = rows.reset_index(drop=True)
    label = labels_of(rows, task)
    first, row_case, case_label = _collapse(rows, label, task)
    every = len(first) == len(rows)
    one = rows if every else rows.iloc[first].reset_index(drop=True)
    if len(one) < MIN_CASES:
        raise KampError(
            f"분석할 {particle(task.case.ko, '이', '가')} {len(one)}건뿐입니다."
            f" 최소 {MIN_CASES}건이 필요합니다.",
            f"there are only {len(one)} cases; at least {MIN_CASES} are needed.",
        )
    time = _times(one, task)
    frame, dropped = _inputs(one, task)
    group, by, column, natural = _groups(one, time, task)
    wished = next(iter(task.groups), None)
    regime, products = _regimes(rows, first, task)
    return Cases(
        frame=frame,
        label=case_label,
        group=group,
        by=by,
        by_column=column,
        period=_periods(time, task, group, column),
        time=time,
        case=_names(one, time, task),
        regime=regime,
        products=products,
        rows=len(rows),
        natural_groups=natural,
        natural_by=by if column != "order" or wished is None else _called(wished, task),
        dropped=dropped,
        row_case=row_case,
        row_label=label.to_numpy(),
    )


def _needed(data: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Only the columns that are looked at: the others would be sorted along."""
    ids = [c.name for c in task.columns if c.role == "id"]
    asked = [task.target, task.time, task.product, *task.groups, *task.case_keys, *ids]
    wanted = {*asked, *task.features}
    return data[[name for name in data if name in wanted]]


def _of_product(data: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Rows of the product asked for: its exact name, else names that contain it."""
    if task.only_product is None:
        return data
    there = (
        data[task.product].astype("string")
        if task.product
        else pd.Series("", index=data.index, dtype="string")
    )
    wanted = task.only_product.casefold()
    exact = (there.str.casefold() == wanted).fillna(False)
    if not exact.any():
        exact = there.str.casefold().str.contains(wanted, regex=False).fillna(False)
    if not exact.any():
        names = ", ".join(sorted(there.dropna().unique())[:8]) or "-"
        raise UsageError(
            f"product={task.only_product}: 그런 제품이 없습니다. 있는 제품: {names}",
            f"product={task.only_product}: there is no such product; there: {names}",
        )
    return data[exact.to_numpy(bool)]


def _collapse(
    rows: pd.DataFrame, label: pd.Series, task: Task
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Position of each case's first row, each row's case, and each case's label."""
    keys = list(task.case_keys)
    if not keys and task.time is not None and _fine(rows[task.time]):
        keys = [task.time, *task.features]
    if not keys:
        every = np.arange(len(rows))
        return every, every, label.to_numpy()
    # only rows that agree in the first key can be twins, and a row without it is nobody's
    named = -1 - np.arange(len(rows))
    shared = rows[keys[0]].duplicated(keep=False) & rows[keys[0]].notna()
    twins = np.flatnonzero(shared)
    if len(twins):
        code = rows.iloc[twins].groupby(keys, dropna=False, sort=False).ngroup()
        named[twins] = code
    row_case, names = pd.factorize(named)
    first = np.flatnonzero(~pd.Series(named).duplicated().to_numpy())
    worst = label.groupby(row_case).max().reindex(np.arange(len(names)))
    return first, row_case, worst.to_numpy()


def _fine(time: pd.Series) -> bool:
    """Whether the time stamps tell more than the day."""
    known = time.dropna()
    return bool(len(known)) and known.nunique() > 2 * known.dt.floor("D").nunique()


def _times(one: pd.DataFrame, task: Task) -> pd.Series:
    if task.time is None:
        return pd.Series(pd.NaT, index=one.index, dtype="datetime64[ns, UTC]")
    time = one[task.time]
    if not pd.api.types.is_datetime64_any_dtype(time):
        raise UsageError(
            f"'{task.time}' 열은 시간 열이 아닙니다.",
            f"the column {task.time!r} does not hold times.",
        )
    return time.dt.tz_localize("UTC") if time.dt.tz is None else time


def _inputs(one: pd.DataFrame, task: Task) -> tuple[pd.DataFrame, dict[str, Text]]:
    """Inputs that can say anything, and why the others were left out."""
    kept: dict[str, pd.Series] = {}
    dropped: dict[str, Text] = {}
    for name in task.features:
        if name not in one:
            continue
        column = one[name]
        if column.nunique(dropna=True) < 2:
            dropped[name] = Text("값이 하나뿐임", "only one value")
        elif pd.api.types.is_bool_dtype(column):
            kept[name] = column.astype("Float64").astype("float64")
        elif pd.api.types.is_numeric_dtype(column):
            if not task.parameters.get("features") and _counts_up(column):
                dropped[name] = Text("순서 번호로 보임", "looks like a running number")
            else:
                kept[name] = column.astype("float64")
        elif column.nunique() <= MAX_LEVELS:
            kept[name] = column.astype("string")
        else:
            dropped[name] = Text("값이 너무 많은 이름 열", "a name, not a category")
    if not kept:
        raise KampError(
            "입력으로 쓸 수 있는 열이 없습니다. -p features=열,열 로 알려 주세요.",
            "there is no usable input column; name some with -p features=COLUMN,COLUMN.",
        )
    return pd.DataFrame(kept, index=one.index), dropped


def _counts_up(column: pd.Series) -> bool:
    """A whole number that hardly ever falls and hardly ever repeats."""
    known = column.dropna()
    if len(known) < MIN_CASES or (known != known.round()).any():
        return False
    if known.nunique() < 0.98 * len(known):
        return False
    return float((known.diff().dropna() > 0).mean()) > 0.98


def _groups(
    one: pd.DataFrame, time: pd.Series, task: Task
) -> tuple[np.ndarray, Noun, str, int]:
    """The first candidate that holds cases together; else stretches of the order."""
    best: tuple[np.ndarray, Noun, str, int] | None = None
    natural = 0
    for name in task.groups:
        values = _group_values(one, time, task, name)
        count = len(coded(values)[0])
        if count > len(one) // 2:  # nearly one per case holds nothing together
            continue
        natural = natural or count
        noun = _called(name, task)
        if count >= 5:
            return values, noun, name, count
        if count >= 2 and (best is None or count > best[3]):
            best = (values, noun, name, count)
    if best is not None:
        return best
    return order_blocks(len(one), BLOCKS), BLOCK, "order", natural


def _called(name: str, task: Task) -> Noun:
    label = task.label(name)
    return NOUNS.get(name) or Noun(label.ko, label.en, f"{label.en}s")


def _group_values(
    one: pd.DataFrame, time: pd.Series, task: Task, name: str
) -> np.ndarray:
    if name == DAY and DAY not in one:
        return _days(time, task)
    values = one[name]
    if pd.api.types.is_datetime64_any_dtype(values):
        return _days(_times(one.assign(**{task.time or name: values}), task), task)
    return values.astype("string").fillna("-").to_numpy(dtype=str)


def _days(time: pd.Series, task: Task) -> np.ndarray:
    """The day in the company's zone, not in UTC."""
    local = time.dt.tz_convert(task.time_zone).dt.tz_localize(None)
    # as text once per day, not once per case
    codes, days = pd.factorize(local.dt.normalize())
    names = [*pd.DatetimeIndex(days).strftime("%Y-%m-%d"), "-"]
    return np.array(names, dtype=str)[codes]


def _periods(time: pd.Series, task: Task, group: np.ndarray, column: str) -> np.ndarray:
    if time.notna().any():
        days = _days(time, task)
        if len(coded(days)[0]) >= 3:
            return days
    return group if column == "order" else order_blocks(len(group), BLOCKS)


def _names(one: pd.DataFrame, time: pd.Series, task: Task) -> np.ndarray:
    """A name for each case that a person can find again."""
    ids = [c.name for c in task.columns if c.role == "id" and c.name in one]
    for name in [k for k in task.case_keys if k in ids] + ids:
        if one[name].notna().all() and one[name].is_unique:
            return one[name].astype("string").to_numpy(dtype=str)
    if _fine(time):
        local = time.dt.tz_convert(task.time_zone).dt.strftime("%m-%d %H:%M:%S")
        base = local.fillna("-")
    else:
        base = pd.Series(np.arange(1, len(one) + 1), index=one.index).astype("string")
    again = base.groupby(base).cumcount()
    named = base.where(again == 0, base + " (" + (again + 1).astype("string") + ")")
    return named.to_numpy(dtype=str)


def _regimes(
    rows: pd.DataFrame, first: np.ndarray, task: Task
) -> tuple[np.ndarray, dict[str, str]]:
    """Products whose normal states differ; left and right of one shot are one product."""
    if task.product is None or task.product not in rows:
        return np.full(len(first), OTHER), {}
    product = rows[task.product].astype("string").fillna("-").to_numpy(dtype=str)
    names, codes = coded(product)
    # rows between two first rows need not be of one case, so twins are found by key
    joined = _joined(rows, codes, len(names), task)
    sizes = np.bincount(joined[codes[first]], minlength=len(names))
    regime_of = {
        str(name): str(names[joined[i]]) if sizes[joined[i]] >= MIN_REGIME else OTHER
        for i, name in enumerate(names)
    }
    return np.array(list(regime_of.values()))[codes[first]], regime_of


def _joined(
    rows: pd.DataFrame, codes: np.ndarray, count: int, task: Task
) -> np.ndarray:
    """Products that appear in the same cases, as one number each."""
    if not task.case_keys:
        return np.arange(count)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    case = rows.groupby(task.case_keys, dropna=False, sort=False).ngroup().to_numpy()
    first_code = pd.Series(codes).groupby(case).transform("first").to_numpy()
    pairs = coo_array((np.ones(len(codes)), (codes, first_code)), shape=(count, count))
    _, component = connected_components(pairs, directed=False)
    lowest = pd.Series(np.arange(count)).groupby(component).transform("min")
    return lowest.to_numpy()
