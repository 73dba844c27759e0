"""What a company has released, read from its folder as from a stranger's.

The portal runs outside every wall, so nothing here follows a link, waits for a pipe,
reads a large file, or opens anything but `run.json`; of that only what the landing page
says is taken, and it has to be well-formed.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from kamp_lib.runs.bundle import RUN_ID
from kamp_lib.text import Text

log = logging.getLogger(__name__)

LARGEST_RECORD = 2 * 2**20
LONGEST_RUN = 120
LONGEST_TEXT = 400
MOST_ENTRIES = 5_000
FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
UNKNOWN = Text("이유가 기록되지 않았습니다.", "No reason was recorded.")


@dataclass(frozen=True)
class Released:
    """One report: what the landing page says about it."""

    run: str
    title: Text
    sentence: Text
    state: Literal["usable", "not-usable-yet", "failed"]
    finished: datetime
    simulated: bool


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Model(_Part):
    name: Text


class _Verdict(_Part):
    value: Literal["usable", "not-usable-yet"]
    sentence: Text


class _Dataset(_Part):
    simulated: bool


class _Record(_Part):
    """The few fields of `run.json` that are shown."""

    run: str
    status: Literal["succeeded", "failed"]
    reason: Text | None = None
    model: _Model
    dataset: _Dataset | None = None
    verdict: _Verdict | None = None
    finished: datetime


def released(published: Path, most: int) -> list[Released]:
    """The newest reports of a company; what is unreadable is left out and logged."""
    try:
        with _opened(published, FOLDER) as folder:
            names = _runs(folder)
            found: list[Released] = []
            for name in names:
                if len(found) == most:
                    break
                report = _read(folder, name)
                if report is not None:
                    found.append(report)
            return found
    except OSError as error:
        log.warning("cannot read %s: %s", published, error)
        return []


def _runs(folder: int) -> list[str]:
    """Names that can be a run's, newest first."""
    with os.scandir(folder) as entries:
        names = [
            entry.name for entry, _ in zip(entries, range(MOST_ENTRIES), strict=False)
        ]
    legal = (n for n in names if len(n) <= LONGEST_RUN and RUN_ID.fullmatch(n))
    return sorted(legal, reverse=True)


def _read(folder: int, name: str) -> Released | None:
    try:
        with (
            _opened(name, FOLDER, folder) as bundle,
            _opened("run.json", FILE, bundle) as file,
        ):
            known = os.fstat(file)
            if not stat.S_ISREG(known.st_mode) or known.st_size > LARGEST_RECORD:
                raise ValueError("not a plain file of a sensible size")
            content = os.read(file, LARGEST_RECORD + 1)
        return _parsed(name, content)
    except (OSError, ValueError) as error:
        log.warning("unreadable report %r: %.200s", name, error)
        return None


@lru_cache(maxsize=512)
def _parsed(name: str, content: bytes) -> Released:
    """`run.json` as a line of the landing page; bundles do not change, so kept by content.

    Raises
    ------
    ValueError
        When it is not what a run writes.
    """
    record = _Record.model_validate(from_json(content, allow_inf_nan=False))
    if record.run != name:
        raise ValueError("the record is another run's")
    state: Literal["usable", "not-usable-yet", "failed"]
    if record.status == "failed":
        state, sentence = "failed", record.reason or UNKNOWN
    elif record.verdict is None:
        state, sentence = "not-usable-yet", UNKNOWN
    else:
        state, sentence = record.verdict.value, record.verdict.sentence
    return Released(
        run=name,
        title=_one_line(record.model.name),
        sentence=_one_line(sentence),
        state=state,
        finished=record.finished,
        simulated=record.dataset is not None and record.dataset.simulated,
    )


def _one_line(text: Text) -> Text:
    """Without line breaks, invisible and direction-changing characters; not too long."""

    def plain(side: str) -> str:
        shown = "".join(c if c.isprintable() else " " for c in side[: 4 * LONGEST_TEXT])
        shown = " ".join(shown.split())
        return shown if len(shown) <= LONGEST_TEXT else shown[: LONGEST_TEXT - 1] + "…"

    return Text(plain(text.ko), plain(text.en))


@contextmanager
def _opened(path: Path | str, flags: int, folder: int | None = None) -> Iterator[int]:
    handle = os.open(path, flags, dir_fd=folder)
    try:
        yield handle
    finally:
        os.close(handle)
