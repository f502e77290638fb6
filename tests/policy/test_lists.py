"""Which entry decides: the order of precedence of CONTRACT 5, numbers 3 to 6, as a table."""

# ruff: noqa: E501 - one line of a table is one case

from itertools import count

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.session import Session
from gatepost.policy.lists import Entry, Lists, Table, canonical_client, client_number, parse_entry
from tests.cost import assert_dearer_by, seconds

NOW = 1_000_000.0
CLIENT = "192.0.2.7"
SENDER = "ann@mail.example.org"
HOST = "mx.mail.example.com.br"
HELO = "Friend"


def entry(spec: str, number: int = 0) -> Entry:
    """Read `domain deny 10.0.0.0/8 +verified` as an entry."""
    words = spec.split()
    level, kind, text = words[:3]
    field, value = parse_entry(text)
    expires = next((float(w[2:]) for w in words if w.startswith("x=")), None)
    return Entry(number, kind, field, value, level=level, expires=expires, verified="+verified" in words)


def lists(*specs: str) -> Lists:
    """Build lists of entries numbered from 1 in their order."""
    return Lists([entry(spec, n) for spec, n in zip(specs, count(1), strict=False)])


def winner(
    specs: tuple[str, ...],
    *,
    client: str = CLIENT,
    sender: str | None = SENDER,
    host: str | None = HOST,
    confirmed: bool = True,
    helo: str = HELO,
    proven: bool = False,
) -> str | None:
    """Return the spec of the entry that decides."""
    address = parse_address(sender) if sender is not None else None
    found = lists(*specs).match(client, address, host, confirmed, helo, NOW, proven)
    return None if found is None else specs[found.id - 1]


TABLE: list[tuple[str, tuple[str, ...], str | None]] = [
    ("nothing fits", ("domain deny 192.0.2.8", "all allow bob@example.org"), None),
    # (3) mailbox before domain before all domains
    ("mailbox first", ("all allow 192.0.2.7", "mailbox deny 192.0.2.0/24"), "mailbox deny 192.0.2.0/24"),
    ("domain before all", ("all deny 192.0.2.7", "domain allow .br"), "domain allow .br"),
    # (4) the more exact one: IP, sender, host, sender's domain, its parents, network, end of host name
    ("IP beats sender", ("domain deny 192.0.2.7", f"domain allow {SENDER}"), "domain deny 192.0.2.7"),
    ("host beats domain", (f"domain deny host:{HOST}", "domain allow mail.example.org"), f"domain deny host:{HOST}"),
    ("domain beats parent", ("domain deny mail.example.org", "domain allow example.org"),
     "domain deny mail.example.org"),
    ("near parent beats far", ("domain allow org", "domain deny example.org"), "domain deny example.org"),
    ("parent beats network", ("domain allow 192.0.2.0/24", "domain deny example.org"), "domain deny example.org"),
    ("longest prefix", ("domain deny 192.0.0.0/16", "domain allow 192.0.2.0/24"), "domain allow 192.0.2.0/24"),
    ("network beats end of name", ("domain allow .br", "domain deny 192.0.0.0/8"), "domain deny 192.0.0.0/8"),
    ("longer end of name", ("domain allow .br", "domain deny .com.br"), "domain deny .com.br"),
    ("HELO is last", ("domain allow .br", "domain deny helo:friend"), "domain allow .br"),
    ("HELO without case", ("domain deny helo:FRIEND",), "domain deny helo:FRIEND"),
    # (5) equally exact: allow
    ("allow wins a tie", ("domain deny 192.0.2.7", "domain allow 192.0.2.7"), "domain allow 192.0.2.7"),
    ("allow wins a tie of senders", (f"domain deny {SENDER}", f"domain allow {SENDER}"), f"domain allow {SENDER}"),
    # (6) an unproven sender never beats a deny for the client, at whatever level
    ("unproven against network", (f"domain allow {SENDER}", "domain deny 192.0.2.0/24"), "domain deny 192.0.2.0/24"),
    ("unproven of the mailbox", (f"mailbox allow {SENDER}", "all deny 192.0.2.7"), "all deny 192.0.2.7"),
    ("unproven against host", ("domain allow example.org", "all deny .br"), "all deny .br"),
    ("unproven against sender", (f"domain allow {SENDER}", "all deny example.org"), f"domain allow {SENDER}"),
    ("proven by address", (f"mailbox allow {SENDER}", "all deny 192.0.2.0/24", "domain allow 192.0.2.7"),
     "domain allow 192.0.2.7"),
    ("HELO allows nothing denied", ("mailbox allow helo:friend", "all deny 192.0.2.7"), "all deny 192.0.2.7"),
    # what does not count
    ("expired", ("domain deny 192.0.2.7 x=999999",), None),
    ("not yet expired", ("domain deny 192.0.2.7 x=1000001",), "domain deny 192.0.2.7 x=1000001"),
    ("verified and unproven", (f"domain allow {SENDER} +verified",), None),
    ("verified hides nothing", (f"domain allow {SENDER} +verified", "domain allow 192.0.2.0/24"),
     "domain allow 192.0.2.0/24"),
]  # fmt: skip


