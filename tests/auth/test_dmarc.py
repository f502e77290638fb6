"""DMARC is evaluated as RFC 9989 has it: a table of cases through a zone that is written down."""

from __future__ import annotations

import pytest

from gatepost.auth.author import Authors
from gatepost.auth.dmarc import evaluate
from gatepost.auth.facts import Dkim, Dmarc, Signature, Spf
from gatepost.dns.zone import Zone
from tests.auth.mails import run


def spf(domain: str = "", result: str = "pass") -> Spf:
    """Return what SPF said."""
    return Spf(result if domain else "none", "mailfrom", domain, "192.0.2.1")


def dkim(*domains: str, result: str = "pass") -> Dkim:
    """Return what DKIM said."""
    signatures = tuple(Signature(result, domain) for domain in domains)
    return Dkim(result if domains else "none", signatures)


def judge(
    author: str | Authors, zone: str, mail: Spf | None = None, signs: Dkim | None = None
) -> tuple[Dmarc, Zone]:
    """Return the fact, and the zone with what was asked."""
    dns = Zone(zone)
    who = Authors((author,)) if isinstance(author, str) else author
    return run(evaluate(who, mail or spf(), signs or dkim(), dns)), dns


ORG = "_dmarc.example.com TXT v=DMARC1; p=reject"
CASES = [
    # what is shown, author, zone, what was proved, result with policy and tag
    ("no record anywhere: DMARC does not apply", "example.com", "example.com A 192.0.2.1", "", "none none"),
    ("record at the author, nobody proved", "example.com", ORG, "", "fail reject p=reject"),
    ("DKIM of the very domain", "example.com", ORG, "dkim:example.com", "pass reject p=reject"),
    ("SPF of the very domain", "example.com", ORG, "spf:example.com", "pass reject p=reject"),
    ("DKIM of a stranger", "example.com", ORG, "dkim:example.net", "fail reject p=reject"),
    ("DKIM of a stranger that ends alike", "example.com", ORG, "dkim:badexample.com", "fail reject p=reject"),
    ("relaxed: a sub-domain signs", "example.com", ORG, "dkim:mail.example.com", "pass reject p=reject"),
    (
        "relaxed: the domain signs for a sub-domain",
        "a.example.com",
        ORG,
        "dkim:example.com",
        "pass reject p=reject",
    ),
    ("relaxed: a sister signs", "a.example.com", ORG, "dkim:b.example.com", "pass reject p=reject"),
    ("relaxed: SPF of a sister", "a.example.com", ORG, "spf:bounces.example.com", "pass reject p=reject"),
    (
        "strict DKIM: the very domain",
        "example.com",
        ORG + "; adkim=s",
        "dkim:example.com",
        "pass reject p=reject",
    ),
    (
        "strict DKIM: a sub-domain",
        "example.com",
        ORG + "; adkim=s",
        "dkim:m.example.com",
        "fail reject p=reject",
    ),
    (
        "strict DKIM leaves SPF relaxed",
        "example.com",
        ORG + "; adkim=s",
        "spf:m.example.com",
        "pass reject p=reject",
    ),
    (
        "strict SPF: a sub-domain",
        "example.com",
        ORG + "; aspf=s",
        "spf:m.example.com",
        "fail reject p=reject",
    ),
    (
        "one of several signatures is enough",
        "example.com",
        ORG,
        "dkim:example.net dkim:list.example dkim:example.com",
        "pass reject p=reject",
    ),
    ("policy of the organization for a name below", "a.b.example.com", ORG, "", "fail reject p=reject"),
    (
        "sp= for a name below that exists",
        "a.example.com",
        ORG + "; sp=quarantine\na.example.com A 192.0.2.1",
        "",
        "fail quarantine sp=quarantine",
    ),
    (
        "np= for a name below that does not exist",
        "a.example.com",
        ORG + "; sp=none; np=quarantine",
        "",
        "fail quarantine np=quarantine",
    ),
    (
        "np= does not count for a name that exists",
        "a.example.com",
        ORG + "; sp=none; np=reject\na.example.com MX 10 mail.example.com",
        "",
        "fail none sp=none",
    ),
    (
        "no np=: sp= for a name that does not exist",
        "a.example.com",
        ORG + "; sp=none",
        "",
        "fail none sp=none",
    ),
    (
        "own record goes before the organization's",
        "a.example.com",
        ORG + "\n_dmarc.a.example.com TXT v=DMARC1; p=none",
        "",
        "fail none p=none",
    ),
    ("t=y: reject becomes quarantine", "example.com", ORG + "; t=y", "", "fail quarantine p=reject t=y"),
    (
        "t=y: quarantine becomes none",
        "example.com",
        "_dmarc.example.com TXT v=DMARC1; p=quarantine; t=y",
        "",
        "fail none p=quarantine t=y",
    ),
    (
        "p=none changes nothing",
        "example.com",
        "_dmarc.example.com TXT v=DMARC1; p=none",
        "",
        "fail none p=none",
    ),
    ("two records are no record", "example.com", f"{ORG}\n{ORG}", "", "none none"),
    (
        "unknown tags are ignored",
        "example.com",
        ORG + "; pct=0; rf=x; ri=1; zz=1",
        "",
        "fail reject p=reject",
    ),
    (
        "bad p= with rua is p=none",
        "example.com",
        "_dmarc.example.com TXT v=DMARC1; p=x; rua=mailto:a@example.com",
        "",
        "fail none p=none",
    ),
    (
        "bad p= without rua is no record",
        "example.com",
        "_dmarc.example.com TXT v=DMARC1; p=x",
        "",
        "none none",
    ),
    (
        "psd=y: the policy of a public suffix holds below it",
        "shop.example.bank",
        "_dmarc.bank TXT v=DMARC1; p=reject; sp=quarantine; psd=y\nshop.example.bank A 192.0.2.1",
        "",
        "fail quarantine sp=quarantine",
    ),
    (
        "psd=y: two domains below it are not one organization",
        "a.bank",
        "_dmarc.bank TXT v=DMARC1; p=reject; psd=y",
        "dkim:b.bank",
        "fail reject p=reject",
    ),
    (
        "psd=y: one domain below it is one organization",
        "x.a.bank",
        "_dmarc.bank TXT v=DMARC1; p=reject; psd=y",
        "dkim:y.a.bank",
        "pass reject p=reject",
    ),
    (
        "psd=n: a sub-domain stands for itself",
        "a.example.com",
        ORG + "\n_dmarc.a.example.com TXT v=DMARC1; p=reject; psd=n",
        "dkim:example.com",
        "fail reject p=reject",
    ),
    (
        "psd=n: below it is one organization",
        "x.a.example.com",
        ORG + "\n_dmarc.a.example.com TXT v=DMARC1; p=quarantine; psd=n",
        "dkim:y.a.example.com",
        "pass quarantine p=quarantine",
    ),
    (
        "psd=n in between cuts the signer off",
        "example.com",
        ORG + "\n_dmarc.a.example.com TXT v=DMARC1; p=none; psd=n",
        "dkim:x.a.example.com",
        "fail reject p=reject",
    ),
]


