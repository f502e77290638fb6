"""What becomes of a plugin that blocked a worker's loop: the parent has replaced the worker already.

The second time it may only watch, wherever somebody had switched it on (a domain's own setting
would beat one for all). A plugin that is asked can still block, so the third time it is off. Each
step is a change like any other: listed, by `watchdog`, and can be rolled back.
"""

from __future__ import annotations

from pathlib import Path

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
