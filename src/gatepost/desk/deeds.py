"""Who opened, released or deleted kept mail (CONTRACT 8): in the list of changes, and with the mail.

Kept mail is other people's mail, so looking at it leaves a trace that the domain's owner can read, whatever
the way: console, API, command line, or the link of a digest.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from gatepost.desk.desk import Desk

T = TypeVar("T")
ALL_THE_SAME = "released all the same"
"""What the virus check was against, or nobody let it look at."""
WHAT = ("opened", "released", ALL_THE_SAME, "deleted")
PLUGIN = "archive"
"""Under this name among the records; no check is called so."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that somebody did with a kept mail."""

    time: float
    by: str
    what: str
    """One of `WHAT`."""
    id: str
    recipient: str


def write_down(desk: Desk, what: str, domain: str, ref: str, id: str, recipient: str) -> None:  # noqa: A002
    """Write down what was done, durably, before it is done."""
    now = desk.clock()
    key = f"{ref}\x1f{now:017.6f}"
    value = {"time": now, "by": desk.by, "what": what, "id": id, "recipient": recipient}
    at_once(desk.records.put(domain, PLUGIN, key, value))
    desk.policy.note(what, None, {"id": id, "recipient": recipient, "ref": ref}, desk.by, domain)


def deeds_of(desk: Desk, domain: str, ref: str = "", limit: int = 1000) -> list[Deed]:
    """Return what was done with a kept mail (or with all of a domain), oldest first."""
    rows = at_once(desk.records.list(domain, PLUGIN, f"{ref}\x1f" if ref else "", limit))
    found = [
        Deed(float(row["time"]), str(row["by"]), str(row["what"]), str(row["id"]), str(row["recipient"]))
        for _, row in rows
    ]
    return sorted(found, key=lambda deed: deed.time)


def at_once(never_waits: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine of the embedded stores: they promise never to suspend."""
    try:
        never_waits.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    never_waits.close()
    raise AssertionError("a store suspended")