@pytest.mark.parametrize(
    ("what", "author", "zone", "proofs", "wanted"), CASES, ids=[case[0] for case in CASES]
)
def test_table(what: str, author: str, zone: str, proofs: str, wanted: str) -> None:
    """Each rule."""
    words = proofs.split()
    mail = next((w.removeprefix("spf:") for w in words if w.startswith("spf:")), "")
    signs = [w.removeprefix("dkim:") for w in words if w.startswith("dkim:")]
    found, _ = judge(author, zone, spf(mail), dkim(*signs))
    assert wanted == f"{found.result} {found.policy} {found.published}".strip(), f"{what}: {found}"


def test_what_is_asked() -> None:
    """Equal names cost one question; a stranger's signature costs the author's walk and no more."""
    _, dns = judge("example.com", ORG, signs=dkim("example.com"))
    assert [("_dmarc.example.com", "TXT")] == dns.asked
    _, dns = judge("example.com", ORG, signs=dkim("a.b.c.d.e.f.g.h.i.j.stranger.net"))
    assert [("_dmarc.example.com", "TXT"), ("_dmarc.com", "TXT")] == dns.asked
    _, dns = judge("a.b.c.d.e.f.g.h.i.j.mail.example.com", "")
    assert 8 == len(dns.asked)


@pytest.mark.parametrize(
    ("silent", "signs", "result"),
    [
        ("_dmarc.example.com", ("example.com",), "temperror"),
        ("_dmarc.com", ("m.example.com",), "temperror"),
        ("_dmarc.com", ("example.com",), "pass"),
        ("_dmarc.m.example.com", ("m.example.com", "example.com"), "pass"),
        ("_dmarc.m.example.com", ("m.example.com",), "temperror"),
    ],
)
def test_silence(silent: str, signs: tuple[str, ...], result: str) -> None:
    """No answer is no failure of the author, and no hindrance where another proof suffices."""
    records = "" if silent == "_dmarc.example.com" else ORG + "\n"
    found, _ = judge("example.com", f"{records}{silent} FAIL", signs=dkim(*signs))
    assert (result, found.policy if result == "pass" else "none") == (found.result, found.policy)


