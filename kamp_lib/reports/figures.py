"""The figures of the pages: small static SVG, drawn by the run, once for both languages.

Why static SVG and not a charting library in the browser:
docs/decisions/001-static-svg-figures.md. Every figure is designed for a phone's width
and is laid out by CSS; colours are Okabe and Ito's, which colour-blind people can tell
apart, and never carry a meaning alone.
"""

from __future__ import annotations

import html
import io
import logging
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kamp_lib.reports.facts import Chart, Facts, Group
from kamp_lib.reports.words import Words
from kamp_lib.reports.worth import nearest
from kamp_lib.runs import RunRecord
from kamp_lib.text import LANGUAGES, Language, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
INK, QUIET, FAINT = "#1f2933", "#66727f", "#d5dbe1"
WIDTH_IN = 4.0
PAD_IN = 0.04
MOST_BARS = 14
Figures = dict[Language, dict[str, str]]

logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


def draw_figures(record: RunRecord, facts: Facts) -> Figures:
    """All figures that the facts have data for: language -> name -> SVG text."""
    say = Say()
    drawn: dict[str, str] = {}
    if facts.labelled:
        drawn["tradeoff"] = _tradeoff(record, facts, say)
        if any(g.positives and g.missed is not None for g in facts.groups):
            drawn["groups"] = _groups(facts, say)
        if scored(facts):
            drawn["scores"] = _scores(facts, say)
    if len(facts.calibration) > 1:
        drawn["calibration"] = _calibration(facts, say)
    for number, chart in enumerate(facts.charts):
        drawn[f"chart-{number}"] = _chart(chart, say)
    return {
        lang: {name: say.read(svg, lang) for name, svg in drawn.items()}
        for lang in LANGUAGES
    }


class Say:
    """The words of figures that are drawn once and read in two languages.

    `say(key)` gives the wider of the two texts, so that the layout has room for both;
    `read` puts a language's own in its place. Text of the data, which is nobody's
    language, is marked by `data_text`, so that it is never taken for one of our words.
    """

    def __init__(self) -> None:
        self._speakers = {lang: Words(lang) for lang in LANGUAGES}
        self._said: dict[str, Text] = {}

    def __call__(
        self, key: str, before: str = "", after: str = "", **values: Any
    ) -> str:
        """The words of `key`, between two strings that need no translation."""
        ko, en = (
            f"{before}{words(key, **values)}{after}"
            for words in self._speakers.values()
        )
        wider = max(ko, en, key=_width)
        self._said[wider] = Text(ko=ko, en=en)
        return wider

    def read(self, svg: str, lang: Language) -> str:
        """An SVG as `lang` reads it."""

        def turned(found: re.Match[str]) -> str:
            text = self._said.get(html.unescape(found[1]))
            if text is None:
                return found[0]
            said = self._speakers[lang].of(text)
            return f">{html.escape(said, quote=False)}</text>"

        # a page may hold both, one of them hidden: what is hidden clips nothing
        own = _in_tags(r'( id="|url\(#|href="#)', rf"\g<1>{lang}-", svg)
        return re.sub(r">([^<>]+)</text>", turned, own)


def data_text(text: str) -> str:
    """Text of the data as a label: short, and told from ours by the space at its end.

    What cannot be printed (controls, line ends, half characters) is a space.
    """
    text = "".join(c if c.isprintable() else " " for c in text)
    return (text if len(text) <= 12 else text[:11] + "…") + "\u00a0"


def _in_tags(pattern: str, new: str | Callable[[re.Match[str]], str], svg: str) -> str:
    """Replace in the tags of an SVG, and nothing in its texts."""
    return re.sub(r"<[^>]+>", lambda tag: re.sub(pattern, new, tag[0]), svg)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def label_of(record: RunRecord, chart: Chart, words: Words) -> str:
    """What a control chart's statistic is called."""
    if chart.statistic in ("T2", "Q"):
        return words(f"chart.{chart.statistic}")
    columns = record.dataset.columns if record.dataset else []
    named = next((c for c in columns if c.name == chart.statistic), None)
    return words.of(named.label) if named else chart.statistic


def group_word(record: RunRecord, words: Words) -> str:
    """What the held-out groups are called: days, runs, lots ..."""
    by = record.split.by if record.split and record.split.by else "other"
    columns = record.dataset.columns if record.dataset else []
    named = next((c for c in columns if c.name == by), None)
    default = words.of(named.label) if named else words("group.other")
    return words.maybe(f"group.{by}", default)


