"""DKIM says of dkimpy's published messages and keys what dkimpy says, but for what RFC 8301 ended."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

import dkim
import nacl.signing
import pytest

from gatepost.auth.dkim import verify
from gatepost.auth.facts import Dkim
from gatepost.dns.zone import Zone
from gatepost.mail.message import Message, find_border
from tests.conformance.suites import suite

GMAIL = (
    "k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1Kd87/UeJjenpabgbFwh+eBCsSTrqmwIYYvywlbhbqoo2Dymnd"
    "FkbjOVIPIldNs/m40KF+yzMn1skyoxcTUGCQs8g3FgD2Ap3ZB5DekAo5wMmk4wimDO+U8QzI3SD07y2+07wlNWwIt8svnxgdxGkVbbhz"
    "Y8i+RQ9DpSVpPbF7ykQxtKXkv/ahW3KjViiAH+ghvvIhkx4xYSIc9oSwVmAl5OctMEeWUwg8Istjqz8BZeTWbf41fbNhte7Y+YqZOwq1"
    "Sd0DbvYAD9NOZK9vlfuac0598HY+vtSBczUiKERHv1yRbcaQtZFh5wtiRrN04BLUTD21MycBX5jYchHjPY/wIDAQAB"
)
"""What stood at 20120113._domainkey.gmail.com; the suite has the message and not the key."""
CANONS = [(h, b) for h in (b"simple", b"relaxed") for b in (b"simple", b"relaxed")]
NO_LONGER = {
    "rsa-sha1": "SHA-1 must not be taken for a proof (RFC 8301, 3.1)",
    "l=": "a body that goes on behind what was signed is not the signer's (RFC 6376, 8.2)",
    "minkey=512": "an RSA key below 1024 bits proves nothing (RFC 8301, 3.2)",
    "s=tlsrpt": "the key says that it is not for mail (RFC 6376, 3.6.1)",
}
"""What dkimpy can be told to accept and we do not, each with the test below that shows it."""


def data(name: str) -> bytes:
    """Return a file of the suite."""
    return suite("dkim-dkimpy", "data", name).read_bytes()


def wire(raw: bytes) -> bytes:
    """Return a message with the line ends that it has in SMTP, and an end of its headers."""
    raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return raw if find_border(raw) >= 0 else raw + b"\r\n"


def judge(raw: bytes, **keys: str | bytes) -> Dkim:
    """Verify a message with keys, given as selector__domain with `_` for a dot."""
    zone = Zone()
    for name, record in keys.items():
        selector, _, domain = name.partition("__")
        text = record.decode() if isinstance(record, bytes) else record
        zone.add(
            f"{selector.lstrip('x')}._domainkey.{domain.replace('_', '.')}", "TXT", " ".join(text.split())
        )
    raw = wire(raw)
    return asyncio.run(verify(Message(raw[: find_border(raw)], raw), zone, time.time()))


def ed25519_record() -> str:
    """Return the key record of RFC 8463, A.2, made from the private key in the suite."""
    key = nacl.signing.SigningKey(base64.b64decode(data("rfc8032_7_1.key").split()[0]))
    return f"v=DKIM1; k=ed25519; p={base64.b64encode(bytes(key.verify_key)).decode()}"


def signed(message: str, key: str, algorithm: bytes = b"rsa-sha256", **more: Any) -> bytes:
    """Return a message of the suite, signed by dkimpy for test._domainkey.example.com."""
    raw = wire(data(message))
    signer = dkim.DKIM(raw, signature_algorithm=algorithm)
    return bytes(signer.sign(b"test", b"example.com", data(key), **more)) + raw


def test_rfc8463_sample() -> None:
    """The sample of RFC 8463 passes with both its signatures; the key types are not mixed up."""
    found = judge(
        data("rfc6376.signed.msg"),
        brisbane__football_example_com=ed25519_record(),
        test__football_example_com=data("test.txt"),
    )
    assert [("pass", "ed25519-sha256"), ("pass", "rsa-sha256")] == [
        (s.result, s.algorithm) for s in found.signatures
    ]
    swapped = judge(
        data("rfc6376.signed.msg"),
        brisbane__football_example_com=data("test.txt"),
        test__football_example_com=ed25519_record(),
    )
    assert ["permerror", "permerror"] == [s.result for s in swapped.signatures]


@pytest.mark.parametrize(
    ("file", "keys"),
    [
        ("rfc6376.signed.rsa.msg", {"test__football_example_com": "test.txt"}),
        ("ed25519test2.msg", {"sed__test_ex": "eximtest.dns"}),
        ("test2.message", {"x20120113__gmail_com": ""}),
    ],
)
def test_samples(file: str, keys: dict[str, str]) -> None:
    """Each signed sample passes, and fails with one octet of its body changed."""
    records = {name: data(record) if record else GMAIL for name, record in keys.items()}
    raw = wire(data(file))
    assert "pass" == judge(raw, **records).result
    border = find_border(raw)
    changed = raw[:border] + bytes([raw[border] ^ 1]) + raw[border + 1 :]
    assert "fail" == judge(changed, **records).result
    assert "permerror" == judge(raw).result


def test_signature_that_does_not_hold() -> None:
    """The sample without t= was edited after signing: dkimpy says no, and so do we."""
    found = judge(data("rfc6376.signed.no_t.msg"), test__football_example_com=data("test.txt"))
    assert not dkim.verify(data("rfc6376.signed.no_t.msg"), dnsfunc=lambda *_, **__: data("test.txt"))
    assert "fail" == found.result


@pytest.mark.parametrize("canonical", CANONS)
@pytest.mark.parametrize(
    "message", ["test.message", "test_extra.message", "rfc6376.msg", "rfc6376.w1258.msg"]
)
def test_signed_by_dkimpy(message: str, canonical: tuple[bytes, bytes]) -> None:
    """What dkimpy signs passes in all four canonical forms; an octet in header or body changes that."""
    raw = signed(message, "1024_testkey.key", canonicalize=canonical)
    key = data("1024_testkey_wo_markers.pub.txt")
    assert "pass" == judge(raw, test__example_com=key).result
    assert "fail" == judge(raw + b"foo\r\n", test__example_com=key).result
    other = raw.replace(b"\r\nSubject: ", b"\r\nSubject: Re: ")
    assert "fail" == judge(other, test__example_com=key).result


def test_message_with_repeated_fields() -> None:
    """A real mail whose Received fields are all signed passes: they are taken from the bottom up."""
    signer = dkim.DKIM(wire(data("message.mbox")))
    signer.should_not_sign.remove(b"received")
    names = [n for n in signer.all_sign_headers() if n.lower() != b"dkim-signature"]
    field = signer.sign(b"test", b"example.com", data("1024_testkey.key"), include_headers=names)
    found = judge(
        bytes(field) + wire(data("message.mbox")), test__example_com=data("1024_testkey_wo_markers.pub.txt")
    )
    assert ["pass", "permerror"] == [s.result for s in found.signatures]


@pytest.mark.parametrize(
    ("key", "record"),
    [
        ("1024_testkey.key", "1024_testkey_wo_markers.pub.txt"),
        ("1024_testkey.key", "1024_testkey_wo_markers.pub.rsa.txt"),
        ("2048_testkey.key", "2048_testkey_wo_markers.pub.txt"),
        ("2048_testkey.key", "2048_testkey_wo_markers.pub.rsa.txt"),
        ("2048_testkey_PKCS8.key", "2048_testkey_PKCS8.key.pub.txt"),
    ],
)
def test_forms_of_keys(key: str, record: str) -> None:
    """A key record may hold either form of an RSA key."""
    assert "pass" == judge(signed("test.message", key), test__example_com=data(record)).result


def test_key_without_kind() -> None:
    """k= may be left out: it is RSA."""
    record = data("1024_testkey_wo_markers.pub.txt").decode().replace("k=rsa; ", "")
    assert "pass" == judge(signed("test.message", "1024_testkey.key"), test__example_com=record).result


def test_ed25519() -> None:
    """What dkimpy signs with Ed25519 passes."""
    raw = signed("ed25519test.msg", "ed25519test.key", b"ed25519-sha256")
    found = judge(raw, test__example_com=data("ed25519test.dns"))
    assert ("pass", 256) == (found.result, found.signatures[0].bits)


@pytest.mark.parametrize("record", ["badk.txt", "badversion.txt", "test_bad.txt"])
def test_bad_keys(record: str) -> None:
    """A key that cannot be read, or of another kind or version, is no pass and no exception."""
    found = judge(signed("test.message", "1024_testkey.key"), test__example_com=data(record))
    assert found.result in ("permerror", "fail")


@pytest.mark.parametrize("what", list(NO_LONGER))
def test_no_longer(what: str) -> None:
    """What dkimpy can accept and we must not is no pass, each for its reason."""
    record = data("1024_testkey_wo_markers.pub.txt")
    if what == "rsa-sha1":
        raw = signed("test.message", "1024_testkey.key", b"rsa-sha1")
    elif what == "l=":
        raw = signed("test.message", "1024_testkey.key", length=True)
        assert "pass" == judge(raw, test__example_com=record).result  # it covers all there is
        raw += b"and more\r\n"
    else:
        raw = signed("test.message", "1024_testkey.key")
        record = data("test_tlsrpt.txt") if what == "s=tlsrpt" else SHORT
    assert judge(raw, test__example_com=record).result in ("policy", "permerror"), NO_LONGER[what]


SHORT = (
    b"k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANmBe10IgY+u7h3enWTukkqtUD5PR52Tb/mPfjC0QJTocVBq6Za/PlzfV+P"
    b"y92VaCak19F4WrbVTK5Gg5tW220MCAwEAAQ=="
)
"""A key of 512 bits."""


def test_second_from() -> None:
    """A From that was added above or below the signed one is no pass (dkimpy's bug 644046)."""
    raw = signed("test.message", "1024_testkey.key")
    record = data("1024_testkey_wo_markers.pub.txt")
    for evil in (
        raw.replace(b"\r\nFrom:", b"\r\nFrom: x@evil.example\r\nFrom:"),
        raw.replace(b"\r\nSubject:", b"\r\nFrom: x@evil.example\r\nSubject:"),
        b"From: x@evil.example\r\n" + raw,
    ):
        assert judge(evil, test__example_com=record).result in ("fail", "policy")
    harmless = raw.replace(b"\r\nSubject:", b"\r\nX-Foo: bar\r\nSubject:")
    assert "pass" == judge(harmless, test__example_com=record).result


def test_message_without_from() -> None:
    """A signature over a message without From that lists From is judged as it is, and proves no author."""
    raw = signed("test.message", "1024_testkey.key")
    without = raw.replace(b"From: Test User <test@example.com>\r\n", b"")
    assert "fail" == judge(without, test__example_com=data("1024_testkey_wo_markers.pub.txt")).result
    assert "none" == judge(data("test_nofrom.message")).result