def test_proofs_that_could_not_be_had() -> None:
    """SPF or DKIM without an answer might have passed: temporary, unless another proof suffices."""
    assert "temperror" == judge("example.com", ORG, spf("example.com", "temperror"))[0].result
    assert "temperror" == judge("example.com", ORG, None, dkim("example.com", result="temperror"))[0].result
    both = judge("example.com", ORG, spf("example.com", "temperror"), dkim("example.com"))[0]
    assert "pass" == both.result


def test_several_authors() -> None:
    """Each is judged and the worst counts."""
    zone = ORG + "\n_dmarc.two.example TXT v=DMARC1; p=none"
    who = Authors(("two.example", "example.com"))
    found, _ = judge(who, zone, signs=dkim("two.example"))
    assert ("fail", "reject", "example.com") == (found.result, found.policy, found.author)
    found, _ = judge(who, zone, signs=dkim("two.example", "example.com"))
    assert "pass" == found.result
    found, _ = judge(Authors(("example.com", "none.example")), ORG, signs=dkim("example.com"))
    assert ("none", "none.example") == (found.result, found.author)


def test_ambiguous_author() -> None:
    """An ambiguous author never passes; a domain that asks to reject is still heard."""
    found, _ = judge(Authors(("example.com",), ambiguous="2 From headers"), ORG, signs=dkim("example.com"))
    assert ("permerror", True, "none") == (found.result, found.ambiguous, found.policy)
    found, _ = judge(Authors(("example.com",), ambiguous="2 From headers"), ORG)
    assert ("fail", True, "reject") == (found.result, found.ambiguous, found.policy)
    found, _ = judge(Authors((), ambiguous="group in From"), ORG)
    assert ("permerror", True) == (found.result, found.ambiguous)


def test_no_author() -> None:
    """Without an author nothing is proved, and nothing is asked."""
    found, dns = judge(Authors((), problem="there is no From"), ORG, signs=dkim("example.com"))
    assert ("permerror", False, []) == (found.result, found.ambiguous, dns.asked)


def test_words() -> None:
    """A person reads who was proved, by which record, and what was asked."""
    found, _ = judge("a.example.com", ORG, signs=dkim("example.com"))
    assert (
        "DMARC pass: a.example.com: proved by dkim example.com (its owner asks p=reject at example.com)"
        == found.words()
    )
    assert "_dmarc.a.example.com TXT: " in str(found.asked[0])
    found, _ = judge("example.com", ORG, signs=dkim("example.net"))
    assert "proved is only example.net" in found.words()
