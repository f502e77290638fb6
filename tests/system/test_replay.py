"""Three years of real envelopes, played through XCLIENT for two domains that want different things."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from ipaddress import ip_address

import pytest

from gatepost.smtp.grammar import to_xtext
from tests.system.authority import Authority
from tests.system.corpus import Envelope, envelopes
from tests.system.gateway import Gateway
from tests.system.running import behind, host, in_force, policy, running, written
from tests.system.talk import Talk

pytestmark = pytest.mark.corpus

EACH = 120
RELAY = "127.0.0.50"
STRICT, LOOSE = "strict.example", "loose.example"
ZONE = "dnsbl.sick.test"
SETTINGS = {
    STRICT: {
        "refuse_at": "rcpt",
        "helo_name__mode": "on",
        "helo_name__refuse_literals": True,
        "rdns__mode": "on",
        "rdns__missing": "refuse",
        "rdns__unconfirmed": "defer",
        "sender_domain__mode": "on",
        "dnsbl__mode": "on",
        "dnsbl__zones": [ZONE],
    },
    LOOSE: {
        "refuse_at": "data",
        "helo_name__mode": "watch",
        "rdns__mode": "on",
        "rdns__missing": 1.5,
        "rdns__unconfirmed": "ignore",
        "sender_domain__mode": "on",
        "sender_domain__missing": 2.5,
        "sender_domain__null_mx": "refuse",
        "dnsbl__mode": "on",
        "dnsbl__zones": [ZONE],
        "dnsbl__action": "quarantine",
        "deny_list__action": "tag",
    },
}
"""`x__mode` is the setting `x.mode`."""
DENIED = {STRICT: [("tld", "cn"), ("domain", "gmail.com")], LOOSE: [("domain", "kernel.org"), ("tld", "com")]}

Outcome = tuple[str, str, str, int, float]
"""Fate, check, reason, code, score."""


def world(sample: list[Envelope]) -> Authority:
    """Return a name server that knows these clients and senders: each has its lot by its address."""
    dns = Authority()
    dns.records["2.0.0.127." + ZONE + ".", "A"] = ["127.0.0.2"]  # RFC 5782, 5: every list has it
    for one in sample:
        turned = ip_address(one.client).reverse_pointer
        listed = one.dice % 3 == 0 if one.label == "spam" else one.dice % 16 == 0
        if listed:
            dns.records[turned.removesuffix(".in-addr.arpa") + f".{ZONE}.", "A"] = ["127.0.0.2"]
        if one.dice % 5:
            name = f"mx{one.id}.{one.domain if one.domain.isascii() and one.domain else 'some.example'}."
            dns.records[f"{turned}.", "PTR"] = [name]
            if one.dice % 7:
                dns.records[name, "A"] = [one.client]
        if one.domain and len(one.domain) % 4:
            null = len(one.domain) % 9 == 0
            dns.records[f"{one.domain}.", "MX"] = ["0 ." if null else f"10 mail.{one.domain}."]
            dns.records[f"mail.{one.domain}.", "A"] = ["198.51.100.1"]
    return dns


def play(port: int, one: Envelope, domains: list[str]) -> None:
    """Hand in a mail as the relay that knows who the client was, for a recipient in each domain."""
    with Talk(port, RELAY) as talk:
        assert 250 == talk.say("EHLO relay.example")[0]
        assert 220 == talk.say(f"XCLIENT ADDR={one.client} HELO={to_xtext(one.helo)}")[0]
        assert 250 == talk.say(f"EHLO {one.helo}")[0], one
        assert (501 if one.too_long else 250) == talk.say(f"MAIL FROM:<{one.sender}> PRDR")[0], one
        if one.too_long:
            return
        said = [talk.say(f"RCPT TO:<r{one.id}@{domain}>")[0] for domain in domains]
        if 250 in said:
            code, _ = talk.data(f"Subject: {one.id}\r\n\r\nx\r\n".encode())
            for _ in range(said.count(250) + 1 if code == 353 else 0):
                talk.reply()


def run(sample: list[Envelope], server: str, *domains: str) -> dict[str, dict[str, Outcome]]:
    """Play the sample to a gateway of its own that hosts these domains; domain -> envelope -> outcome."""
    with (
        behind() as up,
        running(dns={"servers": [server]}, smtp={"xclient_from": [RELAY], "workers": 1}) as gateway,
    ):
        for domain in domains:
            host(gateway, domain, up.url, **SETTINGS[domain])
            _deny(gateway, domain)
        in_force()
        for one in sample:
            play(gateway.port, one, list(domains))
        found: dict[str, dict[str, Outcome]] = {domain: {} for domain in domains}
        wanted = len(domains) * sum(not one.too_long for one in sample)
        rows = written(gateway, wanted, 20)
        assert wanted == len(rows)
        clients = {one.id: one.client for one in sample}
        for row in rows:
            number = row.recipient.partition("@")[0].removeprefix("r")
            assert clients[number] == row.client
            found[row.domain][number] = row.fate, row.plugin, row.reason, row.code, row.score
        assert "event=bug" not in gateway.said()
        return found


def _deny(gateway: Gateway, domain: str) -> None:
    with closing(policy(gateway)) as store:
        for field, value in DENIED[domain]:
            store.add_entry(f"domain:{domain}", "deny", field, value)


@dataclass
class Played:
    """What became of the sample: for both domains at once, and for each alone."""

    both: dict[str, dict[str, Outcome]]
    alone: dict[str, dict[str, Outcome]]


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """Play the sample three times."""
    sample = envelopes(EACH)
    dns = world(sample)
    server = f"127.0.0.1:{dns.port}"
    try:
        with ThreadPoolExecutor(3) as pool:
            both = pool.submit(run, sample, server, STRICT, LOOSE)
            alone = [pool.submit(run, sample, server, domain) for domain in (STRICT, LOOSE)]
            yield Played(both.result(), {**alone[0].result(), **alone[1].result()})
    finally:
        dns.stop()


@pytest.mark.parametrize("domain", [STRICT, LOOSE])
def test_each_domain_as_if_it_were_alone(played: Played, domain: str) -> None:
    """7.2 "per-domain plugins": one mail to both, and each outcome is that of the domain's run alone."""
    assert 1.9 * EACH < len(played.alone[domain])
    assert played.alone[domain] == played.both[domain]


def test_the_two_differ(played: Played) -> None:
    """The replay has something to tell: each check decides somewhere, and not alike for both."""
    strict, loose = played.both[STRICT], played.both[LOOSE]
    decided = {domain: Counter(row[:2] for row in rows.values()) for domain, rows in played.both.items()}
    for fate, plugin in [
        ("rejected", "rdns"), ("deferred", "rdns"), ("rejected", "sender_domain"), ("rejected", "dnsbl"),
        ("rejected", "deny_list"), ("accepted", ""),
    ]:  # fmt: skip
        assert decided[STRICT][fate, plugin], (fate, plugin, decided[STRICT])
    assert {"accepted", "rejected", "quarantined"} == {fate for fate, _ in decided[LOOSE]}, decided[LOOSE]
    assert EACH < sum(strict[number][:2] != loose[number][:2] for number in strict)
