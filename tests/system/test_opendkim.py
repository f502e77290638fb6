"""Mail that a real OpenDKIM signed passes, with RSA and Ed25519; one octet changed, and it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from gatepost.auth.dkim import verify
from gatepost.auth.facts import Dkim
from gatepost.dns.zone import Zone
from gatepost.mail.message import Message, find_border
from tests.auth.mails import mail, rsa_record, sealed
from tests.plugins.senders import World
from tests.system.opendkim import OpenDkim
from tests.system.process import open_directory

KINDS = [
    ("rsa-sha256", "relaxed/relaxed"),
    ("rsa-sha256", "relaxed/simple"),
    ("rsa-sha256", "simple/simple"),
    ("ed25519-sha256", "relaxed/relaxed"),
    ("ed25519-sha256", "relaxed/simple"),
]
"""OpenDKIM 2.11's Ed25519 signatures over *simple* headers hold for nobody, dkimpy neither: left out."""
FOLDED = "X-Long: a\r\n\tfolded  line\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n"


@pytest.fixture(scope="module")
def opendkim() -> Iterator[Callable[..., OpenDkim]]:
    """Give a maker of OpenDKIM daemons, one for each algorithm and canonical form."""
    made: dict[tuple[str, ...], OpenDkim] = {}
    with open_directory("opendkim") as top:

        def make(algorithm: str = "rsa-sha256", canonical: str = "relaxed/relaxed") -> OpenDkim:
            key = (algorithm, canonical)
            if key not in made:
                directory = top / str(len(made))
                directory.mkdir()
                made[key] = OpenDkim(directory, "example.net", algorithm, canonical)
            return made[key]

        yield make
        for one in made.values():
            one.stop()


def judge(raw: bytes, signer: OpenDkim) -> Dkim:
    """Verify with the signer's key in DNS."""
    zone = Zone()
    zone.add(f"{signer.selector}._domainkey.{signer.domain}", "TXT", signer.record)
    border = find_border(raw)
    return asyncio.run(verify(Message(raw[:border], raw), zone, time.time()))


@pytest.mark.parametrize(("algorithm", "canonical"), KINDS)
def test_signed(opendkim: Callable[..., OpenDkim], algorithm: str, canonical: str) -> None:
    """What OpenDKIM signs passes: short, folded, empty, with dots and many empty lines at its end."""
    signer = opendkim(algorithm, canonical)
    bodies = (
        b"Hello\r\n",
        b"",
        b"\r\n\r\n",
        b"a  b\t \r\n.\r\n..\r\n\r\n\r\n\r\n",
        b"x" * 900 + b"\r\n" * 50,
    )
    for body in bodies:
        raw = signer.sign(mail(body=body, more=FOLDED), "ann@example.net")
        found = judge(raw, signer)
        assert ("pass", algorithm) == (found.result, found.signatures[0].algorithm), (found.words(), raw)


@pytest.mark.parametrize(("algorithm", "canonical"), [KINDS[0], KINDS[3]])
def test_one_octet_changed(opendkim: Callable[..., OpenDkim], algorithm: str, canonical: str) -> None:
    """Anywhere in the body, in a signed header, or in the signature."""
    signer = opendkim(algorithm, canonical)
    raw = signer.sign(mail(), "ann@example.net")
    body = find_border(raw)
    places = [
        *range(body, body + 5),
        raw.index(b"Subject: ") + 10,
        raw.index(b"From: ") + 8,
        raw.index(b"bh=") + 5,
    ]
    assert "pass" == judge(raw, signer).result
    for place in places:
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        assert "pass" != judge(changed, signer).result, place
    assert "pass" != judge(b"Subject: You won\r\n" + raw, signer).result
    assert "pass" != judge(b"From: x@evil.example\r\n" + raw, signer).result


def test_list_with_and_without_trust(opendkim: Callable[..., OpenDkim]) -> None:
    """A list changes the subject of OpenDKIM's mail: refused for DMARC, let in when its seal is trusted."""
    signer = opendkim()
    raw = signer.sign(mail(), "ann@example.net")
    saw = "mx.lists.example.com; dkim=pass header.d=example.net; dmarc=pass header.from=example.net"
    listed = sealed(raw.replace(b"Subject: Noon", b"Subject: [list] Noon"), saw)
    records = (
        "_dmarc.example.net TXT v=DMARC1; p=reject",
        f"s1._domainkey.lists.example.com TXT {rsa_record()}",
        f"{signer.selector}._domainkey.example.net TXT {signer.record}",
    )
    sender = "bounces@lists.example.com"
    direct = World(records, {"dmarc": {}}, sender=sender).judge(raw)
    assert "accept" == direct.outcome.fate
    unknown = World(records, {"dmarc": {}, "arc": {"forwarders": ["other.example"]}}, sender=sender).judge(
        listed
    )
    assert ("reject", "5.7.26") == (unknown.outcome.fate, unknown.outcome.enhanced)
    known = World(records, {"dmarc": {}, "arc": {"forwarders": ["lists.example.com"]}}, sender=sender).judge(
        listed
    )
    assert "accept" == known.outcome.fate
