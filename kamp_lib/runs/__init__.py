"""A Papermill run of a standard model -> a run bundle.

`execute` runs an analysis notebook in a kernel of its own; inside the notebook `begin`
opens the data and `Run.save` writes what was found. A bundle is the only record of a
run: written whole, or not at all.
"""

from kamp_lib.runs.bundle import Bundle, list_runs, open_run
from kamp_lib.runs.context import Run, begin
from kamp_lib.runs.execute import execute, failed_sentence
from kamp_lib.runs.record import DatasetRef, ModelRef, RunRecord

__all__ = [
    "Bundle",
    "DatasetRef",
    "ModelRef",
    "Run",
    "RunRecord",
    "begin",
    "execute",
    "failed_sentence",
    "list_runs",
    "open_run",
]
