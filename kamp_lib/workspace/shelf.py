"""The company's data sets as the start page lists them.

Reading them takes libraries that an idle server should not carry, so a short-lived
process does it, and only again when a data set has changed.
"""

from __future__ import annotations

import asyncio
from typing import Any

from kamp_lib.errors import KampError
from kamp_lib.tenancy import Tenant
from kamp_lib.workspace.job import Job
from kamp_lib.workspace.jobs import JobBoard
from kamp_lib.workspace.words import text

Signature = tuple[tuple[str, int, int], ...]


class Shelf:
    """Knows the data sets as they were when last read, and when to read them again."""

    def __init__(self, tenant: Tenant, jobs: JobBoard) -> None:
        self._tenant = tenant
        self._jobs = jobs
        self._read: tuple[Signature, dict[str, Any]] | None = None
        self._reading = asyncio.Lock()

    async def datasets(self) -> dict[str, Any]:
        """`datasets` and `damaged`, as `tasks.datasets` gives them.

        Raises
        ------
        KampError
            When they could not be read.
        """
        async with self._reading:
            now = await asyncio.to_thread(signature, self._tenant)
            if self._read is None or self._read[0] != now:
                self._read = (now, await self._ask() if now else _NONE)
            return self._read[1]

    async def dataset(self, name: str) -> dict[str, Any]:
        """One of them."""
        for known in (await self.datasets())["datasets"]:
            if known["name"] == name:
                return dict(known)
        raise KampError(
            f"데이터셋 '{name[:60]}'이(가) 없습니다. 시작 화면을 새로 고치세요.",
            f"there is no data set {name[:60]!r}; reload the start page.",
        )

    async def _ask(self) -> dict[str, Any]:
        job = self._jobs.add(Job("datasets", text("job.datasets"), shown=False), {})
        await job.over.wait()
        return job.outcome()


_NONE: dict[str, Any] = {"datasets": [], "damaged": []}


def signature(tenant: Tenant) -> Signature:
    """Changes whenever any data set does: the commits of each, and the last one's time."""
    found = []
    for folder in sorted(tenant.data.glob("*/table/_delta_log")):
        times = [entry.stat().st_mtime_ns for entry in folder.glob("*.json")]
        if times:
            found.append((folder.parts[-3], len(times), max(times)))
    return tuple(found)
