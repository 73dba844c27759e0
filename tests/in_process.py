"""`kamp` in the process of the tests: quicker than a command of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from kamp_lib.cli import main


@dataclass(frozen=True)
class Said:
    """What the command said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Kamp = Callable[..., Said]


def command(
    patch: pytest.MonkeyPatch, heard: pytest.CaptureFixture[str], lang: str = "en"
) -> Kamp:
    """A function that runs `kamp` with its arguments."""

    def call(*arguments: object) -> Said:
        # the command sets its language for its own process
        patch.setenv("KAMP_LANG", lang)
        patch.setattr(sys, "argv", ["kamp", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        said = heard.readouterr()
        return Said(int(stop.value.code or 0), said.out, said.err)

    return call
