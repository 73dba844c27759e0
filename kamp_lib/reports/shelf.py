"""The published reports of companies: found by name, listed for a reader."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kamp_lib.errors import KampError
from kamp_lib.reports.blocks import sentence_of, state_of
from kamp_lib.reports.notes import (
    REPORT,
    Publication,
    current_runs,
    published_folders,
    read_publication,
)
from kamp_lib.runs import Bundle
from kamp_lib.runs.bundle import RUN_ID
from kamp_lib.tenancy.tenants import SLUG

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """One published report: its folder is certain, its content is not."""

    tenant: str
    folder: Path

    @property
    def run(self) -> str:
        return self.folder.name

    @property
    def bundle(self) -> Bundle:
        return Bundle(self.folder)

    @cached_property
    def publication(self) -> Publication | None:
        """Who released it, when; None where that was not recorded."""
        return read_publication(self.folder)


def find_report(published: Mapping[str, Path], tenant: str, run: str) -> Report | None:
    """The report of this company and run; None for anything that is not one.

    Names are held against their patterns before any path is made of them, and a link
    anywhere on the way means that it is none of ours.
    """
    if not SLUG.fullmatch(tenant) or not RUN_ID.fullmatch(run):
        return None
    home = published.get(tenant)
    if home is None:
        return None
    root = home.resolve()
    folder = root / run
    notebook = folder / REPORT
    if not notebook.is_file() or notebook.resolve() != notebook:
        return None
    return Report(tenant, folder)


def list_reports(published: Mapping[str, Path]) -> list[Report]:
    """All published reports, newest run first."""
    found = [
        report
        for tenant, home in published.items()
        for folder in published_folders(home)
        if (report := find_report(published, tenant, folder.name)) is not None
    ]
    return sorted(found, key=lambda r: r.run, reverse=True)


def cards(published: Mapping[str, Path]) -> tuple[list[Card], list[Card]]:
    """What a list of reports shows: the current ones, and the earlier ones.

    A report is an earlier one when the same model was released again on the same data
    set; it stays readable.
    """
    reports = list_reports(published)
    current: set[tuple[str, str]] = set()
    for slug in published:
        notes = [r.publication for r in reports if r.tenant == slug]
        runs = current_runs([note for note in notes if note is not None])
        current |= {(slug, run) for run in runs}
        current |= {(slug, r.run) for r in reports if r.publication is None}
    made = [Card(report, _record(report)) for report in reports]
    now = [c for c in made if (c.report.tenant, c.report.run) in current]
    return now, [c for c in made if c not in now]


@dataclass(frozen=True)
class Card:
    """One report in a list; without a record it can only be named."""

    report: Report
    record: Any

    @property
    def state(self) -> str:
        return state_of(self.record)

    @property
    def sentence(self) -> Any:
        return sentence_of(self.record)

    @property
    def equipment(self) -> Any:
        """The name of the equipment's kind, where the catalogue knows it."""
        from kamp_lib.catalog import equipment_types

        data = self.record.dataset
        kind = data.equipment if data else self.record.model.equipment
        known = equipment_types().get(kind or "")
        return known.label if known else None


def _record(report: Report) -> Any:
    try:
        return report.bundle.record
    except KampError as error:
        log.warning("unreadable report: %s", error.text.en)
        return None
