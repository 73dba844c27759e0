"""The one family of errors that people meet: one clear sentence, never a traceback."""

from __future__ import annotations

from kamp_lib.text import Text


class KampError(Exception):
    """Something failed that the person can understand: what, where, what to do next.

    The command line prints the sentence in the reader's language and exits with 1.
    """

    exit_status = 1

    def __init__(self, ko: str, en: str) -> None:
        self.text = Text(ko, en)
        super().__init__(ko, en)

    def __str__(self) -> str:
        return str(self.text)

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the sentence, not the way it came."""
        return [str(self)]


class UsageError(KampError):
    """The request itself is wrong (unknown parameter, impossible value): exit status 2."""

    exit_status = 2
