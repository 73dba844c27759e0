"""What a company has released, read from its folder as from a stranger's.

The portal runs outside every wall, so nothing here follows a link, waits for a pipe,
reads a large file, or opens anything but `run.json`; of that only what the landing page
says is taken, and it has to be well-formed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from kamp_lib.reports.notes import (
    LARGEST_NOTE,
    PUBLICATION,
    Publication,
    current_runs,
)
from kamp_lib.runs.bundle import RUN_ID
from kamp_lib.runs.plain import open_file, open_folder
from kamp_lib.text import Text

log = logging.getLogger(__name__)

LARGEST_RECORD = 2 * 2**20
LONGEST_RUN = 120
LONGEST_TEXT = 400
MOST_ENTRIES = 5_000
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
    # false when the same model was released again later on the same data set
    current: bool = True


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
    found: list[Released] = []
    notes: list[Publication] = []
    try:
        with _held(open_folder(published)) as folder:
            for name in _runs(folder):
                if len(found) == most:
                    break
                report, note = _read(folder, name)
                found += [report] if report else []
                notes += [note] if report and note else []
    except OSError as error:
        log.warning("cannot read %s: %s", published, error)
    overtaken = {note.run for note in notes} - current_runs(notes)
    return [replace(r, current=r.run not in overtaken) for r in found]


def _runs(folder: int) -> list[str]:
    """Names that can be a run's, newest first."""
    with os.scandir(folder) as entries:
        seen = zip(entries, range(MOST_ENTRIES), strict=False)
        names = [entry.name for entry, _ in seen]
    legal = (n for n in names if len(n) <= LONGEST_RUN and RUN_ID.fullmatch(n))
    return sorted(legal, reverse=True)


def _read(folder: int, name: str) -> tuple[Released | None, Publication | None]:
    """One report and the note of its release; None for what is not as we write it."""
    try:
        with _held(open_folder(name, inside=folder)) as bundle:
            report = _parsed(name, _content(bundle, "run.json", LARGEST_RECORD))
            return report, _note(bundle, name)
    except (OSError, ValueError) as error:
        log.warning("unreadable report %r: %.200s", name, error)
        return None, None


def _note(bundle: int, name: str) -> Publication | None:
    try:
        note = _parsed_note(_content(bundle, PUBLICATION, LARGEST_NOTE))
    except (OSError, ValueError):  # of an older release
        return None
    return note if note.run == name else None


def _content(folder: int, name: str, most: int) -> bytes:
    with _held(open_file(name, inside=folder)) as file:
        if os.fstat(file).st_size > most:
            raise ValueError(f"{name} is larger than it may be")
        with open(file, "rb", closefd=False) as reader:
            return reader.read(most)


@lru_cache(maxsize=512)
def _parsed_note(content: bytes) -> Publication:
    return Publication.model_validate_json(content)


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
def _held(handle: int) -> Iterator[int]:
    try:
        yield handle
    finally:
        os.close(handle)
