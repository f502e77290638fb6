"""Forwarders are trusted by address, name or seal, as each domain names them; a domain may seal itself."""

import asyncio

import pytest
from pydantic import ValidationError

from gatepost.auth.arc import verify
from gatepost.auth.facts import Forwarded
from gatepost.mail.verdict import AddHeader
from gatepost.plugins.arc import Settings
from tests.auth.mails import mail, parsed, pem, rsa_record, sealed, signed
from tests.cost import assert_cheap
from tests.plugins.senders import World

LISTS = f"s1._domainkey.lists.example.com TXT {rsa_record()}"
SAW = "mx; dkim=pass header.d=example.net; dmarc=pass header.from=example.net"


def trust(
    raw: bytes, *forwarders: str, records: tuple[str, ...] = (LISTS,), client: str = "192.0.2.1"
) -> str:
    """Return the entry by which a mail is trusted, "" for none."""
    judged = World(records, {"arc": {"forwarders": list(forwarders)}}, client).judge(raw)
    fact = judged.transaction.answers.get(("fact", Forwarded, "example.org"))
    return fact.by if fact is not None else ""


def test_by_seal() -> None:
    """A named sealer that saw the author proved; not an unknown one, not one that saw nothing."""
    raw = sealed(mail(subject="[list] Noon"), SAW)
    assert "lists.example.com" == trust(raw, "lists.example.com")
    assert "example.com" == trust(raw, "other.example", "example.com")
    assert "" == trust(raw)
    assert "" == trust(raw, "lists.example.org")
    assert "" == trust(raw, "s.example.com")
    assert "" == trust(sealed(mail(), "mx; dmarc=fail header.from=example.net"), "lists.example.com")
    assert "" == trust(raw.replace(b"noon", b"moon"), "lists.example.com")
    assert "" == trust(raw.replace(b"ann@example.net", b"ann@victim.example"), "lists.example.com")


def test_by_seal_of_several_authors() -> None:
    """Every author must have been seen; an ambiguous From is nobody's."""
    both = sealed(mail("a@example.net, b@other.example"), SAW)
    assert "" == trust(both, "lists.example.com")
    odd = sealed(mail("friends: a@example.net;"), SAW)
    assert "" == trust(odd, "lists.example.com")


def test_by_client() -> None:
    """By network, IPv6 too, and by a name that leads back to the client."""
    assert "192.0.2.0/24" == trust(mail(), "192.0.2.0/24")
    assert "2001:db8::/32" == trust(mail(), "2001:db8::/32", client="2001:db8::1")
    assert "" == trust(mail(), "198.51.100.0/24")
    host = ("1.2.0.192.in-addr.arpa PTR out.fwd.example", "out.fwd.example A 192.0.2.1")
    assert "fwd.example" == trust(mail(), "fwd.example", records=host)
    assert "" == trust(mail(), "wd.example", records=host)
    assert "" == trust(mail(), "fwd.example", records=(host[0], "out.fwd.example A 192.0.2.2"))
    assert "" == trust(mail(), "fwd.example", records=("1.2.0.192.in-addr.arpa FAIL",))


def test_domains_apart() -> None:
    """One domain's trust is not another's."""

    world = World((LISTS,), {"arc": {"forwarders": ["lists.example.com"]}})
    answers = world.judge(sealed(mail(), SAW), ("example.org", "second.example")).transaction.answers
    told = {key for key, fact in answers.items() if isinstance(fact, Forwarded)}
    assert {("fact", Forwarded, "example.org"), ("fact", Forwarded, "second.example")} == told


def test_broken_chain() -> None:
    """What a broken chain is worth is the domain's choice; an unbroken one is only written down."""
    broken = sealed(mail(), SAW).replace(b"noon", b"moon")
    assert ["score 0"] == World((LISTS,), {"arc": {}}).judge(broken).said("arc")
    assert ["reject 5.7.29"] == World((LISTS,), {"arc": {"fail": "refuse"}}).judge(broken).said("arc")
    assert ["score 0"] == World((LISTS,), {"arc": {"fail": 3}}).judge(sealed(mail(), SAW)).said("arc")
    assert [] == World((LISTS,), {"arc": {"fail": 3}}).judge(mail()).said("arc")


def test_seal() -> None:
    """With a key the domain's copy carries our seal, over what we saw, and it holds."""
    own = {"seal_domain": "example.org", "seal_selector": "s1", "seal_key": pem().decode()}
    world = World(
        (f"s1._domainkey.example.org TXT {rsa_record()}", "example.net TXT v=spf1 -all"), {"arc": own}
    )
    raw = signed()
    judged = world.judge(raw)
    added = [f.verdict for f in judged.late if isinstance(f.verdict, AddHeader)]
    assert ["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"] == [h.name for h in added]
    assert "i=1; mx.example.org; spf=fail smtp.mailfrom=ann@example.net" in added[2].value
    assert "dkim=pass header.d=example.net" in added[2].value
    copy = b"".join(f"{h.name}: {h.value}\r\n".encode() for h in added) + raw
    assert world.dns is not None
    assert "pass" == asyncio.run(verify(parsed(copy), world.dns)).result


def test_long_results_still_fit() -> None:
    """A mail with many signatures is sealed with fewer words, not refused."""
    own = {"seal_domain": "example.org", "seal_selector": "s1", "seal_key": pem().decode()}
    raw = mail()
    for n in range(9):
        raw = signed(raw, selector=f"selector-{n}-that-is-rather-long")
    judged = World((LISTS,), {"arc": own}).judge(raw)
    assert 3 == judged.said("arc").count("addheader")


@pytest.mark.parametrize(
    "entry", ["", "com", "192.0.2.0/33", "192.0.2.1.2", "a b.example", "*.example.org", "x@y.example"]
)
def test_bad_entries(entry: str) -> None:
    """What is neither a network nor a domain name is an error."""
    with pytest.raises(ValidationError):
        Settings(forwarders=(entry,))


def test_good_entries() -> None:
    """Addresses become networks, names lose their case and last dot."""
    settings = Settings(forwarders=("192.0.2.1", " Lists.Example.ORG. ", "2001:db8::/32"))
    assert ("192.0.2.1/32", "lists.example.org", "2001:db8::/32") == settings.forwarders
    assert (("lists.example.org",), 2) == (settings.names, len(settings.networks))


def test_bad_seals() -> None:
    """Half a seal, a key that is none or too long are errors; a key is never shown."""
    for own in (
        {"seal_domain": "example.org"},
        {"seal_domain": "example.org", "seal_selector": "s", "seal_key": "hello"},
        {"seal_domain": "example.org", "seal_selector": "s", "seal_key": pem(4096).decode()},
    ):
        with pytest.raises(ValidationError):
            Settings.model_validate(own)
    good = Settings.model_validate(
        {"seal_domain": "a.example", "seal_selector": "s", "seal_key": pem().decode()}
    )
    assert "PRIVATE" not in repr(good) + good.model_dump_json()


def test_cheap_without_seals() -> None:
    """A mail without seals costs this check a search for header names."""
    world = World((LISTS,), {"arc": {}})
    assert_cheap(1, lambda: world.judge(mail()))
    assert world.dns is not None
    assert [] == world.dns.asked
