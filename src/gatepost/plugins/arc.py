"""Know the forwarders and lists that a domain trusts: by their seal (ARC), their address or their name."""

from __future__ import annotations

import re
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from pydantic import Field, SecretStr, field_validator, model_validator

from gatepost.auth import facts
from gatepost.plugin import AddHeader, Context, Cost, DnsError, Mode, Plugin, PluginSettings, Score, Verdict
from gatepost.plugin.proof import Answer, answer, evidence

if TYPE_CHECKING:
    from gatepost.auth.seal import Sealer

NAME = re.compile(r"(?!-)[a-z0-9_\-]{1,63}(?:\.[a-z0-9_\-]{1,63})+")
MAX_SEALING_BITS = 2048
"""A longer signature does not fit a header line that we add."""
MAX_SEALED_RESULTS = 800


class Settings(PluginSettings):
    """Whom the domain trusts, and whether we seal."""

    forwarders: tuple[str, ...] = Field(default=(), max_length=500)
    """Who may break SPF and DKIM: `192.0.2.0/24`, or `lists.example.org` for sealers and hosts there."""
    fail: Answer = "ignore"
    """The chain of seals is broken: somebody changed the message behind the last one."""
    seal_domain: str = ""
    """Seal what we hand on in the name of this domain; empty: do not."""
    seal_selector: str = ""
    """Where its key stands: SELECTOR._domainkey.DOMAIN."""
    seal_key: SecretStr = SecretStr("")
    """The private key in PEM form, RSA with 2048 bits at most or Ed25519."""

    @field_validator("forwarders")
    @classmethod
    def _known_forms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_entry(text) for text in value)

    @model_validator(mode="after")
    def _whole_seal(self) -> Settings:
        given = (bool(self.seal_domain), bool(self.seal_selector), bool(self.seal_key.get_secret_value()))
        if any(given) and not all(given):
            raise ValueError("seal_domain, seal_selector and seal_key belong together")
        if all(given):
            bits = getattr(self.sealer.key if self.sealer else None, "key_size", 0)
            if bits > MAX_SEALING_BITS:
                raise ValueError(
                    f"seal_key: an RSA key of {bits} bits is too long, {MAX_SEALING_BITS} at most"
                )
        return self

    @cached_property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The forwarders that are known by address."""
        return tuple(ip_network(text) for text in self.forwarders if not NAME.fullmatch(text))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The forwarders that are known by name."""
        return tuple(text for text in self.forwarders if NAME.fullmatch(text))

    @cached_property
    def sealer(self) -> Sealer | None:
        """What we seal with."""
        from gatepost.auth.seal import load_sealer

        if not self.seal_domain:
            return None
        return load_sealer(self.seal_domain, self.seal_selector, self.seal_key.get_secret_value())

    def named(self, name: str) -> str:
        """Return the entry that names a host or sealer, "" for none."""
        return next((entry for entry in self.names if name == entry or name.endswith("." + entry)), "")


class Arc(Plugin):
    """Know the forwarders and lists that this domain trusts, by their seals (ARC, RFC 8617) or addresses.

    A list that puts its name into the subject breaks the author's signature, and a forwarder is
    not among the author's servers: SPF, DKIM and DMARC fail for honest mail. A seal says what the
    forwarder saw before: but anybody can seal anything, so it counts only from those you name.
    Where a named one saw the author proved, `spf`, `dkim` and `dmarc` let the mail in. It errs
    when a forwarder that you trust seals what it never looked at: name few.
    """

    settings = Settings
    cost = Cost.DNS
    tells = (facts.Arc, facts.Forwarded)
    timeout = 15.0
    public = "Message was changed after it was sealed (ARC)"

    async def mail(self, ctx: Context[Settings]) -> Verdict | None:
        settings = ctx.settings
        if not settings.forwarders:
            return None
        forwarded = await _by_client(ctx)
        if _acts(ctx):
            ctx.tell(forwarded or facts.Forwarded(seals=bool(settings.names), pending=bool(settings.names)))
        return Score(0, forwarded.why) if forwarded else None

    async def message(self, ctx: Context[Settings]) -> tuple[Verdict, ...]:
        settings = ctx.settings
        proofs = evidence(ctx)
        arc = await proofs.arc()
        ctx.tell(arc)
        said: list[Verdict] = []
        known = ctx.fact(facts.Forwarded)
        if settings.names and not known:
            forwarded = _by_seal(settings, arc, proofs.authors().domains, proofs.authors().ambiguous)
            if _acts(ctx):
                ctx.tell(forwarded)
            if forwarded:
                said.append(Score(0, forwarded.why))
        if arc.result == "fail":
            said.append(answer(settings.fail, arc.words(), self.public, "5.7.29"))
        elif arc.result != "none" and not said:
            said.append(Score(0, arc.words()))
        if settings.seal_domain and _acts(ctx):
            said += await _own_seal(ctx, arc)
        return tuple(said)


async def _own_seal(ctx: Context[Settings], arc: facts.Arc) -> list[Verdict]:
    """Return the fields of our own seal over what we saw."""
    from gatepost.auth.results import authentication_results

    sealer, proofs = ctx.settings.sealer, evidence(ctx)
    assert sealer is not None
    found = (await proofs.spf(), await proofs.dkim(), arc, await proofs.dmarc())
    results = authentication_results(ctx.hostname or "unknown", *found)
    if len(results) > MAX_SEALED_RESULTS:
        results = authentication_results(ctx.hostname or "unknown", found[0], None, arc, found[3])
    status = arc.result if arc.result in ("none", "pass") else "fail"
    return [AddHeader(name, value) for name, value in await proofs.seal(sealer, results, status)]


def _acts(ctx: Context[Settings]) -> bool:
    """On watch the trust is written down, and the other checks do not hear of it."""
    return ctx.policy.plugins[Arc.name].mode is Mode.ON


async def _by_client(ctx: Context[Settings]) -> facts.Forwarded | None:
    """Return the trust in the client itself, by address or by a name that leads back to it."""
    settings = ctx.settings
    for network in settings.networks:
        if ctx.client_in((network,)):
            return facts.Forwarded(str(network), f"the client is in {network}, which this domain trusts")
    if not settings.names:
        return None
    try:
        session = await ctx.know_host()
    except DnsError:
        return None  # a name that cannot be asked for now is not trusted now
    host, confirmed = session.host, session.host_confirmed
    entry = settings.named(host.lower()) if host and confirmed else ""
    return facts.Forwarded(entry, f"the client is {host}, which this domain trusts") if entry else None


def _by_seal(settings: Settings, arc: facts.Arc, authors: tuple[str, ...], ambiguous: str) -> facts.Forwarded:
    """Return the trust in a sealer that saw every author proved."""
    from gatepost.auth.arc import vouched

    seen = [vouched(arc, author, lambda sealer: bool(settings.named(sealer))) for author in authors]
    if ambiguous or not seen or not all(sealer for sealer, _ in seen):
        return facts.Forwarded(seals=True)
    sealer, why = seen[0]
    return facts.Forwarded(settings.named(sealer), f"{why}, and this domain trusts it", seals=True)


def _entry(text: str) -> str:
    text = text.strip().lower().removesuffix(".")
    try:
        return str(ip_network(text))
    except ValueError:
        pass
    if NAME.fullmatch(text) is None or len(text) > 253 or text.rpartition(".")[2].isdecimal():
        raise ValueError(f"{text!r:.80} is neither a network nor a domain name")
    return text
