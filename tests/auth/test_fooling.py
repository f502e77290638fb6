"""The known ways to fool the chain of proofs each end as not passed, or as ambiguous (T1.5, T3.2).

After "Composition Kills" (Chen, Paxson, Jiang 2020), CERT VU#517845 and Ullrich's "Breaking DKIM"
(2017). In each the attacker owns evil.example, with good SPF and DKIM of its own, or has an honest
mail of victim.example with a signature that holds, and wants the mail to pass as victim.example's.
"""

import time

import pytest

from gatepost.auth.author import authors
from gatepost.auth.dkim import verify
from gatepost.auth.dmarc import evaluate
from gatepost.auth.facts import Dmarc
from gatepost.auth.spf import verify as verify_spf
from gatepost.dns.zone import Zone
from gatepost.mail.address import AddressError, parse_path
from tests.auth.mails import NAMES, mail, parsed, rsa_record, run, signed

EVIL = "192.0.2.66"


def dns() -> Zone:
    """Return the world: the attacker's domain proves all, the victim's asks to reject."""
    zone = Zone(
        f"evil.example TXT v=spf1 ip4:{EVIL} -all\n"
        "victim.example TXT v=spf1 -all\n"
        "_dmarc.victim.example TXT v=DMARC1; p=reject\n"
        "_dmarc.evil.example TXT v=DMARC1; p=none\n"
    )
    zone.add("s1._domainkey.evil.example", "TXT", rsa_record())
    zone.add("s1._domainkey.victim.example", "TXT", rsa_record())
    return zone


def judge(raw: bytes, sender: bytes = b"<x@evil.example>", helo: str = "mail.evil.example") -> Dmarc:
    """Return what DMARC says of a mail from the attacker's server."""
    message = parsed(raw)
    address, _ = parse_path(sender, utf8=True, allow_null=True)
    zone = dns()

    async def all_of_it() -> Dmarc:
        spf = await verify_spf(EVIL, address, helo, zone)
        dkim = await verify(message, zone, time.time())
        return await evaluate(authors(message), spf, dkim, zone)

    return run(all_of_it())


def test_the_attacker_as_himself() -> None:
    """The frame works: the attacker's mail in his own name passes, in the victim's it fails."""
    assert "pass" == judge(signed(mail("x@evil.example"), "evil.example")).result
    forged = judge(signed(mail("ann@victim.example"), "evil.example"))
    assert ("fail", "reject") == (forged.result, forged.policy)


FROMS = {
    "two From headers, evil first": "x@evil.example>\r\nFrom: <ann@victim.example",
    "two From headers, victim first": "ann@victim.example>\r\nFrom: <x@evil.example",
    "From with a blank before the colon": "x@evil.example>\r\nFrom : <ann@victim.example",
    "From behind a blank line of blanks": "x@evil.example>\r\n \r\nFrom: <ann@victim.example",
    "two addresses": "x@evil.example>, <ann@victim.example",
    "two addresses without a comma": "x@evil.example><ann@victim.example",
    "victim behind the address": "x@evil.example> ann@victim.example <x@evil.example",
    "route": "@victim.example:x@evil.example",
    "route that swallows": "@evil.example,@any.example:ann@victim.example",
    "encoded word as address": "=?utf-8?q?ann=40victim.example?=@evil.example",
    "encoded word that hides the end": "=?utf-8?q?ann=40victim.example=3E?= x@evil.example",
    "quoted local part with an at": '"ann@victim.example"@evil.example',
    "quoted local part with an end": '"ann@victim.example> "@evil.example',
    "backslash": "ann@victim.example\\@evil.example",
    "comment in the domain": "x@evil.example(.victim.example)",
    "comment in the middle": "ann@victim.example(@evil.example)",
    "blank in the address": "ann@victim.example @evil.example",
    "NUL in the address": "ann@victim.example\0@evil.example",
    "control character": "ann@victim.example\x0b@evil.example",
    "two at signs": "ann@victim.example@evil.example",
    "semicolon": "ann@victim.example;@evil.example",
    "address literal": "ann@[192.0.2.66]",
    "no domain": "ann",
    "nothing": "",
    "line separator": "ann@victim.example\u2028@evil.example",
}


