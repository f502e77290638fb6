"""What a process does in a rhythm: a fault ends nothing, and is said once and not twice a second.

A disk that is full or a database that is locked is trouble of the machine and passes by itself;
anything else is a bug of ours and is said with the place where it happened.
"""

from __future__ import annotations

import asyncio
import sqlite3
import traceback
from collections.abc import Callable
from typing import Any

from gatepost.store.base import StoreError
from gatepost.telemetry.log import Log

TROUBLE = (OSError, StoreError, sqlite3.Error)


async def every(seconds: float, act: Callable[[], Any], log: Log, *, at_once: bool = False) -> None:
    """Do something again and again until cancelled; `at_once`: the first time before the first wait."""
    doing = getattr(act, "__name__", "").strip("_")
    said = ""
    if not at_once:
        await asyncio.sleep(seconds)
    while True:
        name, why, where = "", "", ""
        try:
            act()
        except TROUBLE as error:
            name, why = "trouble", str(error)
        except Exception as error:  # a clock that stopped would stop the watch over time limits
            text = "".join(traceback.format_exception(error)).strip().replace("\n", " | ")
            name, why, where = "bug", repr(error), text[-900:]
        if why != said:
            said = why
            if why:
                log.event(name, "error", doing=doing, why=why, trace=where or None)
            else:
                log.event("trouble_over", "info", doing=doing)
        await asyncio.sleep(seconds)
