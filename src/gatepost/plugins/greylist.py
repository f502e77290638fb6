"""Put off mail from strangers once: who means it comes again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from pydantic import Field, field_validator

from gatepost.plugin import (
    Address,
    Context,
    Cost,
    Defer,
    DnsError,
    DomainPolicy,
    Mode,
    Plugin,
    PluginSettings,
    Scope,
    Score,
    Verdict,
    client_net,
)
from gatepost.plugin.hostnames import line_of, owner_of
from gatepost.plugin.proof import evidence

DAY = 86_400.0
BILL_DAYS = 40
"""Days for which the bill of a domain is kept (`desk.greylist_bill` reads it)."""
RENEW = 0.1
"""What is known is written again when this part of its time is over, and not with each mail."""
_TAG = re.compile(r"(?:prvs=[^=]{1,20}=|srs[01][=+\-][^=]{1,10}=[^=]{1,3}=)")
_NUMBER = re.compile(r"[a-z0-9]*[0-9][a-z0-9]*")


@dataclass(frozen=True, slots=True)
class Stranger:
    """Who was judged, so that the mail's fate can be put down to it."""

    who: str
    sender: str


class Settings(PluginSettings):
    """How long strangers wait, and who is none."""

    delay: int = Field(default=300, ge=1, le=86_400)
    """Seconds after the first attempt from which the mail is let in."""
    window: int = Field(default=86_400, ge=60, le=30 * 86_400)
    """Seconds within which the sender must have come again; after that it is a stranger as before."""
    keep: int = Field(default=36, ge=1, le=400)
    """Days for which who came back is known; renewed by each mail."""
    promote_after: int = Field(default=5, ge=0, le=10_000)
    """So many mails that came back make their host known for all its mail; 0 never does."""
    by: Literal["net", "host", "domain"] = "domain"
    """What is one sender: the `domain` that SPF proves, else the confirmed `host`, else its `net`."""
    ipv4_prefix: int = Field(default=24, ge=8, le=32)
    """Length of the network that counts as one IPv4 client."""
    ipv6_prefix: int = Field(default=64, ge=16, le=128)
    """Length of the network that counts as one IPv6 client."""
    exempt: tuple[str, ...] = ()
    """Networks that never wait: our own hosts, partners, monitors."""
    exempt_proven: bool = True
    """Let in at once what SPF proves: it comes from a server that its domain names, and those come again."""
    known_senders: bool = True
    """Let in at once a sender of whom this domain accepted a mail before, from the same place."""
    null_sender: Literal["data", "rcpt", "skip"] = "data"
    """When a bounce is put off: behind its `data`, so that callouts work; at `rcpt`; or never (`skip`)."""

    @field_validator("exempt")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ip_network(one)) for one in value)

    @cached_property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The exempt networks, read once per snapshot."""
        return tuple(ip_network(one) for one in self.exempt)


class Greylist(Plugin):
    """Answer 451 to the first mail of a stranger, and let it in when it comes again.

    Mail servers keep what they could not deliver and come again in some minutes (RFC 5321,
    4.5.4.1); much spam is sent once and forgotten, and what does come again has been put on
    block lists meanwhile. A stranger is a triplet of where it comes from, sender and recipient. It
    costs honest strangers their first minutes, and errs with senders that come again from
    another network or never: so what counts as one sender is as wide as can be proven, hosts that
    came back several times are known altogether, and `gatepost greylist DOMAIN` shows the bill.
    Begin on *watch*: nobody waits, and who is accepted is known when it is switched on.
    """

    settings = Settings
    scope = Scope.RECIPIENT
    cost = Cost.LAST  # what another check refuses is no stranger worth remembering
    tells = (Stranger,)
    done_accepted = True
    timeout = 20.0
    reads_body = False
    public = "Greylisted, try again later"

    def has_work(self, hook: str, settings: Settings, policy: DomainPolicy | None) -> bool:
        return hook != "headers" or settings.null_sender == "data"

    async def rcpt(self, ctx: Context[Settings]) -> Verdict | None:
        if ctx.sender is None and ctx.settings.null_sender != "rcpt":
            return None
        return await self._judge(ctx)

    async def headers(self, ctx: Context[Settings]) -> Verdict | None:
        return await self._judge(ctx) if ctx.sender is None else None

    async def done(self, ctx: Context[Settings]) -> None:
        stranger = ctx.fact(Stranger)
        if stranger is not None and stranger.sender:
            await _know(ctx, f"from {stranger.who} {stranger.sender}")

    async def _judge(self, ctx: Context[Settings]) -> Verdict | None:
        settings = ctx.settings
        if settings.exempt and ctx.client_in(settings.networks):
            return None
        who, proven = await _who(ctx)
        if proven and settings.exempt_proven:
            return Score(0, f"not put off: SPF proves {proven}")
        sender = settled_sender(ctx.sender)
        ctx.tell(Stranger(who, sender))
        if await _known(ctx, f"host {who}"):
            return Score(0, f"not put off: {who} has come back before")
        if settings.known_senders and sender and await _known(ctx, f"from {who} {sender}"):
            return Score(0, f"not put off: {sender} is known from {who}")
        recipient = ctx.recipient
        to = recipient.key[0] if recipient is not None else ""
        return await self._triplet(ctx, who, f"triplet {who} {sender} {to}")

    async def _triplet(self, ctx: Context[Settings], who: str, key: str) -> Verdict | None:
        settings, state, now = ctx.settings, ctx.state, ctx.now
        found = await state.get(key)
        if found is not None and found.startswith(b"+"):
            await _know(ctx, key, found)
            return None
        first = float(found) if found else now
        waited = now - first
        if found is None:
            await state.put(key, f"{now:.0f}".encode(), settings.window)
            await _count(ctx, now, "first", 1)
        if found is None or waited < settings.delay:
            left = max(1, round(settings.delay - waited))
            public = f"Greylisted, try again in {-(-left // 60)} minutes" if left > 90 else self.public
            return Defer(f"greylisted: a stranger from {who}, {left} s to go", public, 451, "4.7.1")
        await _know(ctx, key)
        await _count(ctx, first, "back", 1)
        await _count(ctx, first, "seconds", round(waited))
        came_back = await state.add(f"passed {who}", 1, settings.keep * DAY)
        if 0 < settings.promote_after <= came_back:
            await _know(ctx, f"host {who}")
        return Score(0, f"came back after {waited:.0f} s")


async def _who(ctx: Context[Settings]) -> tuple[str, str]:
    """Return what counts as this sender, and the domain that SPF proves, "" for none."""
    settings, sender = ctx.settings, ctx.sender
    proven = ""
    if sender is not None and sender.domain and (settings.exempt_proven or settings.by == "domain"):
        spf = await evidence(ctx).spf()
        proven = sender.domain if spf.result == "pass" else ""
    if settings.by == "domain" and proven:
        return proven, proven
    if settings.by != "net":
        try:
            session = await ctx.know_host()
        except DnsError:
            session = None
        host = session.host if session is not None and session.host_confirmed else ""
        # One provider's lines are not one sender: each customer stands for itself.
        if host and not line_of(host, ctx.session.client):
            return owner_of(host), proven
    return client_net(ctx.session.client, settings.ipv4_prefix, settings.ipv6_prefix), proven


async def _known(ctx: Context[Settings], key: str) -> bool:
    found = await ctx.state.get(key)
    if found is None:
        return False
    await _know(ctx, key, found)
    return True


async def _know(ctx: Context[Settings], key: str, found: bytes = b"") -> None:
    """Keep what is known from now on; it is rarely written again."""
    keep = ctx.settings.keep * DAY
    if not found or ctx.now - float(found[1:]) > keep * RENEW:
        await ctx.state.put(key, f"+{ctx.now:.0f}".encode(), keep)


async def _count(ctx: Context[Settings], first: float, what: str, n: int) -> None:
    """Put something on the bill of the day on which the mail first came; on watch nobody waits."""
    if ctx.policy.plugins[Greylist.name].mode is Mode.ON:
        await ctx.state.add(f"bill {first // DAY:.0f} {what}", n, BILL_DAYS * DAY)


def settled_sender(sender: Address | None) -> str:
    """Return a sender without what changes from mail to mail: numbers, extension, BATV and SRS tags."""
    if sender is None:
        return ""
    local, domain = sender.key
    local = _TAG.sub("", local, count=1)
    local = local.partition("+")[0] or local
    return f"{_NUMBER.sub('#', local)}@{domain}"
