"""One piece of work: what it is, how far it is, how it ended."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from kamp_lib.errors import KampError
from kamp_lib.text import Text

State = Literal["waiting", "running", "done", "failed", "stopped"]
ENDED = ("done", "failed", "stopped")

WAITING = Text("차례를 기다리는 중", "waiting for its turn")
STARTING = Text("시작하는 중", "starting")
STOPPING = Text("중단하는 중", "stopping")
STOPPED = Text(
    "중단했습니다. 저장된 것은 바뀌지 않았습니다.",
    "stopped; what was stored has not changed.",
)
KILLED = Text(
    "작업이 강제로 꺼졌습니다. 메모리가 부족했을 수 있습니다. 저장된 것은 바뀌지 않았습니다."
    " 파일을 나누거나 다른 노트북을 닫고 다시 해 보세요.",
    "the job was killed; it may have run out of memory. What was stored has not changed."
    " Use a smaller file or close other notebooks, and try again.",
)


@dataclass
class Job:
    """A job, as the page shows it; its process is somebody else's concern."""

    task: str
    title: Text
    subject: str = ""  # the upload, data set or run it is about
    shown: bool = True  # in the list of jobs; a page being drawn is not
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    state: State = "waiting"
    step: Text = WAITING
    done: float = 0
    total: float | None = None
    started: datetime | None = None
    ended: datetime | None = None
    result: dict[str, Any] = field(default_factory=dict)
    reason: Text | None = None
    details: dict[str, Any] = field(default_factory=dict)  # of what went wrong
    unwanted: bool = False  # somebody stopped it
    over: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)

    def outcome(self) -> dict[str, Any]:
        """The result of a job that has ended.

        Raises
        ------
        KampError
            The reason why there is none.
        """
        if self.state == "done":
            return self.result
        reason = self.reason or KILLED
        raise KampError(reason.ko, reason.en)

    @property
    def seconds(self) -> float:
        if self.started is None:
            return 0.0
        return ((self.ended or datetime.now(UTC)) - self.started).total_seconds()

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1; None when nobody knows."""
        if self.total is None or self.total <= 0:
            return None
        return min(1.0, max(0.0, self.done / self.total))

    def end(self, state: State, reason: Text | None = None) -> None:
        """The end, which nobody may see before what follows from it is done."""
        self.state, self.reason, self.ended = state, reason, datetime.now(UTC)

    def end_as_said(self, last: dict[str, Any]) -> None:
        """The end of a job whose process is gone, by the last that it said."""
        if "result" in last:
            self.result = last["result"]
            self.end("done")
        elif "stopped" in last:
            self.end("stopped", STOPPED)
        elif "error" in last:
            self.details = last.get("details") or {}
            self.end("failed", Text(**last["error"]))
        else:  # not a word
            self.end("failed", KILLED)
