"""Each result of SPF, DKIM, ARC and DMARC, and each thing that a domain may want done about it (issue 3).

One mail goes to sixteen domains: a check, and what that check's results become there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from gatepost.plugin.proof import Answer
from gatepost.plugin.registry import load
from gatepost.store.policy_db import PolicyStore
from tests.auth.mails import mail, rsa_record, sealed, signed
from tests.system.authority import SickDns, text
from tests.system.gateway import Gateway
from tests.system.process import open_directory
from tests.system.running import in_force, policy, running
from tests.system.sink import Sink

US, ELSEWHERE = "127.0.0.1", "127.0.0.9"
GOOD, BARE = "good.sick.test", "bare.sick.test"
WANTED: dict[str, Any] = {"refuse": "refuse", "defer": "defer", "ignore": "ignore", "points": 5.0}
RESULTS = {
    "spf": ("fail", "softfail", "neutral", "none", "permerror", "temperror", "helo_fail"),
    "dkim": ("none", "fail", "policy", "permerror", "temperror", "brand"),
    "dmarc": ("reject", "quarantine", "absent", "ambiguous", "no_author", "temperror"),
    "arc": ("fail",),
}


class Sent(NamedTuple):
    """A mail with one result of one check."""

    raw: bytes
    sender: str = f"ann@{BARE}"
    source: str = ELSEWHERE
    helo: str = "client.example"
    enhanced: str = "5.7.1"


def by(domain: str) -> bytes:
    """Return a mail of an author there."""
    return mail(f"Ann <ann@{domain}>")


def spf(domain: str, enhanced: str = "5.7.23") -> Sent:
    """Return a mail whose envelope is of this domain."""
    return Sent(by(BARE), f"ann@{domain}", enhanced=enhanced)


SEALED = sealed(by(BARE), "mx.lists.sick.test; dkim=none", domain="lists.sick.test")
NO_PASS, UNACCEPTABLE, DMARC = "5.7.20", "5.7.21", "5.7.26"
MAILS: dict[tuple[str, str], Sent] = {
    ("spf", "fail"): spf(GOOD),
    ("spf", "softfail"): spf("soft.sick.test"),
    ("spf", "neutral"): spf("neutral.sick.test"),
    ("spf", "none"): spf(BARE),
    ("spf", "permerror"): spf("broken.sick.test", "5.7.24"),
    ("spf", "temperror"): spf("fail.sick.test"),
    ("spf", "helo_fail"): Sent(by(BARE), helo=GOOD, enhanced="5.7.23"),
    ("dkim", "none"): Sent(by(BARE), enhanced=NO_PASS),
    ("dkim", "fail"): Sent(signed(by(GOOD), GOOD).replace(b"noon", b"moon"), enhanced=NO_PASS),
    ("dkim", "policy"): Sent(signed(by(GOOD), GOOD, algorithm=b"rsa-sha1"), enhanced=UNACCEPTABLE),
    ("dkim", "permerror"): Sent(signed(by(GOOD), GOOD, "nokey"), enhanced=NO_PASS),
    ("dkim", "temperror"): Sent(signed(by(BARE), "fail.sick.test"), enhanced=NO_PASS),
    ("dkim", "brand"): Sent(by("paypal.sick.test"), enhanced=NO_PASS),
    ("dmarc", "reject"): Sent(by(GOOD), enhanced=DMARC),
    ("dmarc", "quarantine"): Sent(by("apart.sick.test"), enhanced=DMARC),
    ("dmarc", "absent"): Sent(by(BARE), enhanced=DMARC),
    ("dmarc", "ambiguous"): Sent(b"From: x@evil.sick.test\r\n" + by(GOOD), enhanced=DMARC),
    ("dmarc", "no_author"): Sent(by(GOOD).partition(b"\r\n")[2], enhanced=DMARC),
    ("dmarc", "temperror"): Sent(by("fail.sick.test"), enhanced=DMARC),
    ("arc", "fail"): Sent(SEALED.replace(b"noon", b"moon"), enhanced="5.7.29"),
}


@pytest.fixture(scope="module")
def dns() -> Iterator[SickDns]:
    """Give real DNS with a domain for each result."""
    with open_directory("results") as top:
        server = SickDns(top)
        add = server.authority.add
        for name, record in {
            "good": "v=spf1 ip4:127.0.0.1 -all",
            "soft": "v=spf1 ~all",
            "neutral": "v=spf1 ?all",
            "broken": "v=spf1 nonsense:x -all",
        }.items():
            add(name, "TXT", text(record))
        for name in ("bare", "apart", "paypal", "evil"):
            add(name, "A", "127.0.0.1")
        add("s1._domainkey.good", "TXT", text(rsa_record()))
        add("s1._domainkey.lists", "TXT", text(rsa_record()))
        add("_dmarc.good", "TXT", text("v=DMARC1; p=reject"))
        add("_dmarc.apart", "TXT", text("v=DMARC1; p=quarantine"))
        yield server
        server.stop()


def host(store: PolicyStore, port: int, check: str, wanted: str) -> None:
    """Host the domain where a check's results become one thing."""
    settings = {f"{check}.{result}": WANTED[wanted] for result in RESULTS[check]}
    if check == "dkim":
        # The brand's own setting would hide the other results of a brand; here only one mail is of one.
        settings["dkim.brands"] = ["paypal"]
    values = {"recipients": "any", f"{check}.mode": "on", "score.reject_at": 4.0}
    store.add_domain(f"{check}-{wanted}.example", f"smtp://127.0.0.1:{port}", values | settings)


