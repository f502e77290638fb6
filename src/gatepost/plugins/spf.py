"""Weigh whether the client may send for the domain of the envelope sender."""

from __future__ import annotations

from gatepost.auth import facts
from gatepost.plugin import Context, Cost, DomainPolicy, Mode, Plugin, PluginSettings, Score, Verdict
from gatepost.plugin.proof import Answer, answer, evidence

ENHANCED = {"permerror": "5.7.24"}
"""RFC 7372, 3.2; all others 5.7.23."""


class Settings(PluginSettings):
    """What each result becomes: refuse, defer, ignore, or points."""

    fail: Answer = "refuse"
    """The domain says that this client may not send for it (`-all`)."""
    softfail: Answer = 2.0
    """The domain believes that this client may not (`~all`)."""
    neutral: Answer = "ignore"
    """The domain says nothing about this client (`?all`)."""
    none: Answer = "ignore"
    """The domain has no SPF record."""
    permerror: Answer = 1.0
    """The domain's record cannot be read, or needs more than 10 look-ups."""
    temperror: Answer = "ignore"
    """DNS did not answer."""
    helo_fail: Answer = 2.0
    """The domain of the HELO name says that this client is not its own."""


class Spf(Plugin):
    """Ask the sender's domain which servers may send for it (SPF, RFC 7208).

    Who forges an envelope sender sends from an address that the forged domain does not list, so
    mail in the name of banks and bounces to forged mail end here. It errs where mail is forwarded
    without changing the envelope sender: the forwarder is not on the list either. Name your
    forwarders in `arc.forwarders`; where seals are trusted too, a refusal waits for the message.
    SPF says nothing about the author whom people see: that is the check `dmarc`.
    """

    settings = Settings
    cost = Cost.DNS
    needs = (facts.Forwarded,)
    tells = (facts.Spf,)
    timeout = 20.0
    reads_body = False
    public = "Your server may not send for the sender's domain (SPF)"

    def has_work(self, hook: str, settings: Settings, policy: DomainPolicy | None) -> bool:
        """Seals come with the message; where nobody looks at them there is nothing to wait for."""
        if hook != "message" or policy is None:
            return True
        seals = policy.plugins.get("arc")
        return seals is not None and seals.mode is Mode.ON

    async def mail(self, ctx: Context[Settings]) -> Verdict | None:
        spf = await evidence(ctx).spf()
        ctx.tell(spf)
        forwarded = ctx.fact(facts.Forwarded)
        if forwarded is not None and forwarded.pending and spf.result != "pass":
            return Score(0, f"{spf.words()}; waits for the seals of the message")
        return self._weigh(ctx.settings, spf, forwarded)

    async def message(self, ctx: Context[Settings]) -> Verdict | None:
        forwarded = ctx.fact(facts.Forwarded)
        if forwarded is None or not forwarded.seals:
            return None
        spf = await evidence(ctx).spf()
        return None if spf.result == "pass" else self._weigh(ctx.settings, spf, forwarded)

    def _weigh(self, settings: Settings, spf: facts.Spf, forwarded: facts.Forwarded | None) -> Verdict:
        if spf.result == "pass":
            return Score(0, spf.words())
        if forwarded:
            return Score(0, f"{spf.words()}; but {forwarded.why}")
        helo = spf.helo if spf.helo is not None else spf
        what = getattr(settings, spf.result)
        if what == "ignore" and helo.result == "fail":
            return answer(settings.helo_fail, f"HELO name: {helo.words()}", self.public, "5.7.23")
        return answer(what, spf.words(), self.public, ENHANCED.get(spf.result, "5.7.23"))
