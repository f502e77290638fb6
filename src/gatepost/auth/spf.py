"""SPF: may this client send for that domain? (RFC 7208) An adapter over spftrace, and the only user of it.

The library brings the grammar and the order of evaluation; from us come the answers (the house's
resolver, one cache), the limits (10 look-ups, 2 void ones: section 4.6.4), a bound on the size of a
record and the words for people. It waits for each answer in a task of its own, which costs a mail
more than the evaluation, so the session here asks our resolver straight.
"""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from spftrace.errors import SpfPermError, SpfTempError
from spftrace.evaluator import Evaluator
from spftrace.macros import MacroContext, expand, truncate_domain
from spftrace.parser import Term
from spftrace.resolver import BaseResolver
from spftrace.resolver import DnsError as NoAnswer
from spftrace.session import EvaluationSession, Limits
from spftrace.trace import DnsQueryRecord, Trace

from gatepost.auth.asks import Dns
from gatepost.auth.facts import Asked, Spf, shown
from gatepost.dns.names import DnsError, DnsFailure, NxDomain
from gatepost.mail.address import Address

MAX_LOOKUPS, MAX_VOID = 10, 2
SECONDS = 9.0
"""For one evaluation; RFC 7208, 4.6.4 asks for 20, but we stand in a dialogue and the sender retries."""
MAX_QUERIES = 60
MAX_RECORD = 8_192
"""Characters of a record: a longer one is an error of its owner, and parsing it costs us."""
MAX_EXPLANATION = 500
NO_RECORD = "no SPF record is published"
_VERSION = re.compile(r"v=spf1(?= |$)", re.IGNORECASE)
_HOST = re.compile(r"(?!-)[A-Za-z0-9_\-]{1,63}(?:\.[A-Za-z0-9_\-]{1,63})+")
_KEPT = frozenset({"mech_match", "exit", "policy_parsed", "parse_error", "domain_invalid"})


class _Answers(BaseResolver):
    """The house's resolver, as the library wants it."""

    def __init__(self, dns: Dns) -> None:
        self._dns = dns

    async def _lookup(self, name: str, rtype: str) -> tuple[str, list[str]]:
        try:
            records = await self._dns.look(name, rtype)
        except NxDomain:
            return "NXDOMAIN", []
        except DnsFailure:
            return "SERVFAIL", []
        except DnsError:
            return "NOERROR", []
        if rtype == "MX":
            return "NOERROR", [record.partition(" ")[2].rstrip(".") for record in records]
        if rtype == "TXT" and any(len(r) > MAX_RECORD and _VERSION.match(r) for r in records):
            raise SpfPermError(f"the record of {name} is longer than {MAX_RECORD} characters")
        return "NOERROR", [record.rstrip(".") if rtype == "PTR" else record for record in records]


class _Brief(Trace):
    """Keeps the few events that people are told of."""

    def add(self, kind: str, **data: Any) -> Any:
        if kind in _KEPT:
            return super().add(kind, **data)
        return None


class _Session(EvaluationSession):
    """One evaluation: counts as the library's own does, waits for nobody but the resolver."""

    async def query(self, name: str, rtype: str) -> tuple[str, list[str]]:
        key = (name.lower().rstrip("."), rtype)
        known = self._cache.get(key)
        if known is not None:
            return known
        limits = self.limits
        limits.check_deadline()
        if limits.max_queries is not None and self.network_queries >= limits.max_queries:
            raise SpfPermError(f"more than {limits.max_queries} DNS queries")
        self.network_queries += 1
        rcode, answers = await self.resolver._lookup(name, rtype)
        void = rcode == "NXDOMAIN" or (rcode == "NOERROR" and not answers)
        self.queries.append(DnsQueryRecord(name, rtype, rcode, answers, 0.0, void))
        if rcode not in ("NOERROR", "NXDOMAIN"):
            raise NoAnswer(f"no answer about {rtype} of {name}")
        self._cache[key] = (rcode, answers)
        if void and not self._void_exempt:
            limits.void_used += 1
            self._enforce_void(name)
        return rcode, answers


