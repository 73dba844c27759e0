"""Problem families: split, baseline, fit, calibrate, judge, explain, recommend.

A family turns rows into cases, holds out whole groups, and hands over an `Outcome`.
`quality_classification`, `tool_wear` and `vision` are the families' own steps, imported
by name (`from kamp_lib.learning import quality_classification`).
"""

from kamp_lib.learning.model_io import load_model
from kamp_lib.learning.outcome import (
    Money,
    Outcome,
    Reason,
    RiskModel,
    Score,
    Split,
    Verdict,
)
from kamp_lib.learning.task import Task, labels_of, task_for

__all__ = [
    "Money",
    "Outcome",
    "Reason",
    "RiskModel",
    "Score",
    "Split",
    "Task",
    "Verdict",
    "labels_of",
    "load_model",
    "task_for",
]
