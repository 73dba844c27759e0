"""The tables of held-out groups and of candidates, the same for every family."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from kamp_lib.learning.tables import candidates_table, groups_table
from kamp_lib.text import Text

CASES = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.sampled_from([0.0, 1.0, np.nan]), st.floats(0, 1)
    ),
    min_size=1,
    max_size=40,
)


def table(cases, threshold=0.5):
    group, label, score = (np.array(part) for part in zip(*cases, strict=True))
    time = pd.Series(pd.NaT, index=range(len(cases)), dtype="datetime64[ns, UTC]")
    return groups_table(group, label, score, threshold, time)


@given(CASES)
def test_flagged_cases_with_a_label_are_false_alarms_or_found(cases):
    known = [case for case in cases if not np.isnan(case[1])]
    if not known:
        return
    groups = table(known)
    found = groups["positives"] - groups["missed"]
    assert (groups["flagged"] == groups["false_alarms"] + found).all()


@given(CASES)
def test_every_case_is_counted_in_one_group(cases):
    assert table(cases)["cases"].sum() == len(cases)


def test_without_a_label_only_the_alarms_are_counted():
    row = table([("a", np.nan, 0.9), ("a", np.nan, 0.1)]).iloc[0]
    assert row["flagged"] == 1
    assert row[["positives", "missed", "false_alarms", "baseline"]].isna().all()


def test_each_part_tells_who_was_chosen_without_it_and_all_who_is_kept():
    label, part = np.array([0.0, 1, 0, 1]), np.array(["1", "1", "2", "2"])
    scores = {"x": np.array([0.1, 0.9, 0.2, 0.8]), "y": np.array([0.9, 0.1, 0.2, 0.8])}
    names = {"x": Text("가", "x"), "y": Text("나", "y")}
    chosen = np.array(["x", "x", "y", "y"])
    found = candidates_table(names, scores, label, part, chosen, "x")
    won = found[found["chosen"]].set_index("group")["candidate"].to_dict()
    assert won == {"all": "x", "1": "x", "2": "y"}
