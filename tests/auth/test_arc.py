"""A chain of seals holds or does not, and is worth as much as its sealers are trusted (RFC 8617)."""

import pytest

from gatepost.auth.arc import verify, vouched
from gatepost.auth.facts import Arc
from gatepost.dns.zone import Zone
from gatepost.mail.message import find_border
from tests.auth.mails import mail, parsed, rsa_record, run, sealed, signed

SAW = (
    "mx.lists.example.com; spf=fail smtp.mailfrom=x@example.net; dkim=pass header.d=example.net; "
    "dmarc=pass header.from=example.net"
)
DOMAINS = ("lists.example.com", "forwarder.example")


def keys() -> Zone:
    """Return the keys of the sealers."""
    zone = Zone()
    for domain in DOMAINS:
        zone.add(f"s1._domainkey.{domain}", "TXT", rsa_record())
    return zone


def judge(raw: bytes) -> Arc:
    """Return what is said of a mail."""
    return run(verify(parsed(raw), keys()))


LISTED = sealed(mail(subject="[list] Noon"), SAW)
TWICE = sealed(
    LISTED, "mx.forwarder.example; arc=pass; dmarc=fail header.from=example.net", "pass", "forwarder.example"
)


def test_holds() -> None:
    """Chains of none, one and two sets."""
    assert "none" == judge(mail()).result
    assert ("pass", ("lists.example.com",)) == (judge(LISTED).result, judge(LISTED).sealers)
    found = judge(TWICE)
    assert ("pass", ("forwarder.example", "lists.example.com")) == (found.result, found.sealers)
    assert ("dkim", "pass", (("header.d", "example.net"),)) == found.sets[0].results[1]


CHANGES = {
    "body": (b"noon", b"moon"),
    "subject": (b"Subject: [list]", b"Subject: [lost]"),
    "results": (b"dkim=pass", b"dkim=fail"),
    "cv": (b"cv=none", b"cv=pass"),
    "cv fail": (b"cv=none", b"cv=fail"),
    "instance": (b"i=1; mx", b"i=2; mx"),
    "instance zero": (b"i=1; mx", b"i=0; mx"),
    "instance of a thousand": (b"i=1; mx", b"i=1000; mx"),
    "no instance": (b"i=1; mx", b"mx"),
    "a seal that lists headers": (b"cv=none;", b"cv=none; h=from;"),
    "a seal without a key": (b"cv=none; d=lists.example.com", b"cv=none; d=nobody.example"),
    "an old algorithm": (b"ARC-Seal: a=rsa-sha256", b"ARC-Seal: a=rsa-sha1"),
    "a signature without From": (b"h=from:", b"h="),
    "two results": (
        b"ARC-Authentication-Results",
        b"ARC-Authentication-Results: i=1; x; none\r\nARC-Authentication-Results",
    ),
    "no results": (b"ARC-Authentication-Results", b"X-Results"),
    "a second Subject": (b"Subject:", b"Subject: You won\r\nSubject:"),
    "an ambiguous border": (b"\r\nTo:", b"\r\n \r\nTo:"),
}


@pytest.mark.parametrize(("old", "new"), CHANGES.values(), ids=CHANGES.keys())
def test_broken(old: bytes, new: bytes) -> None:
    """Each change breaks the chain, with a reason."""
    raw = LISTED.replace(old, new, 1)
    assert raw != LISTED
    found = judge(raw)
    assert "fail" == found.result
    assert found.why


def test_inner_seal_broken() -> None:
    """What the first sealer saw cannot be changed by the second."""
    raw = TWICE.replace(b"spf=fail smtp.mailfrom=x@example.net", b"spf=pass smtp.mailfrom=x@example.net")
    assert "fail" == judge(raw).result


def test_sets_that_are_missing() -> None:
    """A chain without its first or its middle set does not hold."""
    border = find_border(TWICE)
    lines = TWICE[:border].split(b"\r\n")
    without = [line for line in lines if b"i=1;" not in line]
    assert "fail" == judge(b"\r\n".join(without) + TWICE[border:]).result


def test_more_than_fifty() -> None:
    """The fifty-first set is none."""
    fields = b"".join(b"ARC-Seal: i=%d; cv=pass\r\n" % n for n in range(1, 60))
    assert "fail" == judge(fields + mail()).result


def test_no_answer() -> None:
    """No answer about a key is neither held nor broken."""
    zone = keys()
    zone.remove("s1._domainkey.lists.example.com")
    zone.add("s1._domainkey.lists.example.com", "FAIL")
    found = run(verify(parsed(TWICE), zone))
    assert ("temperror", ()) == (found.result, found.sealers)


TRUST = [
    # raw, author, trusted sealers, who vouches
    (LISTED, "example.net", {"lists.example.com"}, "lists.example.com"),
    (LISTED, "example.net", {"forwarder.example"}, ""),
    (LISTED, "example.net", set(), ""),
    (LISTED, "other.example", {"lists.example.com"}, ""),
    (TWICE, "example.net", {"lists.example.com", "forwarder.example"}, "lists.example.com"),
    (TWICE, "example.net", {"lists.example.com"}, ""),
    (TWICE, "example.net", {"forwarder.example"}, ""),
    (LISTED.replace(b"noon", b"moon"), "example.net", {"lists.example.com"}, ""),
]


@pytest.mark.parametrize(("raw", "author", "trusted", "who"), TRUST)
def test_trust(raw: bytes, author: str, trusted: set[str], who: str) -> None:
    """A sealer's word counts as far back as every sealer behind it is trusted, for the author it names."""
    sealer, why = vouched(judge(raw), author, trusted.__contains__)
    assert who == sealer
    assert bool(who) == ("example.net" in why)


@pytest.mark.parametrize(
    ("saw", "author", "vouches"),
    [
        ("mx; dmarc=pass", "example.net", True),
        ("mx; dmarc=pass header.from=example.net", "example.net", True),
        ("mx; dmarc=pass header.from=other.example", "example.net", False),
        ("mx; dmarc=fail header.from=example.net", "example.net", False),
        ("mx; dkim=pass header.i=@example.net", "example.net", True),
        ("mx; dkim=pass header.d=example.net", "a.example.net", True),
        ("mx; dkim=pass header.d=a.example.net", "example.net", False),
        ("mx; dkim=pass header.d=net", "example.net", False),
        ("mx; spf=pass smtp.mailfrom=ann@example.net", "example.net", True),
        ("mx; spf=pass smtp.mailfrom=example.net", "example.net", True),
        ("mx; spf=softfail smtp.mailfrom=example.net", "example.net", False),
        ("mx; none", "example.net", False),
        ("mx; iprev=pass", "example.net", False),
        ("what; is this", "example.net", False),
    ],
)
def test_what_a_sealer_saw(saw: str, author: str, vouches: bool) -> None:
    """Only a proof of the author's own domain counts."""
    found = judge(sealed(mail(), saw))
    assert "pass" == found.result
    assert vouches == bool(vouched(found, author, lambda _: True)[0])


def test_a_list_breaks_dkim_and_not_arc() -> None:
    """The whole story: signed, changed by a list, sealed by it."""
    raw = signed(mail())
    listed = sealed(raw.replace(b"Subject: Noon", b"Subject: [list] Noon"), SAW)
    assert "pass" == judge(listed).result
