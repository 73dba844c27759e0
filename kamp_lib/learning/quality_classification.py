"""Quality classification: which parts are likely to be bad, why, and what to try.

The steps of the analysis, each small enough to look at: `prepare`, `split`, `fit`,
`judge`, `explain`, `decide`. `analyse` is these steps in a row. Without labels the
same steps end in control charts and say so.
"""

from __future__ import annotations

import pandas as pd

from kamp_lib.learning.outcome import Outcome
from kamp_lib.learning.quality_decide import decide
from kamp_lib.learning.quality_fit import Contest, fit
from kamp_lib.learning.quality_judge import Judged, judge
from kamp_lib.learning.quality_prepare import Plan, Prepared, prepare, split
from kamp_lib.learning.quality_why import Explained, explain
from kamp_lib.learning.task import Task
from kamp_lib.progress import Progress, silent

__all__ = [
    "Contest",
    "Explained",
    "Judged",
    "Plan",
    "Prepared",
    "analyse",
    "decide",
    "explain",
    "fit",
    "judge",
    "prepare",
    "split",
]


def analyse(
    data: pd.DataFrame,
    task: Task,
    *,
    images_folder: object = None,
    progress: Progress = silent,
) -> Outcome:
    """All steps in a row.

    Parameters
    ----------
    data
        Rows of a standard data set, times in UTC.
    images_folder
        Not used; every family takes it.

    Raises
    ------
    KampError
        When there are too few cases, no usable input, or labels nobody understands.
    """
    prepared = prepare(data, task)
    contest = fit(split(prepared), progress=progress)
    judged = judge(contest)
    return decide(judged, explain(judged))
