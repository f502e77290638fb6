"""Which list entry decides about a client and a sender, and which others are about them too.

The same tables and the same order as for mail (`policy.lists`, CONTRACT 5). What a check on its own is
allowed to let past is told beside it, since an entry of one check says nothing to the others.
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.desk import domains
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.mail.address import Address, AddressError, fold, parse_address
from gatepost.mail.session import Session
from gatepost.policy.entries import Entry, EntryError, parse_entry
from gatepost.policy.lists import Lists


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked about; "" is not known."""

    client: str = ""
    sender: str = ""
    host: str = ""
    """The client's rDNS name, taken as forward-confirmed."""
    helo: str = ""
    mailbox: str = ""
    """Local part of the recipient."""
    proven: bool = False
    """SPF or DKIM agrees with the sender."""

    @property
    def any(self) -> bool:
        """Return whether somebody is asked about."""
        return any((self.client, self.sender, self.host, self.helo))


@dataclass(frozen=True, slots=True)
class Decided:
    """What the lists of one domain say, general ones or those of one check."""

    plugin: str
    """"" for the general lists."""
    entry: Entry | None
    """The one that decides; None where what they say counts for nobody who is not proven."""
    others: tuple[Entry, ...]
    """Also about them, but farther, less exact, or only for a proven sender."""


def deciding(desk: Desk, domain: str, asked: Asked) -> list[Decided]:
    """Return what is said about them: by the general lists first, then by those of single checks."""
    policy, _ = domains.resolved(desk, domain)
    local = fold(asked.mailbox.strip().partition("@")[0])
    policy = policy.for_mailbox(local)
    session = Session("", _client(asked.client), helo=asked.helo.strip())
    if asked.host.strip():
        session.know_host(((_host(asked.host), True),))
    sender = _sender(asked.sender)
    now = desk.clock()

    def look(plugin: str, lists: Lists) -> Decided | None:
        about = lists.matching(session, sender, now, asked.proven)
        if not about:
            return None
        entry = lists.match_session(session, sender, now, asked.proven)
        return Decided(plugin, entry, tuple(one for one in about if one is not entry))

    owned = [(name, own.lists) for name, own in sorted(policy.plugins.items()) if own.lists]
    said = [look("", policy.lists), *(look(name, lists) for name, lists in owned)]
    return [one for one in said if one is not None]


def _client(text: str) -> str:
    """Return a client's address as entries have it."""
    if not text.strip():
        return ""
    try:
        field, value = parse_entry(f"ip:{text.strip()}")
    except EntryError as error:
        raise DeskError(str(error)) from error
    assert field == "ip"
    return value


def _host(text: str) -> str:
    try:
        return parse_entry(f"host:{text.strip().rstrip('.')}")[1]
    except EntryError as error:
        raise DeskError(str(error)) from error


def _sender(text: str) -> Address | None:
    bare = text.strip().strip("<>")
    if not bare:
        return None
    try:
        return parse_address(bare)
    except AddressError as error:
        raise DeskError(f"{bare!r}: {error}") from error
