"""Whose settings a page shows: one domain's, or those of all domains; and the check that does its work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from gatepost.console.auth import Here
from gatepost.console.render import words_of
from gatepost.console.rights import Right
from gatepost.console.text import Words, mark
from gatepost.desk import checks
from gatepost.store.base import OutcomeRow

ORIGINS = {
    "default": mark("default"),
    "all": mark("from all domains"),
    "domain": mark("set here"),
    "mailbox": mark("set for a mailbox"),
}
"""Where a value comes from, for people."""
MAILBOX_ORIGINS = ORIGINS | {"domain": mark("from the domain"), "mailbox": mark("set here")}


PAGES: Mapping[str, tuple[str, str]] = {
    "bounce_storm": ("storms", mark("Bounce storms")),
    "localpart_rules": ("rules", mark("Name rules")),
    "counted_address": ("aliases", mark("Counted addresses")),
    "dmarc": ("forwarders", mark("Forwarders")),
    "arc": ("forwarders", mark("Forwarders")),
    "greylist": ("greylist", mark("Greylisting")),
    "bounce": ("batv", mark("BATV")),
    "deny_list": ("lists", mark("Lists")),
    "classifier": ("training", mark("Training")),
}
"""Check -> the page of a domain that is about it, and what that is called."""


@dataclass(frozen=True, slots=True)
class Place:
    """A domain, a mailbox, or (word None) all domains; `base` is where its pages of this kind stand."""

    here: Here
    word: str | None
    base: str

    @property
    def words(self) -> Words:
        """The reader's words."""
        return words_of(self.here.request, self.here)

    @property
    def may_change(self) -> bool:
        """Whether the switches are theirs to turn."""
        return self.here.may(self.word.rpartition("@")[2] if self.word else None, Right.CHANGE)

    @property
    def origins(self) -> Mapping[str, str]:
        """Where values come from, as seen from here."""
        return MAILBOX_ORIGINS if self.is_mailbox else ORIGINS

    @property
    def is_mailbox(self) -> bool:
        """Whether only one mailbox is meant."""
        return self.word is not None and "@" in self.word


@dataclass(frozen=True, slots=True)
class AtWork:
    """The check that stands behind a page of its own, with its switch."""

    place: Place
    """Where the domain's checks are."""
    name: str
    mode: str
    origin: str
    back: str
    """The page that its switch leads back to."""


def at_work(here: Here, name: str, back: str) -> AtWork:
    """Return a check of the domain as the head of a page `/domains/NAME/BACK` shows it."""
    _, policy = checks.one(here.desk, here.domain, name)
    place = Place(here, here.domain, f"/domains/{here.domain}/checks")
    return AtWork(place, name, str(policy.mode), policy.origin.get("mode", "default"), back)


def page_about(row: OutcomeRow) -> tuple[str, str] | None:
    """Return address and name of the page that answers for a refusal, asked about this very mail."""
    if row.plugin not in PAGES:
        return None
    page, name = PAGES[row.plugin]
    asked = {
        "lists": {
            "client": row.client,
            "sender": row.sender or "",
            "mailbox": row.recipient.rpartition("@")[0],
        },
        "rules": {"try": row.recipient},
        "aliases": {"address": row.recipient},
    }.get(page)
    anchor = {"lists": "#decides", "rules": "#try"}.get(page, "")
    return f"/domains/{row.domain}/{page}" + (f"?{urlencode(asked)}{anchor}" if asked else ""), name
