"""What every check knows about the frame before it looks: meanings, runs, labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from unicodedata import normalize

import numpy as np
import pandas as pd

from kamp_lib.catalog import Column, Equipment, Quantity, standard_models
from kamp_lib.datasets.mapping.evidence import quantity_of
from kamp_lib.datasets.mapping.known import KnownNames
from kamp_lib.datasets.mapping.names import take_apart
from kamp_lib.datasets.mapping.propose import PROVENANCE, standard_columns
from kamp_lib.datasets.rising import rises
from kamp_lib.datasets.types import Mapping
from kamp_lib.datasets.units import to_ucum
from kamp_lib.text import Text

RUN_COLUMN = "run_id"
MOST_GRADES = 20
FEW, MANY = 5_000, 1_000
GOOD_WORDS = frozenset(
    {"ok", "y", "yes", "pass", "passed", "good", "g", "normal", "양품", "정상", "합격"}
)
BAD_WORDS = frozenset(
    {"ng", "n", "no", "fail", "failed", "bad", "defect", "불량", "비정상", "불합격"}
)
# Words that only a judgement uses; yes and no are said of many things.
JUDGING_WORDS = frozenset(
    {"ok", "ng", "pass", "passed", "fail", "failed", "defect", "defective"}
    | {"양품", "불량", "합격", "불합격", "정상", "비정상"}
)
LABEL_WORDS = frozenset(
    {"failure", "fault", "defect", "defective", "anomaly", "abnormal", "ng", "불량"}
    | {"불량여부", "고장", "고장여부", "이상", "이상여부", "양부"}
)
# Where 1 says that the part is good.
GOOD_NAMES = frozenset(
    {"ok", "pass", "passed", "good", "합격", "합격여부", "양품", "양품여부"}
)
LABEL_NAMES = frozenset(
    {"label", "tag", "passorfail", "passfail", "result", "judgement", "judgment", "ok"}
    | {
        "okng",
        "class",
        "target",
        "판정",
        "결과",
        "양불",
        "불량",
        "합격여부",
        "양불판정",
    }
)


@dataclass(frozen=True)
class Label:
    """A label column as 0 (good) and 1 (bad), missing where not judged."""

    name: str
    bad: pd.Series  # float: 0, 1 or nan


@dataclass
class Context:
    """The frame's meaning, worked out once and shared by all checks."""

    frame: pd.DataFrame
    machine: Equipment
    record_kind: str | None
    mapping: Mapping | None = None
    rejected: int = 0  # rows of the upload that are not in the frame
    # columns that an earlier check has explained; later ones leave them alone
    explained: set[str] = field(default_factory=set)
    # columns whose level the product tells
    explained_by_product: set[str] = field(default_factory=set)

    @cached_property
    def standard(self) -> dict[str, Column]:
        """Stored name -> standard column."""
        return standard_columns(self.frame.columns, self.machine, self.record_kind)

    @cached_property
    def columns(self) -> list[str]:
        """The data columns, without provenance, the origin mark and facts of files."""
        outside = {*PROVENANCE, "data_origin"}
        if "image" in self.frame.columns:
            outside |= {"image", "width", "height", "color_mode"}
        return [c for c in self.frame.columns if c not in outside]

    @cached_property
    def _source(self) -> dict[str, str]:
        names = self.mapping.names() if self.mapping else {}
        return {stored: source for source, stored in names.items()}

    @cached_property
    def _known(self) -> KnownNames:
        return KnownNames(self.machine.columns)

    def names(self, *columns: str) -> list[str]:
        """Source and stored name of columns, as findings hold them."""
        both = [n for c in columns for n in (self._source.get(c, c), c)]
        return list(dict.fromkeys(both))

    def shown(self, column: str) -> str:
        """The name a person knows: that of the file, and the true one if it is wrong."""
        source = self._source.get(column, column)
        meant = self._known.column(source) if source != column else None
        wrong = meant is not None and meant.name != column
        return f"{source} → {column}" if wrong else source

    def role(self, column: str) -> str:
        known = self.standard.get(column)
        return known.role if known else "extra"

    def quantity(self, column: str) -> Quantity | None:
        """The physical quantity of a column that the catalogue does not know."""
        if column in self.standard:
            return None
        return quantity_of(column, self.unit(column))

    @cached_property
    def _units(self) -> dict[str, str | None]:
        matches = self.mapping.columns if self.mapping else []
        return {m.canonical or m.source: m.stored_unit for m in matches}

    def unit(self, column: str) -> str | None:
        """The UCUM code of a column's values, where file, person or catalogue tell it."""
        told = self._units.get(column)
        if told is None and column in self.standard:
            return self.standard[column].unit
        written = take_apart(column).unit
        return told or (to_ucum(written) if written else None)

    def unit_told(self, column: str) -> bool:
        """Whether the file or a person told the unit: else it is only assumed."""
        return self._units.get(column) is not None

    @cached_property
    def numbers(self) -> dict[str, np.ndarray]:
        """Number columns as float arrays."""
        return {
            c: self.frame[c].to_numpy(dtype=float, na_value=np.nan)
            for c in self.columns
            if pd.api.types.is_numeric_dtype(self.frame[c])
            and not pd.api.types.is_bool_dtype(self.frame[c])
        }

    @cached_property
    def distinct(self) -> dict[str, int]:
        """How many different values each data column holds; of fractions at least."""
        return {
            c: _different(self.frame[c], exactly=self.role(c) == "id")
            for c in self.columns
        }

    @cached_property
    def measured(self) -> list[str]:
        """Number columns that hold a measurement or setting and that move."""
        return [
            c
            for c in self.numbers
            if self.role(c) in ("sensor", "setpoint", "extra")
            and self.distinct[c] > 1
            and not self.names_records(c)
        ]

    def names_records(self, column: str) -> bool:
        """An id, a counter or a code: numbers that measure nothing."""
        if self.role(column) in ("id", "time"):
            return True
        if column in self.standard:
            return False
        words = set(take_apart(column).words)
        named = words & {"id", "number", "serial", "index", "code", "unnamed", "번호"}
        return bool(named) and not pd.api.types.is_float_dtype(self.frame[column])

    @cached_property
    def times(self) -> list[str]:
        """Time columns: the standard one, else those that hold times."""
        held = [
            c
            for c in self.columns
            if pd.api.types.is_datetime64_any_dtype(self.frame[c])
        ]
        standard = [c for c in held if self.role(c) == "time"]
        return standard or held[:1]

    @cached_property
    def runs(self) -> pd.Series | None:
        """Which run each row belongs to, when the data are several runs."""
        for column in (RUN_COLUMN, PROVENANCE[0]):
            if column in self.frame.columns:
                run = self.frame[column]
                if 2 <= run.nunique() <= len(run) / 10:
                    return run
        return None

    @cached_property
    def files(self) -> tuple[np.ndarray, pd.Index]:
        """The file each row stands in, as a number, and the names behind these."""
        return _coded(self.frame[PROVENANCE[0]])

    @cached_property
    def series(self) -> np.ndarray:
        """A number per row, ascending in `order`: the machine and run it belongs to."""
        keys = [
            c
            for c in (PROVENANCE[0], "machine_id", RUN_COLUMN)
            if c in self.frame.columns
        ]
        code = np.zeros(len(self.frame), dtype=np.int64)
        for key in keys:
            codes, words = (
                self.files if key == PROVENANCE[0] else _coded(self.frame[key])
            )
            code = code * len(words) + codes
        return code

    @cached_property
    def order(self) -> np.ndarray | slice:
        """The rows with each machine's and run's records one after another."""
        runs = 1 + int(np.count_nonzero(np.diff(self.series)))
        if runs == 1 or runs == len(np.unique(self.series)):
            return slice(None)
        return np.argsort(self.series, kind="stable")

    @cached_property
    def starts(self) -> np.ndarray:
        """Where, in `order`, the records of a machine or run begin."""
        series = self.series[self.order]
        return np.concatenate([[0], 1 + np.flatnonzero(np.diff(series))])

    def ordered(self, column: str) -> np.ndarray:
        """The numbers of a column in `order`."""
        return self.numbers[column][self.order]

    @cached_property
    def sensors(self) -> list[str]:
        """Measured columns whose values nobody sets and that no check has explained."""
        return [
            c
            for c in self.measured
            if self.role(c) != "setpoint" and c not in self.explained
        ]

    def place(self, position: int) -> Text:
        """Where a person finds the row at a position of `order`."""
        row = int(np.arange(len(self.frame))[self.order][position])
        if not set(PROVENANCE) <= set(self.frame.columns):
            return Text(f"{row + 1:,}행", f"row {row + 1:,}")
        file, line = (
            self.frame[PROVENANCE[0]].iloc[row],
            self.frame[PROVENANCE[1]].iloc[row],
        )
        many = self.frame[PROVENANCE[0]].iloc[0] != self.frame[PROVENANCE[0]].iloc[-1]
        where = f"{file} " if many else ""
        return Text(f"{where}{line:,}행", f"{where}row {line:,}")

    @cached_property
    def groups(self) -> list[str]:
        """Columns that hold records of one source together: file, machine, run, part."""
        ids = [
            c
            for c in self.columns
            if self.role(c) == "id" and self.distinct[c] <= len(self.frame) / 5
        ]
        if not any(column.role == "id" for column in self.machine.columns):
            # an unknown machine: words that recur may tell its parts and places apart
            ids = [
                c
                for c in self.columns
                if pd.api.types.is_string_dtype(self.frame[c])
                and 2 <= self.distinct[c] <= min(50, len(self.frame) / 5)
            ] or self._series
        file = [PROVENANCE[0]] if PROVENANCE[0] in self.frame.columns else []
        return file + ids

    @cached_property
    def _series(self) -> list[str]:
        """A column whose values each have a record at every time: parts over months."""
        for column in self.columns:
            if self.distinct[column] < 2 or column in self.times:
                continue
            for time in self.times:
                pairs = self.distinct[column] * self.distinct[time]
                full = 0.8 * pairs <= len(self.frame) <= pairs
                if full and not self.frame.duplicated([column, time]).any():
                    return [column]
        return []

    @cached_property
    def labels(self) -> list[Label]:
        """Label columns of the dictionary, else those that look like one."""
        targets = [
            c
            for c, column in self.standard.items()
            if column.role == "target"
            and (column.good or column.bad or column.kind == "flag")
        ]
        if not any(column.role == "target" for column in self.standard.values()):
            targets += [c for c in self.columns if self._looks_like_label(c)]
        return [Label(c, self._as_bad(c)) for c in targets]

    def _looks_like_label(self, column: str) -> bool:
        """A column named as a judgement that holds one, or that plainly holds one."""
        if not 1 <= self.distinct[column] <= MOST_GRADES:
            return False
        words = {_word(v) for v in self.frame[column].dropna().unique()}
        if len(words) > 2 or not words <= GOOD_WORDS | BAD_WORDS | {"0", "1"}:
            return False
        if is_label_name(column):
            return True
        both = words & GOOD_WORDS and words & BAD_WORDS
        return bool(both and words & JUDGING_WORDS)

    def graded(self, column: str) -> list[str]:
        """The values of a label that is a grade or class (0, 1, 2 …), not good or bad."""
        if self.distinct[column] > MOST_GRADES:
            return []
        known = self.standard.get(column)
        words = [_word(v) for v in self.frame[column].dropna().unique()]
        listed = {*known.good, *known.bad} if known else {"0", "1"}
        numbers = [w for w in words if w.removeprefix("-").isdecimal()]
        return words if set(numbers) - listed and len(numbers) == len(words) else []

    def _as_bad(self, column: str) -> pd.Series:
        known = self.standard.get(column)
        good = set(known.good) if known else set()
        bad = set(known.bad) if known else set()
        if self.graded(column):  # 1 of 0 to 4 is a grade, and nobody said which is bad
            return pd.Series(np.nan, index=self.frame.index)
        if not good | bad:
            one, zero = (good, bad) if _says_good(column) else (bad, good)
            good |= GOOD_WORDS
            bad |= BAD_WORDS
            one.add("1")
            zero.add("0")
        codes, values = pd.factorize(self.frame[column])
        words = [_word(v) for v in values]
        # where only one side is listed, every other word means the other side
        other = np.nan if good and bad else 1.0 if good else 0.0
        meaning = [1.0 if w in bad else 0.0 if w in good else other for w in words]
        table = np.array([*meaning, np.nan])
        return pd.Series(table[codes], index=self.frame.index)

    @cached_property
    def leaks(self) -> set[str]:
        """Columns that a standard model of this machine already keeps out."""
        return {
            name
            for model in standard_models().values()
            if model.equipment == self.machine.id
            for name in model.leaks
        }


def _coded(values: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Values as numbers in the order in which they first occur, gaps among them."""
    codes, words = pd.factorize(values, use_na_sentinel=False)
    return codes, pd.Index(words)


def finite(number: np.ndarray) -> np.ndarray:
    """The known numbers; without a copy where all are."""
    known = np.isfinite(number)
    return number if known.all() else number[known]


def _different(values: pd.Series, *, exactly: bool) -> int:
    """How many different values; nobody asks how many fractions beyond a thousand."""
    if pd.api.types.is_float_dtype(values) and not exactly:
        few = int(values.iloc[:FEW].nunique())
        if few > MANY:
            return few
    return len(values) if rises(values) else int(values.nunique())


def is_label_name(column: str) -> bool:
    """Whether a name speaks of a judgement."""
    name = take_apart(column)
    return name.joined in LABEL_NAMES or bool(LABEL_WORDS & set(name.words))


def _says_good(column: str) -> bool:
    name = take_apart(column)
    return name.joined in GOOD_NAMES or bool(GOOD_NAMES & set(name.words))


def _word(value: object) -> str:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return normalize("NFKC", str(value)).strip().lower()


def number_text(value: float) -> str:
    """A number as people write it: no trailing zeros, thousands separated."""
    return f"{value:,.6g}"
