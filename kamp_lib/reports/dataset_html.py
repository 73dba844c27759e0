"""The page of a data set: what it holds, how good it is, which columns to use and why not."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from kamp_lib.catalog import equipment_types
from kamp_lib.progress import Progress, silent
from kamp_lib.reports import fonts, numbers
from kamp_lib.reports.blocks import style, templates
from kamp_lib.reports.words import Words
from kamp_lib.text import Language, Text, language

if TYPE_CHECKING:
    from kamp_lib.datasets import Dataset
    from kamp_lib.datasets.profile import ColumnCard, Profile, Timeline

USE_ORDER: dict[str, int] = {"no": 0, "care": 1, "good": 2}
MOST_CARDS = 300  # a page of thousands of columns helps nobody
STEPS = (
    (86_400, Text("{n}일", "{n} d")),
    (3_600, Text("{n}시간", "{n} h")),
    (60, Text("{n}분", "{n} min")),
    (1, Text("{n}초", "{n} s")),
    (1e-3, Text("{n}밀리초", "{n} ms")),
)

LONGEST_CELL = 40  # characters of a cell among the first rows


@dataclass(frozen=True)
class DatasetPage:
    """A data set made ready to be looked at: in a notebook, a portal, or as a file."""

    dataset: Dataset
    profile: Profile

    def html(self, lang: Language | None = None) -> str:
        """The sections of the page, to stand inside another page of ours."""
        return _Sections(self.dataset, self.profile, lang or language()).html()

    def document(self, lang: Language | None = None) -> str:
        """A whole HTML file that needs nothing from outside."""
        lang = lang or language()
        template = templates().get_template("plain.html")
        parts = {
            "lang": lang,
            "title": self.dataset.name,
            "style": style() + style("dataset.css"),
            "body": Markup(self.html(lang)),  # noqa: S704 - ours
        }
        bare = template.render(faces="", **parts)
        return template.render(faces=fonts.embedded_faces(bare), **parts)

    def write(self, to: Path, lang: Language | None = None) -> Path:
        """Write the page as one HTML file, whole or not at all."""
        from kamp_lib.reports.exporting import written_whole

        text = self.document(lang)
        with written_whole(Path(to)) as partial:
            partial.write_text(text, encoding="utf-8")
        return Path(to)

    def as_json(self) -> dict[str, Any]:
        """The figures of the page, for programs."""
        from kamp_lib.datasets.quality import quality_advice

        data, line = self.dataset, self.profile.timeline
        advice = quality_advice(data.quality, data.findings)
        return {
            "dataset": data.name,
            "version": data.version,
            "equipment": data.equipment,
            "record_kind": data.record_kind,
            "rows": data.rows,
            "rows_quarantined": data.rows_quarantined,
            "simulated": data.simulated,
            "quality": data.quality.model_dump(),
            "advice": [a.model_dump() for a in advice],
            "timeline": None if line is None else _timeline_json(line),
            "columns": [_card_json(c) for c in self.profile.cards],
            "findings": [f.model_dump() for f in data.findings],
        }

    def _repr_html_(self) -> str:
        sheet = style() + style("dataset.css")
        return f"<style>{sheet}</style>{self.html()}"


def dataset_page(dataset: Dataset, *, progress: Progress = silent) -> DatasetPage:
    """Look at a data set and make its page.

    Examples
    --------
    >>> open_tenant("haneul-mold").page("injection")  # doctest: +SKIP
    """
    from kamp_lib.datasets.profile import profile

    return DatasetPage(dataset, profile(dataset, progress=progress))


@dataclass(frozen=True)
class _Sections:
    """The words and figures that the template puts in their places."""

    dataset: Dataset
    profile: Profile
    lang: Language

    @cached_property
    def words(self) -> Words:
        return Words(self.lang)

    def html(self) -> str:
        from kamp_lib.datasets.findings import catalogue
        from kamp_lib.datasets.quality import PARTS, quality_advice

        data, found = self.dataset, self.dataset.findings
        machine = equipment_types().get(data.equipment)
        cards = sorted(self.profile.cards, key=lambda c: USE_ORDER[c.use])
        uses: Counter[str] = Counter(c.use for c in cards)
        return (
            templates()
            .get_template("dataset.html")
            .render(
                t=self.words,
                n=numbers,
                d=data,
                p=self.profile,
                equipment=self.words.of(machine.label) if machine else data.equipment,
                parts=PARTS,
                advice=quality_advice(data.quality, found),
                uses={use: uses.get(use, 0) for use in USE_ORDER},
                titles={c: self.words.of(e.title) for c, e in catalogue().items()},
                grave=[f for f in found if f.severity != "info"],
                light=[f for f in found if f.severity == "info"],
                doubted=[c for c in cards if c.use != "good"][:MOST_CARDS],
                sound=[c for c in cards if c.use == "good"][:MOST_CARDS],
                pauses=self._pauses(),
                fixes=[f for m in data.state.manifests for f in m.fixes],
                rows=self._rows(),
                files=data.files,
                when=_when,
                lasting=self._lasting,
                unit=_unit,
                value=_value,
                band=_band,
                band_text=_band_text,
            )
        )

    def _lasting(self, span: pd.Timedelta) -> str:
        return _lasting(span, self.words)

    def _pauses(self) -> list[tuple[float, float]]:
        """The longest gaps, as places on a line of 100."""
        line = self.profile.timeline
        if line is None:
            return []
        whole = line.last - line.first
        return [
            (100 * ((g.start - line.first) / whole), 100 * ((g.end - g.start) / whole))
            for g in line.gaps[:50]
            if (g.end - g.start) / whole > 0.002
        ]

    def _rows(self) -> list[list[str]]:
        frame = self.profile.preview
        return [[_cell(value) for value in row] for row in frame.to_numpy(dtype=object)]


def _timeline_json(line: Timeline) -> dict[str, Any]:
    return {
        "column": line.column.name,
        "first": line.first.isoformat(),
        "last": line.last.isoformat(),
        "step_s": line.step.total_seconds(),
        "counts": list(line.counts),
        "gaps": [
            {"start": g.start.isoformat(), "end": g.end.isoformat()} for g in line.gaps
        ],
    }


def _card_json(card: ColumnCard) -> dict[str, Any]:
    return {
        **card.column.model_dump(),
        "filled": card.filled,
        "distinct": card.distinct,
        "spread": None if card.spread is None else asdict(card.spread),
        "tops": [{"value": value, "count": count} for value, count in card.tops],
        "findings": sorted({f.code for f in card.findings}),
        "use": card.use,
        "why_ko": card.why.ko,
        "why_en": card.why.en,
    }


def _cell(value: Any) -> str:
    if (
        value is None
        or value is pd.NaT
        or (isinstance(value, float) and value != value)
    ):
        return "–"
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return numbers.quantity(value)
    word = str(value)  # the stored name of a picture is 68 characters long
    return word if len(word) <= LONGEST_CELL else f"{word[:12]}…{word[-12:]}"


def _when(stamp: pd.Timestamp) -> str:
    return stamp.strftime("%Y-%m-%d %H:%M")


def _lasting(span: pd.Timedelta, words: Words) -> str:
    """A span of time in its largest sensible unit."""
    seconds = span.total_seconds()
    for size, said in STEPS:
        if seconds >= size:
            return words.of(said).format(n=numbers.few(seconds / size))
    return words.of(STEPS[-1][1]).format(n=f"{seconds * 1000:.3g}")


def _unit(card: ColumnCard) -> str:
    from kamp_lib.datasets.units import said

    return said(card.column.unit) if card.column.unit else ""


def _is_time(card: ColumnCard) -> bool:
    return card.column.kind == "time"


def _value(card: ColumnCard, value: float) -> str:
    if _is_time(card):
        return pd.Timestamp(value, unit="s").strftime("%Y-%m-%d")
    return numbers.quantity(value)


def _band(card: ColumnCard) -> tuple[float, float] | None:
    """The plausible range as places on the line of the bars, 0 to 100."""
    low, high = card.column.min, card.column.max
    if card.spread is None or (low is None and high is None):
        return None
    left, right = card.spread.edges[0], card.spread.edges[-1]
    ends = (left if low is None else low, right if high is None else high)
    start, end = (100 * (e - left) / (right - left) for e in ends)
    return (max(0.0, start), min(100.0, end)) if start < 100 and end > 0 else None


def _band_text(card: ColumnCard) -> str:
    low, high = card.column.min, card.column.max
    if low is None and high is None:
        return ""
    ends = ("" if e is None else numbers.quantity(e) for e in (low, high))
    return " ~ ".join(ends)
