"""Runs that come back: `schedule`."""

from __future__ import annotations

import typer

from kamp_lib.verbs.common import _

schedules = typer.Typer(
    no_args_is_help=True,
    help=_("정해진 때에 분석을 실행합니다.", "Runs at set times."),
)
