"""What we write on top of a message can be read by others, and nothing a stranger said can bend it."""

import authres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.auth.facts import Arc, ArcSet, Dkim, Dmarc, Forwarded, Signature, Spf
from gatepost.auth.reading import read_results
from gatepost.auth.results import authentication_results, comment, fields, folded, received_spf, value

HELO = Spf("none", "helo", "mail.example.net", "192.0.2.1", helo_name="mail.example.net")
SPF = Spf("pass", "mailfrom", "example.net", "192.0.2.1", "ip4:192.0.2.1 decides", sender="ann@example.net",
          helo_name="mail.example.net", helo=HELO)  # fmt: skip
DKIM = Dkim("pass", (
    Signature("pass", "example.net", "s1", "rsa-sha256", mark="AbC+/dEf"),
    Signature("fail", "list.example", "x", "rsa-sha256", mark="Zz==", why="body was changed (l=1); really"),
))  # fmt: skip
ARC = Arc("pass", (ArcSet(1, "lists.example.org", "", ()),))
DMARC = Dmarc("fail", "example.net", "reject", "p=reject", "example.net")


def test_whole() -> None:
    """All four methods, a line for each result."""
    text = authentication_results("mx.example.org", SPF, DKIM, ARC, DMARC)
    assert (
        b"Authentication-Results: mx.example.org;\r\n"
        b"\tspf=pass smtp.mailfrom=ann@example.net;\r\n"
        b"\tspf=none smtp.helo=mail.example.net;\r\n"
        b"\tdkim=pass header.d=example.net header.s=s1 header.a=rsa-sha256 header.b=AbC+/dEf;\r\n"
        b"\tdkim=fail (body was changed ?l=1?, really) header.d=list.example header.s=x header.a=rsa-sha256"
        b' header.b="Zz==";\r\n'
        b"\tarc=pass header.d=lists.example.org;\r\n"
        b"\tdmarc=fail (p=reject) header.from=example.net\r\n"
    ) == folded("Authentication-Results", text)


def test_as_others_read_it() -> None:
    """authres, which is not our code, reads what we wrote; so do we."""
    text = authentication_results("mx.example.org", SPF, DKIM, ARC, DMARC)
    theirs = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {text}")
    wanted = [
        ("spf", "pass"),
        ("spf", "none"),
        ("dkim", "pass"),
        ("dkim", "fail"),
        ("arc", "pass"),
        ("dmarc", "fail"),
    ]
    assert wanted == [(r.method, r.result) for r in theirs.results]
    ours = read_results(text)
    assert ours is not None
    assert wanted == [(m, r) for m, r, _ in ours.results]
    assert ("header.from", "example.net") in ours.results[-1][2]


def test_what_deviates_is_said() -> None:
    """A failure that was let in says by whose word (RFC 9989, 7)."""
    trusted = Forwarded("lists.example.org", "because")
    text = authentication_results("mx", dmarc=DMARC, forwarded=trusted)
    assert (
        "mx; dmarc=fail (p=reject not followed, forwarded by lists.example.org) header.from=example.net"
        == text
    )
    assert "author is ambiguous" in authentication_results("mx", dmarc=Dmarc("permerror", ambiguous=True))


def test_nothing_known() -> None:
    """RFC 8601, 2.2: `none` where nothing was done; the words of ARC are three."""
    assert "mx; none" == authentication_results("mx")
    assert "mx; dkim=none; arc=fail (no answer)" == (
        authentication_results("mx", dkim=Dkim("none"), arc=Arc("temperror", why="no answer"))
    )


def test_received_spf() -> None:
    """RFC 7208, 9.1."""
    assert (
        b"Received-SPF: pass (mx.example.org: ip4:192.0.2.1 decides)\r\n"
        b"\tclient-ip=192.0.2.1; envelope-from=ann@example.net; helo=mail.example.net;"
        b" receiver=mx.example.org; identity=mailfrom\r\n"
    ) == received_spf("mx.example.org", SPF)
    null = Spf("none", "helo", "mail.example.net", "2001:db8::1", helo_name="mail.example.net")
    assert b"envelope-from=postmaster@mail.example.net" in received_spf("mx", null)


HOSTILE = [
    f"{local}@example.net"
    for local in ('a"b', "a b", "a;spf=pass", "a\r\nX: y", "a(b", "ä", "\u2028", "a\\", "a\0", "x" * 5_000)
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values(text: str) -> None:
    """No envelope, HELO name or reason ends its value, its comment or the line."""
    spf = Spf("fail", "mailfrom", "example.net", "192.0.2.1", text, sender=text, helo_name=text,
              helo=Spf("fail", "helo", text, "192.0.2.1", text, helo_name=text))  # fmt: skip
    dkim = Dkim("fail", (Signature("fail", text, text, text, mark=text, why=text),))
    line = authentication_results("mx", spf, dkim, Arc("fail", why=text), Dmarc("fail", text, published=text))
    for raw in (folded("Authentication-Results", line), received_spf("mx", spf)):
        assert raw.isascii()
        assert raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r")
        assert all(one[:1] == b"\t" for one in raw.split(b"\r\n")[1:-1])
        assert max(map(len, raw.split(b"\r\n"))) < 1_500
    read = read_results(line)
    assert read is not None
    assert ["spf", "spf", "dkim", "arc", "dmarc"] == [method for method, _, _ in read.results]
    assert "pass" not in [result for _, result, _ in read.results]


@given(st.text(max_size=50))
def test_any_text(text: str) -> None:
    """Whatever it is, it stands as one value and one comment."""
    assert read_results(f"mx; spf=fail ({comment(text)}) smtp.helo={value(text or 'x')}") is not None


def test_fields() -> None:
    """Ready fields stand one below the other."""
    assert b"A: b\r\nC: d;\r\n\te\r\n" == fields([("A", "b"), ("C", "d; e")])
