"""The trace of one mail: what was asked, what came back, how long it took.

It is what `gatepost explain ID` prints. A step is five plain values, so that a trace costs a list
append while the mail passes, and one `json.dumps` if it is kept. Bounded in steps and in text:
a sender who makes many checks run must not make the journal grow with him.
"""

from __future__ import annotations

import json

MAX_STEPS = 500
MAX_DETAIL = 500

Step = tuple[str, str, str, float, str]
"""Kind (`connect`, `helo`, `mail`, `rcpt`, `data`, `check`, `relay`), name, result, milliseconds, detail."""


class Trace:
    """The steps of one session or transaction, in the order in which they ended."""

    __slots__ = ("dropped", "steps")

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.dropped = 0
        """Steps beyond `MAX_STEPS`, counted only."""

    def step(self, kind: str, name: str, result: str, ms: float = 0.0, detail: str = "") -> None:
        """Write down one step."""
        if len(self.steps) >= MAX_STEPS:
            self.dropped += 1
            return
        self.steps.append((kind, name, result, ms, detail))

    def as_json(self) -> str:
        """Return the steps as a compact JSON list of lists, pure ASCII."""
        rows = [
            [kind, name, result, round(ms, 3), _cut(detail)] for kind, name, result, ms, detail in self.steps
        ]
        if self.dropped:
            rows.append(["trace", "dropped", str(self.dropped), 0.0, f"more than {MAX_STEPS} steps"])
        return json.dumps(rows, separators=(",", ":"))


def read_trace(text: str) -> list[Step]:
    """Read back what `as_json` wrote; "" is an empty (folded) trace."""
    if not text:
        return []
    rows = json.loads(text)
    return [(str(r[0]), str(r[1]), str(r[2]), float(r[3]), str(r[4])) for r in rows]


def _cut(detail: str) -> str:
    return detail if len(detail) <= MAX_DETAIL else detail[: MAX_DETAIL - 3] + "..."
