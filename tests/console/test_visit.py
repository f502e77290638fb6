"""Who a request names, and the page of ours that led to it."""

import pytest
from fastapi import Request

from gatepost.console.visit import came_from, our_names, person_of
from tests.console.house import House


def request(house: House, path: str = "/nothing", method: str = "GET", **headers: str) -> Request:
    """Return a request as an app gets it."""
    sent = {"host": "mx.gatepost.test", **headers}
    return Request(
        {
            "type": "http", "method": method, "path": path, "query_string": b"", "app": house.app,
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }
    )  # fmt: skip


def test_who(house: House) -> None:
    """The cookie names ann; nobody without one; a token of a program opens no page."""
    ann = person_of(request(house, cookie="gatepost=token-ann"))
    assert ann is not None
    assert "ann" == ann.name
    assert person_of(request(house)) is None
    assert person_of(request(house, authorization="Bearer program-ann")) is None


@pytest.mark.parametrize(
    ("referer", "expected"),
    [
        ("http://mx.gatepost.test/archive?domain=a.example", "/archive?domain=a.example"),
        ("https://mx.gatepost.test/", "/"),
        ("http://mx.gatepost.test/nothing?again", ""),
        ("http://mx.gatepost.test//evil.example/", ""),
        ("http://mx.gatepost.test/\\evil.example/", ""),
        ("http://evil.example/archive", ""),
        ("http://mx.gatepost.test@evil.example/archive", ""),
        ("javascript:alert(1)", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_the_way_back(house: House, referer: str, expected: str) -> None:
    """Only a page of this console, and not the one that is asked for."""
    assert expected == came_from(request(house, referer=referer))


def test_a_form_leads_back_to_its_page(house: House) -> None:
    """A form is sent to the address of its own page."""
    sent = request(house, "/account", "POST", referer="http://mx.gatepost.test/account")
    assert "/account" == came_from(sent)


def test_our_names(house: House) -> None:
    """The name that was asked, and the public one."""
    outside = House(house.data.parent / "second", public_url="https://mail.example")
    assert {"mx.gatepost.test"} == our_names(request(house))
    assert {"mx.gatepost.test", "mail.example"} == our_names(request(outside))
