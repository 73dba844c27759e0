"""Listening to what works inside a company's walls: nothing is believed unchecked."""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import IO

from pydantic import TypeAdapter, ValidationError

from kamp_lib.console import harmless
from kamp_lib.errors import KampError, UsageError
from kamp_lib.hub.inside import Failure, Message
from kamp_lib.text import Text

LONGEST_LINE = 64 * 1024
TOLD_LINES = 5
MESSAGES: TypeAdapter[Message] = TypeAdapter(Message)


def messages(stream: IO[bytes] | None) -> Iterator[Message]:
    """What is said inside, as far as it is a message at all."""
    assert stream is not None  # noqa: S101 - a pipe was asked for
    while line := stream.readline(LONGEST_LINE):
        with suppress(ValidationError):
            yield MESSAGES.validate_json(line)


def last_lines(stream: IO[bytes] | None) -> deque[str]:
    """The last lines of a stream, read beside so that it never fills up."""
    assert stream is not None  # noqa: S101 - a pipe was asked for
    last: deque[str] = deque(maxlen=TOLD_LINES)

    def read() -> None:
        with suppress(ValueError):  # closed while we read
            while line := stream.readline(LONGEST_LINE):
                last.append(harmless(line.decode("utf-8", "replace").strip()))

    threading.Thread(target=read, daemon=True).start()
    return last


def shown(text: Text) -> Text:
    """`text` without what would steer a terminal."""
    return Text(harmless(text.ko), harmless(text.en))


def as_error(message: Failure) -> KampError:
    """The error that was told, to be raised out here."""
    kind = UsageError if message.exit_status == UsageError.exit_status else KampError
    said = shown(message.failed)
    return kind(said.ko, said.en)


def died(status: int, complaints: Sequence[str]) -> KampError:
    """The job ended without a word: killed, most likely for its memory."""
    if status in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return KampError(
            "작업이 강제로 멈췄습니다. 메모리가 부족했을 수 있습니다:"
            " 데이터를 나누거나 요금제의 메모리를 늘리세요.",
            "the job was killed; it may have run out of memory: use less data or a"
            " larger plan.",
        )
    said = " / ".join(complaints) or f"exit {status}"
    return KampError(
        f"작업이 끝나지 못했습니다: {said}", f"the job did not finish: {said}"
    )
