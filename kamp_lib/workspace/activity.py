"""A running job is activity: the server is not idle while one works."""

from __future__ import annotations

from typing import Any

from jupyter_server._tz import utcnow
from tornado.ioloop import PeriodicCallback

from kamp_lib.workspace.jobs import JobBoard

EVERY_MS = 20_000
KEY = "kamp_jobs"


def count_as_activity(web_app: Any, jobs: JobBoard) -> PeriodicCallback:
    """Tell jupyter_server, and through it the hub, of every moment that jobs work."""

    def now() -> None:
        web_app.settings["last_activity_times"][KEY] = utcnow()

    def tell() -> None:
        if jobs.busy:
            now()

    jobs.moved = now
    ticking = PeriodicCallback(tell, EVERY_MS)
    ticking.start()
    return ticking
