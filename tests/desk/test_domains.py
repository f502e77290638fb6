"""What stands in the store after `set` can be used; what cannot be is said with the right word."""

from __future__ import annotations

import pytest

from gatepost.desk import changes, domains, domains_listed
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError, NotFound

ROUTE = "smtp://192.0.2.5:25"


def value(desk: Desk, word: str | None, key: str) -> tuple[object, str]:
    """Return one setting in force with its origin."""
    found = domains.one_of(domains.get_values(desk, word)[0], key)
    return found.value, found.origin


# -- adding -----------------------------------------------------------------------------------


def test_add(desk: Desk) -> None:
    """A domain is hosted with its route and first settings, under its A-label."""
    domains.add(desk, "Bücher.example", [ROUTE], {"recipients": "any", "keep_days": 7})
    assert domains_listed.names(desk) == ["example.org", "xn--bcher-kva.example"]
    assert domains.own_values(desk, "bücher.example") == {
        "route": [ROUTE],
        "recipients": "any",
        "keep_days": 7,
    }


def test_add_twice(desk: Desk) -> None:
    """A hosted domain cannot be added again."""
    with pytest.raises(Conflict, match="hosted already"):
        domains.add(desk, "example.org", [ROUTE])


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        ([], "needs a route"),
        (["smtp//x"], "did you mean|begins with"),
        (["smpt://192.0.2.5"], "did you mean smtp://"),
        (["smtp://127.0.0.1:2525"], "our own address"),
        (["smtp://localhost:2525"], "our own address"),
    ],
)
def test_add_bad_route(desk: Desk, routes: list[str], words: str) -> None:
    """A route that is none, or leads to ourselves, is said and nothing is added."""
    with pytest.raises(DeskError, match=words):
        domains.add(desk, "example.net", routes)
    assert domains_listed.names(desk) == ["example.org"]


def test_own_address_on_another_port(desk: Desk) -> None:
    """A server of the domain on the same machine is no circle."""
    assert domains.check_route(desk, "smtp://127.0.0.1:2600").port == 2600


def test_remove_and_back(desk: Desk) -> None:
    """A removed domain comes back with everything by rolling the change back."""
    domains.set_values(desk, "example.org", {"keep_days": 7})
    domains.remove(desk, "example.org")
    assert domains_listed.names(desk) == []
    changes.roll_back(desk, changes.listing(desk)[0].id)
    assert domains.own_values(desk, "example.org")["keep_days"] == 7


# -- setting ----------------------------------------------------------------------------------


def test_origin(desk: Desk) -> None:
    """Each value says where it comes from: default, all domains, domain, mailbox."""
    assert value(desk, "example.org", "refuse_at") == ("data", "default")
    domains.set_values(desk, None, {"refuse_at": "rcpt", "dnsbl.mode": "watch"})
    assert value(desk, "example.org", "refuse_at") == ("rcpt", "all")
    assert value(desk, "example.org", "dnsbl.mode") == ("watch", "all")
    domains.set_values(desk, "example.org", {"refuse_at": "data"})
    assert value(desk, "example.org", "refuse_at") == ("data", "domain")
    domains.set_values(desk, "ann@example.org", {"refuse_at": "rcpt"})
    assert value(desk, "ann@example.org", "refuse_at") == ("rcpt", "mailbox")
    assert value(desk, "bob@example.org", "refuse_at") == ("data", "domain")
    domains.unset_values(desk, "example.org", ["refuse_at"])
    assert value(desk, "example.org", "refuse_at") == ("rcpt", "all")


def test_settings_of_a_check(desk: Desk) -> None:
    """The issue's own example: a mode and zones of dnsbl."""
    domains.set_values(desk, "example.org", {"dnsbl.mode": "on", "dnsbl.zones": ["bl.test"]})
    assert value(desk, "example.org", "dnsbl.mode") == ("on", "domain")
    zones, origin = value(desk, "example.org", "dnsbl.zones")
    assert origin == "domain"
    assert "bl.test" in str(zones)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"refuse_att": "data"}, r"refuse_att.*did you mean 'refuse_at'"),
        ({"refuse_at": "later"}, r"refuse_at: 'later' .*rcpt, data"),
        ({"dnsbl.mod": "on"}, r"dnsbl.*did you mean 'dnsbl.mode'"),
        ({"dnsbl.zoness": []}, r"did you mean 'dnsbl.zones'"),
        ({"dnsbl.mode": "onn"}, r"dnsbl.mode.*off, watch, on"),
        ({"dnsbl.zones": 5}, r"dnsbl.zones"),
        ({"dnsblx.mode": "on"}, r"did you mean 'dnsbl.mode'"),
        ({"keep_days": 0}, r"keep_days"),
        ({"route": ["smtp://127.0.0.1:2525"]}, "our own address"),
        ({"client_rate.mode": "off"}, "whole machine"),
        ({"refuse_at": "rcpt", "nonsense": 1}, "nonsense"),
    ],
)
def test_wrong_values(desk: Desk, values: dict[str, object], words: str) -> None:
    """A wrong key or value names itself and the right one; nothing of the request is kept."""
    before = domains.own_values(desk, "example.org")
    with pytest.raises(DeskError, match=words):
        domains.set_values(desk, "example.org", values)
    assert domains.own_values(desk, "example.org") == before


