"""SPF: may this client send for that domain? (RFC 7208) An adapter over spftrace, and the only user of it.

The library brings the grammar, macros, terms and the order of evaluation; from us come the answers
(the house's resolver, one cache), the limits (10 look-ups, 2 void ones: section 4.6.4), bounds on
records, and the words for people. Left to itself it waits for each answer in a task of its own,
reads each record anew and keeps a trace of all it does, which costs a mail half a millisecond: so
the session here asks our resolver straight, and short records that were read are kept.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from spftrace.errors import SpfNoneError, SpfPermError, SpfTempError
from spftrace.evaluator import Evaluator, valid_domain
from spftrace.macros import MacroContext, expand, truncate_domain
from spftrace.parser import Record, Term, parse
from spftrace.resolver import BaseResolver
from spftrace.resolver import DnsError as NoAnswer
from spftrace.session import EvaluationSession, Limits
from spftrace.trace import DnsQueryRecord, Trace

from gatepost.auth.asks import Dns
from gatepost.auth.facts import Asked, Spf, shown
from gatepost.auth.spf_known import Evaluations, Question
from gatepost.dns.names import DnsError, DnsFailure, NxDomain
from gatepost.mail.address import Address

MAX_LOOKUPS, MAX_VOID = 10, 2
SECONDS = 9.0
"""For one evaluation; RFC 7208, 4.6.4 asks for 20, but we stand in a dialogue and the sender retries."""
MAX_QUERIES = 60
MAX_RECORD = 8_192
"""Characters of a record: a longer one is an error of its owner, and parsing it costs us."""
KEPT_RECORD = 1_000
"""Characters of a record that is kept read: a thousand of these are 50 MB at the worst."""
MAX_EXPLANATION = 500
NO_RECORD = "no SPF record is published"
_VERSION = re.compile(r"v=spf1(?= |$)", re.IGNORECASE)
_HOST = re.compile(r"(?!-)[A-Za-z0-9_\-]{1,63}(?:\.[A-Za-z0-9_\-]{1,63})+")
_QUALIFIERS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}

Network = IPv4Network | IPv6Network
_KNOWN = Evaluations()
Terms = tuple[Record, tuple[tuple[Term, Network | None], ...]]


def _read(text: str) -> Terms:
    """Return a record with the networks of its terms; short ones are kept, most mail has the same few."""
    return _read_short(text) if len(text) <= KEPT_RECORD else _read_any(text)


def _read_any(text: str) -> Terms:
    record = parse(text)
    terms = tuple((term, _network(term)) for term in record.terms if term.is_mechanism)
    return record, terms


_read_short = lru_cache(1_024)(_read_any)


def _network(term: Term) -> Network | None:
    if term.name == "ip4":
        return ip_network(f"{term.arg}/{term.cidr4}", strict=False)
    if term.name == "ip6":
        return ip_network(f"{term.arg}/{term.cidr6}", strict=False)
    return None


class _Answers(BaseResolver):
    """The house's resolver, as the library wants it."""

    def __init__(self, dns: Dns) -> None:
        self._dns = dns
        self.asked: list[Question] = []
        """What was asked, for who keeps the result."""

    async def _lookup(self, name: str, rtype: str) -> tuple[str, list[str]]:
        try:
            records = await self._dns.look(name, rtype)
        except DnsError as error:
            self.asked.append(Question(name.lower().rstrip("."), rtype, type(error)))
            code = {NxDomain: "NXDOMAIN", DnsFailure: "SERVFAIL"}.get(type(error), "NOERROR")
            return code, []
        self.asked.append(Question(name.lower().rstrip("."), rtype, records))
        if rtype == "MX":
            return "NOERROR", [record.partition(" ")[2].rstrip(".") for record in records]
        if rtype == "TXT" and any(len(r) > MAX_RECORD and _VERSION.match(r) for r in records):
            raise SpfPermError(f"the record of {name} is longer than {MAX_RECORD} characters")
        return "NOERROR", [record.rstrip(".") if rtype == "PTR" else record for record in records]


