"""Real mail's envelopes, beside the clone in ../shared/data: read in place, never copied.

They are played to 127.0.0.1 alone. Where the folder is missing, conftest leaves the tests out and says so.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
ENVELOPES = TOP.parent / "shared" / "data" / "modern-2019-2021" / "envelope.tsv"


@dataclass(frozen=True)
class Envelope:
    """Who sent a mail once, and from where."""

    id: str
    label: str
    """`ham` or `spam`."""
    client: str
    helo: str
    sender: str
    """"" is the null sender."""

    @property
    def domain(self) -> str:
        """The sender's domain, as DNS has it."""
        return self.sender.rpartition("@")[2].lower()

    @property
    def too_long(self) -> bool:
        """Say whether the sender's local part is longer than RFC 5321, 4.5.3.1.1 lets it be."""
        return len(self.sender.rpartition("@")[0]) > 64

    @property
    def dice(self) -> int:
        """Return a number from 0 to 255 that is always the same for this client."""
        return sha256(self.client.encode()).digest()[0]


def envelopes(each: int) -> list[Envelope]:
    """Return so many envelopes of each label, evenly over the years, always the same."""
    with ENVELOPES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    chosen = []
    for label in ("ham", "spam"):
        of = [row for row in rows if row["label"] == label]
        chosen += [of[n * len(of) // each] for n in range(each)]
    return [
        Envelope(row["id"], row["label"], row["client_ip"], row["helo"], row["mail_from"])
        for row in sorted(chosen, key=lambda row: row["id"])
    ]
