"""The blocks of a decision page as HTML: written once, used live, first and exported.

Names, reasons and findings come from a company's files, so every template escapes.
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from kamp_lib.errors import KampError
from kamp_lib.reports import numbers
from kamp_lib.reports.facts import Case, Facts, Range, facts_of
from kamp_lib.reports.figures import draw_figures, group_word, label_of
from kamp_lib.reports.honesty import found, headline
from kamp_lib.reports.svg import safe_svg
from kamp_lib.reports.words import Words
from kamp_lib.reports.worth import Prices, nearest, prices_of, worth
from kamp_lib.runs import Bundle, RunRecord
from kamp_lib.text import Language, Text

TEMPLATES = Path(__file__).parent / "templates"
SHOWN_CASES = 10
SHOWN_PICTURES = 12
MOST_SLIDERS = 6
LARGEST_PICTURE = 1_000_000
PICTURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg"}
FIELDS = ("cost_missed", "cost_false_alarm", "cases_per_month", "bad_percent")


@cache
def templates() -> Environment:
    """The page templates, escaping everything that is not marked as markup."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style(name: str = "style.css") -> Markup:
    """A style sheet of ours, to stand inside a page."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 - ours


@dataclass(frozen=True)
class Field:
    """One number that a company may put in."""

    name: str
    label: str
    value: float
    shown: str
    tag: str
    mark: str


class Blocks:
    """The blocks of one bundle in one language."""

    def __init__(self, bundle: Bundle, lang: Language, facts: Facts | None = None):
        self.bundle = bundle
        self.record: RunRecord = bundle.record
        self.facts = facts if facts is not None else facts_of(bundle)
        self.words = Words(lang)

    def render(self, template: str, **more: Any) -> Markup:
        """One template with what every block may use."""
        html = templates().get_template(template).render(
            t=self.words, r=self.record, f=self.facts, n=numbers, text=Text,
            usable=self.state == "usable", **more,
        )  # fmt: skip
        return Markup(html.strip())  # noqa: S704 - rendered with escaping on

    @property
    def state(self) -> str:
        """`usable`, `not-usable-yet` or `failed`."""
        return state_of(self.record)

    @property
    def prices(self) -> Prices | None:
        return prices_of(self.record) if self.facts.labelled else None

    def verdict(self) -> Markup:
        data = self.record.dataset
        sentence = self.words.of(sentence_of(self.record))
        verdict = self.record.verdict
        said = [r.message for r in verdict.reasons] if verdict else []
        return self.render(
            "verdict.html",
            state=self.state,
            sentence=sentence,
            # a reason that the sentence has given is not said twice
            reasons=[r for r in map(self.words.of, said) if r not in sentence],
            simulated=data is not None and data.simulated,
        )

    def worth(
        self, prices: Prices | None, at: int | None = None, *, static: bool = False
    ) -> Markup:
        """What the threshold with index `at` is worth at these prices."""
        points = self.facts.thresholds
        if self.state == "failed":
            return Markup()
        if prices is None or not points:
            return self.render("worth.html", w=None, static=static)
        point = points[nearest(points, self.record.threshold) if at is None else at]
        return self.render(
            "worth.html",
            w=worth(point, self.facts, prices),
            point=point,
            static=static,
            fields=self.fields(prices),
            figure=self.figure("tradeoff") if static else "",
        )

    def fields(self, prices: Prices) -> list[Field]:
        """The editable numbers, each marked as an assumption until it is edited."""
        money = self.record.money
        guessed = money is None or money.cases_per_month_is_assumption
        model = self.record.model
        values = {
            "cost_missed": prices.cost_missed,
            "cost_false_alarm": prices.cost_false_alarm,
            "cases_per_month": prices.cases_per_month,
            "bad_percent": 100 * prices.bad_share,
        }
        fields = []
        for name in FIELDS:
            value = values[name]
            if ("bad_share" if name == "bad_percent" else name) in prices.edited:
                tag, mark = self.words("worth.yours"), "yours"
            elif name == "bad_percent" or (name == "cases_per_month" and not guessed):
                tag, mark = self.words("worth.from_data"), ""
            else:
                tag, mark = self.words("worth.assumption"), "assumption"
            shown = numbers.count(value)
            if name.startswith("cost"):
                shown = self.words("unit.krw", n=shown)
            elif name == "bad_percent":
                shown = f"{numbers.quantity(value)} %"
            label = self.words(f"worth.{name}", bad=model.bad, case=model.case)
            fields.append(Field(name, label, value, shown, tag, mark))
        return fields

    def causes(self) -> Markup:
        if self.record.status == "failed" or not (
            self.facts.causes or self.facts.labelled
        ):
            return Markup()
        top = max((c.share or 0 for c in self.facts.causes), default=0) or 1
        return self.render("causes.html", top=top)

    def sliders(self) -> list[Range]:
        """Inputs that people can set, the most telling first."""
        if not self.facts.labelled:  # its model knows what is odd, not what is bad
            return []
        rank = {c.column: i for i, c in enumerate(self.facts.causes)}
        usable = [
            r
            for r in self.facts.ranges
            if r.controllable
            and isinstance(r.typical, float)
            and r.min is not None
            and r.max is not None
            and r.max > r.min
        ]
        usable.sort(key=lambda r: rank.get(r.column, len(rank)))
        return usable[:MOST_SLIDERS]

    def whatif(self, *, static: bool = False) -> Markup:
        if self.record.status == "failed" or not self.facts.ranges:
            return Markup()
        return self.render("whatif.html", ranges=self.sliders(), static=static)

    def risk(
        self, before: float | None, after: float | None, outside: list[str]
    ) -> Markup:
        """How the computed risk changes; `after` is None until a slider moved."""
        return self.render("risk.html", before=before, after=after, outside=outside)

    def cases(self) -> Markup:
        if self.record.status == "failed" or not self.facts.cases:
            return Markup()
        flagged = [c for c in self.facts.cases if self._is_flagged(c)]
        return self.render("cases.html", shown=flagged[:SHOWN_CASES])

    def _is_flagged(self, case: Case) -> bool:
        threshold = self.record.threshold
        return threshold is None or case.score >= threshold

    def gallery(self) -> Markup:
        if self.state == "failed":
            return Markup()
        shown = [c for c in self.facts.cases if c.image][:SHOWN_PICTURES]
        pictures = []
        for case in shown:
            image = self.picture(case.image)
            if image:
                pictures.append((case, image, self.picture(case.heatmap)))
        return self.render("gallery.html", pictures=pictures)

    def picture(self, name: str | None) -> str:
        """A picture of the bundle as a data URI; empty when it is none."""
        if not name:
            return ""
        try:
            content = self.bundle.image(name)
        except (OSError, KampError):
            return ""
        kind = next((k for head, k in PICTURES.items() if content.startswith(head)), "")
        if not kind or len(content) > LARGEST_PICTURE:
            return ""
        return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"

    def chart(self) -> Markup:
        charts = [
            (chart, self.figure(f"chart-{i}"))
            for i, chart in enumerate(self.facts.charts)
        ]
        return self.render("chart.html", charts=charts) if charts else Markup()

    def trust(self) -> Markup:
        if self.record.status == "failed":
            return Markup()
        order = {"error": 0, "warning": 1, "info": 2}
        findings = self.record.dataset.findings if self.record.dataset else []
        names = ("groups", "scores", "calibration")
        return self.render(
            "trust.html",
            found=found(self.record, self.facts),
            group=group_word(self.record, self.words),
            flattered=self._flattered(),
            forward=_points(self.record.forward, headline(self.record)),
            figures=[f for f in map(self.figure, names) if f],
            findings=sorted(findings, key=lambda x: order[x.severity]),
            finding=lambda x: self.render("finding.html", x=x),
        )

    def _flattered(self) -> tuple[int, int] | None:
        """The honest and the row-shuffled score, in points of 100."""
        name = headline(self.record)
        honest = _points(self.record.metrics, name)
        shuffled = _points(self.record.shuffled, name)
        if honest is None or shuffled is None:
            return None
        return honest, shuffled

    def origin(self) -> Markup:
        from kamp_lib.catalog import families

        record = self.record
        family = families().get(record.model.family)
        rows = []
        for name, value in record.parameters.items():
            known = family.parameter(name) if family else None
            label = self.words.of(known.label) if known else name
            if isinstance(value, float):
                value = numbers.quantity(value)
            shown = "–" if value is None or value == "" else str(value)
            rows.append((label, shown, name in record.edited))
        return self.render(
            "origin.html", d=record.dataset, parameters=rows, people=self._people()
        )

    def _people(self) -> list[str]:
        """Who ran it, and, of a published page, who released it."""
        from kamp_lib.reports.notes import read_publication

        said = []
        if self.record.person:
            said.append(self.words("origin.ran", by=self.record.person))
        note = read_publication(self.bundle.path)
        if note is not None and note.by:
            when = numbers.when(note.published, self.record.time_zone)
            said.append(self.words("origin.published", by=note.by, when=when))
        return said

    def figure(self, name: str) -> Markup:
        """A figure with its caption: the one the run drew, else drawn now."""
        caption = self._captions.get(name)
        if caption is None:
            return Markup()
        svg = safe_svg(self._stored(name), caption)
        if not svg:
            svg = safe_svg(self._drawn.get(name, ""), caption)
        note = self.words("trust.calibration_note") if name == "calibration" else ""
        if not svg:
            return Markup()
        return self.render("figure.html", svg=svg, caption=caption, note=note)

    def _stored(self, name: str) -> str:
        try:
            return self.bundle.image(f"{name}.{self.words.lang}.svg").decode("utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    @cached_property
    def _drawn(self) -> dict[str, str]:
        return draw_figures(self.record, self.facts)[self.words.lang]

    @cached_property
    def _captions(self) -> dict[str, str]:
        words, record = self.words, self.record
        group = group_word(record, words)
        captions = {
            "tradeoff": words("worth.figure", bad=record.model.bad),
            "groups": words("trust.groups_figure", group=group, bad=record.model.bad),
            "scores": words("trust.scores_figure", group=group),
            "calibration": words("trust.calibration_figure"),
        }
        for number, chart in enumerate(self.facts.charts):
            captions[f"chart-{number}"] = label_of(record, chart, words)
        return captions

    def all(self) -> list[Markup]:
        """Every block, static, in the order of the page."""
        if self.record.status == "failed":
            return [self.verdict(), self.origin()]
        pictures = any(c.image for c in self.facts.cases)
        return [
            self.verdict(),
            self.worth(self.prices, static=True),
            self.gallery() if pictures else self.causes(),
            self.whatif(static=True),
            self.cases(),
            self.chart(),
            self.trust(),
            self.origin(),
        ]


def state_of(record: RunRecord) -> str:
    """`usable`, `not-usable-yet` or `failed`."""
    if record.status == "failed":
        return "failed"
    return record.verdict.value if record.verdict else "not-usable-yet"


def sentence_of(record: RunRecord) -> Text:
    """The one sentence of a page: the verdict, or why the run failed."""
    if record.status == "failed":
        return record.reason or Text("알 수 없는 이유입니다.", "The reason is unknown.")
    if record.verdict is None:
        return Text("판정이 기록되지 않았습니다.", "No verdict was recorded.")
    return record.verdict.sentence


def _points(scores: dict[str, Any], name: str | None) -> int | None:
    score = scores.get(name) if name else None
    if score is None or score.value is None or not math.isfinite(100 * score.value):
        return None
    return round(100 * score.value)
