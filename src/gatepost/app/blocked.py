"""What becomes of a plugin that blocked a worker's loop, and of mail that killed one: the parent has
replaced the worker already.

The second time it may only watch, wherever somebody had switched it on (a domain's own setting
would beat one for all). A plugin that is asked can still block, so the third time it is off. Each
step is a change like any other: listed, by `watchdog`, and can be rolled back.
"""

from __future__ import annotations

from pathlib import Path

from gatepost.store.deaths import DEATHS, WORKER, Death, Deaths
from gatepost.store.policy_db import FILE, PolicyStore

STEPS = {2: "watch"}
LAST = "off"


def put_away(data: Path, plugin: str, times: int, default: str) -> str:
    """Weaken a plugin's switch everywhere; return what it was set to. `default`: where nobody set it."""
    mode = STEPS.get(times, LAST)
    key = f"{plugin}.mode"
    store = PolicyStore(data / FILE)
    try:
        scopes = {"all": default} | store.values_of(key)
        for scope, present in scopes.items():
            if present == "on" or (mode == LAST and present != LAST):
                store.put(scope, {key: mode}, by="watchdog")
    finally:
        store.close()
    return mode


def blame(data: Path, plugin: str, messages: list[bytes], why: str, now: float) -> list[tuple[str, int]]:
    """Write down that a worker died with these messages in hand; return each one's name and its deaths."""
    deaths = Deaths(data / DEATHS)
    return [(one.hex(), deaths.add(one, Death(now, WORKER, plugin, why))) for one in messages]
