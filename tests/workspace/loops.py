"""Coroutines in tests: a loop of their own, in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def finish(work: Coroutine[Any, Any, Any], seconds: float = 60) -> Any:
    """Run `work` to its end; the tests' own thread may be a browser's (Playwright's)."""

    async def bounded() -> Any:
        return await asyncio.wait_for(work, seconds)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(bounded())).result()
