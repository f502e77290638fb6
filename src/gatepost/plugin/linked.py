"""Where the links of the message at hand lead: worked out once for all checks and domains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gatepost.mail.message import Message
from gatepost.mail.structure import read_structure
from gatepost.mail.text import links
from gatepost.plugin.tools import CannotAnswer

if TYPE_CHECKING:
    from gatepost.mail.links import Link
    from gatepost.plugin.context import Context

LONG = 65_536
"""Bytes of a message from which its links are looked for in another process."""
MISSING = "links need idna and publicsuffixlist: install gatepost with its extra `content`"


class Linked:
    """Key in a transaction's facts: the links of its message."""


async def linked(ctx: Context[Any]) -> list[Link]:
    """Return where the links of the message lead, each host once, in the order met."""
    found: list[Link] | None = ctx.transaction.facts.get(Linked)
    if found is None:
        body = ctx.message.body or b""
        plain = None
        if len(body) > LONG and ctx.has_workers:
            plain = await ctx.in_worker(links_in, ctx.message.head, body)
        if plain is None:
            plain = links_in(ctx.message.head, body)
        found = ctx.transaction.facts[Linked] = _links(plain)
    return found


def registrable(name: str) -> str:
    """Return the part of a host name that was registered (`mail/domains.py`)."""
    try:
        from gatepost.mail import domains
    except ImportError as error:
        raise CannotAnswer(MISSING) from error
    return domains.registrable(name)


def links_in(head: bytes, body: bytes) -> list[tuple[str, bool, str]]:
    """Return the fields of each link of a message: plain values, for a process of its own."""
    try:
        from gatepost.mail.links import links_of
    except ImportError as error:
        raise CannotAnswer(MISSING) from error
    found = links_of(links(read_structure(Message(head, body))))
    return [(link.host, link.is_address, link.disguise) for link in found]


def _links(plain: list[tuple[str, bool, str]]) -> list[Link]:
    from gatepost.mail.links import Link

    return [Link(*fields) for fields in plain]
