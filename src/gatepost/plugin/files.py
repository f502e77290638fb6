"""The files of the message at hand, and what a domain's rules find among them.

The inventory (`plugin.contents`) is made once for all domains, in this process where the message is short
and holds nothing to unpack, else in one that can be killed. What is forbidden is looked up here: pure.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gatepost.mail.filenames import TURNED, read_name
from gatepost.mail.filetypes import SIGNATURES, FileType, Kind, disguised
from gatepost.mail.form import Oddity
from gatepost.plugin.archives import FORMATS
from gatepost.plugin.contents import (
    MAX_DECODED,
    MAX_DEPTH,
    MAX_ENTRIES,
    MAX_RATIO,
    Inventory,
    Item,
    NeedsProcess,
    glance,
    look,
    look_alone,
    unpacked,
)
from gatepost.plugin.context import Context
from gatepost.plugin.parts import LONG, once
from gatepost.plugin.poison import Poison, twice

__all__ = ["MAX_DECODED", "MAX_DEPTH", "MAX_ENTRIES", "MAX_RATIO", "TYPES", "Inventory", "Oddity", "Rules",
           "held_against", "inventory"]  # fmt: skip

MAX_MESSAGE = 60 << 20
"""Bytes of a message that is looked into: a process takes little more at once."""
SECONDS = 18.0
"""How long a process may look at one message, each time."""
TYPES = (
    {name for name, *_ in SIGNATURES}
    | {kind.value for kind in Kind if kind is not Kind.UNKNOWN}
    | {"apk", "appx", "bmp", "exe", "html", "jar", "msg", "msi", "odf", "ooxml", "pdf", "svg"}
)
"""All types and kinds that a domain may forbid."""
LISTED = 4
"""Files that a reason names for each finding."""


class Rules(NamedTuple):
    """What a domain forbids, and how much it takes."""

    endings: frozenset[str]
    types: frozenset[str]
    entries: int
    depth: int
    unpacked: int
    ratio: int


async def inventory(ctx: Context[Any]) -> Inventory:
    """Return the inventory of the message at hand."""
    message = ctx.message
    head, body = message.head, message.body or message.head
    facts = ctx.transaction.facts
    if len(body) > MAX_MESSAGE:
        return Inventory(problems=(("over_budget", f"over budget: more than {MAX_MESSAGE >> 20} MiB"),))
    if Inventory not in facts and len(body) < LONG:
        try:
            facts[Inventory] = glance(message)
        except NeedsProcess:
            pass

    async def beside() -> Inventory:
        if not ctx.has_workers:  # one mail at the command line, where nobody waits
            return unpacked(look(head, body))
        try:
            return unpacked(await twice(ctx, look_alone, head, body, seconds=SECONDS))
        except Poison as error:
            return Inventory(poison=str(error))

    return await once(facts, Inventory, beside)


def held_against(found: Inventory, rules: Rules) -> list[Oddity]:
    """Return what a domain's rules find, one for each kind of finding."""
    texts: dict[str, list[str]] = {}
    for kind, text in (*found.problems, *_budgets(found, rules)):
        texts.setdefault(kind, []).append(text)
    for item in found.items:
        for kind, text in _item(item, rules):
            texts.setdefault(kind, []).append(text)
    return [Oddity(kind, _listed(list(dict.fromkeys(said)))) for kind, said in texts.items()]


def _listed(said: list[str]) -> str:
    rest = len(said) - LISTED
    return ", ".join(said[:LISTED]) + (f" and {rest} more" if rest > 0 else "")


def _budgets(found: Inventory, rules: Rules) -> list[tuple[str, str]]:
    measured = (
        (found.entries, rules.entries, "files in archives"),
        (found.depth, rules.depth, "archives in each other"),
        (found.decoded, rules.unpacked, "bytes unpacked"),
        (found.ratio, rules.ratio, "times its size unpacked"),
    )
    return [
        ("over_budget", f"over budget: {count} {what}, more than {most}")
        for count, most, what in measured
        if count > most
    ]


def _item(item: Item, rules: Rules) -> list[tuple[str, str]]:
    where, inside = item.where, "inside" in item.flags
    out: list[tuple[str, str]] = []
    endings: list[str] = []
    for raw in item.names:
        name = read_name(raw)
        endings += name.endings
        denied = [one for one in name.endings if one in rules.endings]
        if denied:
            out.append(("denied_name_inside" if inside else "denied_name", f"{where} ends in .{denied[0]}"))
            if name.double:
                out.append(("double_ending", f"{where} ends in .{name.double}"))
        if name.trick:
            out.append(("hidden_ending", f"{where} has {name.trick}"))
    if "turned" in item.flags:
        out.append(("hidden_ending", f"{where} has {TURNED}"))
    if item.type in rules.types or item.kind in rules.types:
        out.append(("denied_type", f"{where} is {_a(item)}"))
    if disguised(tuple(endings), FileType(item.type, Kind(item.kind))):
        out.append(("disguised", f"{where} is really {_a(item)}"))
    if "encrypted" in item.flags:
        out.append(("encrypted", f"{where} is encrypted"))
    if "macros" in item.flags:
        out.append(("macros", f"{where} has macros"))
    if item.type not in FORMATS and (
        item.kind == Kind.DISK or (item.kind == Kind.ARCHIVE and item.type != "zip")
    ):
        out.append(("unreadable", f"{where} is {item.type}, which nobody here can look into"))
    return out


def _a(item: Item) -> str:
    return item.type if item.type == item.kind else f"{item.type} ({item.kind})"
