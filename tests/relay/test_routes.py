"""A route URL says one thing, and a wrong one is told in words."""

from __future__ import annotations

import ipaddress
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.relay.routes import Route, RouteError, order, owner_may, parse_route

GOOD = [
    ("smtp://127.0.0.1:2600", ("smtp", "127.0.0.1", 2600, "", "wanted")),
    ("smtp://mail.example.org", ("smtp", "mail.example.org", 25, "", "wanted")),
    ("smtp://mail.example.org.:26/", ("smtp", "mail.example.org", 26, "", "wanted")),
    ("smtp://[2001:db8::1]:25?tls=off", ("smtp", "2001:db8::1", 25, "", "off")),
    ("smtp+mx://example.org", ("smtp+mx", "example.org", 25, "", "wanted")),
    ("lmtp://localhost", ("lmtp", "localhost", 24, "", "wanted")),
    ("lmtp:///run/dovecot/lmtp", ("lmtp", "", 0, "/run/dovecot/lmtp", "off")),
    ("maildir:///var/mail/%d/%u", ("maildir", "", 0, "/var/mail/%d/%u", "off")),
    ("smtp://a.example?tls=required", ("smtp", "a.example", 25, "", "required")),
    ("smtp://a.example:465?tls=implicit", ("smtp", "a.example", 465, "", "implicit")),
]

BAD = [
    ("", "begins with"),
    ("mail.example.org", "begins with"),
    ("stmp://a.example", "did you mean smtp"),
    ("http://a.example", "begins with"),
    ("smtp://", "host is missing"),
    ("smtp://a b", "spaces"),
    ("smtp://a\r\nb", "control"),
    ("smtp://a.example:0", "port 0"),
    ("smtp://a.example:99999", "range"),
    ("smtp://a.example/path", "nothing may follow"),
    ("smtp://user@a.example", "no user"),
    ("smtp://a..example", "neither"),
    ("smtp://1.2.3", "neither"),
    ("smtp://999.1.1.1", "neither"),
    ("smtp+mx://127.0.0.1", "an address has none"),
    ("maildir://var/mail", "third slash"),
    ("maildir:///", "absolute"),
    ("maildir:///var/../etc", "'..'"),
    ("lmtp:///", "absolute"),
    ("smtp://a.example?tsl=off", "did you mean tls"),
    ("smtp://a.example?tls=maybe", "wanted, required, implicit or off"),
    ("smtp://a.example?weight=0", "from 1"),
    ("smtp://a.example?weight=x", "from 1"),
    ("smtp://a.example?xclient=no", "stands alone"),
    ("smtp://a.example#x", "fragment"),
]


@pytest.mark.parametrize(("url", "expected"), GOOD)
def test_good(url: str, expected: tuple[str, str, int, str, str]) -> None:
    """Scheme, host, port, path and TLS."""
    route = parse_route(url)
    assert expected == (route.scheme, route.host, route.port, route.path, route.tls)
    assert url == route.url


def test_options() -> None:
    """Options stand alone or have a value; the same URL is the same object."""
    route = parse_route("lmtp://a.example:26?xclient&xforward&weight=10&fallback")
    assert (True, True, 10, True, True) == (
        route.xclient,
        route.xforward,
        route.weight,
        route.fallback,
        route.lmtp,
    )
    assert route is parse_route(route.url)
    assert "[::1]:25" == parse_route("smtp://[::1]").place


@pytest.mark.parametrize(("url", "words"), BAD)
def test_bad(url: str, words: str) -> None:
    """The error names what is wrong."""
    with pytest.raises(RouteError, match=words.replace("(", r"\(")):
        parse_route(url)


@given(st.text(max_size=80))
def test_any_text(text: str) -> None:
    """Only our own error comes out, and what is a route holds no control character."""
    for url in (text, f"smtp://{text}", f"maildir:///{text}", f"lmtp://a.example?{text}"):
        try:
            route = parse_route(url)
        except RouteError:
            continue
        assert route.url.isprintable()
        assert ".." not in route.path.split("/")


def test_weights() -> None:
    """The first one is drawn by weight; a fall-back never stands before the others."""
    dice = random.Random(5)
    routes = [parse_route(f"smtp://h{n}.example?weight={w}") for n, w in ((1, 1), (3, 3))]
    routes.append(parse_route("smtp://last.example?weight=1000&fallback"))
    first = {"h1.example": 0, "h3.example": 0}
    for _ in range(4000):
        drawn = order(routes, dice.random)
        assert 3 == len(drawn)
        assert "last.example" == drawn[-1].host
        first[drawn[0].host] += 1
    assert 0.7 < first["h3.example"] / 4000 < 0.8


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("smtp://10.0.0.5", False),
        ("smtp://10.1.0.5", True),
        ("smtp://127.0.0.1", False),
        ("smtp://[::1]", False),
        ("smtp://[::ffff:127.0.0.1]", False),
        ("smtp://0.0.0.0", False),
        ("smtp://169.254.169.254", False),
        ("smtp://224.0.0.1", False),
        ("smtp://9.9.9.9", True),
        ("smtp://mail.example.org", True),
        ("maildir:///x", False),
        ("lmtp:///x", False),
    ],
)
def test_what_an_owner_may(url: str, may: bool) -> None:
    """Private addresses, sockets and maildirs are for administrators, but for [relay] allow."""
    assert may == (owner_may(parse_route(url), [ipaddress.ip_network("10.1.0.0/16")]) is None)


def test_frozen() -> None:
    """A route is a value."""
    with pytest.raises(AttributeError):
        parse_route("smtp://a.example").port = 1  # type: ignore[misc]
    assert Route("x", "smtp") == Route("x", "smtp")