def test_core_settings_load_no_check(desk: Desk) -> None:
    """Where only core settings are meant the checks are not loaded (start time)."""
    domains.set_values(desk, "example.org", {"refuse_at": "rcpt"})
    assert "registry" not in vars(desk)


def test_expect(desk: Desk) -> None:
    """Who saw an older version does not overwrite what somebody else wrote."""
    seen = desk.policy.version()
    domains.set_values(desk, "example.org", {"keep_days": 7})
    with pytest.raises(Conflict, match=r"changed.*ann.*7"):
        domains.set_values(desk, "example.org", {"keep_days": 9}, expect=seen)
    assert domains.own_values(desk, "example.org")["keep_days"] == 7


def test_unset_what_is_not_set(desk: Desk) -> None:
    """The error names the key that was probably meant."""
    domains.set_values(desk, "example.org", {"keep_days": 7})
    with pytest.raises(DeskError, match="did you mean 'keep_days'"):
        domains.unset_values(desk, "example.org", ["keep_day"])
    with pytest.raises(DeskError, match="needs one"):
        domains.unset_values(desk, "example.org", ["route"])


def test_unknown_domain(desk: Desk) -> None:
    """Nothing is set for a domain that is not hosted."""
    with pytest.raises(NotFound):
        domains.set_values(desk, "example.com", {"keep_days": 7})


def test_fault(desk: Desk) -> None:
    """A value in the store that cannot be used is told, and the default holds."""
    desk.policy.put("domain:example.org", {"refuse_at": "never"}, by="hand")
    values, faults = domains.get_values(desk, "example.org")
    assert domains.one_of(values, "refuse_at").value == "data"
    assert "never" in str(faults[0])


def test_preset(desk: Desk) -> None:
    """A preset changes defaults; what was set by hand goes before it."""
    domains.set_values(desk, "example.org", {"preset": "careful", "deny_list.mode": "off"})
    assert value(desk, "example.org", "preset") == ("careful", "domain")
    assert value(desk, "example.org", "deny_list.mode") == ("off", "domain")
    assert value(desk, "example.org", "score.reject_at") == ("off", "default")
    assert [p.name for p in domains.presets()] == ["careful", "usual", "strict"]


def test_readers_of_the_digest(desk: Desk) -> None:
    """A domain's digest goes to mailboxes of its own: kept as local parts, and nobody elsewhere is taken."""
    domains.set_values(desk, "example.org", {"digest.to": ["Ann@EXAMPLE.org", "ann", "postmaster"]})
    assert (["ann", "postmaster"], "domain") == value(desk, "example.org", "digest.to")
    with pytest.raises(
        DeskError, match=r"digest\.to: ann@example\.net is not a mailbox of example\.org itself"
    ):
        domains.set_values(desk, "example.org", {"digest.to": ["ann@example.net"]})
    domains.set_values(desk, None, {"digest.to": ["postmaster"]})
    with pytest.raises(DeskError, match="not a mailbox of each domain"):
        domains.set_values(desk, None, {"digest.to": ["ann@example.org"]})
    with pytest.raises(DeskError, match="itself"):
        domains.add(desk, "new.example", [ROUTE], {"digest.to": ["ann@example.org"]})


def test_bypass(desk: Desk) -> None:
    """Out and back in, also for one domain while all others are out."""
    domains.bypass(desk, "example.org", True)
    assert value(desk, "example.org", "bypass") == (True, "domain")
    domains.bypass(desk, "example.org", False)
    assert value(desk, "example.org", "bypass") == (False, "default")
    domains.bypass(desk, None, True)
    assert value(desk, "example.org", "bypass") == (True, "all")
    domains.bypass(desk, "example.org", False)
    assert value(desk, "example.org", "bypass") == (False, "domain")


def test_all_domains_have_no_route(desk: Desk) -> None:
    """What holds for all domains is shown without a route."""
    values, _ = domains.get_values(desk, None)
    assert "route" not in {v.key for v in values}
    assert domains.one_of(values, "refuse_at").origin == "default"


def test_owners_do_not_say_where_the_machine_connects_to(desk: Desk) -> None:
    """An owner sets what a scanner's answer means, and not where it is; what is there already may stay."""
    address = {"clamav.addresses": ["127.0.0.1:3310"]}
    desk.admin = False
    with pytest.raises(DeskError, match=r"clamav\.addresses: only an administrator sets it"):
        domains.set_values(desk, "example.org", address)
    domains.set_values(desk, "example.org", {"clamav.mode": "on", "clamav.found": "quarantine"})
    desk.admin = True
    domains.set_values(desk, "example.org", address)
    desk.admin = False
    domains.set_values(desk, "example.org", {**address, "clamav.found": "refuse"})
    assert "refuse" == domains.own_values(desk, "example.org")["clamav.found"]


def test_a_value_has_a_bound(desk: Desk) -> None:
    """Every process holds every setting: one of megabytes is refused, whatever check's."""
    big = [f"{'x' * 60}{n}" for n in range(20_000)]
    for key in ("bounce_storm.never", "counted_address.trusted", "bounce.batv_addresses"):
        with pytest.raises(DeskError, match=f"{key}: .*KiB"):
            domains.set_values(desk, "example.org", {key: big})
        assert key not in domains.own_values(desk, "example.org")
    domains.set_values(desk, "example.org", {"bounce_storm.never": [f"robot{n}" for n in range(1_000)]})
