"""Problem families: split, baseline, fit, calibrate, judge, explain, recommend.

A family turns rows into cases, holds out whole groups, and hands over an `Outcome`.
`quality_classification`, `tool_wear` and `vision` are the families' own steps, imported
by name (`from kamp_lib.learning import quality_classification`).

What computes is loaded when it is first used: a decision page reads the records of runs
and must not wait for the libraries that made them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kamp_lib.learning.outcome import (
    Money,
    Outcome,
    Reason,
    RiskModel,
    Score,
    Split,
    Verdict,
)

if TYPE_CHECKING:
    from kamp_lib.learning.model_io import load_model
    from kamp_lib.learning.task import Task, labels_of, task_for

_LATER = {
    "load_model": "model_io",
    "Task": "task",
    "labels_of": "task",
    "task_for": "task",
}

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


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
