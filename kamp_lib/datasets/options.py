"""What a person decides about a file that the file itself does not tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kamp_lib.datasets.types import ColumnMatch
from kamp_lib.progress import Progress, silent

DateOrder = Literal["dmy", "mdy", "ymd"]
Layout = Literal["as-is", "long", "wide"]
Personal = Literal["mask", "refuse", "keep"]

# Asked with the name of a file that is locked; None: there is no password.
AskPassword = Callable[[str], str | None]


def no_password(name: str) -> str | None:
    """Nobody there to ask."""
    return None


# Asked with a doubtful match and the standard names that are left; gives the name to
# store. None: the question stays open, and the column keeps its own name.
AskColumn = Callable[[ColumnMatch, Sequence[str]], str | None]


def nobody_to_ask(match: ColumnMatch, names: Sequence[str]) -> str | None:
    """Nobody there to ask."""
    return None


@dataclass(frozen=True)
class Options:
    """Choices for one ingest; the defaults let the file speak for itself.

    Parameters
    ----------
    sheet : str, optional
        The sheet of a workbook, the table of a database or the variable of a signal
        file; None takes the one that fits best and says so.
    dates : {"dmy", "mdy", "ymd"}, optional
        How doubtful dates are written; None decides by evidence and refuses without.
    layout : {"as-is", "long", "wide"}, optional
        Whether a table of many like columns is turned; None decides by evidence.
    personal : {"mask", "refuse", "keep"}, default "mask"
        What is done with names, phone and resident numbers.
    fixes : tuple of str, optional
        Codes of findings whose fix is applied before storing; None applies those that
        were applied to the data set's last file, where they are needed again.
    password : callable
        Gives the password of a locked file.
    scratch : Path, optional
        A folder on a disk with room for a table that is too large for memory; None is
        the system's temporary folder.
    progress : Progress
        Told how far a large file is read.
    column : callable
        Says which standard column a doubtful one is.
    """

    sheet: str | None = None
    dates: DateOrder | None = None
    layout: Layout | None = None
    personal: Personal = "mask"
    fixes: tuple[str, ...] | None = None
    password: AskPassword = no_password
    scratch: Path | None = None
    progress: Progress = silent
    column: AskColumn = nobody_to_ask


UNSAID = Options()
