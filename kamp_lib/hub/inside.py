"""What a job does inside the walls, told to the host in lines of JSON.

`python -m kamp_lib.hub.inside DEED REQUEST` works once on the one company it can see, and
prints what it has to say: progress, then a result or an error. `… inside serve` stays and
does one request after the other, a line of JSON each, with the libraries loaded once.
The host (`jobs`, `workers`) believes none of it before it has checked it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from kamp_lib.errors import KampError
from kamp_lib.hub.profile import RUN
from kamp_lib.progress import Progress
from kamp_lib.text import Text

INTERRUPTED = 130
SERVE = "serve"


class Step(BaseModel):
    """How far the work is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    step: Text
    done: float = Field(default=0, allow_inf_nan=False)
    total: float | None = Field(default=None, allow_inf_nan=False)


class Failure(BaseModel):
    """An error that a person can understand."""

    model_config = ConfigDict(extra="forbid", strict=True)

    failed: Text
    exit_status: int = Field(ge=1, le=2)


class Found(BaseModel):
    """One run that could be made; as `kamp_lib.runs.pending.Pending`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str = Field(max_length=100)
    # as data sets are named (`kamp_lib.datasets`), or nothing at all
    dataset: str = Field(pattern=r"^([a-z0-9][a-z0-9_-]{0,59})?$")
    version: int = Field(ge=0)
    done: str | None = Field(default=None, max_length=200)
    before: str | None = Field(default=None, max_length=200)
    refused: Text | None = None


class Result(BaseModel):
    """What was made: the id of a run, or the name of a file in the run directory.

    `known` says that the run was there already.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    result: str = Field(max_length=200)
    known: bool = False


Message = Step | Failure | Found | Result


class Voice:
    """Speaks to the host through what was standard output; nothing else may."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)  # what libraries print is no message

    def say(self, message: Message) -> None:
        os.write(self._out, (message.model_dump_json() + "\n").encode())

    def step(self, step: Text, *, done: float = 0, total: float | None = None) -> None:
        self.say(Step(step=step, done=done, total=total))


@cache
def get_ready() -> None:
    """Import what a run needs, without what is slow and of no use to it, once.

    The fork server of kernels imports beside us.
    """
    from kamp_lib.runs import kernel
    from kamp_lib.workspace.lean import hurrying

    kernel.warm_up()
    with hurrying():
        for name in ("nbclient", "papermill.engines", "papermill.clientwrap"):
            import_module(name)


def run(request: dict[str, Any], progress: Progress) -> Result:
    """Run a standard model; the result is the run's id."""
    from kamp_lib.workbench import open_tenant

    get_ready()
    given = request.pop("parameters")
    made = open_tenant().run(**request, progress=progress, **given)
    return Result(result=made.path.name)


def run_once(request: dict[str, Any], progress: Progress) -> Result:
    """As `run`, unless the same run has been made by now."""
    from kamp_lib.runs.pending import pending_runs
    from kamp_lib.tenancy import tenant_named

    get_ready()
    there = pending_runs(
        tenant_named(),
        [request["model"]],
        dataset=request["dataset"],
        parameters=request["parameters"],
    )
    if there and there[0].done is not None:
        return Result(result=there[0].done, known=True)
    return run(request, progress)


def export(request: dict[str, Any], progress: Progress) -> Result:
    """Write a run's report into the run directory; the result is the file's name."""
    from kamp_lib import reports
    from kamp_lib.workbench import open_tenant

    name = f"export{request['suffix']}"
    reports.export(open_tenant().bundle(request["run"]), Path(RUN) / name)
    return Result(result=name)


DEEDS = {"run": run, "run_once": run_once, "export": export}


def plan(request: dict[str, Any], voice: Voice) -> Result:
    """Say what could be run, one by one; the result is how many there are."""
    from kamp_lib.workspace.lean import hurrying

    with hurrying():  # most of a first plan is imports
        import kamp_lib.datasets.storage.dataset  # noqa: F401 - pandas comes with it
        from kamp_lib.runs.pending import pending_runs
        from kamp_lib.tenancy import tenant_named
    found = pending_runs(tenant_named(), request.pop("models"), **request)
    for one in found:
        voice.say(Found(**asdict(one)))
    return Result(result=str(len(found)))


def answer(voice: Voice, deed: str, request: dict[str, Any]) -> int:
    """Do one deed and say how it ended; returns the exit status that goes with it."""
    work: Callable[[], Result] = (
        (lambda: plan(request, voice))
        if deed == "plan"
        else (lambda: DEEDS[deed](request, voice.step))
    )
    try:
        voice.say(work())
    except KampError as error:
        voice.say(Failure(failed=error.text, exit_status=error.exit_status))
        return error.exit_status
    return 0


def serve(voice: Voice) -> int:
    """Do what each line asks for, until there are no more."""
    with os.fdopen(os.dup(0), "rb") as requests:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)  # no kernel reads what is meant for us
        os.close(null)
        for line in requests:
            deed, request = json.loads(line)
            answer(voice, deed, request)
    return 0


def main(arguments: list[str]) -> int:
    """Do what was asked; 0 when it was done."""
    voice = Voice()
    try:
        if arguments == [SERVE]:
            return serve(voice)
        deed, request = arguments
        return answer(voice, deed, json.loads(request))
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
