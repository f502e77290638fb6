"""Refuse clients that DNS block lists know."""

from __future__ import annotations

import re

from pydantic import Field

from gatepost.plugin import (
    CannotAnswer,
    Context,
    Cost,
    DnsError,
    DnsFailure,
    DomainPolicy,
    Plugin,
    PluginSettings,
    Reject,
    Scope,
    Score,
    Verdict,
    reverse_labels,
)
from gatepost.plugin.blocklists import PROBES, Clinic, Zone, refuses_us

MAX_ZONES = 50
IPV4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")


class Settings(PluginSettings):
    """Which lists are asked, and when they refuse."""

    zones: tuple[Zone, ...] = Field(default=(), max_length=MAX_ZONES)
    """Lists to ask: `zen.example`, `zen.example=127.0.0.[2..11]*2`, `bits.example&0.0.0.6`."""
    threshold: float = Field(default=1.0, gt=0)
    """Sum of the weights of the lists that know the client, from which it is refused."""


class Dnsbl(Plugin):
    """Ask DNS lists for the client's address, all at once.

    The lists see the mail of many sites, so they know a machine that began to send spam an hour
    ago; in 2017 they were three quarters of what was refused besides mail to nobody. A list
    can go mad: one that answers for everything, or refuses our queries, would refuse all mail. So
    only its documented answers count, a time-out is no listing, and each list is looked at every
    half hour: one that knows 127.0.0.1, or does not know 127.0.0.2, is switched off and reported.
    """

    settings = Settings
    scope = Scope.SESSION
    cost = Cost.DNS
    public = "Your address is on a block list"

    def __init__(self) -> None:
        self._clinic = Clinic()

    def has_work(self, hook: str, settings: Settings, policy: DomainPolicy | None) -> bool:
        return bool(settings.zones)

    async def connect(self, ctx: Context[Settings]) -> Verdict | None:
        labels = client_labels(ctx.session.client)
        if not labels:
            return None
        zones = ctx.settings.zones
        due = self._clinic.due(zones, ctx.now)
        names = [f"{labels}.{z.zone}" for z in zones]
        names += [f"{probe}.{zone}" for zone in due for probe in PROBES]
        answers = await ctx.dns.a_all(names)
        for n, zone in enumerate(due):
            first = len(zones) + n * len(PROBES)
            news = self._clinic.look_at(zone, answers[first : first + len(PROBES)], ctx.now)
            if news:
                ctx.alert(news)
        return self._weigh(ctx, answers)

    def _weigh(self, ctx: Context[Settings], answers: list[list[str] | DnsError]) -> Verdict | None:
        """Sum up; lists that did not answer leave a range, and only a clear sum is an answer."""
        low = high = 0.0
        listed: list[str] = []
        silent: list[str] = []
        off: list[str] = []
        for zone, answer in zip(ctx.settings.zones, answers, strict=False):
            health = self._clinic.of(zone.zone)
            if health.sick:
                off.append(f"{zone.zone} is switched off: {health.sick}")
                continue
            known = [] if isinstance(answer, DnsError) else answer
            code = next((a for a in known if zone.counts(a)), None)
            if isinstance(answer, DnsFailure) or refuses_us(known) or (code and not health.known):
                low += min(zone.weight, 0)
                high += max(zone.weight, 0)
                silent.append(str(answer) if isinstance(answer, DnsError) else f"{zone.zone} is not sane")
            elif code:
                low += zone.weight
                high += zone.weight
                listed.append(f"{zone.zone} ({code})")
        threshold = ctx.settings.threshold
        if low >= threshold:
            return Reject(f"{ctx.session.client} is listed by {', '.join(listed)}")
        if high >= threshold:
            raise CannotAnswer("; ".join(silent))
        return Score(0, "; ".join(off)) if off else None


def client_labels(client: str) -> str:
    """Return the labels under which lists know an address, "" for a client without one."""
    try:
        return reverse_labels(client) if ":" in client or IPV4.fullmatch(client) else ""
    except ValueError:
        return ""
