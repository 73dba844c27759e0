"""The data defects of real files, put into simulated ones on purpose.

Each is called by the code of the finding that it should raise, so that ingest can be
tested and taught with files of which the truth is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

TIME = "ts"
ORIGIN = "data_origin"


@dataclass
class Table:
    """A clean table under the catalogue's names, and what may be done to it.

    Attributes
    ----------
    headers
        Name in the catalogue -> name in the factory's file.
    target, bad, good
        The label column and its two words.
    swap, derived
        Two columns to exchange; (result, source) of a plain multiple.
    sentinel
        Column and the placeholder its logger writes.
    dead
        Column whose sensor is not connected.
    shift_from
        From which column on the header is one name short.
    twin, twin_header
        Column that tells two parts (or judges) of one record apart.
    """

    frame: pd.DataFrame
    headers: dict[str, str]
    target: str
    bad: str
    good: str
    swap: tuple[str, str]
    sentinel: tuple[str, float]
    dead: str
    derived: tuple[str, str]
    shift_from: str = ""
    twin: str = ""
    twin_header: str = ""
    repeat_header_every: int = 0
    totals: list[str] | None = None
    header: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.header = [self.headers[c] for c in self.frame.columns]

    def measured(self) -> list[str]:
        """Columns of fractional numbers: what a machine measures."""
        return [
            c for c in self.frame.columns if pd.api.types.is_float_dtype(self.frame[c])
        ]

    def worded(self) -> list[str]:
        """Columns of words that recur: products, lots, steps."""
        frame = self.frame
        words = frame.select_dtypes(["object", "string"]).columns
        return [c for c in words if 1 < frame[c].nunique() < len(frame) / 10]

    def add(self, name: str, header: str, values: np.ndarray, before: str) -> None:
        """Insert a column before another one."""
        place = list(self.frame.columns).index(before)
        self.frame.insert(place, name, values)
        self.header.insert(place, header)


Defect = Callable[[Table, np.random.Generator], None]


def apply(table: Table, codes: Iterable[str], rng: np.random.Generator) -> None:
    """Put the defects in, in an order in which none undoes another."""
    wanted = set(codes)
    for code, defect in _DEFECTS.items():
        if code in wanted:
            defect(table, rng)


def _already_standardised(table: Table, _rng: np.random.Generator) -> None:
    for column in table.measured():
        values = table.frame[column]
        spread = values.std(ddof=0)
        if spread > 0:
            table.frame[column] = ((values - values.mean()) / spread).round(6)


def _swapped_columns(table: Table, _rng: np.random.Generator) -> None:
    one, other = table.swap
    first = table.frame[one].copy()
    table.frame[one] = table.frame[other]
    table.frame[other] = first


def _derived_column(table: Table, _rng: np.random.Generator) -> None:
    result, source = table.derived
    table.frame[result] = (2 * table.frame[source]).round(6)


def _sentinel_value(table: Table, rng: np.random.Generator) -> None:
    column, placeholder = table.sentinel
    lost = rng.random(len(table.frame)) < 0.02
    lost[len(lost) // 2] = True
    table.frame[column] = table.frame[column].where(~lost, placeholder)


def _dead_column(table: Table, _rng: np.random.Generator) -> None:
    table.frame[table.dead] = 0.0


def _single_class_label(table: Table, _rng: np.random.Generator) -> None:
    table.frame[table.target] = table.good


def _label_in_disguise(table: Table, _rng: np.random.Generator) -> None:
    bad = table.frame[table.target].to_numpy() == table.bad
    after = np.where(bad, "폐기", "출하")  # where the part went: known afterwards only
    table.add("disposition", "후처리구분", after, before=table.target)


def _contradicting_twins(table: Table, rng: np.random.Generator) -> None:
    frame = table.frame
    table.frame = frame.loc[frame.index.repeat(2)].reset_index(drop=True)
    number = np.tile([1, 2], len(frame))
    bad = (frame[table.target] == table.bad).to_numpy()
    differs = bad & (rng.random(len(frame)) < 0.5)
    differs[np.flatnonzero(bad)[:1]] = True
    second = np.repeat(differs, 2) & (number == 2)
    table.frame.loc[second, table.target] = table.good
    table.add(table.twin, table.twin_header, number, before=table.target)


def _duplicate_rows(table: Table, rng: np.random.Generator) -> None:
    often = 1 + (rng.random(len(table.frame)) < 0.03)
    often[len(often) // 3] = 2
    table.frame = table.frame.loc[table.frame.index.repeat(often)].reset_index(
        drop=True
    )


def _unordered_timestamps(table: Table, rng: np.random.Generator) -> None:
    # shots that reached the server late: exchanged with the one before
    order = np.arange(len(table.frame))
    late = np.arange(1, len(order), 2)
    late = late[rng.random(len(late)) < 0.12]
    order[late], order[late - 1] = order[late - 1], order[late]
    table.frame = table.frame.iloc[order].reset_index(drop=True)


def _duplicate_timestamps(table: Table, rng: np.random.Generator) -> None:
    stamps = table.frame[TIME]
    same = rng.random(len(stamps)) < 0.05
    same[len(same) // 2] = True
    table.frame[TIME] = stamps.where(~same, stamps.shift(1)).fillna(stamps)


def _coarse_timestamps(table: Table, _rng: np.random.Generator) -> None:
    table.frame[TIME] = table.frame[TIME].dt.floor("h")


def _implausible_dates(table: Table, _rng: np.random.Generator) -> None:
    # the battery of the PLC is flat: after a power cut its clock starts over
    stamps = table.frame[TIME].copy()
    lost = _stretch(table, 0.60, 0.63)
    start = pd.Timestamp("2000-01-01")
    stamps.iloc[lost] = start + (stamps.iloc[lost] - stamps.iloc[lost.start])
    table.frame[TIME] = stamps


def _shifted_columns(table: Table, _rng: np.random.Generator) -> None:
    """One comma lost in the header: two names run together, later ones come early."""
    origin = list(table.frame.columns).index(ORIGIN)
    table.frame.insert(0, ORIGIN, table.frame.pop(ORIGIN))
    table.header.insert(0, table.header.pop(origin))
    at = list(table.frame.columns).index(table.shift_from)
    names = table.header
    joined = f"{names[at - 1]}_{names[at]}"
    table.header = [*names[: at - 1], joined, *names[at + 1 :], "비고"]


def _repeated_header(table: Table, _rng: np.random.Generator) -> None:
    table.repeat_header_every = max(10, len(table.frame) // 4)


def _totals_row(table: Table, _rng: np.random.Generator) -> None:
    measured = set(table.measured())
    table.totals = [
        f"{table.frame[c].sum():.2f}" if c in measured else ""
        for c in table.frame.columns
    ]
    table.totals[0] = "합계"


def _frozen_sensor(table: Table, _rng: np.random.Generator) -> None:
    column, rows = _liveliest(table), _stretch(table, 0.4, 0.55)
    held = table.frame[column].to_numpy()[rows.start]
    table.frame.loc[table.frame.index[rows], column] = held


def _saturation(table: Table, _rng: np.random.Generator) -> None:
    column = _liveliest(table)
    end = float(table.frame[column].quantile(0.93))
    table.frame[column] = table.frame[column].clip(upper=end)


def _quantisation_change(table: Table, _rng: np.random.Generator) -> None:
    column, rows = _liveliest(table), _stretch(table, 0.6, 1.0)
    values = table.frame[column]
    places = next(p for p in range(7) if np.allclose(values, values.round(p)))
    table.frame.loc[table.frame.index[rows], column] = values.iloc[rows].round(
        max(0, places - 1)
    )


def _unit_change(table: Table, _rng: np.random.Generator) -> None:
    column, rows = _steadiest(table), _stretch(table, 0.5, 0.8)
    table.frame.loc[table.frame.index[rows], column] *= 10


def _category_variants(table: Table, rng: np.random.Generator) -> None:
    words = [c for c in (*table.worded(), table.target) if c != ORIGIN]
    other = rng.random(len(table.frame)) < 0.05
    other[len(other) // 2] = True
    values = table.frame[words[0]]
    table.frame[words[0]] = values.where(~other, values.str[:1] + " " + values.str[1:])


def _personal_data(table: Table, rng: np.random.Generator) -> None:
    people = ["김철수", "박영희", "이민호", "최지우", "정수빈", "강동훈"]
    names = rng.choice(people, len(table.frame))
    table.add("worker", "작업자", names, before=table.target)


def _liveliest(table: Table) -> str:
    """The measured column of most different values."""
    return max(table.measured(), key=lambda c: table.frame[c].nunique())


def _steadiest(table: Table) -> str:
    """The measured column that moves, but least for its level."""
    frame = table.frame
    moving = [c for c in table.measured() if frame[c].nunique() > 20]
    return min(moving, key=lambda c: frame[c].std() / abs(frame[c].median()))


def _stretch(table: Table, first: float, last: float) -> slice:
    rows = len(table.frame)
    return slice(int(first * rows), int(last * rows))


# in the order of application: values, then rows, then stamps, then the file's own shape
_DEFECTS: dict[str, Defect] = {
    "swapped-columns": _swapped_columns,
    "derived-column": _derived_column,
    "already-standardised": _already_standardised,
    "frozen-sensor": _frozen_sensor,
    "saturation": _saturation,
    "quantisation-change": _quantisation_change,
    "unit-change": _unit_change,
    "category-variants": _category_variants,
    "personal-data": _personal_data,
    "sentinel-value": _sentinel_value,
    "dead-column": _dead_column,
    "single-class-label": _single_class_label,
    "label-in-disguise": _label_in_disguise,
    "contradicting-twins": _contradicting_twins,
    "unordered-timestamps": _unordered_timestamps,
    "duplicate-timestamps": _duplicate_timestamps,
    "coarse-timestamps": _coarse_timestamps,
    "implausible-dates": _implausible_dates,
    "duplicate-rows": _duplicate_rows,
    "shifted-columns": _shifted_columns,
    "repeated-header": _repeated_header,
    "totals-row": _totals_row,
}
