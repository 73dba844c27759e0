"""What the catalogue says about machines and standard models, as typed objects."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kamp_lib.catalog.units import said
from kamp_lib.text import Text

Role = Literal["time", "id", "setpoint", "sensor", "context", "target"]
Kind = Literal["number", "category", "flag", "time", "text", "image", "curve"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Entry):
    """One column of an equipment's dictionary.

    `min` and `max` bound what is physically plausible; a value outside is doubted, not
    deleted. `usual_min`/`usual_max` bound where healthy machines of this kind mostly
    run: only used to recognise a column by its values.
    """

    name: Name
    ko: str
    en: str
    unit: str | None = Field(default=None, description="UCUM code")
    kind: Kind = "number"
    role: Role
    min: float | None = None
    max: float | None = None
    usual_min: float | None = None
    usual_max: float | None = None
    synonyms: tuple[str, ...] = Field(
        default=(), description="{n} stands for the number that ends the column's name"
    )
    good: tuple[str, ...] = Field(
        default=(), description="target: values that mean good, lower case"
    )
    bad: tuple[str, ...] = Field(
        default=(), description="target: values that mean bad, lower case"
    )
    record_kinds: tuple[Slug, ...] = Field(
        default=(), description="where it appears; empty = in every record kind"
    )

    @property
    def label(self) -> Text:
        return Text(self.ko, self.en)

    @property
    def display_unit(self) -> str:
        return said(self.unit)

    @model_validator(mode="before")
    @classmethod
    def _numbered(cls, told: Any) -> Any:
        number = re.search(r"_(\d+)$", str(told.get("name", "")))
        if number is None or "synonyms" not in told:
            return told
        synonyms = [str(s).replace("{n}", number[1]) for s in told["synonyms"]]
        return {**told, "synonyms": synonyms}

    @model_validator(mode="after")
    def _range_is_ordered(self) -> Column:
        if self.min is not None and self.max is not None and self.min >= self.max:
            raise ValueError(f"min {self.min} is not below max {self.max}")
        return self


class RecordKind(_Entry):
    """What one row is: a shot, a stroke, a sample of a run, an image."""

    id: Slug
    ko: str
    en: str

    @property
    def label(self) -> Text:
        return Text(self.ko, self.en)


class Equipment(_Entry):
    """A kind of machine: its record kinds and its one column dictionary."""

    id: Slug
    ko: str
    en: str
    description: Text
    record_kinds: tuple[RecordKind, ...]
    columns: tuple[Column, ...]

    @property
    def label(self) -> Text:
        return Text(self.ko, self.en)

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    def record_kind(self, kind: str) -> RecordKind:
        return next(k for k in self.record_kinds if k.id == kind)

    def columns_of(self, record_kind: str | None) -> tuple[Column, ...]:
        """The columns that a record of this kind can have."""
        return tuple(
            c
            for c in self.columns
            if record_kind is None
            or not c.record_kinds
            or record_kind in c.record_kinds
        )

    @model_validator(mode="after")
    def _names_are_unique_and_kinds_known(self) -> Equipment:
        names = [c.name for c in self.columns]
        twice = {n for n in names if names.count(n) > 1}
        if twice:
            raise ValueError(f"columns named twice: {sorted(twice)}")
        kinds = {k.id for k in self.record_kinds}
        for column in self.columns:
            unknown = set(column.record_kinds) - kinds
            if unknown:
                raise ValueError(
                    f"{column.name}: unknown record kinds {sorted(unknown)}"
                )
        return self


class Quantity(_Entry):
    """A physical quantity, known by a name or a unit, independent of any machine.

    `pattern` is a case-insensitive regular expression searched in a column's name; `of`
    makes it the quantity of columns that only their unit tells. The range, in `unit`, is
    where at least the median of a live signal has to lie.
    """

    id: Slug
    ko: str
    en: str
    unit: str | None = Field(default=None, description="UCUM code")
    pattern: str | None = None
    of: str | None = Field(default=None, description="kind of unit; see units.yaml")
    min: float
    max: float
    usual_min: float | None = None
    usual_max: float | None = None
    # a signal that is alive has an absolute median of at least this (0 = may rest at 0)
    live_min: float = 0.0

    @property
    def label(self) -> Text:
        return Text(self.ko, self.en)

    def matches(self, name: str) -> bool:
        if self.pattern is None:
            return False
        return re.search(self.pattern, name, flags=re.IGNORECASE) is not None

    @model_validator(mode="after")
    def _can_be_found(self) -> Quantity:
        if self.pattern is None and self.of is None:
            raise ValueError("needs a pattern or a kind of unit")
        re.compile(self.pattern or "")
        return self


class Word(_Entry):
    """A word of column names: what it stands for and how it is written."""

    means: str = Field(description="one word, or several: 보압력 = holding pressure")
    written: tuple[str, ...]
    qualifier: bool = Field(
        default=False, description="changes which column is meant: max, left, setpoint"
    )
    filler: bool = Field(default=False, description="says nothing: value, 데이터, 존")
    of: str | None = Field(
        default=None, description="the kind of unit that this quantity is measured in"
    )


class Parameter(_Entry):
    """One parameter of an analysis, as `kamp run -p` and the notebook take it."""

    name: Name
    ko: str
    en: str
    type: Literal["number", "integer", "boolean", "choice", "text", "column", "columns"]
    default: float | int | bool | str | None = None
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()
    unit: str | None = None
    money: bool = Field(
        default=False, description="a KRW assumption, marked so until edited"
    )

    @property
    def label(self) -> Text:
        return Text(self.ko, self.en)


class Family(_Entry):
    """A problem family: the parameters its analysis takes and the templates it runs."""

    id: Slug
    ko: str
    en: str
    question: Text
    parameters: tuple[Parameter, ...]

    @property
    def label(self) -> Text:
        return Text(self.ko, self.en)

    def parameter(self, name: str) -> Parameter | None:
        return next((p for p in self.parameters if p.name == name), None)


class Target(_Entry):
    """What a model predicts: a column of the equipment and what makes a case bad."""

    column: Name
    bad_ko: str
    bad_en: str
    good_ko: str
    good_en: str

    @property
    def bad(self) -> Text:
        return Text(self.bad_ko, self.bad_en)

    @property
    def good(self) -> Text:
        return Text(self.good_ko, self.good_en)


class StandardModel(_Entry):
    """One AI standard model: equipment, record kind, columns, groups, decision."""

    id: Slug
    version: str
    no: int
    ko: str
    en: str
    equipment: Slug
    record_kind: Slug
    family: Slug
    target: Target | None
    required: tuple[Name, ...] = ()
    optional: tuple[Name, ...] = ()
    controllable: tuple[Name, ...] = Field(
        default=(), description="columns that people can set; only these get sliders"
    )
    leaks: tuple[Name, ...] = Field(
        default=(), description="columns known only after the label; never inputs"
    )
    case_keys: tuple[Name, ...] = Field(
        default=(),
        description="columns that together name one case, as far as the data have them; "
        "empty = one row is one case",
    )
    case_ko: str
    case_en: str
    groups: tuple[str, ...] = Field(
        description="ids that hold cases together, in order of preference; `day` is cut "
        "from the time column in the company's zone"
    )
    decision: Text
    defaults: dict[str, float | int | bool | str] = Field(
        default_factory=dict, description="family parameters that this model sets"
    )
    simulator: Slug | None = None
    reference: Text

    @property
    def label(self) -> Text:
        return Text(self.ko, self.en)

    @property
    def case(self) -> Text:
        return Text(self.case_ko, self.case_en)
