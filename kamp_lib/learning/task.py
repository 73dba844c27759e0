"""What is to be learnt: a problem family held against the columns of one data set.

`task_for` needs no data, only the data set's columns, so a wrong request is told before
a kernel starts. The families turn the rows into cases with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kamp_lib.catalog import (
    Column,
    Family,
    StandardModel,
    equipment_type,
    equipment_types,
)
from kamp_lib.catalog.parameters import Value
from kamp_lib.datasets.types import ORIGIN, StoredColumn
from kamp_lib.errors import KampError, UsageError
from kamp_lib.text import Text

if TYPE_CHECKING:
    import pandas as pd

DAY = "day"
# Columns that say which product was made; each product may have its own normal state.
PRODUCT_COLUMNS = ("product_code", "product", "product_name", "product_id")
INPUT_ROLES = ("setpoint", "sensor")
INPUT_KINDS = ("number", "category", "flag")
# With fewer standard inputs than this, the factory's own number columns join in.
FEW_INPUTS = 3
BAD_WORDS = frozenset(
    [
        "1",
        "true",
        "bad",
        "ng",
        "nok",
        "fail",
        "failed",
        "defect",
        "defective",
        "def_front",
        "reject",
        "rejected",
        "worn",
        "abnormal",
        "불량",
        "불합격",
        "이상",
        "파손",
        "마모",
    ]
)
GOOD_WORDS = frozenset(
    [
        "0",
        "false",
        "good",
        "ok",
        "pass",
        "passed",
        "ok_front",
        "accept",
        "accepted",
        "unworn",
        "normal",
        "양품",
        "합격",
        "정상",
        "양호",
    ]
)


@dataclass(frozen=True)
class Task:
    """One question to one data set.

    Attributes
    ----------
    features
        Input columns, in the data set's order.
    target
        Column with the answer; None when the data set has none.
    bad_values, good_values
        What the target's values mean, in lower case; empty = decided from the words.
    groups
        Candidates for what is held out together, best first; `day` is cut from `time`
        in the company's zone.
    case_keys
        Columns that together name one case; empty = one row is one case.
    product, only_product
        Column that names the product, and the one product asked for (None = all).
    """

    family: str
    columns: list[StoredColumn]
    features: list[str]
    case: Text
    bad: Text
    good: Text
    time_zone: str
    model: str | None = None
    equipment: str | None = None
    target: str | None = None
    bad_values: tuple[str, ...] = ()
    good_values: tuple[str, ...] = ()
    groups: list[str] = field(default_factory=list)
    time: str | None = None
    case_keys: list[str] = field(default_factory=list)
    controllable: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    product: str | None = None
    only_product: str | None = None
    parameters: dict[str, Value] = field(default_factory=dict)
    simulated: bool = False

    def column(self, name: str) -> StoredColumn:
        """The stored column `name`; a column the data set does not know keeps its name."""
        for column in self.columns:
            if column.name == name:
                return column
        return StoredColumn(name=name, source=name, ko=name, en=name)

    def label(self, name: str) -> Text:
        """What people call the column."""
        return self.column(name).label

    def number(self, name: str) -> float:
        """A numeric parameter of the family."""
        value = self.parameters[name]
        if value is None or isinstance(value, str):
            raise TypeError(f"parameter {name} is {value!r}, not a number")
        return float(value)

    @property
    def seed(self) -> int:
        return int(self.number("seed"))

    @property
    def folds(self) -> int:
        return int(self.number("folds"))


def task_for(
    family: Family,
    model: StandardModel | None,
    columns: Sequence[StoredColumn],
    parameters: Mapping[str, Value],
    *,
    time_zone: str,
    simulated: bool,
) -> Task:
    """Hold a data set's columns against a model (or a bare problem family).

    Raises
    ------
    UsageError
        When a column that the model needs, or that a parameter names, is not there.
    """
    names = [c.name for c in columns]
    given = dict(parameters)
    if model is not None:
        _need(model.required, columns, model, family)
    target = _target(model, given, names)
    time = _named(given, "time", names) or _time(columns)
    group = _named(given, "group", [*names, DAY])
    chosen = _listed(given, names)
    _apart(target, group, chosen)
    groups = [group] if group else [g for g in _groups(model, columns) if g != target]
    catalogued = _catalogued(model, target)
    bad_value = given.get("bad_value")
    product = next((n for n in PRODUCT_COLUMNS if n in names), None)
    leaks = [n for n in (model.leaks if model else ()) if n in names]
    kept_out = {target, time, product, group, ORIGIN, *leaks}
    return Task(
        family=family.id,
        model=model.id if model else None,
        equipment=model.equipment if model else None,
        columns=list(columns),
        features=chosen or _features(model, columns, kept_out),
        target=target,
        bad_values=(
            (str(bad_value).strip().casefold(),)
            if bad_value is not None
            else tuple(catalogued.bad if catalogued else ())
        ),
        good_values=(
            tuple(catalogued.good if catalogued else ()) if bad_value is None else ()
        ),
        groups=[g for g in groups if g in names or (g == DAY and time)],
        time=time,
        case=model.case if model else Text("기록", "record"),
        bad=model.target.bad if model and model.target else Text("불량", "bad"),
        good=model.target.good if model and model.target else Text("양품", "good"),
        case_keys=_case_keys(model, names),
        controllable=[n for n in (model.controllable if model else ()) if n in names],
        leaks=leaks,
        product=product,
        only_product=str(given["product"]) if given.get("product") else None,
        parameters=given,
        time_zone=time_zone,
        simulated=simulated,
    )


def labels_of(frame: pd.DataFrame, task: Task) -> pd.Series:
    """1.0 for bad, 0.0 for good, NaN where nobody knows; all NaN without a target.

    Raises
    ------
    KampError
        When no value of the target column is understood: it says which values there are.
    """
    import numpy as np
    import pandas as pd

    if task.target is None or task.target not in frame:
        return pd.Series(np.nan, index=frame.index, dtype="float64")
    words = _words(frame[task.target])
    if task.bad_values:
        bad = set(task.bad_values)
        good = set(task.good_values)
        # a value given by hand: everything else that is written there is good
        known = words.isin(bad | good) if good else words.notna()
        labels = words.isin(bad).where(known)
    else:
        known = words.isin(BAD_WORDS | GOOD_WORDS)
        labels = words.isin(BAD_WORDS).where(known)
    if words.notna().any() and (not known.any() or _are_grades(words, known)):
        seen = ", ".join(sorted(words.dropna().unique())[:6])
        raise KampError(
            f"'{task.target}' 열의 어느 값이 불량인지 알 수 없습니다(있는 값: {seen})."
            " -p bad_value=값 으로 알려 주세요.",
            f"cannot tell which value of {task.target!r} means bad (there: {seen});"
            " say it with -p bad_value=VALUE.",
        )
    return labels.astype("float64")


def _are_grades(words: pd.Series, known: pd.Series) -> bool:
    """Whether labels are numbers such as 0 to 4, of which 1 need not be the bad one."""
    numbers = words[words.notna()].str.fullmatch(r"-?\d+")
    return bool(numbers.all() and (words.notna() & ~known).any())


def _words(column: pd.Series) -> pd.Series:
    """Values as lower-case words; 1, 1.0 and True all read `1` or `true`."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(column):
        column = column.astype("Int64")
    if pd.api.types.is_numeric_dtype(column):
        whole = column.dropna()
        if (whole == whole.round()).all():
            column = column.astype("Float64").astype("Int64")
    words = column.astype("string").str.strip().str.casefold()
    return words.mask(words == "")


