"""Where the pages are: the menu at the top, and a domain's pages in groups; only what a page answers.

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
    also: str = ""
    """How the paths of further pages begin that belong to it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Pages of a domain that belong together."""

    text: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Tab:
    """A group or a page as it is shown at one page."""

    text: str
    address: str
    current: str = ""
    """What `aria-current` says: `page` for the page itself, `true` for what it belongs to."""
    below: tuple[Tab, ...] = ()
    """The pages of a group that has more than one."""


MENU = (
    Item("/", mark("Overview")),
    Item("/domains", mark("Domains")),
    Item("/journal", mark("Journal")),
    Item("/archive", mark("Archive")),
    Item("/queue", mark("Queue")),
    Item("/lists", mark("Lists"), admin=True),
    Item("/storms", mark("Storms"), admin=True),
    Item("/reviews", mark("Reviews")),
    Item("/training", mark("Training")),
    Item("/changes", mark("Changes")),
    Item("/checks", mark("Checks"), admin=True),
    Item("/settings", mark("Settings"), admin=True),
    Item("/users", mark("Users"), admin=True),
    Item("/health", mark("Health"), admin=True),
)

GROUPS = (
    Group(
        mark("Overview"),
        (
            Item("/domains/{domain}", mark("Overview")),
            Item("/?domain={domain}", mark("Statistics")),
        ),
    ),
    Group(
        mark("Checks"),
        (
            Item("/domains/{domain}/checks", mark("All checks")),
            Item("/domains/{domain}/greylist", mark("Greylisting")),
            Item("/domains/{domain}/storms", mark("Bounce storms")),
            Item("/domains/{domain}/batv", mark("BATV")),
            Item("/domains/{domain}/trial", mark("Try out")),
        ),
    ),
    Group(
        mark("Lists and rules"),
        (
            Item("/domains/{domain}/lists", mark("Lists")),
            Item("/domains/{domain}/rules", mark("Name rules")),
            Item("/domains/{domain}/forwarders", mark("Forwarders")),
        ),
    ),
    Group(
        mark("Recipients"),
        (
            Item("/domains/{domain}/recipients", mark("Recipients"), also="/domains/{domain}/mailboxes/"),
            Item("/domains/{domain}/aliases", mark("Counted addresses")),
        ),
    ),
    Group(
        mark("Mail"),
        (
            Item("/journal?domain={domain}", mark("Journal")),
            Item("/archive?domain={domain}", mark("Archive")),
            Item("/queue?domain={domain}", mark("Queue")),
            Item("/domains/{domain}/reviews", mark("Reviews")),
            Item("/domains/{domain}/digest", mark("Digest")),
        ),
    ),
    Group(mark("Training"), (Item("/domains/{domain}/training", mark("Training")),)),
    Group(
        mark("Settings"),
        (
            Item("/domains/{domain}/settings", mark("Settings")),
            Item("/domains/{domain}/privacy", mark("Privacy")),
            Item("/changes?domain={domain}", mark("Changes")),
        ),
    ),
)
"""What people do with a domain, and the pages for it. A group leads to the first of its pages."""

OWN = (Item("/account", mark("My account")),)


def shown(items: Iterable[Item], paths: frozenset[str], is_admin: bool) -> list[Item]:
    """Return the items whose page exists and is open to this person."""
    return [one for one in items if one.path.partition("?")[0] in paths and (is_admin or not one.admin)]


def tabs(paths: frozenset[str], is_admin: bool, domain: str, path: str) -> list[Tab]:
    """Return a domain's groups as the page at `path` shows them."""
    return [
        _group(group.text, found, domain, path)
        for group in GROUPS
        if (found := shown(group.items, paths, is_admin))
    ]


def _group(text: str, items: list[Item], domain: str, path: str) -> Tab:
    below = tuple(
        Tab(one.text, one.path.replace("{domain}", domain), _current(one, domain, path)) for one in items
    )
    if len(below) == 1:
        return Tab(text, below[0].address, below[0].current)
    return Tab(text, below[0].address, "true" if any(one.current for one in below) else "", below)


def _current(item: Item, domain: str, path: str) -> str:
    bare = item.path.partition("?")[0].replace("{domain}", domain)
    if path == bare:
        return "page"
    # What stands below the domain itself, or the first screen, are all the other pages.
    has_below = bare not in ("/", f"/domains/{domain}")
    also = item.also and path.startswith(item.also.replace("{domain}", domain))
    return "true" if also or (has_below and path.startswith(bare + "/")) else ""
