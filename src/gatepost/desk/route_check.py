"""Try a route before mail depends on it: connect, ask for somebody known, somebody unknown, a stranger.

No message is sent. What is found is told in words, since the person who reads it may never have seen an
SMTP reply: a server that says yes to everybody makes `callout` worthless, one that takes any domain's
mail is an open relay for whoever reaches it past us.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field

from gatepost.desk import domains
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.dns.names import DnsError
from gatepost.dns.resolver import Resolver
from gatepost.mail.address import AddressError, parse_address
from gatepost.relay.callout import judge
from gatepost.relay.connection import BackendConnection, NoConnection
from gatepost.relay.lines import mail_line, rcpt_line
from gatepost.relay.ourselves import Ourselves
from gatepost.relay.places import NoPlace
from gatepost.relay.pool import Pool
from gatepost.relay.results import MailParams, To
from gatepost.relay.routes import Route, guard_for, owners, parse_route
from gatepost.smtp.client import ClientReply
from gatepost.store.base import StoreError
from gatepost.store.scopes import domain_name

SECONDS = 20.0
"""For one route, all questions together."""
STRANGER = "postmaster@open-relay-test.invalid"
"""A domain that nobody can host (RFC 2606)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was seen."""

    level: str
    """`good`, `warn`, `bad`."""
    what: str
    """`connects`, `tls`, `known`, `unknown`, `relay`, `path`: each has its sentence where people read it."""
    detail: str = ""
    """Exactly what was seen: an address, a reply."""


@dataclass(slots=True)
class Tried:
    """What a route is worth."""

    route: str
    findings: list[Finding] = field(default_factory=list)
    accepts_all: bool = False
    """It takes recipients that cannot exist, so it cannot be asked who does."""

    @property
    def good(self) -> bool:
        """Return whether mail can go there."""
        return not any(one.level == "bad" for one in self.findings)


@dataclass(frozen=True, slots=True)
class Record:
    """One record that the domain's DNS needs."""

    name: str
    kind: str
    value: str
    present: tuple[str, ...]
    """What stands there now."""
    right: bool
    """It is there."""


def try_route(desk: Desk, domain: str, url: str, known: str = "") -> Tried:
    """Ask the server behind a route; `known`: a local part that exists there. DeskError: it is no route."""
    name = _domain(domain)
    route = domains.check_route(desk, url)
    if not desk.admin:
        route = parse_route(owners(url))
    return asyncio.run(_try(desk, name, url, route, known.rpartition("@")[0] or known))


def records(desk: Desk, domain: str) -> list[Record]:
    """Return the DNS records that bring the domain's mail here, and what stands there now."""
    return asyncio.run(_records(desk, _domain(domain)))


async def _try(desk: Desk, domain: str, url: str, route: Route, known: str) -> Tried:
    tried = Tried(url)
    if route.scheme == "maildir":
        tried.findings.append(Finding("good", "path", route.path))
        return tried
    resolver = Resolver(desk.dns_servers, desk.dns_timeout)
    is_ours = Ourselves(desk.doors).owns
    pool = Pool(desk.hostname, resolver, is_ours=is_ours, guard=guard_for(desk.relay_allow))
    try:
        async with asyncio.timeout(SECONDS):
            deadline = asyncio.get_running_loop().time() + SECONDS
            connection = await pool.open(route, deadline)
            tried.findings.append(Finding("good", "connects", connection.place))
            _look_at_tls(tried, route, connection)
            await _ask(tried, connection, domain, known)
            pool.give(connection)
    except (NoConnection, NoPlace) as error:
        tried.findings.append(Finding("bad", "connects", error.text))
    except TimeoutError:
        tried.findings.append(Finding("bad", "connects", f"no answer within {SECONDS:.0f} seconds"))
    finally:
        pool.close()
        await resolver.close()
    return tried


def _look_at_tls(tried: Tried, route: Route, connection: BackendConnection) -> None:
    if connection.tls:
        tried.findings.append(Finding("good", "tls"))
    elif route.host and route.tls == "wanted":
        tried.findings.append(Finding("warn", "tls"))


async def _ask(tried: Tried, connection: BackendConnection, domain: str, known: str) -> None:
    nobody = f"gatepost-probe-{secrets.token_hex(6)}@{domain}"
    questions = [(f"{known}@{domain}", "known")] if known else []
    for address, what in [*questions, (nobody, "unknown"), (STRANGER, "relay")]:
        try:
            reply = await _rcpt(connection, address)
        except AddressError as error:
            tried.findings.append(Finding("bad", what, str(error)))
            continue
        exists = judge(reply.code, reply.enhanced)
        detail = f"{address}: {reply.code} {' '.join(reply.lines)}".strip()[:300]
        if what == "known":
            tried.findings.append(Finding("good" if exists == "yes" else "bad", what, detail))
        elif what == "unknown":
            tried.accepts_all = exists == "yes"
            tried.findings.append(Finding("warn" if exists != "no" else "good", what, detail))
        elif exists == "yes":
            tried.findings.append(Finding("warn", what, detail))


async def _rcpt(connection: BackendConnection, address: str) -> ClientReply:
    await connection.settle()
    offered = connection.capabilities
    assert offered is not None
    whom = To(parse_address(address))
    mail = await connection.ask(mail_line(None, MailParams(), offered, False))
    if mail.code // 100 != 2:
        return mail
    reply = await connection.ask(rcpt_line(whom, offered))
    await connection.ask(b"RSET\r\n")
    return reply


async def _records(desk: Desk, domain: str) -> list[Record]:
    resolver = Resolver(desk.dns_servers, desk.dns_timeout)
    try:
        try:
            answers = sorted(await resolver.mx(domain))
        except DnsError:
            answers = []
    finally:
        await resolver.close()
    present = tuple(f"{preference} {host}" for preference, host in answers)
    right = any(host.rstrip(".").lower() == desk.hostname.lower() for _, host in answers)
    return [Record(f"{domain}.", "MX", f"10 {desk.hostname}.", present, right)]


def _domain(text: str) -> str:
    try:
        return domain_name(text)
    except StoreError as error:
        raise DeskError(str(error)) from error
