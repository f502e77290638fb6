"""Key records are read within bounds, and only keys that prove something are used."""

import hashlib
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from hypothesis import given
from hypothesis import strategies as st

from gatepost.auth.keys import MAX_RECORD, KeyProblem, read_key
from tests.auth.mails import ed25519_key, ed25519_record, rsa_key, rsa_record

PUBLIC = rsa_record().partition("p=")[2]
TINY = (
    "k=rsa; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANmBe10IgY+u7h3enWTukkqtUD5PR52Tb/mPfjC0QJTocVBq6Za/PlzfV+P"
    "y92VaCak19F4WrbVTK5Gg5tW220MCAwEAAQ=="
)


def elliptic() -> str:
    """Return a record with a key that is no RSA key though it says so."""
    der = ec.generate_private_key(ec.SECP521R1()).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip
    return f"k=rsa; p={b64encode(der).decode()}"


def test_rsa() -> None:
    """A key verifies what was signed with it, and nothing else."""
    key = read_key(rsa_record())
    signature = rsa_key(2048).sign(b"text", padding.PKCS1v15(), hashes.SHA256())
    assert ("rsa", 2048, False, False) == (key.kind, key.bits, key.testing, key.exact)
    assert key.verifies(signature, hashlib.sha256(b"text").digest())
    assert not key.verifies(signature, hashlib.sha256(b"test").digest())
    assert not key.verifies(b"", hashlib.sha256(b"text").digest())


def test_ed25519() -> None:
    """RFC 8463: what is signed is the digest."""
    key = read_key(ed25519_record())
    digest = hashlib.sha256(b"text").digest()
    assert ("ed25519", 256) == (key.kind, key.bits)
    assert key.verifies(ed25519_key().sign(digest).signature, digest)
    assert not key.verifies(b"x" * 64, digest)
    assert not key.verifies(b"x", digest)


def test_flags() -> None:
    """t=y is testing, t=s is the very domain; tags may be left out."""
    key = read_key(f"t=y:s; p={PUBLIC}")
    assert (True, True) == (key.testing, key.exact)
    assert "rsa" == read_key(f"p={PUBLIC}").kind
    assert "rsa" == read_key(f"v=DKIM1; g=*; s=email; h=sha1:sha256; n=note; p={PUBLIC}").kind


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("", "no tags"),
        ("spf1 -all", "not a tag"),
        ("v=DKIM2; p=" + PUBLIC, "version"),
        (f"k=rsa; v=DKIM1; p={PUBLIC}", "version"),
        ("v=DKIM1; k=rsa", "no p="),
        ("v=DKIM1; p=", "revoked"),
        ("v=DKIM1; p=!!!", "base64"),
        ("v=DKIM1; p=" + "A" * 200, "cannot be read"),
        ("v=DKIM1; k=dsa; p=" + PUBLIC, "unknown kind"),
        ("v=DKIM1; h=sha1; p=" + PUBLIC, "SHA-256"),
        ("v=DKIM1; s=tlsrpt; p=" + PUBLIC, "not for mail"),
        ("v=DKIM1; k=ed25519; p=" + PUBLIC, "32 octets"),
        (f"v=DKIM1; p={PUBLIC}; p={PUBLIC}", "twice"),
        (TINY, "RFC 8301"),
        ("p=" + "A" * MAX_RECORD, "too long"),
    ],
)
def test_unusable(record: str, why: str) -> None:
    """Each kind of unusable record says what is wrong with it."""
    with pytest.raises(KeyProblem, match=why):
        read_key(record)


def test_other_unusable() -> None:
    """An elliptic key that calls itself RSA, and an RSA key with a huge exponent, are not used."""
    with pytest.raises(KeyProblem, match="not an RSA key"):
        read_key(elliptic())
    with pytest.raises(KeyProblem):
        read_key(huge_exponent())


def huge_exponent() -> str:
    """Return a record with the exponent as long as the modulus: seconds of CPU for each mail."""
    numbers = rsa_key(2048).public_key().public_numbers()
    n, e = numbers.n, numbers.n - 2

    def integer(value: int) -> bytes:
        raw = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return b"\x02\x82" + len(raw).to_bytes(2, "big") + raw

    inner = integer(n) + integer(e)
    return "p=" + b64encode(b"\x30\x82" + len(inner).to_bytes(2, "big") + inner).decode()


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda b: "p=" + b64encode(b).decode()))
def test_only_our_errors(record: str) -> None:
    """Whatever stands in DNS, it is a key or a KeyProblem."""
    try:
        read_key(record)
    except KeyProblem:
        pass
