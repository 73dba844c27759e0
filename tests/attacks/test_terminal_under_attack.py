"""Words of a company must not steer the terminal of whoever looks at them."""

from __future__ import annotations

import pytest

from kamp_lib import console
from kamp_lib.text import Text

EVIL = "\x1b[2J\x9b31m\x07\x1b]0;title\x07\u202efdp.exe"


def say() -> None:
    console.say(EVIL, EVIL)


def complain() -> None:
    console.complain(EVIL)


def table() -> None:
    console.table([Text("열", "column")], [[EVIL]])


def progress() -> None:
    with console.progress(Text(EVIL, EVIL)) as listener:
        listener(Text(EVIL, EVIL))


@pytest.mark.parametrize("show", [say, complain, table, progress])
def test_what_would_steer_a_terminal_is_replaced(
    show, capsys: pytest.CaptureFixture[str]
) -> None:
    show()
    shown = "".join(capsys.readouterr())
    assert "fdp.exe" in shown
    assert not set(shown) & set("\x1b\x9b\x07\u202e")


def test_korean_tabs_and_spaces_stay_as_they_are() -> None:
    text = "금형\u00a0온도\u3000 25 ℃\tok\n다음"
    assert console.harmless(text) == text
