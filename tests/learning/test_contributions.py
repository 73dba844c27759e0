"""Contributions are exact: XGBoost's own values equal those of `shap.TreeExplainer`."""

import numpy as np
import pytest

from kamp_lib.learning.candidates import FittedTrees
from kamp_lib.learning.tool_models import RunTrees, SampleTrees

FEATURES = 6


@pytest.fixture(scope="module")
def explainer():
    import shap

    return shap.TreeExplainer


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    x = random.normal(size=(3000, FEATURES))
    risk = 1 / (1 + np.exp(-(2 * x[:, 0] * x[:, 1] + x[:, 2])))
    return x, (random.random(3000) < risk).astype(int)


def test_quality_trees_give_the_values_of_shap_for_every_row(explainer, data):
    x, bad = data
    flags = np.zeros((len(x), 0))
    fitted = FittedTrees.fit(x, flags, bad.astype(float), 0)
    theirs = explainer(fitted.booster).shap_values(x.astype(np.float32))
    ours = fitted.contributions(x, flags)
    np.testing.assert_allclose(ours, theirs, atol=2e-4)
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).mean() > 0.999


def test_contributions_do_not_change_with_the_number_of_rows_asked_for(data):
    x, bad = data
    flags = np.zeros((len(x), 0))
    fitted = FittedTrees.fit(x, flags, bad.astype(float), 0)
    many, few = fitted.contributions(x, flags), fitted.contributions(x[:5], flags[:5])
    np.testing.assert_array_equal(many[:5], few)


def test_contributions_and_their_base_add_up_to_the_score(data):
    x, bad = data
    flags = np.zeros((len(x), 0))
    fitted = FittedTrees.fit(x, flags, bad.astype(float), 0)
    rest = fitted.score(x, flags) - fitted.contributions(x, flags).sum(axis=1)
    np.testing.assert_allclose(rest, rest[0], atol=1e-3)


def test_trees_on_runs_give_the_values_of_shap(explainer, data):
    x, worn = data
    made = RunTrees().fit(x[:200], worn[:200], np.zeros(FEATURES, dtype=bool), 0)
    unit = made._unit(x[:200])
    shap = explainer(made.booster)
    theirs = shap.shap_values(unit.astype(np.float32))
    ours = made.shares(x[:200])
    # ours share the constant out over the inputs
    shift = (ours - theirs).mean()
    np.testing.assert_allclose(ours, theirs + shift, atol=2e-4)


def test_trees_on_samples_give_the_values_of_shap(explainer, data):
    x, worn = data
    made = SampleTrees().fit([x[:400].astype(np.float32)], worn[:400], 0)
    theirs = explainer(made.booster).shap_values(x[:50].astype(np.float32))
    ours = made.shares([row[None, :].astype(np.float32) for row in x[:50]])
    np.testing.assert_allclose(ours, theirs, atol=2e-4)
