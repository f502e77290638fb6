"""Each method is evaluated once for one mail, however many ask, on the bytes as received."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from gatepost.auth.evidence import Evidence, evidence_for
from gatepost.auth.facts import Arc, Dkim, Dmarc, Forwarded, Spf
from gatepost.auth.seal import load_sealer
from gatepost.dns.zone import Zone
from gatepost.mail.address import parse_address
from gatepost.mail.session import Session
from gatepost.mail.transaction import Transaction
from tests.auth.mails import mail, parsed, pem, rsa_record, run, signed, zone

POLICY = ("example.net TXT v=spf1 ip4:192.0.2.1 -all", "_dmarc.example.net TXT v=DMARC1; p=reject")


def evidence(dns: Zone, raw: bytes | None = None, sender: str = "ann@example.net") -> Evidence:
    """Return the evidence of a mail."""
    session = Session("S1", "192.0.2.1", helo="mail.example.net")
    transaction = Transaction("S1.1", parse_address(sender) if sender else None)
    message = parsed(raw) if raw is not None else None
    return evidence_for(session, transaction, dns, time.time(), message, "mx.example.org")


def test_once() -> None:
    """A second question asks no DNS; many at once are one."""

    async def ask() -> None:
        dns = zone(*POLICY)
        found = evidence(dns, signed())
        every = await asyncio.gather(
            *(found.dmarc() for _ in range(5)), found.dkim(), found.spf(), found.dkim()
        )
        assert 5 == sum(fact is every[0] for fact in every)
        before = len(dns.asked)
        assert (await found.dmarc(), await found.arc()) == (every[0], Arc("none"))
        assert before == len(dns.asked)

    asyncio.run(ask())


def test_who_gives_up_holds_nobody_up() -> None:
    """The one who evaluates is cancelled, and another takes over; one who waits is cancelled alone."""

    class Slow(Zone):
        async def look_all(self, names, kind):  # type: ignore[no-untyped-def]
            await asyncio.sleep(0.02)
            return await super().look_all(names, kind)

    async def ask() -> None:
        dns = Slow()
        dns.add("s1._domainkey.example.net", "TXT", rsa_record())
        found = evidence(dns, signed())
        first, second, third = (asyncio.ensure_future(found.dkim()) for _ in range(3))
        await asyncio.sleep(0.001)
        first.cancel()
        await asyncio.sleep(0.001)
        second.cancel()
        assert "pass" == (await third).result

    asyncio.run(ask())


def test_an_error_is_everybodys() -> None:
    """Where the resolver breaks each who asks is told, and nothing is remembered."""

    class Broken(Zone):
        async def look_all(self, names, kind):  # type: ignore[no-untyped-def]
            raise OSError("no sockets left")

    async def ask() -> None:
        found = evidence(Broken(), signed())
        answers = await asyncio.gather(found.dkim(), found.dkim(), return_exceptions=True)
        assert [OSError, OSError] == [type(a) for a in answers]
        assert found.known(Dkim) is None

    asyncio.run(ask())


def test_cached_answers_do_not_wait() -> None:
    """With all answers at hand the whole evaluation runs straight through."""
    coroutine = evidence(zone(*POLICY), signed()).dmarc()

    async def ask() -> Dmarc:
        return await coroutine

    assert "pass" == run(ask()).result


def test_kept_with_the_transaction() -> None:
    """Checks, lists and the writer of the header share one; another mail of the session has its own."""
    session = Session("S1", "192.0.2.1")
    one, two = Transaction("S1.1", None), Transaction("S1.2", None)
    dns = Zone()
    first = evidence_for(session, one, dns, 0)
    assert first is evidence_for(session, one, dns, 0, parsed(mail()))
    assert first.message is not None
    assert first is not evidence_for(session, two, dns, 0)


def test_proven() -> None:
    """SPF or DKIM that agrees with the envelope sender proves it; others' signatures do not."""
    both = zone(*POLICY)
    assert run(evidence(both).proven())
    no_spf = zone()
    assert not run(evidence(no_spf).proven())  # the message has not come: only SPF could say so
    assert run(evidence(no_spf, signed()).proven())
    assert run(evidence(no_spf, signed(), "ann@sub.example.net").proven())
    assert not run(evidence(no_spf, signed(), "ann@example.org").proven())
    assert not run(evidence(no_spf, signed(), "ann@net").proven())
    assert not run(evidence(both, signed(), "").proven())
    assert not run(evidence(no_spf, signed().replace(b"noon", b"moon")).proven())
    assert not run(evidence(no_spf, signed().replace(b"\r\nTo:", b"\nTo:")).proven())


def test_a_large_body_is_sealed_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealing hashes the whole body: a large one must not hold up the other sessions."""
    beside: list[int] = []

    async def hashed(work: Callable[..., Any], *given: Any) -> Any:
        beside.append(len(given[0]))
        return work(*given)

    monkeypatch.setattr("gatepost.auth.evidence.to_thread", hashed)
    sealer = load_sealer("example.org", "s1", pem().decode())
    for raw, wanted in ((mail(), 0), (mail() + b"line\r\n" * 300_000, 1)):
        made = run(evidence(zone(*POLICY), raw).seal(sealer, "mx.example.org; none", "none"))
        assert (3, wanted) == (len(made), len(beside))


def test_top() -> None:
    """Nothing was asked: nothing is said. Then what is known stands on top, and no more."""
    found = evidence(zone(*POLICY), signed())
    assert b"" == found.top("mx.example.org")
    run(found.spf())
    top = found.top("mx.example.org")
    assert top.startswith(
        b"Authentication-Results: mx.example.org;\r\n\tspf=pass smtp.mailfrom=ann@example.net;"
    )
    assert b"\r\nReceived-SPF: pass (mx.example.org: " in top
    assert b"dkim" not in top
    run(found.dmarc())
    assert b"\r\n\tdmarc=pass (p=reject) header.from=example.net\r\n" in found.top("mx.example.org")


def test_top_says_what_deviates() -> None:
    """A domain's trust in a forwarder stands in that domain's copy."""
    found = evidence(zone(*POLICY), mail(), "x@example.org")
    run(found.dmarc())
    assert b"not followed, forwarded by lists.example.org" in found.top(
        "mx", Forwarded("lists.example.org", "x")
    )
    assert b"not followed" not in found.top("mx")


def test_words() -> None:
    """A sentence for each method, and the DNS answers below them."""
    found = evidence(zone(*POLICY), signed())
    assert ([], []) == (found.words(), found.asked())
    run(found.dmarc())
    assert ["SPF", "DKIM", "DMARC"] == [line.split()[0] for line in found.words()]
    assert "example.net TXT: v=spf1 ip4:192.0.2.1 -all" in found.asked()
    assert any(line.startswith("s1._domainkey.example.net TXT: v=DKIM1") for line in found.asked())
    assert found.known(Spf) is not None
    assert found.known(Arc) is None
