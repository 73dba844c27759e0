"""Numbers as people read them: thousands separators, units, KRW, times of the zone."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kamp_lib.text import Language

MAN, EOK = 10_000, 100_000_000


def count(value: float) -> str:
    """A whole number with thousands separators."""
    if not math.isfinite(value):
        return "–"
    return f"{round(value):,}"


def few(value: float) -> str:
    """A count that may be a fraction: one decimal below ten, whole above."""
    if not math.isfinite(value) or value >= 9.95 or abs(value - round(value)) < 0.05:
        return count(value)
    return f"{value:.1f}"


def quantity(value: float | None, unit: str | None = "") -> str:
    """A measured value in about four significant digits, with its unit."""
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if size >= 1000 or size == round(size):
        text = f"{value:,.0f}"
    else:
        digits = 3 - math.floor(math.log10(size))
        text = f"{value:.{min(max(digits, 0), 6)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {unit}" if unit else text


def percent(share: float | None) -> str:
    """A share of 0-1 as percent, precise where it is small."""
    if share is None or not math.isfinite(share):
        return "–"
    value = 100 * share
    if value and abs(value) < 0.1:
        return "< 0.1 %" if value > 0 else "> -0.1 %"
    return f"{value:.1f} %" if abs(value) < 10 else f"{value:.0f} %"


def money(krw: float, lang: Language) -> str:
    """An amount in two or three significant digits: 약 120만 원 without the 약."""
    if not math.isfinite(krw):
        return "–"
    sign = "-" if krw < 0 else ""
    size = _significant(abs(krw), 3 if abs(krw) >= EOK else 2)
    if lang == "en":
        return f"{sign}KRW {size:,}"
    if size >= EOK:
        return f"{sign}{size / EOK:,.2f}".rstrip("0").rstrip(".") + "억 원"
    if size >= MAN:
        return f"{sign}{size / MAN:,.1f}".rstrip("0").rstrip(".") + "만 원"
    return f"{sign}{size:,}원"


def of_ten(share: float) -> str:
    """How many of ten: a whole number, except near nothing and all."""
    if not math.isfinite(share):
        return "–"
    ten = 10 * share
    if 0 < ten < 0.95 or 9.05 < ten < 10:
        return f"{ten:.1f}"
    return str(round(ten))


def when(time: datetime | None, zone: str, *, seconds: bool = False) -> str:
    """A UTC time in the company's zone."""
    if time is None:
        return "–"
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    try:
        local = aware.astimezone(known_zone(zone))
    except OverflowError:  # beyond the years that a calendar has
        local = aware
    return local.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def known_zone(zone: str) -> ZoneInfo:
    """The zone by name; UTC when a record names one that does not exist."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _significant(value: float, digits: int) -> int:
    if value < 1:
        return 0
    scale = 10 ** max(math.floor(math.log10(value)) + 1 - digits, 0)
    return round(value / scale) * scale
