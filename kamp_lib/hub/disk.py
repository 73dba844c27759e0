"""The disk watcher: what each company's folder holds, and what happens at its limit.

A hub service: `python -m kamp_lib.hub.disk`. At 90 % of the plan it says so, above the
plan it stops the company's servers; below the platform's reserve of free space it stops
the servers of whoever writes most. What was stored stays as it is.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from kamp_lib.errors import KampError
from kamp_lib.hub.api import HubApi
from kamp_lib.settings import settings
from kamp_lib.tenancy import Registry, Sme, open_registry
from kamp_lib.tenancy.tenants import FOLDERS

GB = 2**30
LOOK_EVERY_S = 2.0  # at the free space, which costs nothing
MEASURE_EVERY_S = 30.0
# Measuring may take this share of the time, so that many files do not keep a disk busy.
BUSY_SHARE = 0.1
MEASURE_TIMEOUT_S = 600
WARN_PERCENT = 90
# What a company that is over its limit may still write, so that it can clean up.
SLACK_PERCENT = 1
# How many of the files that a file system can hold are kept for the platform.
SPARE_PERCENT = 2
STATE = "disk.json"
log = logging.getLogger("kamp.disk")


@dataclass(frozen=True)
class Usage:
    """What a company's folder holds, in bytes, and what it may hold.

    `mark` is where its servers are stopped: its limit, or, once it has gone beyond that,
    what it held then, which sinks with what is deleted and never rises again.
    """

    used: int
    limit: int
    mark: int
    warned: bool = False

    @property
    def percent(self) -> int:
        return self.used * 100 // max(self.limit, 1)

    @property
    def full(self) -> bool:
        """Whether the company has more than it may."""
        return self.used > self.limit

    @property
    def stops(self) -> bool:
        """Whether its servers are to be stopped now."""
        slack = self.limit * SLACK_PERCENT // 100 if self.mark > self.limit else 0
        return self.used > self.mark + slack

    def after(self, used: int, limit: int) -> Usage:
        """The next measurement."""
        known = self.mark > self.limit
        mark = max(limit, min(self.mark, used)) if known else limit
        warned = self.warned and used * 100 >= limit * WARN_PERCENT
        return Usage(used, limit, mark, warned)


@dataclass(frozen=True)
class Measured:
    """Bytes on disk, and whether some folders did not let themselves be looked into."""

    used: int
    hidden: bool = False


def measure(folders: list[Path]) -> Measured | None:
    """What lies below `folders`; None when that cannot be found out.

    `du` follows no link, counts a file with two names once, and holds on to folders while
    somebody moves them about.
    """
    there = [str(folder) for folder in folders if folder.is_dir()]
    if not there:
        return Measured(0)
    try:
        done = subprocess.run(
            ["du", "-c", "-s", "-x", "-B1", "--", *there],
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},
            timeout=MEASURE_TIMEOUT_S,
            check=False,
        )
        # a file that went while du looked is no failure; the total is there all the same
        used = int(done.stdout.splitlines()[-1].split()[0])
        return Measured(used, hidden=b"Permission denied" in done.stderr)
    except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
        log.warning("could not measure %s: %s", there[0], error)
        return None


def count(folders: list[Path]) -> int:
    """How many files and folders there are, which a file system may run out of, too."""
    there = [str(folder) for folder in folders if folder.is_dir()]
    done = subprocess.run(
        ["du", "-c", "-s", "-x", "--inodes", "--", *there],
        capture_output=True,
        timeout=MEASURE_TIMEOUT_S,
        check=False,
    )
    return int(done.stdout.splitlines()[-1].split()[0])


def folders_of(home: Path, slug: str) -> list[Path]:
    """Everything that a company can write to, on disk."""
    own = home / "tenants" / slug
    return [*(own / name for name in FOLDERS), home / "hub" / "run" / slug]


def usages(home: Path) -> dict[str, Usage]:
    """The last measurement of every company; empty when there is none."""
    try:
        entries = json.loads((home / "hub" / STATE).read_text(encoding="utf-8"))
        return {slug: Usage(**entry) for slug, entry in entries.items()}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


class Watcher:
    """Looks at the disk and acts on what it sees."""

    def __init__(self, home: Path, api: HubApi, registry: Registry) -> None:
        self.home = home
        self.api = api
        self.registry = registry
        self.seen = usages(home)
        self.grown: dict[str, int] = {}

    def measure_all(self) -> None:
        """Measure every company; warn it, or stop its servers."""
        smes = {sme.slug: sme for sme in self.registry.smes()}
        self.seen = {slug: u for slug, u in self.seen.items() if slug in smes}
        for sme in smes.values():
            self._measure(sme)
        self._remember()

    def guard_reserve(self) -> str | None:
        """Stop who writes most when the platform's reserve is touched; returns whom."""
        free = shutil.disk_usage(self.home).free
        if free < settings().disk_reserve_gb * GB:
            return self._stop_one({"free": free}, self._appetite, measured=True)
        if _few_files_left(self.home):
            return self._stop_one({"free": free}, self._files)
        return None

    def _stop_one(
        self,
        detail: Mapping[str, int],
        greed: Callable[[str], tuple[int, int]],
        *,
        measured: bool = False,
    ) -> str | None:
        """Stop the servers of the greediest company that has any."""
        running = {slug for slug, _ in self.api.running()}
        if not running:
            return None
        if measured:
            for sme in self.registry.smes():
                self._measure(sme)
            self._remember()
        most = max(sorted(running), key=greed)
        self._stop(most, "disk-reserve", detail)
        return most

    def _files(self, slug: str) -> tuple[int, int]:
        return count(folders_of(self.home, slug)), 0

    def _appetite(self, slug: str) -> tuple[int, int]:
        known = self.seen.get(slug)
        return self.grown.get(slug, 0), known.used if known else 0

    def _measure(self, sme: Sme) -> None:
        found = measure(folders_of(self.home, sme.slug))
        if found is None:
            return
        if found.hidden:
            self._open_up(sme.slug)
        used, limit = found.used, sme.plan.disk_gb * GB
        before = self.seen.get(sme.slug, Usage(used, limit, limit))
        now = before.after(used, limit)
        self.grown[sme.slug] = used - before.used
        if now.stops:
            self._stop(sme.slug, "disk-limit", {"used": used, "limit": limit})
            if now.mark == limit:
                now = replace(now, mark=used)
        elif now.percent >= WARN_PERCENT and not now.warned:
            self.registry.audit(
                "disk", "disk-warning", sme.slug, {"used": used, "limit": limit}
            )
            now = replace(now, warned=True)
        self.seen[sme.slug] = now

    def _open_up(self, slug: str) -> None:
        """Folders that their owner closed to itself, where the hub is that owner."""
        self._stop(slug, "disk-hidden", {})
        folders = [str(f) for f in folders_of(self.home, slug) if f.is_dir()]
        subprocess.run(["chmod", "-R", "u+rwX", "--", *folders], check=False)

    def _stop(self, slug: str, action: str, detail: Mapping[str, int]) -> None:
        """End all servers of a company; nothing happens when none runs."""
        ended = [name for company, name in self.api.running() if company == slug]
        for name in ended:
            self.api.stop(slug, name)
        if ended:
            self.registry.audit("disk", action, slug, {**detail, "servers": ended})
            log.warning("%s: stopped %s of %s", action, ", ".join(ended), slug)

    def _remember(self) -> None:
        path = self.home / "hub" / STATE
        partial = path.with_suffix(".partial")
        entries = {slug: asdict(usage) for slug, usage in sorted(self.seen.items())}
        partial.write_text(json.dumps(entries, indent=1), encoding="utf-8")
        partial.rename(path)


def _few_files_left(home: Path) -> bool:
    """Whether the file system can hold hardly any more files, however small."""
    system = os.statvfs(home)
    return system.f_files > 0 and system.f_favail * 100 < system.f_files * SPARE_PERCENT


def main(environment: Any = os.environ) -> None:
    """Look, wait, look again, until the hub ends this process."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    api = HubApi(environment["JUPYTERHUB_API_URL"], environment["JUPYTERHUB_API_TOKEN"])
    watcher = Watcher(settings().home.absolute(), api, open_registry())
    due = 0.0
    while True:
        try:
            if time.monotonic() >= due:
                began = time.monotonic()
                watcher.measure_all()
                took = time.monotonic() - began
                due = time.monotonic() + max(MEASURE_EVERY_S, took / BUSY_SHARE)
            watcher.guard_reserve()
        except (OSError, KampError, SQLAlchemyError) as error:
            # the hub restarts, the disk is full: say so, and look again
            log.warning("could not look: %s", error)
        time.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):  # how the hub ends its services
        main()