@pytest.fixture(scope="module")
def gateway(dns: SickDns) -> Iterator[Gateway]:
    """Give a gateway with the sixteen domains."""
    with open_directory("sink") as top:
        sink = Sink(top)
        with running(dns={"servers": [dns.server], "timeout": 2}) as gateway:
            store = policy(gateway)
            for check in RESULTS:
                for wanted in WANTED:
                    host(store, sink.port, check, wanted)
            store.close()
            in_force()
            yield gateway
        sink.stop()


def send(gateway: Gateway, sent: Sent, recipient: str) -> tuple[int, str]:
    """Send it; the last reply."""
    with gateway.smtp(sent.source, sent.helo) as client:
        client.ehlo()
        for code, said in (client.mail(sent.sender), client.rcpt(recipient)):
            if code >= 400:
                return code, said.decode()
        code, said = client.data(sent.raw)
        return code, said.decode()


def test_no_result_is_left_out() -> None:
    """Each setting that says what a result becomes has its mail here."""
    found = {
        (one.name, name)
        for one in load(None, entries=False)
        if one.name in RESULTS
        for name, field in one.plugin.settings.model_fields.items()
        if field.annotation == Answer
    }
    assert found == set(MAILS)


@pytest.mark.parametrize(("check", "result"), MAILS, ids=[f"{check}-{result}" for check, result in MAILS])
def test_each_result_becomes_what_the_domain_wants(gateway: Gateway, check: str, result: str) -> None:
    """Refused with the code of the field, deferred, let in, or refused by the sum of its points."""
    sent = MAILS[check, result]

    def said(wanted: str) -> tuple[int, str]:
        code, words = send(gateway, sent, f"ann@{check}-{wanted}.example")
        return code, words.split()[0] if code >= 400 else ""

    assert (550, sent.enhanced) == said("refuse")
    assert (451, "4.4.3") == said("defer")
    assert (250, "") == said("ignore")
    assert (550, "5.7.1") == said("points")


@pytest.mark.parametrize("check", RESULTS)
def test_a_pass_is_nobodys_trouble(gateway: Gateway, check: str) -> None:
    """With all four proved, no setting hinders the mail."""
    sent = Sent(signed(by(GOOD), GOOD), f"ann@{GOOD}", US, GOOD)
    assert {250} == {send(gateway, sent, f"ann@{check}-{wanted}.example")[0] for wanted in WANTED}
