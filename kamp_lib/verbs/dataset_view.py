"""The page of a data set at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kamp_lib import console
from kamp_lib.console import say
from kamp_lib.text import Text
from kamp_lib.verbs.ingest_view import shorten, show_findings, show_quality

if TYPE_CHECKING:
    from kamp_lib.datasets.profile import ColumnCard, Profile, Timeline
    from kamp_lib.reports.dataset_html import DatasetPage

BLOCKS = " ▁▂▃▄▅▆▇█"
WIDTH = 12
WORDS = 30  # characters of the commonest words
USES = {
    "no": Text("✕ 쓰지 마세요", "✕ do not use"),
    "care": Text("△ 주의", "△ with care"),
    "good": Text("○ 사용 가능", "○ usable"),
}


def show_page(page: DatasetPage) -> None:
    """Quality, what would raise it, when, and every column with its use."""
    from kamp_lib.datasets.quality import quality_advice

    data = page.dataset
    note = Text(" · 모의 데이터", " · simulated") if data.simulated else Text("", "")
    say(
        f"{data.name} · {data.rows:,}행 · 데이터 판 {data.version}{note.ko}",
        f"{data.name} · {data.rows:,} rows · version {data.version}{note.en}",
    )
    show_quality(data.quality)
    for line in quality_advice(data.quality, data.findings):
        say(f"  → {line.ko}", f"  → {line.en}")
    if page.profile.timeline is not None:
        _show_timeline(page.profile.timeline)
    show_findings(data.findings)
    _show_columns(page.profile)


def _show_timeline(line: Timeline) -> None:
    shown = sparkline(line.counts)
    say(
        f"기간 {line.first:%Y-%m-%d %H:%M} {shown} {line.last:%Y-%m-%d %H:%M},"
        f" 끊긴 곳 {len(line.gaps)}",
        f"from {line.first:%Y-%m-%d %H:%M} {shown} to {line.last:%Y-%m-%d %H:%M},"
        f" pauses: {len(line.gaps)}",
    )


def _show_columns(profile: Profile) -> None:
    order = list(USES)
    cards = sorted(profile.cards, key=lambda c: order.index(c.use))
    console.table(
        [
            Text("쓸 수 있나", "use"),
            Text("열", "column"),
            Text("빈칸", "empty"),
            Text("최소 · 값", "low · values"),
            Text("분포", "spread"),
            Text("최대", "high"),
            Text("까닭", "why"),
        ],
        [
            [USES[c.use], c.column.label, f"{1 - c.filled:.0%}", *_spread(c), _why(c)]
            for c in cards
        ],
        whole=(0, 4),
    )


def _spread(card: ColumnCard) -> tuple[str, str, str]:
    """The least value, how the values lie, and the greatest; of words the commonest."""
    spread = card.spread
    if spread is None:
        return shorten(", ".join(word for word, _ in card.tops[:3]), WORDS), "", ""
    low, high = f"{spread.low:,.5g}", f"{spread.high:,.5g}"
    if card.column.kind == "time":
        low = high = ""
    return low, sparkline(spread.bars), high


def _why(card: ColumnCard) -> Text:
    """The reason in a few words; the sentence stands among the findings above."""
    from kamp_lib.datasets.findings import catalogue

    for finding in card.findings:
        if finding.message == card.why:
            return catalogue()[finding.code].title
    return card.why


def sparkline(counts: tuple[int, ...], width: int = WIDTH) -> str:
    """Counts as a row of little bars.

    >>> sparkline((0, 1, 2, 4), width=4)
    ' ▂▄█'
    """
    step = max(1, len(counts) // width)
    sums = [sum(counts[i : i + step]) for i in range(0, len(counts), step)]
    top = max(sums) or 1
    last = len(BLOCKS) - 1
    return "".join(BLOCKS[-(-n * last // top) if n else 0] for n in sums)
