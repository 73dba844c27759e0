"""The bundle's tables of held-out groups and of candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kamp_lib.learning.outcome import Money
from kamp_lib.learning.scores import average_precision, roc_auc
from kamp_lib.text import Text

GROUPS = [
    "group",
    "first_time",
    "cases",
    "positives",
    "average_precision",
    "roc_auc",
    "baseline",
    "missed",
    "false_alarms",
]
CANDIDATES = [
    "candidate",
    "ko",
    "en",
    "group",
    "average_precision",
    "roc_auc",
    "chosen",
]


def groups_table(
    groups: np.ndarray,
    bad: np.ndarray,
    probability: np.ndarray,
    threshold: float,
    time: pd.Series | None = None,
) -> pd.DataFrame:
    """One row per held-out group."""
    rows = []
    for group in pd.unique(pd.Series(groups)):
        here = groups == group
        alarm = probability[here] >= threshold
        rows.append(
            {
                "group": str(group),
                "first_time": time[here].min() if time is not None else pd.NaT,
                "cases": int(here.sum()),
                "positives": int(bad[here].sum()),
                "average_precision": average_precision(bad[here], probability[here]),
                "roc_auc": roc_auc(bad[here], probability[here]),
                "baseline": float(bad[here].mean()),
                "missed": int((~alarm & (bad[here] == 1)).sum()),
                "false_alarms": int((alarm & (bad[here] == 0)).sum()),
            }
        )
    return pd.DataFrame(rows, columns=GROUPS).astype(
        {"average_precision": float, "roc_auc": float}
    )


def candidates_table(
    names: Mapping[str, Text],
    scores: Mapping[str, np.ndarray],
    bad: np.ndarray,
    fold: np.ndarray,
    chosen: Sequence[str],
    winner: str,
) -> pd.DataFrame:
    """Every candidate in every held-out part, and all parts together."""
    rows = []
    parts: list[tuple[str, np.ndarray, str]] = [
        (str(k + 1), fold == k, pick) for k, pick in enumerate(chosen)
    ]
    if scores:
        parts.append(("all", fold >= 0, winner))
    for group, here, pick in parts:
        for candidate, score in scores.items():
            rows.append(
                {
                    "candidate": candidate,
                    "ko": names[candidate].ko,
                    "en": names[candidate].en,
                    "group": group,
                    "average_precision": average_precision(bad[here], score[here]),
                    "roc_auc": roc_auc(bad[here], score[here]),
                    "chosen": candidate == pick,
                }
            )
    return pd.DataFrame(rows, columns=CANDIDATES).astype(
        {"average_precision": float, "roc_auc": float}
    )


def money_of(
    parameters: Mapping[str, Any], cases: int, time: pd.Series, rate: float
) -> Money:
    """Counts from which a page computes KRW.

    Cases per month are the parameter; else counted over the data's own days; else the
    data set is taken for one month, and called an assumption.
    """
    said = parameters.get("monthly_cases")
    days = time.dropna().dt.floor("D").nunique() if time.notna().any() else 0
    per_month = float(said) if said else (cases / days * 30 if days >= 7 else cases)
    return Money(
        cases_per_month=per_month,
        cases_per_month_is_assumption=not said and days < 7,
        cost_missed=float(parameters["cost_missed"]),
        cost_false_alarm=float(parameters["cost_false_alarm"]),
        prices_are_assumption=True,
        base_rate=rate,
    )
