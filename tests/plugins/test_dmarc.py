"""DMARC failures are followed as the author's domain asks and the recipient's domain allows."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.plugin.tools import Tools
from tests.auth.mails import mail, rsa_record, sealed, signed
from tests.plugins.senders import World

REJECT = "_dmarc.example.net TXT v=DMARC1; p=reject"
LISTS = f"s1._domainkey.lists.example.com TXT {rsa_record()}"
SAW = "mx; dkim=pass header.d=example.net; dmarc=pass header.from=example.net"
OTHER = "x@elsewhere.example"


@pytest.mark.parametrize(
    ("record", "raw", "said"),
    [
        (REJECT, mail(), "reject 5.7.26"),
        (REJECT, signed(), "score 0"),
        (REJECT, signed().replace(b"noon", b"moon"), "reject 5.7.26"),
        (REJECT + "; t=y", mail(), "score 6"),
        ("_dmarc.example.net TXT v=DMARC1; p=quarantine", mail(), "score 6"),
        ("_dmarc.example.net TXT v=DMARC1; p=none", mail(), "score 0"),
        ("example.net A 192.0.2.9", mail(), "score 0"),
        ("_dmarc.example.net FAIL", mail(), "score 0"),
        (REJECT, b"From: a@example.net\r\n" + mail(), "reject 5.7.26"),
        (REJECT, b"From: a@elsewhere.example\r\n" + signed(), "reject 5.7.26"),
        (REJECT, mail("friends: ann@example.net;"), "reject 5.7.26"),
        (REJECT, b"To: b@example.org\r\n\r\nhello\r\n", "score 3"),
    ],
)
def test_defaults(record: str, raw: bytes, said: str) -> None:
    """What each result becomes where nobody set anything."""
    judged = World((record,), {"dmarc": {}}, sender=OTHER).judge(raw)
    assert [said] == judged.said("dmarc")
    assert "DMARC " in judged.reasons("dmarc")


@pytest.mark.parametrize(
    ("record", "raw", "setting", "said"),
    [
        (REJECT, mail(), {"reject": 7}, "score 7"),
        (REJECT, mail(), {"reject": "ignore"}, "score 0"),
        ("_dmarc.example.net TXT v=DMARC1; p=quarantine", mail(), {"quarantine": "refuse"}, "reject 5.7.26"),
        ("example.net A 192.0.2.9", mail(), {"absent": 1}, "score 1"),
        ("_dmarc.example.net FAIL", mail(), {"temperror": "defer"}, "defer 4.4.3"),
        (REJECT, mail("friends: ann@example.net;"), {"ambiguous": 2}, "score 2"),
        (REJECT, b"To: b@example.org\r\n\r\nhello\r\n", {"no_author": "refuse"}, "reject 5.7.26"),
    ],
)
def test_settings(record: str, raw: bytes, setting: dict[str, Any], said: str) -> None:
    """Each result has its own setting."""
    assert [said] == World((record,), {"dmarc": setting}, sender=OTHER).judge(raw).said("dmarc")


def test_spf_is_enough() -> None:
    """It needs neither of the other checks switched on: it asks for what it needs."""
    world = World((REJECT, "example.net TXT v=spf1 ip4:192.0.2.1 -all"), {"dmarc": {}})
    assert ["score 0"] == world.judge(mail()).said("dmarc")


def test_reply() -> None:
    """The sender reads 5.7.26 (RFC 7372); the owner who was proved instead, and what was asked for."""
    outcome = World((REJECT,), {"dmarc": {}}, sender=OTHER).judge(mail()).outcome
    assert (550, "5.7.26") == (outcome.code, outcome.enhanced)
    assert "neither SPF (none) nor DKIM (none)" in outcome.reason
    assert "p=reject at example.net" in outcome.reason


def test_action() -> None:
    """What a refusal becomes is the domain's action: held, for those who do not reject."""
    world = World((REJECT,), {"dmarc": {"action": "quarantine"}}, sender=OTHER)
    assert "quarantine" == world.judge(mail()).outcome.fate
    world = World((REJECT,), {"dmarc": {"mode": "watch"}}, sender=OTHER)
    outcome = world.judge(mail()).outcome
    assert ("accept", ("dmarc",)) == (outcome.fate, outcome.watched)


