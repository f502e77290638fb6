"""Refuse messages with links to domains that DNS block lists know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from gatepost.plugin import (
    CannotAnswer,
    Context,
    Cost,
    DnsError,
    DomainPolicy,
    Plugin,
    PluginSettings,
    Reject,
    Score,
    Verdict,
    reverse_labels,
)
from gatepost.plugin.blocklists import NAME_PROBES, Clinic, Sum, Zone, weigh
from gatepost.plugin.linked import linked, registrable

if TYPE_CHECKING:
    from gatepost.mail.links import Link

MAX_ZONES = 10
MAX_NAMES = 40


class Settings(PluginSettings):
    """Which lists are asked about which links, and when they refuse."""

    zones: tuple[Zone, ...] = Field(default=(), max_length=MAX_ZONES)
    """Lists of domains: `dbl.example`, `multi.example=127.0.0.[2..126]*2`, `multi.example&0.0.0.24`."""
    address_zones: tuple[Zone, ...] = Field(default=(), max_length=MAX_ZONES)
    """Lists to ask about links that lead to an address instead of a name."""
    threshold: float = Field(default=1.0, gt=0)
    """Sum of the weights of the lists that know one domain, from which the message is refused."""
    whole_names: bool = False
    """Ask for the whole host name too, for lists that have such."""
    most: int = Field(default=20, ge=1, le=MAX_NAMES)
    """Domains of one message that are asked for: the first ones and the last ones, half of each."""
    ignore: tuple[str, ...] = Field(default=("w3.org",), max_length=1_000)
    """Domains that are never asked for, with what is below them."""
    disguised: float = Field(default=1.0, ge=0, le=100)
    """Points for a link that hides where it leads: `bank.example@evil.example`, `http://2130706433/`."""

    @field_validator("ignore")
    @classmethod
    def _lower(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.lower().strip(".") for name in value)


class Uribl(Plugin):
    """Ask DNS lists for the domains that a message's links lead to, all at once.

    A sender changes machines by the hour, but what is sold or phished must be reached, and a domain costs
    money: its links betray spam that comes through somebody's good mail server. Each link is read as a
    browser would (tricks with `@`, numbers for addresses, IDN, links inside of links), and the part that was
    registered is asked for. Lists are watched as those of `dnsbl` are: only
    documented answers count, silence is no listing, and one that lists everything or nothing is off.
    """

    settings = Settings
    cost = Cost.DNS
    public = "Message links to a domain that is on a block list"

    def __init__(self) -> None:
        self._clinic = Clinic()

    def has_work(self, hook: str, settings: Settings, policy: DomainPolicy | None) -> bool:
        return bool(settings.zones or settings.address_zones or settings.disguised)

    async def message(self, ctx: Context[Settings]) -> Verdict | None:
        settings = ctx.settings
        found = await linked(ctx)
        subjects = _subjects(found, settings, ctx.domain)
        due = self._clinic.due([*settings.zones, *settings.address_zones], ctx.now) if subjects else []
        names = [f"{label}.{zone.zone}" for _, label, zones in subjects for zone in zones]
        probes = [f"{probe}.{zone}" for zone in due for probe in NAME_PROBES]
        answers = await ctx.dns.a_all(names + probes) if names else []
        for n, zone in enumerate(due):
            first = len(names) + n * len(NAME_PROBES)
            news = self._clinic.look_at(zone, answers[first : first + len(NAME_PROBES)], ctx.now)
            if news:
                ctx.alert(news)
        judged = self._judge(subjects, answers, settings)
        return judged if isinstance(judged, Reject) else _disguised(found, settings) or judged

    def _judge(
        self,
        subjects: Sequence[tuple[str, str, tuple[Zone, ...]]],
        answers: Sequence[list[str] | DnsError],
        settings: Settings,
    ) -> Verdict | None:
        """Refuse for the first subject that is surely listed; CannotAnswer where one might be."""
        place = 0
        unsure: list[str] = []
        off: dict[str, None] = {}
        for subject, _, zones in subjects:
            found: Sum = weigh(zones, answers[place : place + len(zones)], self._clinic)
            place += len(zones)
            if found.low >= settings.threshold:
                return Reject(f"links to {subject}, which is listed by {', '.join(found.listed)}")
            if found.high >= settings.threshold:
                unsure += found.silent
            off |= dict.fromkeys(found.off)
        if unsure:
            raise CannotAnswer("; ".join(dict.fromkeys(unsure)))
        return Score(0, "; ".join(off)) if off else None


def _subjects(found: Sequence[Link], settings: Settings, own: str) -> list[tuple[str, str, tuple[Zone, ...]]]:
    """Return (what to ask for, its labels, the lists), each once; the first and the last of many."""
    wanted: dict[str, tuple[str, tuple[Zone, ...]]] = {}
    for link in found:
        if link.is_address:
            if settings.address_zones:
                wanted[link.host] = reverse_labels(link.host), settings.address_zones
        elif settings.zones and "." in link.host and not _below(link.host, (own, *settings.ignore)):
            for name in (registrable(link.host), *((link.host,) if settings.whole_names else ())):
                wanted[name] = name, settings.zones
    subjects = [(subject, labels, zones) for subject, (labels, zones) in wanted.items() if len(labels) < 180]
    if len(subjects) > settings.most:
        half = settings.most // 2
        subjects = subjects[: settings.most - half] + subjects[len(subjects) - half :]
    return subjects


def _below(host: str, domains: Sequence[str]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _disguised(found: Sequence[Link], settings: Settings) -> Verdict | None:
    hidden = next((link for link in found if link.disguise in ("userinfo", "number")), None)
    if hidden is None or not settings.disguised:
        return None
    how = "behind another name and an @" if hidden.disguise == "userinfo" else "as a number"
    return Score(settings.disguised, f"a link hides where it leads: {hidden.host}, written {how}")
