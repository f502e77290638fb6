"""One domain of each kind that a recipient can be, and what one mail to some of them changes."""

from __future__ import annotations

from typing import Any

from gatepost.mail.verdict import Defer, Reject, Take
from gatepost.relay.results import Result
from tests.server.indoors import Indoors

REFUSED = Result("refused", 554, "5.7.1", "we do not want it", "back end")
LATER = Result("deferred", 451, "4.2.0", "mailbox busy", "back end")
DOWN = Result("unreachable", 451, "4.4.1", "no server answers", "")

ALONE = {
    "plain": (250, "accepted"),
    "holds": (250, "quarantined"),
    "takes": (250, "taken"),
    "spools": (250, "queued"),
    "refuses": (550, "rejected"),
    "no": (554, "rejected"),
    "defers": (451, "deferred"),
    "down": (451, "deferred"),
    "later": (451, "deferred"),
}
"""A domain, and what becomes of a mail for it alone."""
KINDS = list(ALONE)


def host_all(house: Indoors) -> None:
    """Host one domain of each kind."""
    settings: dict[str, dict[str, Any]] = {
        "holds": {"probe.action": "quarantine"},
        "spools": {"on_backend_down": "spool"},
    }
    for kind in KINDS:
        house.host(f"{kind}.test", settings.get(kind))
    said = {"holds": Reject("bad"), "refuses": Reject("bad"), "takes": Take("mine"), "defers": Defer("slow")}
    for kind, verdict in said.items():
        house.probe.says["message", f"{kind}.test"] = verdict
    for kind, result in {"spools": DOWN, "no": REFUSED, "down": DOWN, "later": LATER}.items():
        house.back_end.says[f"{kind}.test"] = result
    house.open()


class Seen:
    """What one mail changed in the house."""

    def __init__(self, house: Indoors) -> None:
        self.house = house
        self.rows = len(house.outcomes())
        self.taken = len(house.back_end.taken)
        self.kept = {one.ref for one in house.archive.list(limit=1000)}
        self.queued = len(list(house.queue.list()))

    async def mail(self, *kinds: str, words: str = "") -> list[int]:
        """Send one mail to ann in these domains; returns the codes after the data."""
        client = self.house.client()
        rcpts, said = await client.mail("s@x.example", [f"ann@{kind}.test" for kind in kinds], words=words)
        assert all(one.startswith("250") for one in rcpts), rcpts
        client.hang_up()
        return [int(line[:3]) for line in said.splitlines()]

    def fates(self) -> list[str]:
        """Return the fates in the journal, in the order of the recipients."""
        return [row.fate for row in self.house.outcomes()[self.rows :]]

    def outcome_in_archive(self) -> dict[str, str]:
        """Return domain -> the archive's word, of what is new there."""
        new = [one for one in self.house.archive.list(limit=1000) if one.ref not in self.kept]
        return {one.domain.partition(".")[0]: one.outcome for one in new}

    def delivered(self) -> set[str]:
        """Return who got the mail."""
        new = self.house.back_end.taken[self.taken :]
        return {to.partition("@")[2].partition(".")[0] for _, to, _ in new}

    def spooled(self) -> int:
        """Return how many copies are new in the spool."""
        return len(list(self.house.queue.list())) - self.queued
