"""How those are whom we ask: each DNS list, scanner and next hop, and each check that could not answer.

A process remembers what it saw itself and writes it beside its counters (`run/conditions-NAME.json`); the
keeper makes alarms of it and the console shows it. What was seen last counts, whichever process saw it. A
process that just came has seen nothing, which is no news. Bounded: who is well is forgotten first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

LIST, SCANNER, BACKEND, CHECK = "list", "scanner", "backend", "check"
SPOOL = "spool"
"""A domain's mail in the spool that can be neither judged nor kept."""
ASKED = (LIST, SCANNER, BACKEND)
"""Kinds that are well or ill; of a check it is only known when it failed."""

MOST = 2_000
"""Of whom one process remembers something."""
DOMAINS = 100
"""Domains that are named with one that is ill."""
LONGEST = 300
"""Characters of a reason."""
TIMES = 20
"""Failures of a check whose moments are remembered."""
WRITE_AGAIN = 10.0
"""Seconds after which it is written that nothing changed but the moments."""


@dataclass(slots=True)
class Condition:
    """One of them, as it was seen last."""

    kind: str
    name: str
    why: str = ""
    """What is wrong, "" where it is well."""
    since: float = 0.0
    """Since when it is so."""
    seen: float = 0.0
    """When it was seen last."""
    domains: list[str] = field(default_factory=list)
    """Whose mail met the trouble."""
    times: list[float] = field(default_factory=list)
    """The last failures of a check."""


class Conditions:
    """What one process saw."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Condition] = {}
        self._changed = True
        self._written = 0.0

    def reset(self) -> None:
        """Forget all: a process calls it after the fork, so that it tells only what it saw itself."""
        self._known.clear()
        self._changed = True
        self._written = 0.0

    def well(self, kind: str, name: str, now: float) -> None:
        """It answered."""
        one = self._known.get((kind, name))
        if one is None or one.why:
            self._known[kind, name] = Condition(kind, name, "", now, now)
            self._changed = True
            self._bound()
        else:
            one.seen = now

    def ill(self, kind: str, name: str, why: str, now: float, domain: str = "") -> None:
        """It is in trouble; `domain` is whose mail met it."""
        why = why[:LONGEST] or "no reason was given"
        one = self._known.get((kind, name))
        if one is None or not one.why:
            one = self._known[kind, name] = Condition(kind, name, why, now, now)
            self._changed = True
            self._bound()
        if domain and domain not in one.domains and len(one.domains) < DOMAINS:
            one.domains.append(domain)
            self._changed = True
        one.why = why
        one.seen = now

    def failed(self, name: str, why: str, now: float) -> None:
        """A check could not answer."""
        self.ill(CHECK, name, why, now)
        one = self._known[CHECK, name]
        one.times = [*one.times[1 - TIMES :], now]

    def all(self) -> list[Condition]:
        """Return what was seen."""
        return list(self._known.values())

    def write(self, path: Path, now: float) -> None:
        """Write it down for the others, where there is news; OSError where that cannot be."""
        if not self._changed and now - self._written < WRITE_AGAIN:
            return
        rows = [
            [one.kind, one.name, one.why, one.since, one.seen, one.domains, one.times] for one in self.all()
        ]
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(rows))
        temporary.replace(path)
        self._changed = False
        self._written = now

    def _bound(self) -> None:
        known = self._known
        if len(known) <= MOST:
            return
        first = next((key for key, one in known.items() if not one.why), next(iter(known)))
        del known[first]


HERE = Conditions()
"""What this process saw."""


def written(folder: Path) -> list[Condition]:
    """Return what all processes saw, merged; a file that cannot be read is left out."""
    found: list[Condition] = []
    for path in sorted(folder.glob("conditions-*.json")):
        try:
            rows = json.loads(path.read_text("utf-8"))
            found += [Condition(*row) for row in rows]
        except (OSError, ValueError, TypeError):
            continue
    return merge(found)


def merge(seen: Iterable[Condition]) -> list[Condition]:
    """Make one of several that saw the same: the last word counts, and what is ill is so since the first."""
    by_key: dict[tuple[str, str], list[Condition]] = {}
    for one in seen:
        by_key.setdefault((one.kind, one.name), []).append(one)
    merged = []
    for (kind, name), some in by_key.items():
        last = max(some, key=lambda one: one.seen)
        alike = [one for one in some if bool(one.why) == bool(last.why)]
        # Ill since the first who saw it, but not since before somebody saw it well.
        well = max((one.seen for one in some if not one.why), default=0.0) if last.why else 0.0
        since = [one.since for one in alike if one.since > well] or [last.since]
        domains = list(dict.fromkeys(name for one in alike if last.why for name in one.domains))
        times = sorted(at for one in some for at in one.times)
        merged.append(Condition(kind, name, last.why, min(since), last.seen, domains[:DOMAINS], times))
    return merged