@pytest.mark.parametrize("inside", FROMS.values(), ids=FROMS.keys())
def test_forms_of_from(inside: str) -> None:
    """However the From is written that two readers may read differently, it does not pass."""
    raw = signed(mail("x@evil.example"), "evil.example").replace(
        b"From: x@evil.example", f"From: <{inside}>".encode()
    )
    found = judge(raw)
    assert "pass" != found.result
    assert found.ambiguous or found.result == "fail" or found.author != "victim.example"


BARE = {
    "group": "friends: ann@victim.example;",
    "group with the attacker": "ann@victim.example: x@evil.example;",
    "address as display name": "ann@victim.example <x@evil.example>",
    "comma as display name": "ann@victim.example, <x@evil.example>",
    "encoded words only": "=?utf-8?q?ann=40victim=2Eexample?=",
    "comment with an address": "x@evil.example (ann@victim.example)",
    "address behind": "<x@evil.example> ann@victim.example",
    "open quote": '"ann@victim.example <x@evil.example>',
    "open comment": "(ann@victim.example x@evil.example",
    "colon": "x@evil.example:ann@victim.example",
    "folded in the middle": "ann@victim.\r\n example",
}


@pytest.mark.parametrize("line", BARE.values(), ids=BARE.keys())
def test_lines_of_from(line: str) -> None:
    """The same for whole lines: each is ambiguous, or judged for the victim and failed."""
    raw = signed(mail("x@evil.example"), "evil.example").replace(
        b"From: x@evil.example", f"From: {line}".encode()
    )
    found = judge(raw)
    assert "pass" != found.result
    assert found.ambiguous or ("victim.example" == found.author and "fail" == found.result)


ENVELOPES = {
    "NUL": (b"<ann@victim.example\0@evil.example>", False),
    "quotes": (b'<"ann@victim.example "@evil.example>', True),
    "two at signs": (b"<ann@victim.example@evil.example>", False),
    "route": (b"<@victim.example:x@evil.example>", True),
    "empty local part": (b"<@victim.example>", False),
    "comment": (b"<ann@victim.example(@evil.example)>", False),
    "line end": (b"<ann@victim.example\r\n@evil.example>", False),
}


@pytest.mark.parametrize(("sender", "valid"), ENVELOPES.values(), ids=ENVELOPES.keys())
def test_envelope(sender: bytes, valid: bool) -> None:
    """An envelope that hides a second domain is refused by the grammar, or SPF asks the real one."""
    try:
        address, _ = parse_path(sender, utf8=True)
    except AddressError:
        assert not valid
        return
    assert valid
    assert address is not None
    spf = run(verify_spf(EVIL, address, "mail.evil.example", dns()))
    assert "evil.example" == spf.domain
    assert "pass" != judge(mail("ann@victim.example"), sender).result


def test_helo_is_not_the_author() -> None:
    """An empty sender with a HELO of the attacker proves the attacker; HELO of the victim proves nobody."""
    assert "fail" == judge(mail("ann@victim.example"), b"<>", "evil.example").result
    assert "fail" == judge(mail("ann@victim.example"), b"<>", "victim.example").result


HONEST = signed(mail("ann@victim.example"), "victim.example")


def changed(old: bytes, new: bytes) -> bytes:
    """Return the victim's own mail with a change."""
    made = HONEST.replace(old, new, 1)
    assert made != HONEST
    return made


AFTER_SIGNING = {
    "second Subject on top": b"Subject: You won\r\n" + HONEST,
    "second Subject below": changed(b"\r\nDate:", b"\r\nSubject: You won\r\nDate:"),
    "second To": b"To: you@example.org\r\n" + HONEST,
    "second From on top": b"From: x@evil.example\r\n" + HONEST,
    "second From below": changed(b"\r\nTo:", b"\r\nFrom: x@evil.example\r\nTo:"),
    "second Date": b"Date: Tue, 3 Nov 2026 12:00:00 +0000\r\n" + HONEST,
    "text in front of the body": changed(b"\r\n\r\nHello", b"\r\n\r\nPay now.\r\nHello"),
    "text behind the body": HONEST + b"Pay now.\r\n",
    "a line that ends the headers for some": changed(b"\r\nTo:", b"\r\n \r\nTo:"),
    "bare CR before a header": changed(b"\r\nTo:", b"\rSubject: You won\r\nTo:"),
    "bare LF before a header": changed(b"\r\nTo:", b"\nSubject: You won\r\nTo:"),
    "bare LF twice before the body": changed(b"\r\n\r\nHello", b"\n\nYou won.\r\n\r\nHello"),
    "a line that is no header": changed(b"\r\nTo:", b"\r\nYou won\r\nTo:"),
    "NUL in a header": changed(b"Subject: Noon", b"Subject: Noon\0"),
    "no empty line": HONEST.partition(b"\r\n\r\n")[0] + b"\r\n",
}


