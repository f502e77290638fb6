"""Refuse clients that DNS block lists know."""

from __future__ import annotations

import re

from pydantic import Field

from gatepost.plugin import (
    CannotAnswer,
    Context,
    Cost,
    DomainPolicy,
    Plugin,
    PluginSettings,
    Reject,
    Scope,
    Score,
    Verdict,
    reverse_labels,
)
from gatepost.plugin.blocklists import PROBES, Clinic, Sum, Zone, weigh

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
        return self._judge(ctx, weigh(zones, answers[: len(zones)], self._clinic))

    def _judge(self, ctx: Context[Settings], found: Sum) -> Verdict | None:
        """Say what the sum means: only a clear one is an answer."""
        threshold = ctx.settings.threshold
        if found.low >= threshold:
            return Reject(f"{ctx.session.client} is listed by {', '.join(found.listed)}")
        if found.high >= threshold:
            raise CannotAnswer("; ".join(found.silent))
        return Score(0, "; ".join(found.off)) if found.off else None


def client_labels(client: str) -> str:
    """Return the labels under which lists know an address, "" for a client without one."""
    try:
        return reverse_labels(client) if ":" in client or IPV4.fullmatch(client) else ""
    except ValueError:
        return ""
