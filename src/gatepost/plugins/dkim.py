"""Weigh the signatures of a message, and demand one of brands that always sign."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from gatepost.auth import facts
from gatepost.plugin import Context, Cost, Plugin, PluginSettings, Score, Verdict
from gatepost.plugin.proof import Answer, answer, evidence

BRAND = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?)*")
NO_PASS, UNACCEPTABLE = "5.7.20", "5.7.21"
"""RFC 7372, 3.1."""


class Settings(PluginSettings):
    """What each result becomes: refuse, defer, ignore, or points."""

    none: Answer = "ignore"
    """The message is not signed."""
    fail: Answer = "ignore"
    """No signature holds: the message was changed on its way, or the signature is forged."""
    policy: Answer = "ignore"
    """The signatures are not acceptable: SHA-1, a short key, text behind the signed part."""
    permerror: Answer = "ignore"
    """The signatures cannot be read, or there is no key."""
    temperror: Answer = "ignore"
    """DNS did not answer about the keys."""
    brands: tuple[str, ...] = Field(
        default=(
            "amazon", "apple", "bankofamerica", "bofa", "ebay", "facebookemail", "gmail", "googlemail",
            "groupon", "itunes", "linkedin", "netflix", "paypal", "priceline", "quickbooks", "twitter",
            "yahoo",
        ),
        max_length=500,
    )  # fmt: skip
    """Who always signs: a name under any top-level domain (`paypal`), or a domain (`example.org`)."""
    brand: Answer = "refuse"
    """Mail from one of these without a signature of theirs that holds."""

    @field_validator("brands")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.strip().lower().strip(".") for name in value)
        for name in names:
            if not BRAND.fullmatch(name) or len(name) > 253:
                raise ValueError(f"{name!r:.80} is neither a name nor a domain")
        return names


class Dkim(Plugin):
    """Verify the signatures of a message (DKIM, RFC 6376), and demand one of brands that always sign.

    A signature that holds proves which domain answers for the message and that nobody changed it.
    One that does not hold proves nothing: lists and forwarders break them, so a missing or broken
    signature is ignored unless you say otherwise. But a few senders sign all their mail and are
    forged more than all others: mail from PayPal without PayPal's signature is not from PayPal.
    Trusted forwarders (`arc.forwarders`) are spared.
    """

    settings = Settings
    cost = Cost.DNS
    needs = (facts.Forwarded,)
    tells = (facts.Dkim,)
    timeout = 15.0
    public = "Message lacks a valid signature of its sender's domain (DKIM)"

    async def message(self, ctx: Context[Settings]) -> Verdict | None:
        proofs = evidence(ctx)
        dkim = await proofs.dkim()
        ctx.tell(dkim)
        settings = ctx.settings
        words = dkim.words()
        forwarded = ctx.fact(facts.Forwarded)
        if forwarded:
            return Score(0, f"{words}; {forwarded.why}" if dkim.result != "pass" else words)
        claimed = list(proofs.authors().domains)
        if ctx.sender is not None:
            claimed.append(ctx.sender.domain)
        missing = _unsigned_brand(settings.brands, claimed, dkim)
        if missing and dkim.result != "temperror":
            reason = f"mail from {missing} without a valid signature of {missing}; {words}"
            return answer(settings.brand, reason, self.public, NO_PASS)
        if dkim.result == "pass":
            return Score(0, words)
        enhanced = UNACCEPTABLE if dkim.result == "policy" else NO_PASS
        return answer(getattr(settings, dkim.result), words, self.public, enhanced)


def _unsigned_brand(brands: tuple[str, ...], claimed: list[str], dkim: facts.Dkim) -> str:
    """Return the domain that a brand has, was claimed, and did not sign; "" for none."""
    signers = dkim.passed()
    for domain in claimed:
        if not _is_brand(domain, brands):
            continue
        if not any(facts.covers(signer, domain) or facts.covers(domain, signer) for signer in signers):
            return domain
    return ""


def _is_brand(domain: str, brands: tuple[str, ...]) -> bool:
    labels = domain.split(".")
    near = labels[-3:-1]
    """`paypal.com`, `paypal.co.uk`, and `paypal.evil.example` too: who looks like one must sign like one."""
    return any(
        domain == brand or domain.endswith("." + brand) if "." in brand else brand in near for brand in brands
    )
