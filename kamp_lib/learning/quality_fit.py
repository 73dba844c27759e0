"""Second step: let the candidates compete, and fit the one that is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from kamp_lib.brief import Brief
from kamp_lib.learning.calibration import Calibration, fit_calibration
from kamp_lib.learning.candidates import CANDIDATES, CHARTS
from kamp_lib.learning.charts import Charts, fit_charts
from kamp_lib.learning.coded import coded, members
from kamp_lib.learning.competition import (
    FoldResult,
    Numbers,
    compete,
    fit_all,
    most_chosen,
    side_by_side,
)
from kamp_lib.learning.inputs import Encoder
from kamp_lib.learning.quality_model import AT_THE_LIMIT, QualityModel, by_column
from kamp_lib.learning.quality_prepare import Plan
from kamp_lib.learning.tables import candidates_table
from kamp_lib.progress import Progress, silent
from kamp_lib.text import Text


@dataclass(frozen=True, repr=False)
class Contest(Brief):
    """What came out of the competition.

    Attributes
    ----------
    method
        The candidate that is kept: the one chosen most often, so that the headline
        speaks of it.
    score : ndarray, shape (n,)
        Probability of bad from a model that never saw the case's group, through the
        candidate's one curve, so that days rank as the kept model would rank them;
        without labels the alarm score (0.5 = control limit).
    unseen : ndarray, shape (n,)
        The same through a curve that never saw the group either: how far the
        probabilities can be believed is measured on these.
    held_out : dict
        Raw held-out scores per candidate; NaN where one could not be fitted.
    contributions
        Positions -> what each column added, from the model that judged the case.
    """

    plan: Plan
    method: str
    method_name: Text
    score: np.ndarray
    unseen: np.ndarray
    model: QualityModel
    contributions: Callable[[np.ndarray], np.ndarray]
    numbers: Numbers
    results: list[FoldResult] = field(default_factory=list)
    held_out: dict[str, np.ndarray] = field(default_factory=dict)
    charts: Charts | None = None

    def candidates(self) -> pd.DataFrame:
        """The bundle's table `candidates`: every candidate on every group."""
        cases = self.plan.cases
        chosen = np.full(len(cases), "", dtype=object)
        for result in self.results:
            chosen[result.fold.test] = result.chosen
        names = {name: CANDIDATES[name].label for name in self.held_out}
        return candidates_table(
            names, self.held_out, cases.label, cases.group, chosen, self.method
        )

    def table(self) -> pd.DataFrame:
        """Average precision per group: who was good where."""
        long = self.candidates()
        name = "ko" if str(Text("ko", "en")) == "ko" else "en"
        wide = long.pivot_table(
            index="group", columns=name, values="average_precision", sort=False
        )
        return wide.round(3)

    def _repr_html_(self) -> str:
        kept = Text("고른 방법", "kept")
        head = f"<p>{kept}: <b>{self.method_name}</b></p>"
        return head + (self.table().to_html() if self.held_out else "")


def fit(plan: Plan, *, progress: Progress = silent) -> Contest:
    """Let the candidates compete inside each training part; keep and refit one.

    Without both classes there is nothing to compete about: control charts.
    """
    cases, task = plan.cases, plan.task
    encoder = Encoder.fit(cases.frame)
    x = encoder.encode(cases.frame)
    numbers = Numbers(x, cases.label, coded(cases.group)[1], cases.regime)
    if not plan.folds:
        return _charts(plan, encoder, numbers)
    results = compete(numbers, plan.folds, seed=task.seed, progress=progress)
    unseen = np.full(len(cases), np.nan)
    held_out = {name: np.full(len(cases), np.nan) for name in CANDIDATES}
    for result in results:
        unseen[result.fold.test] = result.probability
        for name, raw in result.raw.items():
            held_out[name][result.fold.test] = raw
    method = most_chosen(results)
    curves = {
        name: _curve(held_out[name], cases.label)
        for name in {method, *(r.chosen for r in results)}
    }
    score = np.full(len(cases), np.nan)
    for result in results:
        raw = result.raw[result.chosen]
        score[result.fold.test] = curves[result.chosen].probability(raw)
    everything = np.arange(len(cases))
    with threadpool_limits(1):
        kept = fit_all(numbers, everything, [method], task.seed)[method]
    model = QualityModel(
        encoder=encoder,
        scaler=kept.scaler,
        fitted=kept.fitted,
        calibration=curves[method],
        product=task.product if len(kept.scaler.regimes) > 1 else None,
        products=cases.products,
        main_regime=_main(cases.regime),
    )

    def contributions(at: np.ndarray) -> np.ndarray:
        fold_of = np.empty(len(cases), dtype=int)
        for k, result in enumerate(results):
            fold_of[result.fold.test] = k
        mine = members(fold_of[at], len(results))

        def of_fold(k: int) -> np.ndarray:
            values = results[k].fit.contributions(numbers, at[mine[k]])
            return by_column(values, encoder)

        added = np.zeros((len(at), len(encoder.columns)))
        there = [k for k in range(len(results)) if len(mine[k])]
        for k, part in zip(there, side_by_side(of_fold, there), strict=True):
            added[mine[k]] = part
        return added

    return Contest(
        plan=plan,
        method=method,
        method_name=CANDIDATES[method].label,
        score=score,
        unseen=unseen,
        model=model,
        contributions=contributions,
        numbers=numbers,
        results=results,
        held_out=held_out,
    )


def _charts(plan: Plan, encoder: Encoder, numbers: Numbers) -> Contest:
    cases = plan.cases
    charts = fit_charts(cases, encoder)
    model = QualityModel(
        encoder=encoder,
        scaler=charts.scaler,
        fitted=charts.fitted,
        calibration=AT_THE_LIMIT,
        product=plan.task.product if len(charts.scaler.regimes) > 1 else None,
        products=cases.products,
        main_regime=_main(cases.regime),
    )

    def seen(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        regime = cases.regime[at]
        z = charts.scaler.apply(numbers.x[at], regime)
        return z, charts.scaler.flags(regime)

    def contributions(at: np.ndarray) -> np.ndarray:
        return by_column(charts.fitted.contributions(*seen(at)), encoder)

    ratio = np.maximum(charts.t2, charts.q)
    alarm = AT_THE_LIMIT.probability(np.log(ratio + 1e-12))
    return Contest(
        plan=plan,
        method="charts",
        method_name=CHARTS,
        score=alarm,
        unseen=alarm,
        model=model,
        contributions=contributions,
        numbers=numbers,
        charts=charts,
    )


def _curve(held_out: np.ndarray, label: np.ndarray) -> Calibration:
    scored = ~np.isnan(held_out)
    return fit_calibration(held_out[scored], label[scored])


def _main(regime: np.ndarray) -> str:
    names, codes = coded(regime)
    return str(names[int(np.bincount(codes).argmax())])
