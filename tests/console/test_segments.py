"""A `/` in a local part is no border between segments, on every page and route that takes one."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.console.segments import MARK, Part, decoded
from gatepost.desk import checks, domains, recipients
from tests.console.api.program import Program
from tests.console.house import House
from tests.console.served import Served

CHECKS = "/domains/ann.example/mailboxes/{}/checks"


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/mailboxes/ann/checks", None),
        (b"/mailboxes/a%3Fb/checks", None),
        (b"/mailboxes/a%2Fb/checks", f"/mailboxes/a{MARK}b/checks"),
        (b"/mailboxes/a%2fb%2F/checks", f"/mailboxes/a{MARK}b{MARK}/checks"),
        (b"/mailboxes/a%252Fb/checks", None),
        (b"/mailboxes/%C3%A4%2Fb%3F/checks?x=%2F", f"/mailboxes/\u00e4{MARK}b?/checks"),
        (b"/journal?text=a%2Fb", None),
        (b"", None),
        (b"%2F", MARK),
        (b"/%2F%FF%", f"/{MARK}\ufffd%"),
    ],
)
def test_decoded(raw: bytes, path: str | None) -> None:
    """Only what is encoded is kept within its segment; what has none is left to the server."""
    assert path == decoded(raw)


@given(st.binary(max_size=60))
def test_any_bytes(raw: bytes) -> None:
    """Nothing raises, and borders are as many as there were."""
    path = decoded(raw)
    if path is not None:
        assert path.count("/") == raw.partition(b"?")[0].count(b"/")


def test_part() -> None:
    """To and fro."""
    part = Part()
    assert "a/b" == part.convert(f"a{MARK}b")
    assert "a/b" == part.convert(part.to_string("a/b"))


def test_a_mailbox(house: House) -> None:
    """Its page is reached by the link of the list, its switch turned, its settings put back."""
    with house.desk() as desk:
        recipients.add(desk, "ann.example", ["dept/sales"])
    ann = house.browser("ann")
    (link,) = re.findall(r'href="([^"]*dept[^"]*/checks)"', ann.page("/domains/ann.example/recipients"))
    assert CHECKS.format("dept%2Fsales") == unescape(link)
    page = ann.page(link)
    assert "dept/sales" in page
    assert f'action="{link}/dnsbl/mode"' in page
    answer = ann.post(f"{link}/dnsbl/mode", {"mode": "watch"})
    assert 303 == answer.status_code
    assert answer.headers["location"].startswith(link)
    with house.desk() as desk:
        assert {"dnsbl.mode": "watch"} == domains.own_values(desk, "dept/sales@ann.example")
        assert "watch" == str(checks.one(desk, "dept/sales@ann.example", "dnsbl")[1].mode)
    assert "dnsbl" in ann.page(f"{link}/dnsbl")
    ann.post(f"{link}/dnsbl/reset", {})
    with house.desk() as desk:
        assert {} == domains.own_values(desk, "dept/sales@ann.example")


def test_not_signed_in(house: House) -> None:
    """After signing in one is where one wanted to go."""
    where = CHECKS.format("a%2Fb%3F")
    answer = house.browser("").client.get(where, follow_redirects=False)
    assert f"/login?next={where.replace('%', '%25').replace('/', '%2F')}" == answer.headers["location"]


@pytest.mark.parametrize("path", ["/domains%2Fann.example", "/domains/ann.example%2Frecipients", "/%2Flogin"])
def test_no_other_way(house: House, path: str) -> None:
    """An encoded border leads nowhere where none belongs into the segment."""
    assert 404 == house.browser("ann").client.get(path).status_code


def test_programs(house: House) -> None:
    """Every route of the API that takes an address: digest, BATV, storms, counted addresses."""
    with house.desk() as desk:
        recipients.add(desk, "ann.example", ["a/b"])
    ann, top = Program(house, "ann"), "/domains/ann.example"
    assert ann.put(f"{top}/digest/mailboxes/a%2Fb", {"on": True})
    assert ["a/b"] == ann.put(f"{top}/batv/addresses/a%2Fb", None)["items"]
    assert "=a/b@ann.example" in ann.post(f"{top}/batv/addresses/a%2Fb/tag")["address"]
    ann.delete(f"{top}/batv/addresses/a%2Fb@ann.example", 204)
    ann.put(f"{top}/storms/never/a%2Fb", None, 204)
    assert ["a/b"] == ann.get(f"{top}/storms/never")["items"]
    ann.delete(f"{top}/storms/never/a%2Fb", 204)
    assert "a/b" == ann.post(f"{top}/aliases/shop.5.a%2Fb/close")["user"]
    assert ann.get(f"{top}/aliases/shop.5.a%2Fb")["closed"]
    assert 404 == ann.ask("PUT", f"{top}/storms/never/a/b").status_code


def test_over_the_wire(house: House) -> None:
    """The real server hands the path on as it came."""
    with house.desk() as desk:
        recipients.add(desk, "ann.example", ["a/b"])
    with Served(house.app) as served:
        headers = {"authorization": "Bearer program-ann"}
        where = f"{served.url}/api/v1/domains/ann.example/storms/never/a%2Fb"
        assert 204 == httpx.put(where, headers=headers).status_code
        answer = httpx.get(where.rpartition("/")[0], headers=headers)
        assert ["a/b"] == answer.json()["items"]