def _need(
    required: Sequence[str],
    columns: Sequence[StoredColumn],
    model: StandardModel,
    family: Family,
) -> None:
    names = {c.name for c in columns}
    missing = [n for n in required if n not in names]
    if not missing:
        return
    dictionary = equipment_type(model.equipment)
    known = [dictionary.column(n) for n in missing]
    ko = ", ".join(c.ko if c else n for c, n in zip(known, missing, strict=True))
    raise UsageError(
        f"'{model.ko}'에 필요한 열이 없습니다: {ko} ({', '.join(missing)})."
        f" 열 맞추기를 고치거나, 문제 유형 이름({family.id})으로 실행하세요.",
        f"{model.id} needs columns that are not there: {', '.join(missing)}."
        f" Mend the mapping, or run the family by its own name ({family.id}).",
    )


def _target(
    model: StandardModel | None, given: Mapping[str, Value], names: list[str]
) -> str | None:
    by_hand = _named(given, "target", names)
    if by_hand:
        return by_hand
    if model and model.target and model.target.column in names:
        return model.target.column
    return None


def _named(given: Mapping[str, Value], name: str, known: list[str]) -> str | None:
    """The column that a parameter names; raises when the data set has none so called."""
    value = given.get(name)
    if value is None:
        return None
    if str(value) not in known:
        there = ", ".join(column for column in known if not column.startswith("_"))
        raise UsageError(
            f"{name}={value}: 데이터셋에 그런 열이 없습니다. 있는 열: {there}",
            f"{name}={value}: the data set has no such column; there: {there}",
        )
    return str(value)


def _listed(given: Mapping[str, Value], names: list[str]) -> list[str]:
    text = str(given.get("features") or "")
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    for name in wanted:
        _named({"features": name}, "features", names)
    return wanted


def _apart(target: str | None, group: str | None, chosen: list[str]) -> None:
    """What is to be foretold is neither an input nor what is held out together."""
    for name, used in (("group", [group]), ("features", chosen)):
        if target is not None and target in used:
            raise UsageError(
                f"{name}={target}: 예측할 열(target)은 여기에 쓸 수 없습니다. 다른 열을 고르세요.",
                f"{name}={target}: the column to foretell (target) cannot be used here;"
                " choose another.",
            )


def _time(columns: Sequence[StoredColumn]) -> str | None:
    times = [c for c in columns if c.kind == "time"]
    by_role = [c for c in times if c.role == "time"]
    return (by_role or times)[0].name if times else None


def _groups(model: StandardModel | None, columns: Sequence[StoredColumn]) -> list[str]:
    """What the model holds out; a bare family tries its ids, then the day."""
    if model is not None:
        return list(model.groups)
    return [*(c.name for c in columns if c.role == "id"), DAY]


def _case_keys(model: StandardModel | None, names: list[str]) -> list[str]:
    """The model's keys that are there; without the first of them a case has no name."""
    if model is None or not model.case_keys or model.case_keys[0] not in names:
        return []
    return [k for k in model.case_keys if k in names]


def _catalogued(model: StandardModel | None, target: str | None) -> Column | None:
    """The dictionary's own entry for the target, which knows good and bad values."""
    if target is None:
        return None
    kinds = [equipment_type(model.equipment)] if model else equipment_types().values()
    found = (kind.column(target) for kind in kinds)
    return next((c for c in found if c is not None and c.role == "target"), None)


def _features(
    model: StandardModel | None,
    columns: Sequence[StoredColumn],
    kept_out: set[str | None],
) -> list[str]:
    free = [c for c in columns if c.name not in kept_out and c.kind in INPUT_KINDS]
    standard = [c.name for c in free if c.role in INPUT_ROLES]
    if model is not None and len(standard) >= FEW_INPUTS:
        return standard
    inputs = (*INPUT_ROLES, "context", "extra")
    return [c.name for c in free if c.role in inputs and not c.name.startswith("_")]
