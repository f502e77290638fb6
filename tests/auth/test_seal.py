"""Our own seals hold, and are not put where they must not be (exact octets: tests/conformance)."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gatepost.auth.arc import verify
from gatepost.auth.seal import SealProblem, load_sealer, seal
from gatepost.auth.tags import read_tags
from gatepost.dns.zone import Zone
from tests.auth.mails import ed25519_key, ed25519_record, mail, parsed, pem, rsa_record, run, sealed

PRIVATE = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def test_ed25519() -> None:
    """Ed25519 seals hold too."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(ed25519_key()))
    sealer = load_sealer("example.org", "s", key.private_bytes(*PRIVATE).decode())
    made = run(seal(parsed(mail()), sealer, "mx; none", "none", 100))
    raw = b"".join(f"{n}: {v}\r\n".encode() for n, v in made) + mail()
    zone = Zone()
    zone.add("s._domainkey.example.org", "TXT", ed25519_record())
    assert "pass" == run(verify(parsed(raw), zone)).result
    assert ["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"] == [n for n, _ in made]
    assert "ed25519-sha256" == read_tags(made[0][1])["a"]


def test_all_repeated_fields_are_covered() -> None:
    """Where a field stands twice both are signed, so that our own reader believes it."""
    more = "List-Id: a\r\nList-Id: b\r\n"
    raw = sealed(mail(more=more), "mx; none")
    zone = Zone()
    zone.add("s1._domainkey.lists.example.com", "TXT", rsa_record())
    assert "pass" == run(verify(parsed(raw), zone)).result
    assert b"list-id:list-id" in raw


def test_broken_chains() -> None:
    """A chain that we found broken is sealed as broken, alone; one that says so already is left."""
    once = sealed(mail(), "mx; none").replace(b"noon", b"moon")
    sealer = load_sealer("example.org", "s", pem().decode())
    made = run(seal(parsed(once), sealer, "mx; arc=fail", "fail", 100))
    assert ("fail", "2") == (read_tags(made[0][1])["cv"], read_tags(made[0][1])["i"])
    twice = b"".join(f"{n}: {v}\r\n".encode() for n, v in made) + once
    assert () == run(seal(parsed(twice), sealer, "mx; arc=fail", "fail", 100))


def test_what_is_not_sealed() -> None:
    """A status that does not fit the chain, an ambiguous message: nothing is added."""
    sealer = load_sealer("example.org", "s", pem().decode())
    once = sealed(mail(), "mx; none")
    for raw, status in (
        (mail(), "pass"),
        (mail(), "fail"),
        (once, "none"),
        (once.replace(b"cv=none", b"cv=fail", 1), "pass"),
        (once.replace(b"ARC-Seal", b"X-Seal"), "pass"),
        (mail().replace(b"\r\nTo:", b"\nTo:"), "none"),
    ):
        assert () == run(seal(parsed(raw), sealer, "mx; none", status, 100))


def elliptic() -> str:
    """Return a key of a kind that ARC does not have."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(*PRIVATE).decode()


@pytest.mark.parametrize(
    ("text", "why"), [("", "no private key"), ("hello", "no private key"), (elliptic(), "RSA or Ed25519")]
)
def test_bad_keys(text: str, why: str) -> None:
    """A key that cannot seal says why."""
    with pytest.raises(SealProblem, match=why):
        load_sealer("example.org", "s", text)


def test_short_key() -> None:
    """We do not seal with what nobody believes."""
    text = (
        "-----BEGIN RSA PRIVATE KEY-----\n"
        "MIIBOwIBAAJBANmBe10IgY+u7h3enWTukkqtUD5PR52Tb/mPfjC0QJTocVBq6Za/\n"
        "PlzfV+Py92VaCak19F4WrbVTK5Gg5tW220MCAwEAAQJAYFUKsD+uMlcFu1D3YNaR\n"
        "EGYGXjJ6w32jYGJ/P072M3yWOq2S1dvDthI3nRT8MFjZ1wHDAYHrSpfDNJ3v2fvZ\n"
        "cQIhAPgRPmVYn+TGd59asiqG1SZqh+p+CRYHW7B8BsicG5t3AiEA4HYNOohlgWan\n"
        "8tKgqLJgUdPFbaHZO1nDyBgvV8hvWZUCIQDDdCq6hYKuKeYUy8w3j7cgJq3ih922\n"
        "2qNWwdJCfCWQbwIgTY0cBvQnNe0067WQIpj2pG7pkHZR6qqZ9SE+AjNTHX0CIQCI\n"
        "Mgq55Y9MCq5wqzy141rnxrJxTwK9ABo3IAFMWEov3g==\n"
        "-----END RSA PRIVATE KEY-----\n"
    )
    with pytest.raises(SealProblem):
        load_sealer("example.org", "s", text)