@cache
def _ready() -> None:
    """Korean glyphs for the layout; the browser draws the text in the page's font."""
    from matplotlib import font_manager

    # found without importing it: the package would load pyplot and set it up
    spec = find_spec("koreanize_matplotlib")
    if spec is None or not spec.submodule_search_locations:
        return
    fonts = Path(spec.submodule_search_locations[0]) / "fonts"
    for name in ("NanumGothic.ttf", "NanumGothicBold.ttf"):
        font_manager.fontManager.addfont(str(fonts / name))


STYLE = {
    "font.family": "NanumGothic",
    "font.size": 10,
    "svg.fonttype": "none",
    "axes.unicode_minus": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": QUIET,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "text.color": INK,
    "text.parse_math": False,  # a name between dollar signs is a name
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}


def _svg(
    name: str, height_in: float, paint: Callable[[Axes], None], legend: bool = False
) -> str:
    """Paint one pair of axes; a legend stands above them, at the right."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    _ready()
    style: dict[Any, Any] = {**STYLE, "svg.hashsalt": name}
    with mpl.rc_context(style):
        # at the resolution of SVG nothing has to be scaled
        figure = Figure(figsize=(WIDTH_IN, height_in), dpi=72, facecolor="none")
        axes = figure.add_subplot(facecolor="none")
        paint(axes)
        if legend:
            figure.legend(
                *(axes.get_legend_handles_labels()), loc="upper right", ncols=2,
                frameon=False, handlelength=2.6, borderaxespad=0.1,
            )  # fmt: skip
        _lay_out(figure, axes, top_in=0.3 if legend else PAD_IN)
        out = io.StringIO()
        # not `savefig`: that draws everything once more, only to see how large it is
        FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None})
    # the page sets the width; prolog and metadata are of no use inside HTML
    text = re.sub(r"(?s)^.*?<svg", "<svg", out.getvalue(), count=1)
    text = re.sub(r"(?s)<metadata>.*?</metadata>", "", text)
    # nor are names that nothing points to, and every figure has the same
    used = set(re.findall(r"#([\w-]+)", text))
    text = _in_tags(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", text)
    return re.sub(r'(<svg[^>]*?) (?:height|width)="[^"]*"', r"\1", text)


def _lay_out(figure: Figure, axes: Axes, top_in: float) -> None:
    """Give the axes all the room that their labels leave.

    What Matplotlib's layout engines do, for one pair of axes, in one pass: they took
    half of the time that a figure takes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    width, height = figure.get_size_inches()
    # about where they will be, because the ticks depend on the size
    axes.set_position((0.15, 0.4 / height, 0.83, 1 - (0.4 + top_in) / height))
    inner = axes.get_window_extent()
    outer = axes.get_tightbbox(FigureCanvasAgg(figure).get_renderer())
    if outer is None:  # of invisible axes, says Matplotlib
        return
    dpi = figure.dpi
    left = (inner.x0 - outer.x0) / dpi + PAD_IN
    right = (outer.x1 - inner.x1) / dpi + PAD_IN
    bottom = (inner.y0 - outer.y0) / dpi + PAD_IN
    top = (outer.y1 - inner.y1) / dpi + top_in
    axes.set_position((
        left / width, bottom / height,
        1 - (left + right) / width, 1 - (bottom + top) / height,
    ))  # fmt: skip


def _no_margin(axes: Axes) -> None:
    axes.margins(x=0.02)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def _tradeoff(record: RunRecord, facts: Facts, say: Say) -> str:
    points = facts.thresholds
    chosen = points[nearest(points, record.threshold)]

    def paint(axes: Axes) -> None:
        at = [p.threshold for p in points]
        missed = [p.missed for p in points]
        alarms = [p.false_alarms for p in points]
        axes.plot(at, missed, color=RED, linewidth=2, label=say("figure.missed"))
        axes.plot(
            at,
            alarms,
            color=BLUE,
            linewidth=2,
            linestyle=(0, (4, 2)),
            label=say("figure.false_alarms"),
        )
        axes.axvline(chosen.threshold, color=QUIET, linewidth=1)
        axes.text(
            chosen.threshold,
            1.01,
            say("figure.recommended"),
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=9,
            color=QUIET,
        )
        # false alarms near threshold 0 would flatten everything that matters
        axes.set_ylim(0, max(*missed, 1.3 * chosen.false_alarms, 4) * 1.1)
        axes.set_xlabel(say("figure.threshold"))
        axes.set_ylabel(say("figure.cases"))
        _no_margin(axes)

    return _svg("tradeoff", 2.5, paint, legend=True)


