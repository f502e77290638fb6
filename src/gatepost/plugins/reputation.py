"""Give points by what became of a host's and a domain's earlier mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import Field

from gatepost.auth import facts
from gatepost.plugin import (
    Context,
    Cost,
    DomainPolicy,
    Mode,
    Plugin,
    PluginSettings,
    Score,
    Verdict,
    client_net,
)
from gatepost.plugin.proof import evidence

DAY = 86_400.0
MAX_DOMAINS = 3
"""Domains of one mail that are looked up."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """Who was looked up, and how many points that gave."""

    subjects: tuple[str, ...]
    points: float


class Settings(PluginSettings):
    """How much the past counts."""

    days: int = Field(default=30, ge=1, le=365)
    """Days of the past that count."""
    least: int = Field(default=10, ge=1, le=100_000)
    """Mails that must be known before there is an opinion."""
    worst: float = Field(default=3.0, ge=0, le=100)
    """Points for a host or domain of which nothing was ever wanted."""
    best: float = Field(default=-1.0, ge=-100, le=0)
    """Points for one whose mail was always wanted."""
    domains: bool = True
    """Look up domains that SPF or DKIM proves, not only the client's address."""
    unknown_recipients: bool = True
    """Count mail to nobody as unwanted: who guesses names does not know you."""


class Reputation(Plugin):
    """Remember for each host and each proven domain how much of its mail was wanted here.

    Most senders stay what they are: who sent spam for a month sends spam today, and who was
    accepted a hundred times is believed once more. Only what cannot be forged is remembered: the
    client's address, and a domain that SPF or DKIM proves. It errs with large providers, which send
    both, and with addresses that change hands; so it only gives points, few of them, and forgets.
    Its own points never count as a reason: a mail that only they made a refusal changes nothing.
    """

    settings = Settings
    cost = Cost.DNS
    needs = (facts.Spf, facts.Dkim)
    tells = (Opinion,)
    timeout = 20.0
    reads_body = False
    public = "Your earlier mail was not wanted here"

    def has_work(self, hook: str, settings: Settings, policy: DomainPolicy | None) -> bool:
        if hook != "message" or policy is None:
            return True
        dkim = policy.plugins.get("dkim")
        return settings.domains and dkim is not None and dkim.mode is not Mode.OFF

    async def mail(self, ctx: Context[Settings]) -> Verdict | None:
        subjects = [f"host {client_net(ctx.session.client)}"]
        if ctx.settings.domains and ctx.sender is not None:
            spf = ctx.fact(facts.Spf) or await evidence(ctx).spf()
            if spf.result == "pass":
                subjects.append(f"domain {ctx.sender.domain}")
        return await self._look_up(ctx, subjects)

    async def message(self, ctx: Context[Settings]) -> Verdict | None:
        dkim = ctx.fact(facts.Dkim)
        if dkim is None:
            return None
        return await self._look_up(ctx, [f"domain {one}" for one in dkim.passed()])

    async def done(self, ctx: Context[Settings]) -> None:
        opinion, outcome = ctx.fact(Opinion), ctx.outcome
        if outcome is None or outcome.fate not in ("accept", "reject", "quarantine"):
            return
        wanted = outcome.fate == "accept"
        if not wanted and outcome.plugin not in ctx.policy.plugins and outcome.plugin != "score":
            return  # for its form, or by the back end
        if outcome.enhanced == "5.1.1" and not ctx.settings.unknown_recipients:
            return
        if outcome.plugin == "score" and opinion is not None and opinion.points > 0:
            least = ctx.policy.reject_at if outcome.fate == "reject" else ctx.policy.quarantine_at
            if least is not None and outcome.score - opinion.points < least:
                return
        # Who was refused before it was looked up is known by its address all the same.
        known = opinion.subjects if opinion is not None else (f"host {client_net(ctx.session.client)}",)
        word = "good" if wanted else "bad"
        for subject in known:
            await ctx.state.add(f"{word} {subject}", 1, ctx.settings.days * DAY)

    async def _look_up(self, ctx: Context[Settings], subjects: Iterable[str]) -> Verdict | None:
        before = ctx.fact(Opinion) or Opinion((), 0.0)
        new = [one for one in dict.fromkeys(subjects) if one not in before.subjects][: MAX_DOMAINS + 1]
        settings = ctx.settings
        points = 0.0
        said = []
        for subject in new:
            good = await ctx.state.add(f"good {subject}", 0, settings.days * DAY)
            bad = await ctx.state.add(f"bad {subject}", 0, settings.days * DAY)
            if good + bad >= settings.least:
                own = points_of(good, bad, settings.best, settings.worst)
                points += own
                said.append(f"{subject}: {bad} of {good + bad} unwanted ({own:+.1f})")
        ctx.tell(Opinion((*before.subjects, *new), before.points + points))
        return Score(round(points, 2), "; ".join(said)) if said else None


def points_of(good: int, bad: int, best: float, worst: float) -> float:
    """Return the points for a past: none for half and half, `worst` for all bad, `best` for all good."""
    leaning = (bad - good) / (good + bad) if good + bad else 0.0
    return leaning * worst if leaning > 0 else -leaning * best
