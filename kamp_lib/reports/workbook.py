"""The tables of a bundle as an Excel workbook, one sheet each.

Cells of a company's files are written as what they are: text stays text, so that a
value like `=HYPERLINK(...)` can never become a formula.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kamp_lib.reports import numbers
from kamp_lib.reports.blocks import sentence_of
from kamp_lib.reports.words import Words
from kamp_lib.runs import Bundle
from kamp_lib.text import Language

if TYPE_CHECKING:
    import pandas as pd
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

TABLES = (
    "cases",
    "causes",
    "groups",
    "thresholds",
    "ranges",
    "candidates",
    "calibration",
    "control_chart",
)
# Excel's own limit, less the header.
MOST_ROWS = 1_048_575
PLAIN = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}


def write_workbook(bundle: Bundle, to: Path, lang: Language) -> None:
    """Write summary, tables and findings."""
    import xlsxwriter

    words = Words(lang)
    with xlsxwriter.Workbook(str(to), PLAIN) as book:
        heading = book.add_format({"bold": True, "bottom": 1, "bg_color": "#EEF1F4"})
        _write(book, words("sheet.summary"), _summary(bundle, words), heading)
        for name in TABLES:
            frame = bundle.table(name)
            if len(frame):
                rows = _table(bundle, frame, words)
                _write(book, words(f"sheet.{name}"), rows, heading)
        findings = _findings(bundle, words)
        if len(findings) > 1:
            _write(book, words("sheet.findings"), findings, heading)


def _write(book: Workbook, name: str, rows: list[list[Any]], heading: Any) -> None:
    sheet: Worksheet = book.add_worksheet(name[:31])
    sheet.freeze_panes(1, 0)
    for line, row in enumerate(rows[: MOST_ROWS + 1]):
        for column, value in enumerate(row):
            style = heading if line == 0 else None
            if value is None:
                continue
            if isinstance(value, bool):
                sheet.write_boolean(line, column, value, style)
            elif isinstance(value, (int, float)):
                sheet.write_number(line, column, value, style)
            else:
                # Excel's longest cell
                sheet.write_string(line, column, str(value)[:32_767], style)
    for column in range(len(rows[0])):
        longest = max(len(str(row[column])) for row in rows[:200])
        sheet.set_column(column, column, min(max(10, 1.6 * longest), 60))


def _table(bundle: Bundle, frame: pd.DataFrame, words: Words) -> list[list[Any]]:
    zone = bundle.record.time_zone
    # one language per file: the other one's sentences stay in the bundle
    other = "_en" if words.lang == "ko" else "_ko"
    names = [c for c in frame.columns if not (c.endswith(other) or c == other[1:])]
    head = [words.maybe(f"column.{name}", name, zone=zone) for name in names]
    rows = [
        [_cell(value, zone) for value in row]
        for row in frame[names].itertuples(index=False, name=None)
    ]
    return [head, *rows]


def _cell(value: Any, zone: str) -> Any:
    """A value as Excel can hold it; missing ones stay empty."""
    import pandas as pd

    if value is None or value is pd.NA or (value != value):
        return None
    if isinstance(value, pd.Timestamp):
        return numbers.when(value.to_pydatetime(), zone, seconds=True)
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)
    return value


def _summary(bundle: Bundle, words: Words) -> list[list[Any]]:
    record, data = bundle.record, bundle.record.dataset
    rows: list[list[Any]] = [[words("sheet.item"), words("sheet.value")]]
    if data is not None and data.simulated:
        rows.append([words("list.simulated"), words("page.simulated")])
    rows += [
        [words("origin.company"), words.of(record.tenant_name)],
        [words("origin.model"), f"{words.of(record.model.name)} ({record.model.id})"],
        [words("sheet.verdict"), words.of(sentence_of(record))],
        [words("origin.run"), record.run],
        [words("origin.when"), numbers.when(record.finished, record.time_zone)],
    ]
    if data is not None:
        version = words("origin.version", name=data.name, version=data.version)
        rows += [
            [words("origin.dataset"), version],
            [words("origin.fingerprint"), data.fingerprint],
        ]
    for name, score in record.metrics.items():
        label = words.maybe(f"column.{name}", name)
        rows.append([label, _cell(score.value, "UTC")])
        if score.low is not None and score.high is not None:
            interval = f"{score.low:.3f} – {score.high:.3f}"
            rows.append([f"{label} · {words('trust.interval')}", interval])
    for name, value in record.parameters.items():
        rows.append([f"{words('origin.parameters')}: {name}", _cell(value, "UTC")])
    return rows


def _findings(bundle: Bundle, words: Words) -> list[list[Any]]:
    data = bundle.record.dataset
    names = ("severity", "message", "why", "action")
    rows: list[list[Any]] = [[words(f"column.{name}") for name in names]]
    for found in data.findings if data is not None else ():
        said = (found.message, found.why, found.action)
        rows.append([words(f"trust.{found.severity}"), *map(words.of, said)])
    return rows
