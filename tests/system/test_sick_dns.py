"""Dead, slow, failing, huge and circular DNS behind a real unbound: temperror within the limit (T9.4)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from gatepost.dns.resolver import Resolver
from tests.auth.mails import mail, rsa_record, signed
from tests.plugins.senders import Judged, World
from tests.system.authority import SickDns, text

TIMEOUT = 2.0
"""Seconds, `[dns] timeout`."""
LIMIT = 15.0
"""Seconds for a whole mail in which nothing ever answers: SPF, keys and policy one after the other."""
EVERY: dict[str, dict[str, Any]] = {"spf": {}, "dkim": {}, "arc": {}, "dmarc": {}}


def judge(
    server: SickDns, domain: str, raw: bytes | None = None, every: dict[str, dict[str, Any]] = EVERY
) -> tuple[Judged, float]:
    """Put a mail from a domain of sick.test through all four checks; return what was said, and seconds."""
    name = f"{domain}.sick.test"
    message = raw if raw is not None else signed(mail(f"ann@{name}"), name)

    async def run() -> Judged:
        resolver = Resolver([server.server], TIMEOUT)
        try:
            world = World((), every, sender=f"ann@{name}", helo=f"mail.{name}")
            world.dns = resolver  # type: ignore[assignment]
            return await world.ask(message)
        finally:
            await resolver.close()

    before = time.monotonic()
    judged = asyncio.run(run())
    return judged, time.monotonic() - before


def good(server: SickDns, domain: str) -> None:
    """Publish what a good sender has."""
    server.authority.add(domain, "TXT", text("v=spf1 ip4:192.0.2.1 -all"))
    server.authority.add(f"s1._domainkey.{domain}", "TXT", text(rsa_record()))
    server.authority.add(f"_dmarc.{domain}", "TXT", text("v=DMARC1; p=reject"))


def results(judged: Judged) -> dict[str, str]:
    """Return the result of each check, from its own words."""
    said = {}
    for plugin in ("spf", "dkim", "dmarc"):
        words = judged.reasons(plugin).split()
        said[plugin] = words[1].rstrip(":") if len(words) > 1 else ""
    return said


def test_all_is_well(sick_dns: SickDns) -> None:
    """The frame works: a good sender passes three times, through real DNS."""
    good(sick_dns, "good")
    judged, seconds = judge(sick_dns, "good")
    assert {"spf": "pass", "dkim": "pass", "dmarc": "pass"} == results(judged)
    assert seconds < 5


def test_slow(sick_dns: SickDns) -> None:
    """A server that takes its time is waited for."""
    good(sick_dns, "slow")
    judged, seconds = judge(sick_dns, "slow")
    assert {"spf": "pass", "dkim": "pass", "dmarc": "pass"} == results(judged)
    assert seconds < LIMIT


def test_many_strings(sick_dns: SickDns) -> None:
    """Records in strings of one or two characters are joined."""
    sick_dns.authority.add("strings", "TXT", text("v=spf1 ip4:192.0.2.1 -all", 1))
    sick_dns.authority.add("s1._domainkey.strings", "TXT", text(rsa_record(), 2))
    sick_dns.authority.add("_dmarc.strings", "TXT", text("v=DMARC1; p=reject", 1))
    judged, _ = judge(sick_dns, "strings")
    assert {"spf": "pass", "dkim": "pass", "dmarc": "pass"} == results(judged)


def test_huge(sick_dns: SickDns) -> None:
    """Records of 50 KB, over TCP, are their owner's mistake, and cost us nothing to speak of."""
    padding = " ".join(f"ip4:198.51.100.{n % 256}" for n in range(2_800))
    sick_dns.authority.add("huge", "TXT", text(f"v=spf1 {padding} ip4:192.0.2.1 -all"))
    sick_dns.authority.add("s1._domainkey.huge", "TXT", text(rsa_record() + "; n=" + "x" * 45_000))
    sick_dns.authority.add("_dmarc.huge", "TXT", text("v=DMARC1; p=reject; x=" + "y" * 45_000))
    before = time.process_time()
    judged, seconds = judge(sick_dns, "huge")
    assert {"spf": "permerror", "dkim": "permerror", "dmarc": "none"} == results(judged)
    assert seconds < LIMIT
    assert time.process_time() - before < 2


def test_many_records(sick_dns: SickDns) -> None:
    """A thousand records at one name are cut at a hundred: nobody has so many."""
    sick_dns.authority.add("many", "TXT", *(text(f"note {n}") for n in range(1_000)))
    judged, seconds = judge(sick_dns, "many")
    assert "none" == results(judged)["spf"]
    assert seconds < LIMIT


def test_circles(sick_dns: SickDns) -> None:
    """Names that lead to each other end as temporary or as nothing, never as a pass and never for ever."""
    for name in ("", "s1._domainkey.", "_dmarc."):
        sick_dns.authority.add(f"{name}circle", "CNAME", f"{name}circle2.sick.test.")
        sick_dns.authority.add(f"{name}circle2", "CNAME", f"{name}circle.sick.test.")
    judged, seconds = judge(sick_dns, "circle")
    assert "pass" not in results(judged).values()
    assert "accept" == judged.outcome.fate
    assert seconds < LIMIT


def test_alias(sick_dns: SickDns) -> None:
    """A key behind two aliases is a key: providers publish them so."""
    good(sick_dns, "alias")
    del sick_dns.authority.records["s1._domainkey.alias.sick.test.", "TXT"]
    sick_dns.authority.add("s1._domainkey.alias", "CNAME", "key1.sick.test.")
    sick_dns.authority.add("key1", "CNAME", "key2.sick.test.")
    sick_dns.authority.add("key2", "TXT", text(rsa_record()))
    assert "pass" == results(judge(sick_dns, "alias")[0])["dkim"]


@pytest.mark.parametrize("kind", ["silent", "fail"])
def test_dead(sick_dns: SickDns, kind: str) -> None:
    """Servers that never answer or only fail: temporary, let in by default, deferred by choice; in time."""
    judged, seconds = judge(sick_dns, kind)
    assert {"spf": "temperror", "dkim": "temperror", "dmarc": "temperror"} == results(judged)
    assert ("accept", 0) == (judged.outcome.fate, judged.outcome.score)
    assert seconds < LIMIT
    choice: dict[str, dict[str, Any]] = {"spf": {"temperror": "defer"}}
    judged, seconds = judge(sick_dns, kind, every=choice)
    assert ("defer", 451, "4.4.3") == (judged.outcome.fate, judged.outcome.code, judged.outcome.enhanced)
    assert seconds < LIMIT
