"""Each kind reads what people write, in a file and in a shell alike, and says in words what is wrong."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.config.problems import BadValue
from gatepost.config.values import (
    ADDRESS,
    ADDRESSES,
    DOMAIN,
    DOMAINS_NETWORKS,
    ENDPOINT,
    FLAG,
    MAILBOXES,
    NAME_SERVERS,
    NETWORKS,
    OPTIONAL_PATH,
    PATH,
    ROUTE,
    SIZE,
    STRING,
    Kind,
    choice,
    count,
    hide_password,
    ratio,
    seconds,
    url,
)

MIB = 1 << 20


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (SIZE, 1000, 1000),
        (SIZE, "1000", 1000),
        (SIZE, "50MiB", 50 * MIB),
        (SIZE, "50 mib", 50 * MIB),
        (SIZE, "50M", 50 * MIB),
        (SIZE, "50MB", 50_000_000),
        (SIZE, "1.5GiB", 3 * 512 * MIB),
        (SIZE, "2TiB", 2 << 40),
        (SIZE, "12B", 12),
        (SIZE, 0, 0),
        (seconds(), 300, 300.0),
        (seconds(), 0.5, 0.5),
        (seconds(), "5m", 300.0),
        (seconds(), "500ms", 0.5),
        (ratio(1), 0.9, 0.9),
        (count(0, 9), 9, 9),
        (FLAG, True, True),
        (STRING, "", ""),
        (choice("a", "b"), "b", "b"),
        (PATH, "/x/y", Path("/x/y")),
        (OPTIONAL_PATH, "", None),
        (DOMAIN, "MX.Example.ORG.", "mx.example.org"),
        (DOMAIN, "", ""),
        (ROUTE, "", ""),
        (ROUTE, "smtp://relay.example:587?tls=required", "smtp://relay.example:587?tls=required"),
        (MAILBOXES, ["ann@example.net"], ("ann@example.net",)),
        (ADDRESS, "127.0.0.1:25", "127.0.0.1:25"),
        (ADDRESS, "", ""),
        (ADDRESSES, ["0.0.0.0:25", "[::]:25", "0.0.0.0:25"], ("0.0.0.0:25", "[::]:25")),
        (ENDPOINT, "unix:/run/x.sock", "unix:/run/x.sock"),
        (ENDPOINT, "127.0.0.1:783", "127.0.0.1:783"),
        (NAME_SERVERS, ["::1", "192.0.2.1", "unbound:5353"], ("[::1]:53", "192.0.2.1:53", "unbound:5353")),
        (NETWORKS, ["10.0.0.0/8", "::1"], (ip_network("10.0.0.0/8"), ip_network("::1/128"))),
        (DOMAINS_NETWORKS, {"Example.org": ["10.0.0.5"]}, {"example.org": (ip_network("10.0.0.5/32"),)}),
        (url("valkey", "redis"), "redis://10.0.0.1:6379/0", "redis://10.0.0.1:6379/0"),
        (url("postgresql"), "postgresql://u:p@[::1]/db?x=1", "postgresql://u:p@[::1]/db?x=1"),
        (url("http"), "", ""),
    ],
)
def test_what_people_write(kind: Kind[Any], value: Any, expected: Any) -> None:
    """The value, and written back it is read as the same."""
    read = kind.read(value)
    assert read == expected
    assert kind.read(kind.write(read)) == expected


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (SIZE, "50 apples", '"50 apples" is not a size'),
        (SIZE, -1, "-1 is below 0"),
        (SIZE, True, "true is not a size"),
        (SIZE, 1.5, "1.5 is not a size"),
        (SIZE, "", '"" is not a size'),
        (seconds(1, 60), 0, "0 seconds is not between 1 and 60"),
        (seconds(), "soon", '"soon" is not a time in seconds'),
        (seconds(), float("nan"), "not between"),
        (ratio(1), 1.1, "1.1 is not between 0 and 1"),
        (ratio(1), "x", '"x" is not a number'),
        (count(1, 9), 10, "10 is not between 1 and 9"),
        (count(), "many", '"many" is not a whole number'),
        (count(), True, "true is not a whole number"),
        (count(), 1.0, "1.0 is not a whole number"),
        (FLAG, 1, "1 is not true or false"),
        (FLAG, "true", '"true" is not true or false'),
        (STRING, 5, "5 is not a text"),
        (ROUTE, "relay.example:587", "a route begins with"),
        (ROUTE, "maildir:///x", "is no server that takes mail for others"),
        (ROUTE, "lmtp://x:24", "is no server that takes mail for others"),
        (MAILBOXES, ["ann"], "not a mailbox"),
        (MAILBOXES, [""], "must not be empty"),
        (MAILBOXES, "ann@example.net", "is not a list"),
        (STRING, "a\nb", "control character"),
        (PATH, "", "must not be empty"),
        (DOMAIN, "a b", '"a b" is not a host name'),
        (DOMAIN, "müller.example", "xn--"),
        (DOMAIN, "a..b", "is not a host name"),
        (ADDRESS, "127.0.0.1", "lacks a port"),
        (ADDRESSES, "0.0.0.0:25", "is not a list"),
        (ADDRESSES, [25], "25 is not a text"),
        (ENDPOINT, "unix:run/x", "begins with a slash"),
        (NAME_SERVERS, [""], "must not be empty"),
        (NETWORKS, ["10.0.0.1/8"], "the network would be 10.0.0.0/8"),
        (NETWORKS, ["10.0.0.0/33"], "not a network"),
        (NETWORKS, ["example.org"], "write 192.0.2.0/24"),
        (DOMAINS_NETWORKS, [], "is not a table"),
        (DOMAINS_NETWORKS, {"a b": []}, "is not a host name"),
        (url("postgresql"), "mysql://x", "does not begin with postgresql://"),
        (url("http", "https"), "https://", "names no host"),
        (url("http"), "http://x:y/", "names no host"),
        (url("postgresql"), "mysql://me:secret@x/", r"me:\*\*\*@x"),
    ],
)
def test_what_is_wrong_is_said_in_words(kind: Kind[Any], value: Any, reason: str) -> None:
    """The value as it stands there, and what it should be; passwords are not repeated."""
    with pytest.raises(BadValue, match=reason):
        kind.read(value)


def test_a_word_that_was_nearly_right() -> None:
    """The suggestion is the word that was meant."""
    with pytest.raises(BadValue) as caught:
        choice("normalize", "reject").read("normalise")
    assert caught.value.suggestion == "normalize"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (STRING, "5", "5"),
        (count(), "5", 5),
        (SIZE, "5", 5),
        (SIZE, "5MiB", 5 * MIB),
        (seconds(), "5m", 300.0),
        (ratio(1), "0.5", 0.5),
        (FLAG, "yes", True),
        (FLAG, "OFF", False),
        (ADDRESSES, "127.0.0.1:25, [::1]:25", ("127.0.0.1:25", "[::1]:25")),
        (ADDRESSES, '["127.0.0.1:25"]', ("127.0.0.1:25",)),
        (ADDRESSES, "", ()),
        (NETWORKS, "10.0.0.0/8", (ip_network("10.0.0.0/8"),)),
        (DOMAINS_NETWORKS, '{"a.example": ["10.0.0.1"]}', {"a.example": (ip_network("10.0.0.1"),)}),
        (DOMAINS_NETWORKS, '{"a.example" = ["10.0.0.1"]}', {"a.example": (ip_network("10.0.0.1"),)}),
    ],
)
def test_what_a_shell_gives(kind: Kind[Any], text: str, expected: Any) -> None:
    """The same values as from a file; lists with commas, as TOML or as JSON."""
    assert kind.read_text(text) == expected


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (FLAG, "perhaps", "'perhaps' is not true or false"),
        (count(), "many", "is not a whole number"),
        (ADDRESSES, "[", "neither TOML nor JSON"),
        (DOMAINS_NETWORKS, "x", "neither TOML nor JSON"),
    ],
)
def test_what_a_shell_gives_wrongly(kind: Kind[Any], text: str, reason: str) -> None:
    """The same words as for a file."""
    with pytest.raises(BadValue, match=reason):
        kind.read_text(text)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
EVERY_KIND = [
    SIZE, seconds(), ratio(1), count(), FLAG, STRING, choice("a"), PATH, OPTIONAL_PATH, DOMAIN, ADDRESS,
    ADDRESSES, ENDPOINT, NAME_SERVERS, NETWORKS, DOMAINS_NETWORKS, url("http"),
]  # fmt: skip


@given(st.sampled_from(EVERY_KIND), ANYTHING)
def test_only_our_own_error_comes_out(kind: Kind[Any], value: Any) -> None:
    """Whatever stands in the file: a value or a BadValue."""
    try:
        kind.read(value)
    except BadValue as error:
        assert str(error)


@given(st.sampled_from(EVERY_KIND), st.text(max_size=30))
def test_only_our_own_error_comes_out_of_a_shell(kind: Kind[Any], text: str) -> None:
    """Whatever stands in the environment."""
    try:
        kind.read_text(text)
    except BadValue as error:
        assert str(error)


def test_passwords_are_hidden() -> None:
    """In whatever shows a URL."""
    assert hide_password("redis://:secret@h:1/0") == "redis://:***@h:1/0"
    assert hide_password("postgresql://me:s%40x@h/db") == "postgresql://me:***@h/db"
    assert hide_password("http://h/a:b@c") == "http://h/a:b@c"