def _groups(facts: Facts, say: Say) -> str:
    bad = [g for g in facts.groups if g.positives and g.missed is not None]
    shown, rest = bad[:MOST_BARS], bad[MOST_BARS:]
    bars = [
        (data_text(g.group), g.positives - (g.missed or 0), g.missed or 0)
        for g in shown
    ]
    if rest:
        missed = sum(g.missed or 0 for g in rest)
        found = sum(g.positives for g in rest) - missed
        bars.append((say("figure.other", count=len(rest)), found, missed))

    def paint(axes: Axes) -> None:
        rows = range(len(bars))
        found = [b[1] for b in bars]
        missed = [b[2] for b in bars]
        axes.barh(rows, found, color=BLUE, label=say("figure.found"))
        axes.barh(
            rows,
            missed,
            left=found,
            color="white",
            edgecolor=RED,
            linewidth=1,
            label=say("figure.missed"),
        )
        most = max(f + m for f, m in zip(found, missed, strict=True))
        for row, (_, f, m) in enumerate(bars):
            axes.text(f + m + most * 0.02, row, f"{f}/{f + m}", va="center", fontsize=9)
        axes.set_yticks(list(rows), [b[0] for b in bars])
        axes.set_xlim(0, most * 1.18)
        axes.invert_yaxis()
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)

    return _svg("groups", 0.75 + 0.26 * len(bars), paint, legend=True)


def scored(facts: Facts) -> list[Group]:
    """Groups with bad and good cases: a score of one kind alone says nothing."""
    return [
        g
        for g in facts.groups
        if g.average_precision is not None and 0 < g.positives < g.cases
    ]


def _scores(facts: Facts, say: Say) -> str:
    rows = scored(facts)[:MOST_BARS]

    def paint(axes: Axes) -> None:
        for row, group in enumerate(rows):
            score = 100 * (group.average_precision or 0)
            base = None if group.baseline is None else 100 * group.baseline
            if base is not None:
                axes.plot([base, score], [row, row], color=FAINT, linewidth=2, zorder=1)
                axes.plot(base, row, "|", color=INK, markersize=11, markeredgewidth=2)
            axes.plot(score, row, "o", color=BLUE, markersize=7)
        axes.plot([], [], "o", color=BLUE, label=say("figure.model"))
        axes.plot([], [], "|", color=INK, markersize=11, label=say("figure.baseline"))
        axes.set_yticks(range(len(rows)), [data_text(g.group) for g in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(-3, 103)
        axes.set_xlabel(say("figure.score"))
        axes.grid(axis="x", color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)

    return _svg("scores", 1.1 + 0.26 * len(rows), paint, legend=True)


def _calibration(facts: Facts, say: Say) -> str:
    bins = facts.calibration

    def paint(axes: Axes) -> None:
        top = max(*(b.predicted for b in bins), *(b.high or b.observed for b in bins))
        top = 100 * min(max(top * 1.08, 0.02), 1.0)
        axes.plot([0, top], [0, top], color=QUIET, linewidth=1, linestyle=(0, (3, 3)))
        for b in bins:
            low, high = b.low, b.high
            if low is not None and high is not None:
                at = 100 * b.predicted
                axes.plot([at, at], [100 * low, 100 * high], color=BLUE, linewidth=1.4)
        axes.plot(
            [100 * b.predicted for b in bins],
            [100 * b.observed for b in bins],
            "o",
            color=BLUE,
            markersize=6,
        )
        axes.set_xlim(-top * 0.03, top * 1.02)
        axes.set_ylim(-top * 0.03, top * 1.02)
        axes.set_xlabel(say("figure.stated", after=" (%)"))
        axes.set_ylabel(say("figure.observed", after=" (%)"))
        axes.text(0.98 * top, top, say("figure.perfect"), ha="right", va="bottom",
                  fontsize=9, color=QUIET, rotation=0)  # fmt: skip
        axes.grid(color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)

    return _svg("calibration", 2.9, paint)


def _chart(chart: Chart, say: Say) -> str:
    def paint(axes: Axes) -> None:
        at = range(len(chart.values))
        axes.plot(at, chart.values, color=BLUE, linewidth=0.9)
        if chart.limit is not None:
            limit = chart.limit
            axes.axhline(limit, color=RED, linewidth=1.4, linestyle=(0, (5, 2)))
            out = [(i, v) for i, v in enumerate(chart.values) if v > limit]
            axes.plot([i for i, _ in out], [v for _, v in out], "D", color=RED,
                      markersize=3.5)  # fmt: skip
            axes.text(
                1.0,
                1.02,
                say("chart.limit", before="– – "),
                transform=axes.transAxes,
                ha="right",
                va="bottom",
                fontsize=9,
                color=RED,
            )
        axes.set_xticks([])
        axes.set_xlabel(say("figure.time", after=" →"))
        _no_margin(axes)

    return _svg(f"chart-{chart.statistic}", 2.2, paint)