class _Silent(Trace):
    """Keeps nothing but how it ended."""

    def add(self, kind: str, **data: Any) -> Any:
        return super().add(kind, **data) if kind == "exit" else None


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
        self.trace = _Silent()
        self.session = _Session(self.resolver, self.limits, self.trace)
        self.matched: list[tuple[str, str]] = []
        """(term, domain of its record), in the order in which they matched: what is included comes first."""
        self.record = ""
        """The first record, that of the domain itself."""

    async def check_host(
        self, ip: Any, domain: str, sender: str, helo: str, use_exp: bool = False
    ) -> tuple[str, Term | None, str]:
        """Evaluate one record (4.6): the library's own, without its trace, networks made beforehand."""
        self.limits.check_deadline()
        if not valid_domain(domain):
            raise SpfNoneError(f"{domain!r} is not a domain name")
        text = await self._fetch_policy(domain)
        self.record = self.record or text
        record, terms = _read(text)
        context = MacroContext(ip, sender, helo, domain, self.receiver, self.session)
        for term, network in terms:
            if network is not None:
                matched = ip.version == network.version and ip in network
            else:
                self.limits.check_deadline()
                matched = await self._eval_mechanism(term, context)
            if matched:
                self.matched.append((term.raw, domain))
                return _QUALIFIERS[term.qualifier], record.exp if use_exp else None, domain
        if record.redirect is not None:
            return await self._eval_redirect(record.redirect, context, sender, helo, use_exp)
        return "neutral", record.exp if use_exp else None, domain

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


async def check(
    client: str, domain: str, local: str, helo: str, dns: Dns, receiver: str = "", identity: str = "mailfrom"
) -> Spf:
    """Evaluate `local@domain` for a client; the identity is the caller's to name."""
    client = client.partition("%")[0]
    known = _KNOWN.find(client, domain, dns)
    if known is not None:
        return known if known.identity == identity else replace(known, identity=identity)

    def say(result: str, why: str, *asked: Asked) -> Spf:
        return Spf(result, identity, domain, client, why, asked=asked)

    if not _HOST.fullmatch(domain) or not _is_address(client):
        return say("none", f"{domain or 'nothing'} is not a domain name, or the client has no address")
    try:
        texts = await dns.look(domain, "TXT")
    except DnsError as nothing:
        asked = Asked(domain, "TXT", type(nothing).__name__)
        if isinstance(nothing, DnsFailure):
            return say("temperror", f"no answer about TXT of {domain}", asked)
        return say("none", NO_RECORD, asked)
    if not any(_VERSION.match(text) for text in texts):
        return say("none", NO_RECORD, Asked(domain, "TXT", shown(texts)))
    answers = _Answers(dns)
    evaluator = _Evaluator(
        answers,
        Limits(max_terms=MAX_LOOKUPS, max_void=MAX_VOID, time_limit=SECONDS, max_queries=MAX_QUERIES),
        receiver=receiver or "unknown",
    )
    found = await evaluator.evaluate(client, f"{local or 'postmaster'}@{domain}", helo)
    queries = found.queries
    fact = Spf(
        result=found.result,
        identity=identity,
        domain=domain,
        client=client,
        why=_why(evaluator, domain),
        record=evaluator.record,
        explanation=_printable(found.explanation) if found.explanation else "",
        asked=tuple(Asked(q.name, q.rtype, shown(q.answers) if q.answers else q.rcode) for q in queries),
    )
    _KNOWN.keep(client, domain, answers.asked, fact)
    return fact


async def verify(client: str, sender: Address | None, helo: str, dns: Dns, receiver: str = "") -> Spf:
    """Return what SPF says of an envelope: MAIL FROM (HELO for the null sender, 2.4), and HELO (2.3)."""
    host = helo.lower().rstrip(".")
    mail_domain = sender.domain if sender is not None else ""
    names = [name for name in dict.fromkeys((mail_domain, host)) if _HOST.fullmatch(name)]
    if len(names) > 1 and any(dns.peek(name, "TXT") is None for name in names):
        await dns.look_all(names, "TXT")  # both at once: a dead DNS costs one time-out, not two
    said = replace(await check(client, host, "", host, dns, receiver, "helo"), helo_name=helo)
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


def _why(evaluator: _Evaluator, domain: str) -> str:
    """Return which term decided, or what went wrong."""
    ends = evaluator.trace.events
    if ends:
        return str(ends[-1].data["reason"])
    matched = evaluator.matched
    if not matched:
        return f"no term of the record of {domain} names the client"
    term, where = matched[-1]
    inner = f" (there {matched[-2][0]})" if "include:" in term and len(matched) > 1 else ""
    return f"{term} in the record of {where}{inner} decides"


def _printable(text: str) -> str:
    """What a stranger's DNS says is shown to people: one line, printable, bounded."""
    return "".join(c if c.isprintable() else "?" for c in text[:500])
