"""The figures of the pages: small static SVG, drawn once by the run in both languages.

Why static SVG and not a charting library in the browser:
docs/decisions/001-static-svg-figures.md. Every figure is designed for a phone's width
and is laid out by CSS; colours are Okabe and Ito's, which colour-blind people can tell
apart, and never carry a meaning alone.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kamp_lib.reports.facts import Chart, Facts, Group
from kamp_lib.reports.words import Words
from kamp_lib.reports.worth import nearest
from kamp_lib.runs import RunRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
INK, QUIET, FAINT = "#1f2933", "#66727f", "#d5dbe1"
WIDTH_IN = 4.0
MOST_BARS = 14

logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


def draw_figures(record: RunRecord, facts: Facts, words: Words) -> dict[str, str]:
    """All figures that the facts have data for: name -> SVG text."""
    drawn: dict[str, str] = {}
    if facts.labelled:
        drawn["tradeoff"] = _tradeoff(record, facts, words)
        if any(g.positives and g.missed is not None for g in facts.groups):
            drawn["groups"] = _groups(record, facts, words)
        if scored(facts):
            drawn["scores"] = _scores(record, facts, words)
    if len(facts.calibration) > 1:
        drawn["calibration"] = _calibration(facts, words)
    for number, chart in enumerate(facts.charts):
        drawn[f"chart-{number}"] = _chart(chart, words, label_of(record, chart, words))
    return drawn


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
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
}


def _svg(
    name: str, title: str, height_in: float, paint: Callable[[Figure, Axes], None]
) -> str:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    _ready()
    style: dict[Any, Any] = {**STYLE, "svg.hashsalt": name}
    with mpl.rc_context(style):
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        axes = figure.subplots()
        paint(figure, axes)
        out = io.StringIO()
        figure.savefig(
            out, format="svg", transparent=True, metadata={"Date": None, "Title": title}
        )
    # the page sets the width; prolog and metadata are of no use inside HTML
    text = re.sub(r"(?s)^.*?<svg", "<svg", out.getvalue(), count=1)
    text = re.sub(r"(?s)<metadata>.*?</metadata>", "", text)
    return re.sub(r'(<svg[^>]*?) (?:height|width)="[^"]*"', r"\1", text)


def _no_margin(axes: Axes) -> None:
    axes.margins(x=0.02)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def _tradeoff(record: RunRecord, facts: Facts, words: Words) -> str:
    points = facts.thresholds
    chosen = points[nearest(points, record.threshold)]
    title = words("worth.figure", bad=record.model.bad)

    def paint(figure: Figure, axes: Axes) -> None:
        at = [p.threshold for p in points]
        missed = [p.missed for p in points]
        alarms = [p.false_alarms for p in points]
        axes.plot(at, missed, color=RED, linewidth=2, label=words("figure.missed"))
        axes.plot(
            at,
            alarms,
            color=BLUE,
            linewidth=2,
            linestyle=(0, (4, 2)),
            label=words("figure.false_alarms"),
        )
        axes.axvline(chosen.threshold, color=QUIET, linewidth=1)
        axes.text(
            chosen.threshold,
            1.01,
            words("figure.recommended"),
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=9,
            color=QUIET,
        )
        # false alarms near threshold 0 would flatten everything that matters
        axes.set_ylim(0, max(*missed, 1.3 * chosen.false_alarms, 4) * 1.1)
        axes.set_xlabel(words("figure.threshold"))
        axes.set_ylabel(words("figure.cases"))
        figure.legend(
            frameon=False, loc="outside upper right", ncols=2, handlelength=2.6
        )
        _no_margin(axes)

    return _svg(f"tradeoff-{words.lang}", title, 2.5, paint)


def _groups(record: RunRecord, facts: Facts, words: Words) -> str:
    bad = [g for g in facts.groups if g.positives and g.missed is not None]
    shown, rest = bad[:MOST_BARS], bad[MOST_BARS:]
    bars = [
        (_short(g.group), g.positives - (g.missed or 0), g.missed or 0) for g in shown
    ]
    if rest:
        missed = sum(g.missed or 0 for g in rest)
        found = sum(g.positives for g in rest) - missed
        bars.append((words("figure.other", count=len(rest)), found, missed))
    title = words(
        "trust.groups_figure", group=group_word(record, words), bad=record.model.bad
    )

    def paint(figure: Figure, axes: Axes) -> None:
        rows = range(len(bars))
        found = [b[1] for b in bars]
        missed = [b[2] for b in bars]
        axes.barh(rows, found, color=BLUE, label=words("figure.found"))
        axes.barh(
            rows,
            missed,
            left=found,
            color="white",
            edgecolor=RED,
            linewidth=1,
            label=words("figure.missed"),
        )
        most = max(f + m for f, m in zip(found, missed, strict=True))
        for row, (_, f, m) in enumerate(bars):
            axes.text(f + m + most * 0.02, row, f"{f}/{f + m}", va="center", fontsize=9)
        axes.set_yticks(list(rows), [b[0] for b in bars])
        axes.set_xlim(0, most * 1.18)
        axes.invert_yaxis()
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        figure.legend(frameon=False, loc="outside upper right", ncols=2)

    return _svg(f"groups-{words.lang}", title, 0.75 + 0.26 * len(bars), paint)


def scored(facts: Facts) -> list[Group]:
    """Groups with bad and good cases: a score of one kind alone says nothing."""
    return [
        g
        for g in facts.groups
        if g.average_precision is not None and 0 < g.positives < g.cases
    ]


def _scores(record: RunRecord, facts: Facts, words: Words) -> str:
    rows = scored(facts)[:MOST_BARS]
    title = words("trust.scores_figure", group=group_word(record, words))

    def paint(figure: Figure, axes: Axes) -> None:
        for row, group in enumerate(rows):
            score = 100 * (group.average_precision or 0)
            base = None if group.baseline is None else 100 * group.baseline
            if base is not None:
                axes.plot([base, score], [row, row], color=FAINT, linewidth=2, zorder=1)
                axes.plot(base, row, "|", color=INK, markersize=11, markeredgewidth=2)
            axes.plot(score, row, "o", color=BLUE, markersize=7)
        axes.plot([], [], "o", color=BLUE, label=words("figure.model"))
        axes.plot([], [], "|", color=INK, markersize=11, label=words("figure.baseline"))
        axes.set_yticks(range(len(rows)), [_short(g.group) for g in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(-3, 103)
        axes.set_xlabel(words("figure.score"))
        axes.grid(axis="x", color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        figure.legend(frameon=False, loc="outside upper right", ncols=2)

    return _svg(f"scores-{words.lang}", title, 1.1 + 0.26 * len(rows), paint)


def _calibration(facts: Facts, words: Words) -> str:
    bins = facts.calibration

    def paint(figure: Figure, axes: Axes) -> None:
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
        axes.set_xlabel(words("figure.stated") + " (%)")
        axes.set_ylabel(words("figure.observed") + " (%)")
        axes.text(top, top, words("figure.perfect") + " ", ha="right", va="bottom",
                  fontsize=9, color=QUIET, rotation=0)  # fmt: skip
        axes.grid(color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)

    title = words("trust.calibration_figure")
    return _svg(f"calibration-{words.lang}", title, 2.9, paint)


def _chart(chart: Chart, words: Words, name: str) -> str:
    def paint(figure: Figure, axes: Axes) -> None:
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
                "– – " + words("chart.limit"),
                transform=axes.transAxes,
                ha="right",
                va="bottom",
                fontsize=9,
                color=RED,
            )
        axes.set_xticks([])
        axes.set_xlabel(words("figure.time") + " →")
        _no_margin(axes)

    title = words("chart.figure", name=name)
    return _svg(f"chart-{chart.statistic}-{words.lang}", title, 2.2, paint)


def _short(group: str) -> str:
    return group if len(group) <= 12 else group[:11] + "…"
