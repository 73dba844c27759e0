"""Power factors that are computed from the energies beside them."""

from __future__ import annotations

import numpy as np

from kamp_lib.datasets.checks.context import Context
from kamp_lib.datasets.findings import finding
from kamp_lib.datasets.mapping.evidence import quantity_of
from kamp_lib.datasets.types import Finding

FEWEST_ROWS = 30
HOLDS = 0.98  # of the rows
ROUNDING = 0.0075  # per cent; the energies are rounded, too


def power_factors(context: Context) -> list[Finding]:
    """Power factor = active / sqrt(active² + reactive²), all of the same instant."""
    by_kind: dict[str, list[str]] = {}
    for column in context.measured:
        quantity = quantity_of(column)
        if quantity is not None:
            by_kind.setdefault(quantity.id, []).append(column)
    active = by_kind.get("energy", []) + by_kind.get("power", [])
    findings = []
    for factor in by_kind.get("power-factor", []):
        for reactive in by_kind.get("reactive-power", []):
            for real in active:
                share = _share(context, factor, real, reactive)
                if share >= HOLDS:
                    findings.append(_said(context, factor, real, reactive, share))
    return findings


def _share(context: Context, factor: str, real: str, reactive: str) -> float:
    """Share of the rows in which the three agree to rounding."""
    seen, p, q = (context.numbers[c] for c in (factor, real, reactive))
    # without any reactive power the factor is 100 whatever the rest is: no evidence
    held = np.isfinite(seen) & np.isfinite(p) & np.isfinite(q) & (p != 0) & (q != 0)
    if held.sum() < FEWEST_ROWS:
        return 0.0
    scale = 100.0 if np.abs(seen[held]).max() > 1.5 else 1.0
    p, q = p[held], q[held]
    made = scale * np.abs(p) / np.hypot(p, q)
    # what the last digits of the energies can do to the factor
    slack = scale * (ROUNDING / 100 + 0.005 * np.abs(q) / np.hypot(p, q) ** 2 * 2)
    return float((np.abs(np.abs(seen[held]) - made) <= slack).mean())


def _said(
    context: Context, factor: str, real: str, reactive: str, share: float
) -> Finding:
    names = [context.shown(c) for c in (factor, real, reactive)]
    formula = f"{names[0]} = {names[1]} / √({names[1]}² + {names[2]}²)"
    return finding(
        "derived-column",
        columns=context.names(factor, real, reactive),
        count=round(share * len(context.frame)),
        examples=[formula],
        column=names[0],
        formula=formula,
    )
