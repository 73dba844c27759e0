"""The demo's hub: started for a while, and the way that its people go through it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kamp_lib import console
from kamp_lib.demo.browser import Browser
from kamp_lib.demo.people import Account
from kamp_lib.errors import KampError
from kamp_lib.hub.up import end, start_hub
from kamp_lib.hub.walls import inspect_walls
from kamp_lib.text import Text

USUAL_PORT = 8000
STARTING_S = 120


@dataclass(frozen=True)
class DemoHub:
    """A hub that answers."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://kamp.localhost:{self.port}/"

    def wait(self) -> int:
        """Until it ends, or Ctrl-C."""
        try:
            return self.process.wait()
        except KeyboardInterrupt:
            console.say("허브를 끝내는 중입니다…", "ending the hub…")
            return 0


@contextmanager
def demo_hub(home: Path, port: int | None) -> Iterator[DemoHub]:
    """A hub on loopback for the length of a `with` block; it leaves nothing behind."""
    chosen = port or _free_port()
    os.environ["KAMP_HUB_URL"] = f"http://kamp.localhost:{chosen}"
    _say_without_walls()
    log = home / "hub.log"
    process = start_hub(log)
    try:
        hub = DemoHub(chosen, process, log)
        _wait_until_it_answers(hub)
        yield hub
    finally:
        end(process)


def way_of_the_people(hub: DemoHub, accounts: list[Account]) -> None:
    """What a manager and an analyst do first, and what they may not: the whole path once.

    Raises
    ------
    KampError
        When something is not as it should be.
    """
    with console.progress(Text("허브 확인", "checking the hub")) as progress:
        manager = next(a for a in accounts if a.person.role == "manager")
        analyst = next(a for a in accounts if a.person.role == "analyst")
        slug, other = manager.person.companies[0], "dalbit-tech"
        progress(Text("현장 관리자 로그인", "a manager signs in"))
        browser = Browser(hub.port)
        browser.sign_in(manager.person.name, manager.password)
        progress(Text("보고서 열기", "the reports open"))
        browser.start(slug, "report")
        browser.expect(slug, f"/user/{slug}/report/", 200)
        progress(Text("다른 기업은 열리지 않음", "another company does not open"))
        browser.expect_no_start(other, "report")
        progress(Text("분석가의 작업공간", "an analyst's workspace"))
        browser = Browser(hub.port)
        browser.sign_in(analyst.person.name, analyst.password)
        browser.start(slug, analyst.person.name)
        browser.expect(slug, f"/user/{slug}/{analyst.person.name}/lab", 200)
    console.say(
        "허브가 처음부터 끝까지 작동합니다. 열기: kamp demo",
        "the hub works from end to end; open it: kamp demo",
    )


def _say_without_walls() -> None:
    """Without bubblewrap the demo still runs: its data are simulated, and it says so."""
    walls = inspect_walls()
    if walls.stand:
        return
    os.environ["KAMP_UNSAFE_NO_WALLS"] = "1"
    first = next(problem for problem in walls.problems if problem.needed)
    console.complain(
        str(
            Text(
                "주의: 기업 사이에 벽이 없습니다. 모의 데이터로만 쓰세요."
                f" {first.text.ko} 고치기: {first.mend}",
                "caution: there are no walls between companies; use it with simulated"
                f" data only. {first.text.en} Mend it: {first.mend}",
            )
        )
    )


def _free_port() -> int:
    """The usual port or, when that is taken, any free one."""
    for port in (USUAL_PORT, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise KampError("쓸 수 있는 포트가 없습니다.", "no port is free.")


def _wait_until_it_answers(hub: DemoHub) -> None:
    browser = Browser(hub.port)
    with console.progress(Text("허브 시작", "starting the hub")) as progress:
        deadline = time.monotonic() + STARTING_S
        while time.monotonic() < deadline and hub.process.poll() is None:
            progress(Text("기다리는 중", "waiting"))
            if browser.answers():
                return
            time.sleep(0.3)
    raise KampError(
        f"허브가 시작되지 않았습니다. 이유: {hub.log}",
        f"the hub did not start; {hub.log} says why",
    )


__all__ = ["DemoHub", "demo_hub", "way_of_the_people"]
