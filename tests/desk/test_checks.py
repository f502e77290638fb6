"""The checks of a domain: what is set, from where, and what each did."""

from pathlib import Path

import pytest

from gatepost.desk import checks, domains, lists
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk with one domain."""
    made = Desk(tmp_path, "ann", clock=lambda: 1_800_000_000.0)
    domains.add(made, "example.org", ["smtp://mail.example.org"])
    return made


def line(desk: Desk, name: str, word: str | None = "example.org") -> checks.Line:
    """Return one line of the list."""
    return next(one for one in checks.listing(desk, word) if one.name == name)


def test_listing(desk: Desk) -> None:
    """The mode in force and its origin, the entries of each; the machine's own checks only for all."""
    domains.set_values(desk, None, {"helo_name.mode": "watch"})
    checks.set_mode(desk, "example.org", "dnsbl", "on")
    lists.add(desk, "example.org", "allow", "a@b.example", plugin="dnsbl")

    assert ("watch", "all") == (line(desk, "helo_name").mode, line(desk, "helo_name").origin)
    assert ("on", "domain", 1) == (
        line(desk, "dnsbl").mode,
        line(desk, "dnsbl").origin,
        line(desk, "dnsbl").allowed,
    )
    assert "on" == checks.listing(desk, "example.org")[0].mode
    domains.set_values(desk, "example.org", {"dnsbl.zones": ["zen.test"], "dnsbl.action": "defer"})
    assert (2, 0) == (line(desk, "dnsbl").set_here, line(desk, "helo_name").set_here)
    assert 0 == line(desk, "dnsbl", None).set_here
    assert "client_rate" not in {one.name for one in checks.listing(desk, "example.org")}
    assert "client_rate" in {one.name for one in checks.listing(desk, None)}


def test_values_as_written(desk: Desk) -> None:
    """A list is shown as it was typed, nearest level first, else its default."""
    loaded, _ = checks.one(desk, "example.org", "dnsbl")
    domains.set_values(desk, None, {"dnsbl.zones": ["all.test"], "dnsbl.threshold": 2})
    domains.set_values(desk, "example.org", {"dnsbl.zones": ["own.test*3"]})

    assert {"zones": (["own.test*3"], "domain"), "threshold": (2, "all")} == checks.values_as_written(
        desk, "example.org", loaded
    )
    assert (["all.test"], "all") == checks.values_as_written(desk, None, loaded)["zones"]


def test_faults(desk: Desk) -> None:
    """All that is wrong is told at once, by field."""
    loaded, _ = checks.one(desk, "example.org", "dnsbl")

    assert {"zones", "threshold"} == checks.faults(loaded, {"zones": ["!"], "threshold": 0}).keys()
    assert {} == checks.faults(loaded, {"zones": ["x.test"]})


def test_switch_and_reset(desk: Desk) -> None:
    """A mode is one of three; what is set for one check is forgotten as a whole."""
    with pytest.raises(DeskError):
        checks.set_mode(desk, "example.org", "dnsbl", "maybe")
    with pytest.raises(NotFound):
        checks.set_mode(desk, "example.org", "no_such", "on")
    with pytest.raises(NotFound):
        checks.one(desk, "example.org", "client_rate")
    checks.set_mode(desk, "example.org", "dnsbl", "on")
    domains.set_values(desk, "example.org", {"dnsbl.zones": ["x.test"], "spf.mode": "on"})
    checks.reset(desk, "example.org", "dnsbl")

    assert {"spf.mode"} == {k for k in domains.own_values(desk, "example.org") if k != "route"}
    assert desk.policy.version() == checks.reset(desk, "example.org", "dnsbl")
