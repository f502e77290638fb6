"""Where a link leads, whatever was done to hide it."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.links import MAX_INNER, MAX_URL, Link, ascii_name, link_of, links_of
from tests.cost import assert_cheap

EVIL = Link("evil.example")
LOOP = Link("127.0.0.1", is_address=True, disguise="number")
BEHIND = Link("evil.example", disguise="userinfo")


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("http://evil.example", EVIL),
        ("HTTPS://Evil.Example.:443/a?b#c", EVIL),
        ("ftp://evil.example:/x", EVIL),
        ("//evil.example/x", EVIL),
        ("\\\\evil.example\\x", EVIL),
        ("http:evil.example", EVIL),
        ("http:/evil.example", EVIL),
        ("https:\\\\evil.example\\@good.example", EVIL),
        (" \x00ht\ntp://ev\til.example/", EVIL),
        ("http://evil.example?@good.example", EVIL),
        ("http://evil.example#@good.example", EVIL),
        ("http://good.example@evil.example/", BEHIND),
        ("http://good.example:80@evil.example:80/", BEHIND),
        ("http://a@b@evil.example", BEHIND),
        ("http://@evil.example", EVIL),
        ("http://:@evil.example", EVIL),
        ("http://%65vil.example/", Link("evil.example", disguise="encoded")),
        ("http://b\u00fccher.example/", Link("xn--bcher-kva.example")),
        ("http://\u0435vil.example/", Link("xn--vil-qdd.example")),
        ("http://evil\u3002example/", EVIL),
        ("http://\uff45vil.example/", EVIL),
        ("http://my_host.example/", Link("my_host.example")),
        ("http://localhost/", Link("localhost")),
        ("http://127.0.0.1/", Link("127.0.0.1", is_address=True)),
        ("http://2130706433/", LOOP),
        ("http://0x7f000001/", LOOP),
        ("http://0x7f.1/", LOOP),
        ("http://0177.0.0.01/", LOOP),
        ("http://127.1", LOOP),
        ("http://[2001:db8::1]:80/", Link("2001:db8::1", is_address=True)),
        ("http://[2001:db8::1", Link("2001:db8::1", is_address=True)),
        ("http://256.1.1.1/", None),
        ("http://1.2.3.4.5/", None),
        ("http://4294967296/", None),
        ("http://08.1/", None),
        ("http://99999999999999999999999999/", None),
        ("http://[x]/", None),
        ("http://evil.example:x/", None),
        ("http://", None),
        ("http://..", None),
        ("http://-evil.example", None),
        ("http://evil example/", None),
        ("http://%ff%fe/", None),
        ("/evil.example", None),
        ("evil.example", None),
        ("mailto:ann@evil.example", None),
        ("javascript:alert(1)", None),
        ("cid:1@evil.example", None),
        ("", None),
    ],
)
def test_link(url: str, link: Link | None) -> None:
    """As a browser reads it, by the URL standard."""
    assert link == link_of(url)


def test_links_within() -> None:
    """Redirectors and click counters: what they lead to counts too; some of many."""
    inside = "https://r.example/?u=" + quote("https://evil.example/?x=1", safe="") + "&sig=2"
    assert [Link("r.example"), EVIL] == list(links_of([inside, inside, "http://evil.example/other"]))
    assert [Link("web.example"), EVIL] == list(links_of(["http://web.example/2020/http://evil.example/"]))
    many = "http://r.example/" + "".join(f"http://h{n}.example/" for n in range(20))
    assert MAX_INNER + 1 == len(list(links_of([many])))


@given(st.text(max_size=200))
def test_anything(text: str) -> None:
    """Never an error; a host is ASCII, in lower case, and reads as itself again."""
    for link in links_of([f"http://{text}", text]):
        assert link.host == link.host.lower()
        assert link.host.isascii()
        if not link.is_address:
            assert link.host == ascii_name(link.host)


def test_linear() -> None:
    """A long link costs no more than its first characters."""
    for piece in ("http://", "@", "%41", "\u00fc.", "[", "a.", "\\"):
        urls = ["http://" + piece * (MAX_URL * 50)] * 20
        assert_cheap(0.5, lambda given: list(links_of(given)), urls)
