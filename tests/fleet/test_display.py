"""How far a batch is, as a person at a terminal and a log see it."""

from __future__ import annotations

import io

import pytest
from fleet.test_report import FAILED, outcome
from rich.console import Console
from rich.progress import Progress as Bar

from kamp_lib.fleet.display import Lines, Live, line_of
from kamp_lib.text import Text


def test_a_log_gets_a_line_per_run(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(2)
    lines.ended(outcome(verdict="usable"))
    lines.ended(FAILED)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "  [1/2] 에이스 · 사출 양불 판정 · m1 · 사용 가능 (1.2 s)"
    assert "실패: 금형이 없습니다" in told[1]


def test_a_terminal_shows_the_whole_and_each_run() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    with Bar(console=screen, auto_refresh=False) as bar:
        live = Live(bar, 2)
        with live.one(0, outcome().order) as progress:
            progress(Text("나누기", "Split"), done=1, total=4)
            shown = [task.description for task in bar.tasks if task.visible]
        live.ended(outcome())
        assert shown == ["배치", "에이스 · 사출 양불 판정 · m1 · 나누기"]
        assert [task.completed for task in bar.tasks if task.visible] == [1]


def test_what_a_company_wrote_does_not_steer_the_terminal() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    with Bar(console=screen, auto_refresh=False) as bar:
        Live(bar, 1).ended(
            outcome("m\x1b[2J", "failed", said=Text("\x1b]0;x\x07[red]", "x"))
        )
    assert "\x1b[2J" not in screen.file.getvalue()  # type: ignore[attr-defined]
    assert "\x07" not in screen.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]" in line_of(outcome("[red]"))
