"""The data-quality score: five parts, each 0-100 with a plain formula.

completeness
    Mean share of filled cells: standard columns count 1, columns the catalogue does not
    know 1/4. Labels and their reasons do not count (a part not judged is not a gap).
validity
    Share of rows that were not quarantined, times the share of plausible cells among
    the cells that have a plausible range or hold a placeholder (implausible values
    and placeholders are out).
uniqueness
    Share of rows read that are neither duplicates of one another nor twins of another
    image; less 15 when runs are copies of one another.
consistency
    100, less 30 per error, 8 per warning and 1 per note about how columns and labels
    agree with one another.
timeliness
    100 with a filled, fine, ordered time stamp; less the share of missing stamps, 40
    when stamps cannot tell records apart, 20 when they run backwards or are wrong, 10
    when records are missing; 50 without any time column where the record kind has one.

The score is the weighted mean: completeness and validity 25 %, uniqueness and
consistency 20 %, timeliness 10 %.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from kamp_lib.catalog import Equipment, equipment_type
from kamp_lib.datasets.findings import catalogue
from kamp_lib.datasets.mapping.propose import PROVENANCE, standard_columns
from kamp_lib.datasets.types import Finding, Quality
from kamp_lib.text import Text

WEIGHTS = {
    "completeness": 0.25,
    "validity": 0.25,
    "uniqueness": 0.20,
    "consistency": 0.20,
    "timeliness": 0.10,
}
EXTRA_WEIGHT = 0.25
# Which part a finding lowers; the rest lower none.
PART_OF = {
    "implausible-values": "validity",
    "sentinel-value": "validity",
    "duplicate-rows": "uniqueness",
    "copied-runs": "uniqueness",
    "overlapping-files": "uniqueness",
    "near-duplicate-images": "uniqueness",
    "duplicate-timestamps": "timeliness",
    "coarse-timestamps": "timeliness",
    "unordered-timestamps": "timeliness",
    "implausible-dates": "timeliness",
    "day-end-midnight": "timeliness",
    "clock-drift": "timeliness",
    "summer-time": "timeliness",
    "time-gaps": "timeliness",
    "time-without-date": "timeliness",
    "shifted-columns": "consistency",
    "swapped-columns": "consistency",
    "dead-column": "consistency",
    "derived-column": "consistency",
    "contradicting-twins": "consistency",
    "label-in-disguise": "consistency",
    "single-class-label": "consistency",
    "already-standardised": "consistency",
    "restarting-id": "consistency",
    "category-variants": "consistency",
    "frozen-sensor": "consistency",
    "saturation": "consistency",
    "quantisation-change": "consistency",
    "unit-change": "consistency",
    "setpoint-actual-swapped": "consistency",
    "impossible-physics": "consistency",
    "mixed-image-modes": "consistency",
    "text-for-missing": "completeness",
    "blank-cells": "completeness",
}
WRONG_TIMES = ("unordered-timestamps", "implausible-dates", "day-end-midnight",
               "clock-drift", "summer-time")  # fmt: skip
PENALTY = {"error": 30.0, "warning": 8.0, "info": 1.0}
PARTS = {
    "completeness": Text("완전성", "Completeness"),
    "validity": Text("유효성", "Validity"),
    "uniqueness": Text("유일성", "Uniqueness"),
    "consistency": Text("일관성", "Consistency"),
    "timeliness": Text("적시성", "Timeliness"),
}


def quality_score(
    frame: pd.DataFrame,
    findings: Sequence[Finding],
    *,
    rows_read: int,
    rows_quarantined: int,
    rows_duplicate: int,
    equipment: str | Equipment,
    record_kind: str | None,
) -> Quality:
    """Score the rows that are about to be stored.

    Parameters
    ----------
    frame : DataFrame
        Typed columns under stored names, after quarantine and duplicates.
    findings : sequence of Finding
        Everything that was found on the way.
    rows_read, rows_quarantined, rows_duplicate : int
        Data rows of the upload; what was stored before is no duplicate.
    equipment : str or Equipment
    record_kind : str or None

    Returns
    -------
    Quality
        Each part and the score from 0 to 100, to one decimal.
    """
    machine = equipment_type(equipment) if isinstance(equipment, str) else equipment
    values = frame.drop(columns=[c for c in PROVENANCE if c in frame.columns])
    known = standard_columns(values.columns, machine, record_kind)
    read = max(1, rows_read)
    by_code: dict[str, list[Finding]] = {}
    for found in findings:
        by_code.setdefault(found.code, []).append(found)

    # column by column: the whole may not fit into memory
    filled = pd.Series(0.0, values.columns)
    for name in values.columns if len(values) else ():
        filled[name] = values[name].notna().mean()
    targets = {n for n, c in known.items() if c.role == "target"}
    weights = pd.Series(
        {n: 1.0 if n in known else EXTRA_WEIGHT for n in values.columns}
    )
    weights = weights.drop(index=list(targets)).astype(float)
    completeness = 100.0 * _mean(filled.reindex(weights.index), weights)

    doubtful = [
        f
        for code in ("implausible-values", "sentinel-value")
        for f in by_code.get(code, [])
    ]
    judged = {n for n, c in known.items() if c.min is not None or c.max is not None}
    judged |= {n for f in doubtful for n in f.columns if n in values.columns}
    cells = max(1, len(values) * len(judged))
    doubted = sum(f.count for f in doubtful)
    validity = 100.0 * (1 - rows_quarantined / read) * max(0.0, 1 - doubted / cells)

    pasted = sum(
        f.count
        for f in by_code.get("duplicate-rows", [])
        if rows_duplicate == 0 and f.severity != "info"
    )
    images = sum(f.count for f in by_code.get("near-duplicate-images", []))
    copied = sum(0.5 * PENALTY[f.severity] for f in by_code.get("copied-runs", []))
    uniqueness = 100.0 * (1 - (rows_duplicate + pasted + images) / read) - copied

    consistency = 100.0 - sum(
        PENALTY[f.severity] for f in findings if PART_OF.get(f.code) == "consistency"
    )
    parts = {
        "completeness": completeness,
        "validity": validity,
        "uniqueness": uniqueness,
        "consistency": consistency,
        "timeliness": _timeliness(values, machine, record_kind, by_code),
    }
    parts = {name: min(100.0, max(0.0, float(value))) for name, value in parts.items()}
    score = sum(WEIGHTS[name] * value for name, value in parts.items())
    return Quality(
        score=round(score, 1),
        **{name: round(value, 1) for name, value in parts.items()},
    )


def _mean(values: pd.Series, weights: pd.Series) -> float:
    return float((values * weights).sum() / weights.sum()) if len(weights) else 1.0


def _timeliness(
    values: pd.DataFrame,
    machine: Equipment,
    record_kind: str | None,
    by_code: dict[str, list[Finding]],
) -> float:
    expected = any(c.role == "time" for c in machine.columns_of(record_kind))
    times = [
        c for c in values.columns if pd.api.types.is_datetime64_any_dtype(values[c])
    ]
    if not times:
        return 50.0 if expected else 100.0
    column = "ts" if "ts" in times else times[0]
    part = 100.0 * float(values[column].notna().mean()) if len(values) else 0.0
    for codes, less in (
        (("coarse-timestamps", "duplicate-timestamps"), 40.0),
        (WRONG_TIMES, 20.0),
        (("time-gaps",), 10.0),
    ):
        found = [f for code in codes for f in by_code.get(code, [])]
        if any(f.severity != "info" for f in found):
            part -= less
    return part


def quality_advice(quality: Quality, findings: Sequence[Finding]) -> list[Text]:
    """What would raise the score, the weightiest part first; empty when all is well."""
    lost = sorted(
        PARTS, key=lambda p: WEIGHTS[p] * (100.0 - getattr(quality, p)), reverse=True
    )
    advice = []
    for part in lost:
        points = WEIGHTS[part] * (100.0 - getattr(quality, part))
        if points < 0.5:
            continue
        causes = [f for f in findings if PART_OF.get(f.code) == part]
        causes.sort(key=lambda f: -PENALTY[f.severity])
        entry = catalogue()[causes[0].code] if causes else None
        ko = entry.fix_ko if entry else "빈칸과 보류된 행을 줄이세요."
        en = entry.fix_en if entry else "Fewer gaps and quarantined rows."
        if part == "timeliness" and not causes:
            ko = "기록마다 시각(초 단위)을 함께 내보내세요."
            en = "Export a time stamp (to the second) with every record."
        name = PARTS[part]
        advice.append(
            Text(
                f"{name.ko}(+{points:.1f}점): {ko}", f"{name.en} (+{points:.1f}): {en}"
            )
        )
    return advice