def test_list_through_trusted_sealer() -> None:
    """A list changes the subject and breaks DKIM: let in through a trusted sealer, not an unknown one."""
    changed = signed().replace(b"Subject: Noon", b"Subject: [list] Noon")
    listed = sealed(changed, SAW)
    every: dict[str, dict[str, Any]] = {"spf": {}, "dkim": {}, "arc": {}, "dmarc": {}}
    unknown = World((REJECT, LISTS), every, sender="list-bounces@lists.example.com").judge(listed)
    assert ("reject", "dmarc") == (unknown.outcome.fate, unknown.outcome.plugin)
    every["arc"] = {"forwarders": ["lists.example.com"]}
    trusted = World((REJECT, LISTS), every, sender="list-bounces@lists.example.com").judge(listed)
    assert "accept" == trusted.outcome.fate
    assert "lists.example.com sealed that it saw" in trusted.reasons("dmarc")
    forged = World((REJECT, LISTS), every, sender="list-bounces@lists.example.com")
    assert "reject" == forged.judge(listed.replace(b"noon", b"moon")).outcome.fate


def test_all_four_together() -> None:
    """An honest mail with all four on is let in, each check says why, and nothing is asked twice."""
    records = (REJECT, "example.net TXT v=spf1 ip4:192.0.2.1 -all")
    world = World(records, {"spf": {}, "dkim": {}, "arc": {}, "dmarc": {}})
    judged = world.judge(signed())
    assert ("accept", 0) == (judged.outcome.fate, judged.outcome.score)
    assert [1, 1, 0, 1] == [len(judged.said(name)) for name in ("spf", "dkim", "arc", "dmarc")]
    assert world.dns is not None
    keys = [name for name, _ in world.dns.asked if "_domainkey" in name or "_dmarc" in name]
    assert ["s1._domainkey.example.net", "_dmarc.example.net"] == keys


class Counts:
    """A state and records that remember."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.kept: dict[str, Any] = {}

    async def add(self, key: str, n: int, window: float) -> int:
        """Count."""
        self.counts[key] = self.counts.get(key, 0) + n
        return self.counts[key]

    async def put(self, domain: str, plugin: str, key: str, value: Any) -> None:
        """Keep."""
        self.kept[key] = value


@pytest.mark.parametrize("by", ["seal", "host"])
def test_candidates(by: str) -> None:
    """Who stands behind failed mail that was taken all the same is counted, to be offered."""
    counts = Counts()
    host = ("1.2.0.192.in-addr.arpa PTR out.fwd.example", "out.fwd.example A 192.0.2.1")
    raw = sealed(mail(), SAW) if by == "seal" else mail()
    for _ in range(4):
        tools = Tools(state=counts, records=counts)
        switches: dict[str, dict[str, Any]] = {"arc": {}, "dmarc": {"reject": 1}, "spf": {}}
        world = World((REJECT, LISTS, *host), switches, sender=OTHER, tools=tools)
        assert "accept" == world.judge(raw).outcome.fate
    who = "lists.example.com" if by == "seal" else "out.fwd.example"
    assert {f"forwarder {who}": 3} == {k: v["mails"] for k, v in counts.kept.items()}
    assert [4] == list(counts.counts.values())


def test_no_candidates() -> None:
    """Refused mail, mail that passed and trusted mail offer nobody; a domain may switch it off."""
    for raw, setting in (
        (mail(), {}),
        (signed(), {"reject": 1}),
        (mail(), {"reject": 1, "candidates": False}),
    ):
        counts = Counts()
        world = World((REJECT, LISTS), {"arc": {}, "dmarc": setting}, sender=OTHER,
                      tools=Tools(state=counts, records=counts))  # fmt: skip
        world.judge(raw)
        assert {} == counts.counts
