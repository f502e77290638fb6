"""Where the pages are: the menu at the top, and the tabs of a domain. What no page answers is not shown.

A page that is added needs a line here only to be found by people; a line whose page is not there yet
is left out, and so is what the person's role does not open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.console.text import mark


@dataclass(frozen=True, slots=True)
class Item:
    """One word that leads somewhere."""

    path: str
    text: str
    admin: bool = False
    """Only for administrators."""


MENU = (
    Item("/", mark("Overview")),
    Item("/domains", mark("Domains")),
    Item("/journal", mark("Journal")),
    Item("/archive", mark("Archive")),
    Item("/queue", mark("Queue")),
    Item("/lists", mark("Lists"), admin=True),
    Item("/reviews", mark("Reviews")),
    Item("/training", mark("Training")),
    Item("/changes", mark("Changes")),
    Item("/checks", mark("Checks"), admin=True),
    Item("/settings", mark("Settings"), admin=True),
    Item("/users", mark("Users"), admin=True),
    Item("/health", mark("Health"), admin=True),
)

TABS = (
    Item("/domains/{domain}", mark("Domain")),
    Item("/domains/{domain}/checks", mark("Checks")),
    Item("/domains/{domain}/recipients", mark("Recipients")),
    Item("/domains/{domain}/lists", mark("Lists")),
    Item("/domains/{domain}/rules", mark("Name rules")),
    Item("/domains/{domain}/aliases", mark("Counted addresses")),
    Item("/domains/{domain}/storms", mark("Bounce storms")),
    Item("/domains/{domain}/batv", mark("BATV")),
    Item("/domains/{domain}/greylist", mark("Greylisting")),
    Item("/domains/{domain}/forwarders", mark("Forwarders")),
    Item("/domains/{domain}/reviews", mark("Reviews")),
    Item("/domains/{domain}/trial", mark("Try out")),
    Item("/domains/{domain}/digest", mark("Digest")),
    Item("/domains/{domain}/privacy", mark("Privacy")),
    Item("/domains/{domain}/training", mark("Training")),
)

OWN = (Item("/account", mark("My account")),)


def shown(items: Iterable[Item], paths: frozenset[str], is_admin: bool) -> list[Item]:
    """Return the items whose page exists and is open to this person."""
    return [one for one in items if one.path in paths and (is_admin or not one.admin)]
