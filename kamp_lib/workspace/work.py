"""One job in a process of its own: `python -m kamp_lib.workspace.work`.

The first line of stdin is the request, a JSON object. stdout says how far it is, a line
of JSON each, and last the result or the reason why there is none. When stdin closes, the
server is gone, and the job stops too.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
import time
from typing import Any

from kamp_lib.errors import KampError
from kamp_lib.text import Text

EVERY_S = 0.1  # between two lines about the same step


class Speaker:
    """Writes lines of JSON to the pipe that was stdout; hears progress."""

    def __init__(self, descriptor: int) -> None:
        self._out = os.fdopen(descriptor, "w", encoding="utf-8")
        self._last: tuple[Text | None, float] = (None, 0.0)

    def say(self, **said: Any) -> None:
        self._out.write(json.dumps(said) + "\n")
        self._out.flush()

    def __call__(
        self, step: Text, *, done: float = 0, total: float | None = None
    ) -> None:
        now, (said, when) = time.monotonic(), self._last
        if step != said or now - when >= EVERY_S:
            self._last = (step, now)
            self.say(step=step.model_dump(), done=done, total=total)


def main() -> int:
    """Do what the request asks; the exit status is 0 when there is a result."""
    request = json.loads(sys.stdin.buffer.readline())
    # what a library prints must not be taken for a line of ours
    speaker = Speaker(os.dup(1))
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_mind_the_server, daemon=True).start()
    try:
        from kamp_lib.workspace.tasks import TASKS

        speaker.say(result=TASKS[request["task"]](request, speaker))
    except KampError as error:
        details = getattr(error, "details", {})
        speaker.say(error=error.text.model_dump(), details=details)
        return error.exit_status
    except KeyboardInterrupt:
        speaker.say(stopped=True)
        return 1
    except MemoryError:
        speaker.say(error=OUT_OF_MEMORY.model_dump())
        return 1
    except Exception as error:
        # the traceback goes to the server's log, a sentence to the person
        import traceback

        traceback.print_exc()
        speaker.say(error=_sentence(error).model_dump())
        return 1
    return 0


OUT_OF_MEMORY = Text(
    "메모리가 모자라 멈췄습니다. 저장된 것은 바뀌지 않았습니다."
    " 다른 노트북을 닫거나 파일을 나누어 가져오세요.",
    "out of memory; what was stored has not changed."
    " Close other notebooks, or bring the file in parts.",
)


def _sentence(error: Exception) -> Text:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Text(
            "디스크에 빈 공간이 없습니다. 공간을 비우고 다시 하세요.",
            "the disk is full; free some space and try again.",
        )
    said = f"{type(error).__name__}: {error}"[:300]
    return Text(
        f"예상하지 못한 오류입니다({said}). 저장된 것은 바뀌지 않았습니다.",
        f"unexpected error ({said}); what was stored has not changed.",
    )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _mind_the_server() -> None:
    """Stop as after Ctrl-C when the server's end of the pipe closes."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
