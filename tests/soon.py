"""Wait inside a loop for what comes by itself; outside of one it is `tests.system.process.wait_until`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def soon(true: Callable[[], object], seconds: float = 30) -> None:
    """Return as soon as something holds. The patience is for a busy machine: what never holds fails."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)
