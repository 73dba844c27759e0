"""What all columns together tell about times: numbers, doubtful dates, bare clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd
import pyarrow.compute as pc

from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.options import DateOrder
from kamp_lib.datasets.parsing.clocks import join_clocks
from kamp_lib.datasets.parsing.dates import (
    by_file_names,
    by_no_future,
    by_order,
    by_other_times,
)
from kamp_lib.datasets.parsing.epochs import MEANING, counted_times
from kamp_lib.datasets.parsing.times import Times, mixes_orders
from kamp_lib.datasets.raw import FILE, Raw
from kamp_lib.datasets.types import Finding
from kamp_lib.errors import KampError
from kamp_lib.text import Text

SAID = {
    "dmy": Text("일/월/년", "day/month/year"),
    "mdy": Text("월/일/년", "month/day/year"),
    "ymd": Text("년/월/일", "year/month/day"),
}
REASONS = {
    "style": Text(
        "같은 파일의 다른 날짜 열과 같은 형식이어서",
        "as another date column of the file is written",
    ),
    "times": Text(
        "다른 시각 열과 날짜가 맞아서", "since another time column then agrees"
    ),
    "file": Text(
        "파일 이름의 날짜와 맞아서", "since the date in the file's name agrees"
    ),
    "custom": Text(
        "점으로 쓴 날짜의 관례에 따라", "as dates with dots are always written"
    ),
    "future": Text(
        "다르게 읽으면 미래의 날짜가 되므로", "since they would else lie in the future"
    ),
    "order": Text(
        "기록이 시간 순으로 이어지도록", "since the rows then run on in time"
    ),
}
CERTAIN = frozenset({"style", "times", "file"})


@dataclass
class Settling:
    """Doubtful date columns beside everything that may tell how they are written."""

    columns: dict[str, pd.Series]  # all typed columns; settled ones are put in
    texts: dict[str, Times]  # the time columns that were text
    files: pd.Series

    def evidence(self, name: str) -> Iterator[tuple[str, DateOrder | None]]:
        """What speaks for an order of the dates, the strongest first."""
        mine = self.texts[name]
        readings = mine.readings
        sure = [t for t in self.texts.values() if not t.readings]
        alike = {t.order for t in sure if t.style == mine.style} & set(readings)
        yield "style", alike.pop() if len(alike) == 1 else None
        others = [
            values
            for other, values in self.columns.items()
            if pd.api.types.is_datetime64_any_dtype(values)
            and not (other in self.texts and self.texts[other].readings)
        ]
        yield "times", by_other_times(readings, others)
        yield "file", by_file_names(readings, self.files)
        yield "custom", "dmy" if mine.style == ".last" else None
        yield "future", by_no_future(readings)
        yield "order", by_order(readings)

    def settle(self, name: str, order: DateOrder) -> None:
        mine = self.texts[name]
        self.columns[name] = mine.readings[order]
        self.texts[name] = Times(mine.readings[order], order, mine.style)


def settle_dates(
    settling: Settling, chosen: DateOrder | None, shown: Callable[[str], list[str]]
) -> list[Finding]:
    """Decide every doubtful column, or refuse.

    Parameters
    ----------
    settling : Settling
        Its `columns` then hold the times as decided.
    chosen : {"dmy", "mdy", "ymd"} or None
        What the person said; it needs no evidence.
    shown : callable
        Gives a few cells of a column as they stand in the file.

    Raises
    ------
    KampError
        When nothing speaks for one order.
    """
    findings: list[Finding] = []
    open_ = [name for name, times in settling.texts.items() if times.readings]
    for name in list(open_):
        if chosen in settling.texts[name].readings and chosen is not None:
            settling.settle(name, chosen)
            open_.remove(name)
    while open_:
        settled = _strongest(settling, open_)
        if settled is None:
            raise _refusal(open_[0], shown(open_[0]), settling.texts[open_[0]])
        name, reason, order = settled
        settling.settle(name, order)
        open_.remove(name)
        findings.append(
            finding(
                "ambiguous-dates",
                columns=[name],
                examples=shown(name),
                severity="info" if reason in CERTAIN else None,
                column=name,
                order=SAID[order],
                reason=REASONS[reason],
            )
        )
    return findings


def _strongest(
    settling: Settling, open_: list[str]
) -> tuple[str, str, DateOrder] | None:
    """The open column with the strongest evidence, its reason and order."""
    found = []
    for name in open_:
        evidence = settling.evidence(name)
        best = next(((why, order) for why, order in evidence if order), None)
        if best is not None:
            found.append((name, *best))
    return min(found, key=lambda f: list(REASONS).index(f[1]), default=None)


def _refusal(name: str, shown: list[str], times: Times) -> KampError:
    ways = list(times.readings)
    ko = ", ".join(f"--dates {way}({SAID[way].ko})" for way in ways)
    en = " or ".join(f"--dates {way} ({SAID[way].en})" for way in ways)
    cells = ", ".join(shown)
    return KampError(
        f"'{name}' 열의 날짜(예: {cells})는 파일만으로는 월과 일을 구별할 수 없습니다."
        f" 맞는 순서를 붙여 다시 실행하세요: {ko}.",
        f"the dates of {name!r} (for example {cells}) do not tell day and month apart;"
        f" run again with {en}.",
    )


def settle_times(
    columns: dict[str, pd.Series],
    texts: dict[str, Times],
    raw: Raw,
    chosen: DateOrder | None,
    time_zone: str,
) -> list[Finding]:
    """Decide what one column alone could not; `columns` then holds the times as decided."""

    def shown(name: str) -> list[str]:
        cells = pc.unique(raw.table[name].slice(0, 1000)).to_pylist()
        return [str(cell) for cell in cells if cell not in (None, "")][:3]

    files = raw.table[FILE].to_pandas()
    findings = _counted(columns, shown, time_zone)
    findings += settle_dates(Settling(columns, texts, files), chosen, shown)
    findings += _mixed(columns)
    return findings + join_clocks(columns, files)


def _mixed(columns: dict[str, pd.Series]) -> list[Finding]:
    """Dates that stayed text, since no one order fits them all."""
    names = [
        name
        for name, values in columns.items()
        if pd.api.types.is_string_dtype(values) and mixes_orders(values)
    ]
    return [
        finding(
            "mixed-dates",
            columns=[name],
            count=int(columns[name].notna().sum()),
            examples=columns[name].dropna().unique()[:3],
            column=name,
        )
        for name in names
    ]


def _counted(
    columns: dict[str, pd.Series],
    shown: Callable[[str], list[str]],
    time_zone: str,
) -> list[Finding]:
    """Numbers that are times, put in their place."""
    findings = []
    for name, values in columns.items():
        found = counted_times(name, values, time_zone)
        if found is None:
            continue
        columns[name] = found.values
        if found.meaning == "digits":
            continue  # nobody reads 20201016165747 in another way
        first = f"{shown(name)[0]} → {found.values.dropna().iloc[0]}"
        findings.append(
            finding(
                "numeric-time",
                columns=[name],
                count=int(found.values.notna().sum()),
                examples=[first],
                column=name,
                meaning=MEANING[found.meaning],
            )
        )
    return findings
