"""What a job does inside the walls, told to the host in lines of JSON.

`python -m kamp_lib.hub.inside` reads one request from its arguments, works on the one
company it can see, and prints what it has to say: progress, then a result or an error.
The host (`jobs`) believes none of it before it has checked it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from kamp_lib.errors import KampError
from kamp_lib.hub.profile import RUN
from kamp_lib.progress import Progress
from kamp_lib.text import Text

INTERRUPTED = 130


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


class Result(BaseModel):
    """What was made: the id of a run, or the name of a file in the run directory."""

    model_config = ConfigDict(extra="forbid", strict=True)

    result: str = Field(max_length=200)


Message = Step | Failure | Result


class Voice:
    """Speaks to the host through what was standard output; nothing else may."""

    def __init__(self) -> None:
        self._out = os.dup(1)
        os.dup2(2, 1)  # what libraries print is no message

    def say(self, message: Message) -> None:
        os.write(self._out, (message.model_dump_json() + "\n").encode())

    def step(self, step: Text, *, done: float = 0, total: float | None = None) -> None:
        self.say(Step(step=step, done=done, total=total))


def run(request: dict[str, Any], progress: Progress) -> str:
    """Run a standard model; returns the run's id."""
    from kamp_lib.workbench import open_tenant

    given = request.pop("parameters")
    return open_tenant().run(**request, progress=progress, **given).path.name


def export(request: dict[str, Any], progress: Progress) -> str:
    """Write a run's report into the run directory; returns the file's name."""
    from kamp_lib import reports
    from kamp_lib.workbench import open_tenant

    name = f"export{request['suffix']}"
    reports.export(open_tenant().bundle(request["run"]), Path(RUN) / name)
    return name


DEEDS = {"run": run, "export": export}


def main(arguments: list[str]) -> int:
    """Do what was asked; 0 when it was done."""
    voice = Voice()
    deed, request = arguments
    try:
        voice.say(Result(result=DEEDS[deed](json.loads(request), voice.step)))
    except KampError as error:
        voice.say(Failure(failed=error.text, exit_status=error.exit_status))
        return error.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
