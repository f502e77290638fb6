"""The real rbldnsd and unbound of the tests: what is listed, what is not, how fast it changes."""

from tests.system.dns import Rbldnsd, Unbound, reversed_name


def test_listed_and_not(unbound: Unbound) -> None:
    """Through unbound the list says 127.0.0.2 for what it lists and NXDOMAIN for the rest (RFC 5782)."""
    assert ["127.0.0.2"] == unbound.ask("2.0.0.127.bl.test")
    assert ["127.0.0.2"] == unbound.ask("9.0.0.127.bl.test")
    assert [] == unbound.ask("1.0.0.127.bl.test")
    assert ['"Listed by bl.test, see https://bl.test/127.0.0.9"'] == unbound.ask("9.0.0.127.bl.test", "TXT")


def test_changes_are_seen(unbound: Unbound, rbldnsd: Rbldnsd) -> None:
    """A newly listed address is seen through unbound, IPv4 and IPv6, and goes again."""
    for address in ("192.0.2.7", "2001:db8::7"):
        name = f"{reversed_name(address)}.bl.test"
        assert [] == unbound.ask(name)
        rbldnsd.list(address)
        assert ["127.0.0.2"] == unbound.ask(name)
        rbldnsd.unlist(address)
        assert [] == unbound.ask(name)


def test_sick_lists(unbound: Unbound) -> None:
    """One list says yes to everything, another says that we may not ask."""
    assert ["127.0.0.2"] == unbound.ask("1.0.0.127.sick.test")
    assert ["127.255.255.254"] == unbound.ask("1.0.0.127.blocked.test")


def test_other_names(unbound: Unbound) -> None:
    """Host names, MX and PTR of the tests are there, and nothing goes out to the net."""
    assert ["127.0.0.1"] == unbound.ask("mail.good.test")
    assert ["10 mail.good.test."] == unbound.ask("good.test", "MX")
    assert ["mail.good.test."] == unbound.ask("5.0.0.127.in-addr.arpa", "PTR")
    assert [] == unbound.ask("nosuch.good.test")
