"""Weigh whether the author whom people see is the one who was proved, as the author's domain asks."""

from __future__ import annotations

from gatepost.auth import facts
from gatepost.plugin import Context, Cost, DnsError, Plugin, PluginSettings, Score, Verdict
from gatepost.plugin.proof import Answer, answer, evidence

ENHANCED = "5.7.26"
"""RFC 7372, 3.3: more than one check failed."""
WINDOW = 30 * 86_400
NOTED = frozenset({1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000})
"""Counts at which a candidate is written down: durable memory is not for each mail."""


class Settings(PluginSettings):
    """What each result becomes: refuse, defer, ignore, or points."""

    reject: Answer = "refuse"
    """Nobody proved the author, whose domain asks to reject (`p=reject`)."""
    quarantine: Answer = 6.0
    """Nobody proved the author, whose domain asks to hold the mail apart (`p=quarantine`)."""
    absent: Answer = "ignore"
    """The author's domain has no policy."""
    ambiguous: Answer = "refuse"
    """Mail programs may show different authors: several From headers, odd forms of addresses."""
    no_author: Answer = 3.0
    """There is no author: no From, or none with a domain."""
    temperror: Answer = "ignore"
    """DNS did not answer."""
    candidates: bool = True
    """Count forwarders behind wanted mail that failed, to offer them for `arc.forwarders`."""


class Dmarc(Plugin):
    """Hold the author whom people see against what SPF and DKIM proved (DMARC, RFC 9989).

    SPF proves an envelope that nobody sees and DKIM any domain that cares to sign. Only DMARC asks
    whether one of them is the author's, and what the author's domain wants done when not: forged
    mail in the name of banks and of your own domain ends here. It errs for mailing lists and
    forwarders, which break both: so trusted forwarders (`arc.forwarders`) are let in, and who
    broke DMARC on mail that was wanted is counted and offered. `p=none` changes nothing.
    """

    settings = Settings
    cost = Cost.DNS
    needs = (facts.Spf, facts.Dkim, facts.Arc, facts.Forwarded)
    tells = (facts.Dmarc, facts.Candidate)
    done_accepted = True
    timeout = 20.0
    public = "Sender cannot be verified, and its domain asks to refuse such mail (DMARC)"

    async def message(self, ctx: Context[Settings]) -> Verdict | None:
        dmarc = await evidence(ctx).dmarc()
        ctx.tell(dmarc)
        settings, words = ctx.settings, dmarc.words()
        if dmarc.ambiguous:
            return answer(settings.ambiguous, words, "From header is not clear", ENHANCED)
        if dmarc.result == "pass":
            return Score(0, words)
        forwarded = ctx.fact(facts.Forwarded)
        if forwarded:
            return Score(0, f"{words}; but {forwarded.why}")
        if dmarc.result == "permerror":
            return answer(settings.no_author, words, "From header has no author", ENHANCED)
        if dmarc.result == "temperror":
            return answer(settings.temperror, words, self.public, ENHANCED)
        if dmarc.result == "none":
            return answer(settings.absent, words, "Sender's domain has no DMARC policy", ENHANCED)
        if dmarc.policy == "none":
            return Score(0, words)
        if settings.candidates:
            ctx.tell(facts.Candidate(await _candidate(ctx)))
        what = settings.reject if dmarc.policy == "reject" else settings.quarantine
        return answer(what, words, self.public, ENHANCED)

    async def done(self, ctx: Context[Settings]) -> None:
        """Count who stood between an author that failed and a mail that was taken all the same."""
        candidate = ctx.fact(facts.Candidate)
        if candidate is None or not candidate.name:
            return
        count = await ctx.state.add(f"candidate {candidate.name}", 1, WINDOW)
        if count in NOTED:
            await ctx.records.put(f"forwarder {candidate.name}", {"mails": count, "last": int(ctx.now)})


async def _candidate(ctx: Context[Settings]) -> str:
    """Return who might be trusted: the newest sealer of a chain that holds, or the client by its name."""
    arc = await evidence(ctx).arc()
    if arc.sealers:
        return arc.sealers[0]
    try:
        session = await ctx.know_host()
    except DnsError:
        return ""
    host, confirmed = session.host, session.host_confirmed
    return host.lower() if host and confirmed else ""
