"""Give points to mail that pretends to come from people or domains that this domain knows."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property

from pydantic import Field, field_validator

from gatepost.auth import facts
from gatepost.plugin import (
    Address,
    AddressError,
    Context,
    Cost,
    Plugin,
    PluginSettings,
    Score,
    Verdict,
    parse_address,
)
from gatepost.plugin.people import (
    OTHER_ENDING,
    Author,
    addresses_in,
    alike,
    author_of,
    own,
    proven,
    wears,
    words_of,
)
from gatepost.plugin.proof import evidence

DAY = 86_400.0
FREQUENT = "frequent"
"""Key of the record with the domains that write often, the latest at the end."""
MOST = 300
MAX_PEOPLE = 2_000


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote a mail, as it says."""

    address: Address
    proven: bool


class Settings(PluginSettings):
    """Who is known, and what it costs to pretend to be one of them."""

    people: tuple[str, ...] = Field(default=(), max_length=MAX_PEOPLE)
    """Own people: `Ann Miller`, or with an address that she has too: `Ann Miller <ann@home.example>`."""
    known_names: bool = True
    """Take names from recipients too: `ann.miller@` is Ann Miller."""
    may: tuple[str, ...] = Field(default=(), max_length=1_000)
    """Domains that write in your people's names: the calendar, the list server."""
    name: float = Field(default=4.0, ge=0, le=100)
    """Points for the name of an own person with a foreign address that never wrote before."""
    address: float = Field(default=4.0, ge=0, le=100)
    """Points for an address of the domain in the name of another: `"ann@example.org" <x@evil.test>`."""
    look_alike: float = Field(default=4.0, ge=0, le=100)
    """Points for a domain that looks like the own one: `examp1e.org`, `example.org.evil.test`."""
    other_ending: float = Field(default=1.5, ge=0, le=100)
    """Points for the own name with another ending, `example.com`: often somebody else's in good faith."""
    correspondent: float = Field(default=3.0, ge=0, le=100)
    """Points for a domain that looks like one that writes often, and is not."""
    first_contact: float = Field(default=0.0, ge=0, le=100)
    """Points for an address that writes for the first time, added to those above."""
    frequent: int = Field(default=5, ge=2, le=1_000)
    """Accepted mails from which a domain is known, and, where they are proven, an address."""
    days: int = Field(default=180, ge=1, le=730)
    """Days after which one that wrote no more is forgotten."""

    @field_validator("may")
    @classmethod
    def _lower(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.lower().strip(".") for name in value)

    @field_validator("people")
    @classmethod
    def _readable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for person in value:
            name, bracket, rest = person.partition("<")
            if not name.strip():
                raise ValueError(f"{person!r:.80}: a name is missing")
            if bracket:
                try:
                    parse_address(rest.rstrip().removesuffix(">"))
                except AddressError as error:
                    raise ValueError(f"{person!r:.80}: {error}") from None
        return value

    @cached_property
    def names(self) -> dict[tuple[str, ...], set[tuple[str, str]]]:
        """Words of a name -> keys of the addresses that its person may write from."""
        found: dict[tuple[str, ...], set[tuple[str, str]]] = {}
        for person in self.people:
            name, bracket, rest = person.partition("<")
            addresses = found.setdefault(words_of(name), set())
            if bracket:
                addresses.add(parse_address(rest.rstrip().removesuffix(">")).key)
        return found