@pytest.mark.parametrize("raw", AFTER_SIGNING.values(), ids=AFTER_SIGNING.keys())
def test_changed_after_signing(raw: bytes) -> None:
    """What was added to or changed in a signed mail is no proof of the victim any more."""
    assert "pass" == judge(HONEST).result
    found = judge(raw)
    assert "pass" != found.result


def test_subject_that_was_never_signed() -> None:
    """A signature that leaves out the Subject proves little: a reader takes it for the author's."""
    names = tuple(n for n in NAMES if n != b"subject")
    raw = signed(mail("ann@victim.example"), "victim.example", names=names)
    assert "pass" != judge(raw).result
    assert "pass" != judge(raw.replace(b"Subject: Noon", b"Subject: You won")).result


def test_length() -> None:
    """With l= the attacker appends a body, or a new part with a new boundary."""
    raw = signed(mail("ann@victim.example"), "victim.example", length=True)
    assert "pass" == judge(raw).result
    assert "pass" != judge(raw + b"Pay now.\r\n").result
    nothing = signed(mail("ann@victim.example", body=b""), "victim.example", length=True)
    assert "pass" != judge(nothing + b"Pay now.\r\n").result


def test_second_content_type() -> None:
    """A second Content-Type changes what is shown of an unchanged body."""
    kind = "Content-Type: multipart/mixed; boundary=a\r\n"
    raw = signed(mail("ann@victim.example", more=kind), "victim.example", names=(*NAMES, b"content-type"))
    assert "pass" == judge(raw).result
    assert "pass" != judge(b"Content-Type: multipart/mixed; boundary=b\r\n" + raw).result


SUBDOMAINS = {
    "a name below that does not exist": "ann@no.such.victim.example",
    "a name that ends alike": "ann@notvictim.example",
    "the victim below the attacker": "ann@victim.example.evil.example",
}


def test_sub_domains() -> None:
    """The policy of a domain holds below it; a name that only looks alike is another name."""
    below = judge(signed(mail(SUBDOMAINS["a name below that does not exist"]), "evil.example"))
    assert ("fail", "reject", "victim.example") == (below.result, below.policy, below.record_at)
    alike = judge(signed(mail(SUBDOMAINS["a name that ends alike"]), "victim.example"))
    assert "none" == alike.result
    inside = judge(signed(mail(SUBDOMAINS["the victim below the attacker"]), "evil.example"))
    assert ("pass", "victim.example.evil.example") == (inside.result, inside.author)


def test_signature_of_a_parent_or_child() -> None:
    """d= of a top-level domain, or i= outside of d=, are no signatures."""
    raw = HONEST.replace(b"d=victim.example", b"d=example", 1)
    assert "pass" != judge(raw).result
    raw = HONEST.replace(b"i=@victim.example", b"i=@evil.example", 1)
    assert "pass" != judge(raw).result


def test_selector_that_points_elsewhere() -> None:
    """A selector or domain with marks of another grammar asks no other name (s=, d= injection)."""
    for old, new in (
        (b"s=s1", b"s=s1._domainkey.evil.example._x"),
        (b"d=victim.example", b"d=victim.example\0.evil.example"),
        (b"d=victim.example", b"d=victim.example_.evil.example"),
        (b"s=s1", b"s=s1\\._domainkey.evil.example"),
    ):
        raw = signed(mail("ann@victim.example"), "evil.example").replace(
            b"d=evil.example", b"d=victim.example", 1
        )
        assert "pass" != judge(raw.replace(old, new, 1)).result