@pytest.mark.parametrize(("why", "specs", "wanted"), TABLE, ids=[t[0] for t in TABLE])
def test_precedence(why: str, specs: tuple[str, ...], wanted: str | None) -> None:
    """The table of examples; the order in which entries were added does not matter."""
    assert winner(specs) == wanted, why
    assert winner(tuple(reversed(specs))) == wanted, why


def test_proven_sender() -> None:
    """A sender that SPF or DKIM agrees with decides by its place in the order."""
    specs = (f"domain allow {SENDER} +verified", "domain deny 192.0.2.0/24")
    assert winner(specs, proven=True) == specs[0]
    assert winner(specs, proven=False) == specs[1]


def test_host_names() -> None:
    """Deny counts for any PTR name, allow only for a confirmed one."""
    assert winner((f"domain deny host:{HOST}",), confirmed=False) == f"domain deny host:{HOST}"
    assert winner(("domain deny .com.br",), confirmed=False) == "domain deny .com.br"
    assert winner((f"domain allow host:{HOST}",), confirmed=False) is None
    assert winner(("domain allow .br",), confirmed=False) is None
    assert winner(("domain deny .br",), host=None) is None
    assert winner(("domain deny .br",), host="MX.Example.BR.") == "domain deny .br"


def test_null_sender() -> None:
    """Bounces have no sender that could be listed."""
    assert winner(("domain deny example.org",), sender=None) is None
    assert winner(("domain deny 192.0.2.7",), sender=None) == "domain deny 192.0.2.7"


def test_ipv6() -> None:
    """Addresses and networks of version 6, in any spelling."""
    assert winner(("domain deny 2001:db8::/32",), client="2001:db8:1::9") == "domain deny 2001:db8::/32"
    assert winner(("domain deny 2001:db8::9",), client="2001:DB8:0::9") == "domain deny 2001:db8::9"
    assert winner(("domain deny 0.0.0.0/1",), client="2001:db8::9") is None
    assert winner(("domain deny ::/1",), client="10.0.0.1") is None
    assert winner(("domain deny 10.0.0.0/8",), client="::ffff:10.1.1.1") == "domain deny 10.0.0.0/8"


@pytest.mark.parametrize("client", ["", "unknown", "1.2.3", "unix:", "a.b.c.d", "::zz"])
def test_no_address(client: str) -> None:
    """A client without an address (a socket, a proxy's UNKNOWN) is on no list of addresses."""
    assert winner(("domain deny 0.0.0.0/1", "domain deny ::/1"), client=client) is None
    assert client_number(client) == (0, 0)
    assert canonical_client(client) == client


def test_many_labels() -> None:
    """A sender's domain of 120 labels is looked at in bounded time, from the right."""
    long = "a." * 100 + "example.org"
    assert winner(("domain deny example.org",), sender=f"x@{long}") == "domain deny example.org"