class Impersonation(Plugin):
    """Compare the author's name and domain with the domain's own people and with those who write to it often.

    Who wants money from the bookkeeper writes as the director, from an address that was made this morning:
    SPF, DKIM and DMARC pass, since the address is the writer's own. The reader sees the name. So a known
    name with a foreign address gives points until that address has written often, and so does a domain that
    differs by a letter from the own one or from a correspondent's. What it knows is learnt from accepted
    mail that SPF or DKIM proves (these must be on or watch). It errs with people who write from home for the
    first time: name their addresses.
    """

    settings = Settings
    cost = Cost.DNS
    needs = (facts.Spf, facts.Dkim)
    tells = (Writer,)
    done_accepted = True
    timeout = 20.0
    reads_body = False
    public = "Message pretends to come from somebody else"

    async def message(self, ctx: Context[Settings]) -> Verdict | None:
        author = author_of(ctx.message)
        if author is None or self._is_ours(ctx, author):
            return None
        settings = ctx.settings
        spf = ctx.fact(facts.Spf) or await evidence(ctx).spf()
        ctx.tell(Writer(author.address, proven(author.address.domain, spf, ctx.fact(facts.Dkim))))
        wrote = await ctx.state.add(_key(author.address), 0, settings.days * DAY)
        if wrote >= settings.frequent:
            return None
        found = [one async for one in self._findings(ctx, author)]
        points = sum(worth for worth, _ in found)
        reason = "; ".join(text for _, text in found)
        if not wrote and (found or settings.first_contact):
            points += settings.first_contact
            reason += f"{'; ' if reason else ''}{author.address} never wrote before"
        return Score(round(points, 2), reason[:900]) if reason else None

    async def done(self, ctx: Context[Settings]) -> None:
        """Learn who writes: what was accepted and is proven."""
        writer = ctx.fact(Writer)
        if writer is None:
            return
        settings = ctx.settings
        if writer.proven:
            await ctx.state.add(_key(writer.address), 1, settings.days * DAY)
        domain = own(writer.address.domain)
        if await ctx.state.add(f"domain {domain}", 1, settings.days * DAY) == settings.frequent:
            known = [one for one in await _frequent(ctx) if one != domain]
            await ctx.records.put(FREQUENT, [*known, domain][-MOST:])

    async def _findings(self, ctx: Context[Settings], author: Author) -> AsyncIterator[tuple[float, str]]:
        """Yield (points, why)."""
        settings, domain = ctx.settings, author.address.domain
        ours = ctx.domain
        if not _below(domain, settings.may):
            if any(one.endswith(f"@{ours}") for one in addresses_in(author.name)):
                yield settings.address, f"an address of {ours} stands in the name of {author.address}"
            elif self._names_us(ctx, author):
                yield settings.name, f"{author.name!r:.80} is one of us, {author.address} is not"
        registered = own(domain)
        if await ctx.state.add(f"domain {registered}", 0, settings.days * DAY) >= settings.frequent:
            return  # known by itself, whatever it looks like
        how = wears(domain, ours)
        if how:
            points = settings.other_ending if how == OTHER_ENDING else settings.look_alike
            yield points, f"{domain} looks like {ours}: it {how}"
            return
        other, how = alike(registered, [own(ours)])
        if other:
            yield settings.look_alike, f"{registered} {how} ({other})"
            return
        other, how = alike(registered, await _frequent(ctx))
        if other:
            yield settings.correspondent, f"{registered} {how} ({other}, which writes often)"

    def _is_ours(self, ctx: Context[Settings], author: Author) -> bool:
        """Whether the address is the domain's own: whether that is true is DMARC's question."""
        return author.address.domain == ctx.domain or author.address.domain.endswith(f".{ctx.domain}")

    def _names_us(self, ctx: Context[Settings], author: Author) -> bool:
        """Whether the display name is that of an own person who does not write from this address."""
        words = words_of(author.name)
        if not words:
            return False
        if words in ctx.settings.names:
            return author.address.key not in ctx.settings.names[words]
        if not ctx.settings.known_names or len(words) != 2:
            return False
        rows = (
            ctx.known(f"{a}{dot}{b}") for a, b in itertools.permutations(words) for dot in (".", "_", "-")
        )
        return any(row is not None and row.local != "*" and row.kind == "valid" for row in rows)


async def _frequent(ctx: Context[Settings]) -> list[str]:
    """Return the domains that write often."""
    known = await ctx.records.get(FREQUENT)
    return [one for one in known if isinstance(one, str)] if isinstance(known, list) else []


def _below(domain: str, names: tuple[str, ...]) -> bool:
    return any(domain == name or domain.endswith(f".{name}") for name in names)


def _key(address: Address) -> str:
    """Return what a sender is counted under: no address is kept."""
    return "from " + hashlib.sha256("@".join(address.key).encode()).hexdigest()[:24]
