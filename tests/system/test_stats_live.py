"""Honest statistics of a running gateway: systems-before 7.6, each row by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.system.dns import Unbound
from tests.system.gateway import Gateway
from tests.system.running import in_force, journal, written
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter

LISTED, CLEAN = "127.0.0.9", "127.0.0.1"
GUESSES, BY_LIST, BY_ENTRY, WATCHED, WANTED = 9, 8, 2, 3, 1


@pytest.fixture
def storied(make_gateway: Callable[..., Gateway], unbound: Unbound, sink: Sink) -> Gateway:
    """Give a gateway behind which all sorts of mail lie; second.example only watches its list."""
    gateway = make_gateway(dns={"servers": [unbound.server]})
    for domain, mode in (("example.org", "on"), ("second.example", "watch")):
        hosting(gateway, sink.port, domain=domain)
        gateway.cli(
            "domain", "set", domain, f"dnsbl.mode={mode}", 'dnsbl.zones=["bl.test"]', "refuse_at=rcpt"
        )
    gateway.cli("list", "add", "example.org", "deny", "pest@client.example")
    in_force()
    before = len(journal(gateway))
    for n in range(GUESSES):
        assert 550 == gateway.rcpt(f"guess{n}@example.org", source=CLEAN)[0]
    for _ in range(BY_LIST):
        assert 550 == gateway.rcpt("ann@example.org", source=LISTED)[0]
    for _ in range(BY_ENTRY):
        assert 550 == gateway.rcpt("ann@example.org", sender="pest@client.example")[0]
    for _ in range(WATCHED):
        assert 250 == gateway.send(["ann@second.example"], letter("watched"), source=LISTED)[0]
    for _ in range(WANTED):
        assert 250 == gateway.send(["ann@example.org"], letter("wanted"), source=CLEAN)[0]
    written(gateway, before + GUESSES + BY_LIST + BY_ENTRY + WATCHED + WANTED)
    return gateway


def test_row_7_6_dictionary_attacks_not_spam(storied: Gateway) -> None:
    """7.6 "dictionary attacks not SPAM": guessed names are counted, and apart from what was spam."""
    found = storied.json("stats", "example.org")
    assert GUESSES == found["all"]["no_such_user"]
    assert BY_LIST + BY_ENTRY == found["all"]["spam"]
    assert GUESSES + BY_LIST + BY_ENTRY == found["all"]["rejected"]
    assert GUESSES == sum(day["no_such_user"] for day in found["days"])
    (guessed,) = [one for one in found["checks"] if one["kind"] == "no such user"]
    assert ("recipients", GUESSES, None) == (guessed["check"], guessed["refused"], guessed["share_of_spam"])


def test_row_7_6_dnsbl_75(storied: Gateway) -> None:
    """7.6 "DNSBL > 75 %": each check's share of what was refused as spam; 8 of 10 here, not 8 of 19."""
    share = {one["check"]: one["share_of_spam"] for one in storied.json("stats", "example.org")["checks"]}
    assert {"recipients": None, "dnsbl": 0.8, "deny_list": 0.2} == share
    assert "80.0%" in storied.cli("stats", "example.org").stdout


def test_row_7_5_2_500_rejected_30_into_spam(storied: Gateway) -> None:
    """Row "2,500 rejected/day, 30 into SPAM" of 7.5: a day's report has both, and each by its check."""
    before = len(journal(storied))
    for number, action in enumerate(("quarantine", "tag"), 1):
        storied.cli("domain", "set", "example.org", f"deny_list.action={action}")
        in_force()
        for _ in range(number):
            assert 250 == storied.send(["ann@example.org"], letter("x"), sender="pest@client.example")[0]
    written(storied, before + 3)
    found = storied.json("stats", "example.org", "--since", "24h")
    for lines in ([found["all"]], found["days"], found["domains"]):
        assert GUESSES + BY_LIST + BY_ENTRY == sum(line["rejected"] for line in lines)
        assert (1, 2) == tuple(sum(line[key] for line in lines) for key in ("quarantined", "marked"))
        assert WANTED + 2 == sum(line["accepted"] for line in lines)
        assert len(journal(storied, domain="example.org")) == sum(line["total"] for line in lines)
    checks = {one["check"]: one for one in found["checks"]}
    assert (BY_ENTRY, 1) == (checks["deny_list"]["rejected"], checks["deny_list"]["quarantined"])
    assert 0 == storied.json("stats", "second.example")["all"]["marked"]


def test_watch_and_domains(storied: Gateway) -> None:
    """What the list would have kept away where it only watches, and each domain on its own line."""
    (watched,) = storied.json("stats", "second.example")["watched"]
    assert {"check": "dnsbl", "would_refuse": WATCHED, "accepted": WATCHED} == watched
    assert [] == storied.json("stats", "example.org")["watched"]
    found = storied.json("stats")
    assert Counter(row.domain for row in journal(storied)) == {
        line["name"]: line["total"] for line in found["domains"]
    }