def test_empty() -> None:
    """Empty lists are false and match nothing."""
    assert not Lists.EMPTY
    assert not Lists(tables=[Table([])])
    assert Lists.EMPTY.match(CLIENT, None, None, False, "", NOW) is None
    assert len(lists("domain deny 192.0.2.7", "all deny .ru")) == 2


def test_needs_host() -> None:
    """Lists say whether the client's name must be looked up for them."""
    assert lists("domain deny .ru").needs_host
    assert lists("all allow host:a.example").needs_host
    assert not lists("domain deny 192.0.2.7", "all allow example.org").needs_host


def test_tables_are_shared() -> None:
    """The table of all domains is built once for every domain."""
    everywhere = Table([entry("all deny 192.0.2.7")])
    assert Lists(tables=[Table([]), everywhere]).tables == (everywhere,)


def test_long_lists_cost_no_more() -> None:
    """With 20,000 addresses and 5,000 networks a look takes no longer than with a few (within reason)."""
    few = lists("domain deny 192.0.2.9", "domain deny 10.0.0.0/24", "domain deny 10.0.0.0/16")
    many = Lists(
        [Entry(n, "deny", "ip", f"10.1.{n // 250}.{n % 250}") for n in range(20_000)]
        + [Entry(n, "deny", "net", f"11.{n // 250}.{n % 250}.0/24") for n in range(5_000)]
        + [Entry(0, "deny", "net", "10.0.0.0/16")]
    )

    def look(which: Lists) -> None:
        for _ in range(300):
            which.match(CLIENT, None, None, False, "", NOW)

    assert_dearer_by(4, lambda: seconds(look, few), lambda: seconds(look, many))


def at(spec: Lists, *names: tuple[str, bool], proven: bool = False) -> int | None:
    """Return the number of the entry that decides about a session whose client has these names."""
    session = Session("A", CLIENT, helo=HELO)
    session.know_host(names)
    found = spec.match_session(session, parse_address(SENDER), NOW, proven)
    return None if found is None else found.id


def test_any_of_several_names() -> None:
    """Deny counts for any PTR name of a client, allow for any that leads back, and for no other."""
    deny, allow = lists("all deny .ru"), lists("all allow host:mx.example.ru")
    assert 1 == at(deny, ("mail.example.com", True), ("dsl.example.ru", False))
    assert at(deny, ("mail.example.com", True)) is None
    assert at(deny) is None
    assert 1 == at(allow, ("mail.example.com", True), ("mx.example.ru", True))
    assert at(allow, ("mail.example.com", True), ("mx.example.ru", False)) is None


def test_row_7_5_tld_blacklisting() -> None:
    """Row "TLD blacklisting" of 7.5: `ru`, `com.br` by rDNS; an allow entry overrides by a true name only."""
    both = lists("all deny tld:ru", "all deny tld:com.br", "domain allow host:mx.example.ru")
    assert 1 == at(both, ("dsl.example.ru", True))
    assert 2 == at(both, ("mail.example.com.br", False))
    assert at(both, ("mail.example.br", True)) is None
    assert 3 == at(both, ("mx.example.ru", True))
    assert 1 == at(both, ("mx.example.ru", False))


def test_row_7_5_domain_blacklisting() -> None:
    """Row "domain blacklisting" of 7.5: a sender's domain with all its sub-domains."""
    assert 1 == at(lists("all deny example.org"))
    assert 1 == at(lists("domain deny mail.example.org"))
    assert at(lists("domain deny ail.example.org")) is None


def test_hangs_on_proof() -> None:
    """Proof is only asked for where it would change who decides."""
    session = Session("A", CLIENT, helo=HELO)
    sender = parse_address(SENDER)

    def hangs(*specs: str) -> bool:
        return lists(*specs).hangs_on_proof(session, sender, NOW)

    assert hangs(f"domain allow {SENDER} +verified")
    assert hangs(f"domain allow {SENDER}", "all deny 192.0.2.0/24")
    assert not hangs(f"domain allow {SENDER}")
    assert not hangs("domain allow bob@example.org +verified")
    assert not hangs("domain deny 192.0.2.0/24")
    assert not lists(f"domain allow {SENDER} +verified").hangs_on_proof(session, None, NOW)
