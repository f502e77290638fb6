"""Names of lines, of machines that send no mail, and of mail servers."""

from __future__ import annotations

import itertools

import pytest

from gatepost.plugin.hostnames import holds_address, line_of, owner_of, role_of
from tests.cost import assert_cheap

ROLES = ("mysql", "db", "www", "ns")


@pytest.mark.parametrize(
    ("name", "client", "expected"),
    [
        ("198-51-100-7.example.net", "198.51.100.7", True),
        ("7.100.51.198.example.net", "198.51.100.7", True),
        ("host-51-100-7.example.net", "198.51.100.7", True),
        ("ip198051100007.example.net", "198.51.100.7", True),
        ("c6336407.example.net", "198.51.100.7", True),
        ("h-c6336407-x.example.net", "198.51.100.7", True),
        ("mail7.example.net", "198.51.100.7", False),
        ("mta-100-7.example.net", "198.51.100.7", False),
        ("7.7.7.example.net", "198.51.100.7", False),
        ("2001-db8-1-2-0-0-0-5.example.net", "2001:db8:1:2::5", True),
        ("0000000000000005.example.net", "2001:db8:1:2::5", True),
        ("mail5.example.net", "2001:db8:1:2::5", False),
        ("mail.example.net", "unknown", False),
    ],
)
def test_holds_address(name: str, client: str, expected: bool) -> None:
    """Three octets in any order and writing, or the whole address in hexadecimal."""
    assert expected is holds_address(name, client)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dsl-17.example.net", "has the word dsl"),
        ("adsl.pool.example.net", "has the word adsl"),
        ("POOL-9.Example.NET", "has the word pool"),
        ("198-51-100-7.example.net", "is made of the client's address"),
        ("198-51-100-7.static.example.net", ""),
        ("mail.dsl.example.net", ""),
        ("mx1.example.net", ""),
        ("mail.pool.net", ""),
        ("pool.net", ""),
        ("dynamo.example.net", ""),
        ("spool.example.net", ""),
        ("", ""),
    ],
)
def test_lines(name: str, expected: str) -> None:
    """Words of lines, whole; but not in the provider's own name, nor where mail is named too."""
    assert expected == line_of(name, "198.51.100.7")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mysql.example.org", "mysql"),
        ("mysql2.example.org", "mysql"),
        ("db-01.example.org", "db"),
        ("WWW.example.org", "www"),
        ("web-mail.example.org", ""),
        ("mail-db.example.org", ""),
        ("mx.mysql.example.org", ""),
        ("dbmail.example.org", ""),
        ("mysql", ""),
        ("123.example.org", ""),
    ],
)
def test_roles(name: str, expected: str) -> None:
    """The first label names the role; numbers behind it do not hide it, and mail clears it."""
    assert expected == role_of(name, ROLES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mail-qk1-f170.example.com", "example.com"),
        ("mx1.mail.example.com", "example.com"),
        ("example.com", "example.com"),
        ("mx.example.co.uk", "example.co.uk"),
        ("mx.example.de", "example.de"),
        ("mx.example.com.br.", "example.com.br"),
        ("localhost", "localhost"),
    ],
)
def test_owners(name: str, expected: str) -> None:
    """The hosts of one owner stand under one name, and those of two owners do not."""
    assert expected == owner_of(name)


def test_any_name_in_no_time() -> None:
    """Names of any length and kind are judged at once."""
    for piece in ("1.", "a", "-", "dsl.", "1-", "\u00e9", "\x00"):
        name = piece * 100_000
        assert_cheap(0.03, line_of, name, "198.51.100.7")
        assert_cheap(0.03, line_of, name, "2001:db8::1")
        assert_cheap(0.03, role_of, name, ROLES)
        names = (f"{n}{name}" for n in itertools.count())  # none comes twice: some are remembered
        assert_cheap(0.03, lambda given: owner_of(next(given)), names)
