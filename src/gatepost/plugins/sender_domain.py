"""Refuse senders whose domain can take no answer: it does not exist, has no mail server, or a bogus one."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from gatepost.plugin import (
    Context,
    Cost,
    DnsError,
    DnsFailure,
    NoData,
    NxDomain,
    Plugin,
    PluginSettings,
    Scope,
    Verdict,
)
from gatepost.plugin.proof import Answer, answer

MAX_HOSTS = 10
"""Mail servers of one domain that are looked at."""
NOT_NOW = "The sender's domain cannot be looked up now, try again later"
PRIVATE_NAMES = frozenset(["internal", "invalid", "lan", "local", "localdomain", "localhost"])
"""Last labels that lead to nobody outside (RFC 6761 and 6762, and what is used like them)."""
BOGUS = tuple(
    ip_network(net)
    for net in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8"),
    )
)
"""Addresses at which nobody in the world can reach a mail server."""


class Settings(PluginSettings):
    """What each finding becomes: refuse, defer, ignore, or points."""

    malformed: Answer = "refuse"
    """The sender's domain has no dot, or ends in .local, .invalid and the like: nobody can answer it."""
    literal: Answer = 2.0
    """The sender's domain is an address literal such as [192.0.2.1], which RFC 5321 allows."""
    missing: Answer = "refuse"
    """The domain does not exist, or has neither MX nor A nor AAAA."""
    null_mx: Answer = "refuse"
    """The domain says that it neither sends nor takes mail (null MX, RFC 7505)."""
    unresolvable: Answer = "refuse"
    """Its mail servers have no address."""
    bogus: Answer = "refuse"
    """Its mail servers have only addresses that cannot be reached, such as 127.0.0.1 or 10.0.0.1."""
    unanswered: Answer = "defer"
    """DNS did not answer (SERVFAIL, time-out)."""


class SenderDomain(Plugin):
    """Look whether a reply to the sender could go anywhere: MX, else A or AAAA (RFC 5321, 5.1).

    Mail that nobody can answer is mail that nobody stands for, and a bounce for it would stay
    with us. Made-up domains cost a spammer nothing, so much spam has one; a real sender's domain
    has a mail server, since otherwise its owner would hear of nothing. Domains that never send
    publish a null MX. It errs with newsletters from hosts that were never meant to take mail, and
    while a domain's DNS is broken: so silence of DNS is "later" and never "no". The null sender
    has no domain and is let alone.
    """

    settings = Settings
    scope = Scope.SESSION
    cost = Cost.DNS
    timeout = 20.0
    public = "The sender's domain does not take mail"

    async def mail(self, ctx: Context[Settings]) -> Verdict | None:
        sender = ctx.sender
        if sender is None or not sender.domain:
            return None
        settings, domain = ctx.settings, sender.domain
        if domain.startswith("["):
            return self._answer(settings.literal, f"the sender's domain {domain} is an address")
        if "." not in domain or domain.rpartition(".")[2] in PRIVATE_NAMES:
            return self._answer(settings.malformed, f"Sender seems bogus: {sender.text}")
        try:
            hosts = [host for _, host in (await ctx.dns.mx(domain))[:MAX_HOSTS]]
        except NoData:
            return await self._by_address(ctx, [domain], settings.missing, "has neither MX nor A nor AAAA")
        except NxDomain:
            return self._answer(settings.missing, f"the sender's domain {domain} does not exist")
        except DnsFailure as error:
            return self._answer(settings.unanswered, str(error))
        if hosts == [""]:
            reason = f"the sender's domain {domain} neither sends nor takes mail (null MX)"
            return self._answer(settings.null_mx, reason, "5.7.27")
        named = [host for host in hosts if host]
        return await self._by_address(ctx, named, settings.unresolvable, "has mail servers without address")

    async def _by_address(
        self, ctx: Context[Settings], hosts: list[str], nothing: Answer, words: str
    ) -> Verdict | None:
        """Look for one address that can be reached; all are asked for at once, IPv4 first."""
        domain = ctx.transaction.sender.domain if ctx.transaction.sender is not None else ""
        silent: DnsError | None = None
        bogus = ""
        for kind in ("A", "AAAA"):
            for found in await ctx.dns.look_all(hosts, kind):
                if isinstance(found, DnsFailure):
                    silent = found
                elif not isinstance(found, DnsError):
                    if any(not is_bogus(address) for address in found):
                        return None
                    bogus = bogus or next(iter(found), "")
        if silent is not None:
            return self._answer(ctx.settings.unanswered, str(silent))
        if bogus:
            reason = f"the sender's domain {domain} has a mail server at {bogus}, where nobody can be reached"
            return self._answer(ctx.settings.bogus, reason)
        return self._answer(nothing, f"the sender's domain {domain} {words}")

    def _answer(self, what: Answer, reason: str, enhanced: str = "5.1.8") -> Verdict:
        return answer(what, reason, self.public, enhanced, NOT_NOW)  # RFC 3463, 3.2: X.1.8


def is_bogus(address: str) -> bool:
    """Return True for an address at which nobody in the world can reach a mail server."""
    try:
        ip = ip_address(address)
    except ValueError:
        return True
    mapped = getattr(ip, "ipv4_mapped", None)
    return any((mapped or ip) in net for net in BOGUS)