class _Evaluator(Evaluator):
    def _begin(self) -> None:
        super()._begin()
        self.trace = _Brief()
        self.session = _Session(self.resolver, self.limits, self.trace)

    async def _explanation(self, ip: Any, domain: str, sender: str, helo: str, exp_term: Term) -> str | None:
        """Return what the domain says to those it refuses (6.2); nothing in it changes the result.

        The library's own knows no blank in the text, which the RFC allows and everybody writes.
        """
        context = MacroContext(ip, sender, helo, domain, self.receiver, self.session)
        try:
            with self.session.void_exempt():
                target = truncate_domain(await expand(exp_term.arg or "", context))
                _, texts = await self.session.query(target, "TXT")
                if len(texts) != 1 or len(texts[0]) > MAX_EXPLANATION:
                    return None
                words = [await expand(word, context, exp=True) for word in texts[0].split(" ")]
        except (SpfPermError, SpfTempError, NoAnswer, ValueError):
            return None
        return " ".join(words)


async def check(client: str, domain: str, local: str, helo: str, dns: Dns, receiver: str = "") -> Spf:
    """Evaluate `local@domain` for a client; the identity is the caller's to name."""
    found = Spf("none", "mailfrom", domain, client)
    client = client.partition("%")[0]
    if not _HOST.fullmatch(domain) or not _is_address(client):
        return replace(found, why=f"{domain or 'nothing'} is not a domain name, or the client has no address")
    try:
        texts = await dns.look(domain, "TXT")
    except DnsFailure:
        why = f"no answer about TXT of {domain}"
        return replace(found, result="temperror", why=why, asked=_one(domain, "DnsFailure"))
    except DnsError as nothing:
        return replace(found, why=NO_RECORD, asked=_one(domain, type(nothing).__name__))
    if not any(_VERSION.match(text) for text in texts):
        return replace(found, why=NO_RECORD, asked=_one(domain, shown(texts)))
    evaluator = _Evaluator(
        _Answers(dns),
        Limits(max_terms=MAX_LOOKUPS, max_void=MAX_VOID, time_limit=SECONDS, max_queries=MAX_QUERIES),
        receiver=receiver or "unknown",
    )
    result = await evaluator.evaluate(client, f"{local or 'postmaster'}@{domain}", helo)
    events = result.trace.events
    record = next((str(e.data["policy"]) for e in events if "policy" in e.data), "")
    return replace(
        found,
        result=result.result,
        why=_why(events, domain),
        record=record[:MAX_RECORD],
        explanation=_printable(result.explanation or ""),
        asked=tuple(
            Asked(q.name, q.rtype, shown(q.answers) if q.answers else q.rcode) for q in result.queries
        ),
    )


async def verify(client: str, sender: Address | None, helo: str, dns: Dns, receiver: str = "") -> Spf:
    """Return what SPF says of an envelope: MAIL FROM (HELO for the null sender, 2.4), and HELO (2.3)."""
    host = helo.lower().rstrip(".")
    mail_domain = sender.domain if sender is not None else ""
    names = [name for name in dict.fromkeys((mail_domain, host)) if _HOST.fullmatch(name)]
    if len(names) > 1:
        await dns.look_all(names, "TXT")  # both at once: a dead DNS costs one time-out, not two
    said = await check(client, host, "", host, dns, receiver)
    said = replace(said, identity="helo", helo_name=helo)
    if sender is None:
        return said
    found = await check(client, mail_domain, sender.local, host, dns, receiver)
    return replace(found, sender=sender.text, helo_name=helo, helo=said)


def _is_address(client: str) -> bool:
    try:
        ip_address(client)
    except ValueError:
        return False
    return True


def _one(domain: str, answer: str) -> tuple[Asked, ...]:
    return (Asked(domain, "TXT", answer),)


def _why(events: list[Any], domain: str) -> str:
    """Return which term decided, or what went wrong."""
    for event in reversed(events):
        if event.kind == "exit":
            return str(event.data["reason"])
    matched = [e.data["raw"] for e in events if e.kind == "mech_match"]
    if not matched:
        return f"no term of the record of {domain} names the client"
    inner = f" (there {matched[0]})" if len(matched) > 1 else ""
    return f"{matched[-1]} in the record of {domain}{inner} decides"


def _printable(text: str) -> str:
    """What a stranger's DNS says is shown to people: one line, printable, bounded."""
    return "".join(c if c.isprintable() else "?" for c in text[:500])
