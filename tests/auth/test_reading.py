"""Authentication-Results is read as RFC 8601 has it, bounded, and what cannot be read is None."""

import authres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.auth.reading import MAX_VALUE, Results, read_authserv_id, read_results
from tests.cost import assert_cheap

GOOD: dict[str, Results] = {
    "mx.example.org; none": Results("mx.example.org", ()),
    "MX.Example.ORG 1;none": Results("mx.example.org", ()),
    "mx; spf=pass smtp.mailfrom=a@b": Results("mx", (("spf", "pass", (("smtp.mailfrom", "a@b"),)),)),
    "mx (it is) ; dkim=pass (1024-bit (really) key) header.i=@d1.example; dmarc=PASS": Results(
        "mx", (("dkim", "pass", (("header.i", "@d1.example"),)), ("dmarc", "pass", ()))
    ),
    '"mx.example" 1; dkim/1 = fail reason="bad ; \\"x\\"" header.b=abc/+==': Results(
        "mx.example", (("dkim", "fail", (("reason", 'bad ; "x"'), ("header.b", "abc/+=="))),)
    ),
    "mx; spf=pass smtp.mailfrom=SRS0=x=tt=a.example=b@c.example": Results(
        "mx", (("spf", "pass", (("smtp.mailfrom", "SRS0=x=tt=a.example=b@c.example"),)),)
    ),
    'mx; spf=pass smtp.mailfrom="john doe"@example.org': Results(
        "mx", (("spf", "pass", (("smtp.mailfrom", "john doe@example.org"),)),)
    ),
    "mx.microsoft.com 1; spf=pass smtp.mailfrom=a.b; dmarc=pass action=none header.from=a.b;": Results(
        "mx.microsoft.com",
        (
            ("spf", "pass", (("smtp.mailfrom", "a.b"),)),
            ("dmarc", "pass", (("action", "none"), ("header.from", "a.b"))),
        ),
    ),
}  # fmt: skip
BAD = ["", ";", "mx; spf", "mx; spf=", "(mx", 'mx; x="', "mx; =pass", "mx; spf=pass what",
       "x" * (MAX_VALUE + 1),
       "(" * 50 + ")" * 50 + "mx", "mx; a=b,c"]  # fmt: skip


@pytest.mark.parametrize(("text", "results"), GOOD.items())
def test_good(text: str, results: Results) -> None:
    """Comments are skipped, quotes undone, names in lower case."""
    assert results == read_results(text)
    assert results.authserv_id == read_authserv_id(text)


@pytest.mark.parametrize("text", BAD)
def test_bad(text: str) -> None:
    """What is none is None."""
    assert read_results(text) is None


def test_as_authres() -> None:
    """Another reader gets the same of an ordinary field."""
    text = "mx.example.org; spf=pass smtp.mailfrom=b.example; dkim=fail header.d=c.example header.s=x"
    theirs = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {text}")
    ours = read_results(text)
    assert ours is not None
    assert theirs.authserv_id == ours.authserv_id
    assert [(r.method, r.result) for r in theirs.results] == [(m, r) for m, r, _ in ours.results]


@given(st.text(alphabet='ab=;()"\\ @.\r\n', max_size=80))
def test_no_exception(text: str) -> None:
    """Whatever comes, it is read or it is None."""
    read_results(text)
    read_authserv_id(text)


@pytest.mark.parametrize("what", ["(", "((", '"', '\\"', "a=", ";", "(a)", '"a"', " ", "(\\"])
def test_linear(what: str) -> None:
    """The longest field of anything takes no time to speak of."""
    for text in ("mx; " + what * (MAX_VALUE // len(what)), what * (MAX_VALUE // len(what))):
        assert_cheap(0.2, read_results, text)
        assert_cheap(0.2, read_authserv_id, text)
