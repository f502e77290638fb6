"""Signatures are weighed as the domain set it, and brands that always sign must sign."""

import pytest
from pydantic import ValidationError

from gatepost.plugins.dkim import Settings
from tests.auth.mails import mail, signed
from tests.plugins.senders import World

KEYS = "example.net A 192.0.2.9"


@pytest.mark.parametrize(
    "raw", [mail(), signed(), signed().replace(b"noon", b"moon"), signed(selector="none")]
)
def test_defaults(raw: bytes) -> None:
    """Where nobody set anything a broken signature is as good as none (RFC 6376, 6.3)."""
    judged = World((KEYS,), {"dkim": {}}).judge(raw)
    assert ["score 0"] == judged.said("dkim")
    assert "DKIM " in judged.reasons("dkim")


@pytest.mark.parametrize(
    ("raw", "setting", "said"),
    [
        (mail(), {"none": 1}, "score 1"),
        (mail(), {"none": "refuse"}, "reject 5.7.20"),
        (signed().replace(b"noon", b"moon"), {"fail": "refuse"}, "reject 5.7.20"),
        (signed(selector="none"), {"permerror": 2}, "score 2"),
        (signed(selector="silent"), {"temperror": "defer"}, "defer 4.4.3"),
        (signed(mail(), length=True) + b"more\r\n", {"policy": "refuse"}, "reject 5.7.21"),
        (signed(), {"none": 9, "fail": 9, "policy": 9, "permerror": 9}, "score 0"),
    ],
)
def test_settings(raw: bytes, setting: dict[str, object], said: str) -> None:
    """Each result has its own setting."""
    world = World((KEYS, "silent._domainkey.example.net FAIL"), {"dkim": setting})
    assert [said] == world.judge(raw).said("dkim")


def brand(domain: str, signer: str = "", **settings: object) -> list[str]:
    """Return what is said of a mail from a domain, signed or not."""
    from tests.auth.mails import rsa_record

    raw = mail(f"x@{domain}")
    key = f"s1._domainkey.{signer or 'nobody.example'} TXT {rsa_record()}"
    world = World((key,), {"dkim": settings}, sender="bounce@elsewhere.example")
    return world.judge(signed(raw, signer) if signer else raw).said("dkim")


@pytest.mark.parametrize(
    ("domain", "signer", "said"),
    [
        ("paypal.com", "", "reject 5.7.20"),
        ("paypal.com", "paypal.com", "score 0"),
        ("mail.paypal.com", "paypal.com", "score 0"),
        ("paypal.com", "mail.paypal.com", "score 0"),
        ("paypal.co.uk", "", "reject 5.7.20"),
        ("paypal.com", "evil.example", "reject 5.7.20"),
        ("paypal.evil.example", "", "reject 5.7.20"),
        ("paypals.com", "", "score 0"),
        ("example.paypal", "", "score 0"),
    ],
)
def test_brands(domain: str, signer: str, said: str) -> None:
    """Mail from a brand needs a signature of that brand."""
    assert [said] == brand(domain, signer)


def test_own_brands() -> None:
    """A domain names its own, as a name or a whole domain; the answer is its choice."""
    assert ["score 0"] == brand("paypal.com", brands=[])
    assert ["reject 5.7.20"] == brand("a.bank.example", brands=["bank.example"])
    assert ["score 0"] == brand("a.bank2.example", brands=["bank.example"])
    assert ["score 3"] == brand("paypal.com", brand=3)
    for bad in ("a b", "", "x_y", "-a"):
        with pytest.raises(ValidationError):
            Settings(brands=(bad,))


def test_brand_in_the_envelope() -> None:
    """The envelope sender counts too; the null sender is no brand."""
    raw = mail("x@example.net")
    assert ["reject 5.7.20"] == World((KEYS,), {"dkim": {}}, sender="x@paypal.com").judge(raw).said("dkim")
    assert ["score 0"] == World((KEYS,), {"dkim": {}}, sender="").judge(raw).said("dkim")


def test_brand_is_spared() -> None:
    """A trusted forwarder may break a brand's signature; while DNS is silent nobody is refused."""
    trusting = {"dkim": {}, "arc": {"forwarders": ["192.0.2.1/32"]}}
    assert ["score 0"] == World((KEYS,), trusting).judge(mail("x@paypal.com")).said("dkim")
    silent = World(("s1._domainkey.paypal.com FAIL",), {"dkim": {"temperror": 1}})
    assert ["score 1"] == silent.judge(signed(mail("x@paypal.com"), "paypal.com")).said("dkim")
