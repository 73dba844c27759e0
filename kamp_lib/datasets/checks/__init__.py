"""The checks of the door: each looks at the mapped frame and says what it finds.

A check is a function `check(context) -> list[Finding]`; the order of `CHECKS` matters
where an earlier one explains what a later one would also stumble over (values that were
standardised lie outside every range; placeholders are not implausible values too).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd

from kamp_lib.catalog import Equipment, equipment_type
from kamp_lib.datasets.abreast import Start, beside, ready
from kamp_lib.datasets.checks.clocks import drifting_columns
from kamp_lib.datasets.checks.columns import (
    already_standardised,
    dead_columns,
    sentinel_values,
)
from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.checks.derived import derived_columns
from kamp_lib.datasets.checks.electrical import power_factors
from kamp_lib.datasets.checks.files import missing_files
from kamp_lib.datasets.checks.labels import (
    contradicting_twins,
    graded_labels,
    label_flags,
    label_in_disguise,
    single_class_label,
    unjudged_runs,
)
from kamp_lib.datasets.checks.parts import Check, parts_to_check, taken
from kamp_lib.datasets.checks.personal import personal_data
from kamp_lib.datasets.checks.physics import impossible_physics
from kamp_lib.datasets.checks.ranges import implausible_values, swapped_columns
from kamp_lib.datasets.checks.regimes import product_changes, regime_changes
from kamp_lib.datasets.checks.runs import copied_runs
from kamp_lib.datasets.checks.setpoints import setpoint_actual_swapped
from kamp_lib.datasets.checks.steps import quantisation_changes, unit_changes
from kamp_lib.datasets.checks.stuck import frozen_sensors, saturation
from kamp_lib.datasets.checks.suspects import suspected_units
from kamp_lib.datasets.checks.tables import (
    blank_cells,
    index_columns,
    near_constant_columns,
    rows_in_time_order,
)
from kamp_lib.datasets.checks.times import restarting_id, time_stamps
from kamp_lib.datasets.checks.words import category_variants
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.types import Finding, Mapping
from kamp_lib.progress import Progress, silent
from kamp_lib.text import Text

CHECKING = Text("데이터 점검", "checking the data")
ORDER = {"error": 0, "warning": 1, "info": 2}
CHECKS: tuple[Check, ...] = (
    already_standardised,
    sentinel_values,
    swapped_columns,
    suspected_units,
    setpoint_actual_swapped,
    unit_changes,
    implausible_values,
    impossible_physics,
    frozen_sensors,
    saturation,
    quantisation_changes,
    product_changes,
    regime_changes,
    blank_cells,
    index_columns,
    dead_columns,
    near_constant_columns,
    derived_columns,
    power_factors,
    category_variants,
    time_stamps,
    missing_files,
    drifting_columns,
    restarting_id,
    rows_in_time_order,
    personal_data,
    single_class_label,
    graded_labels,
    unjudged_runs,
    label_in_disguise,
    label_flags,
    contradicting_twins,
    copied_runs,
)
# Checks that neither say nor ask what another has explained, and look at no number that
# another may take out: it is all one when they run.
APART: frozenset[Check] = frozenset(
    {
        category_variants,
        drifting_columns,
        missing_files,
        personal_data,
        time_stamps,
    }
)


def check(
    frame: pd.DataFrame,
    equipment: str | Equipment,
    record_kind: str | None,
    *,
    mapping: Mapping | None = None,
    rejected: int = 0,
    progress: Progress = silent,
) -> list[Finding]:
    """Look for everything that may be wrong with a frame; change nothing.

    Parameters
    ----------
    frame : DataFrame
        Typed columns under stored names, with `_file` and `_row`.
    equipment : str or Equipment
        Whose column dictionary says what the columns mean.
    record_kind : str or None
        What one row is.
    mapping : Mapping, optional
        Lets findings name the columns as the file does.
    rejected : int
        Rows of the upload that are in quarantine instead: no gaps.
    progress : Progress
        Told before each check.

    Returns
    -------
    list of Finding
        The gravest first.
    """
    machine = equipment_type(equipment) if isinstance(equipment, str) else equipment
    findings: list[Finding] = []
    parts = parts_to_check(*frame.shape, CHECKS)
    total, done, looked = sum(len(checks) for _, checks in parts), 0, 0
    for rows, checks in parts:
        part = ready(taken(frame, rows))
        looked = max(looked, len(part))
        context = Context(part, machine, record_kind, mapping, rejected)
        said = {(f.code, *f.columns) for f in findings}
        abreast = len(part) if len(parts) == 1 else 0  # memory holds one part as it is
        with beside(rows=abreast) as start:
            for found in _turns(context, checks if len(part) else (), start):
                progress(CHECKING, done=done, total=total)
                done += 1
                findings += [f for f in found() if (f.code, *f.columns) not in said]
    if len(parts) > 1:
        findings.append(finding("checked-in-part", count=len(frame), looked=looked))
    return sorted(findings, key=lambda f: ORDER[f.severity])


def _turns(
    context: Context, checks: Sequence[Check], start: Start
) -> list[Callable[[], list[Finding]]]:
    """What gives the findings of each check in its turn; some are begun at once."""
    begun = {look: start(look, context) for look in checks if look in APART}
    return [begun.get(look) or partial(look, context) for look in checks]
