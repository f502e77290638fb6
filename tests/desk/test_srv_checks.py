"""Check names of the old systems, by ours."""

from __future__ import annotations

from gatepost.desk.desk import Desk
from gatepost.desk.srv_checks import FINDINGS, NEW_NAMES, OLD_CHECKS, plugin_of, switched


def test_listed_is_on_and_the_rest_is_off(desk: Desk) -> None:
    """In an old tree a check without a file is off; checks that the old systems did not have stay alone."""
    values, missing = switched(["spf", "mailman", "nosuch"], False, desk.registry.defaults(), old=True)
    assert ("on", "off", "off") == tuple(values[f"{name}.mode"] for name in ("spf", "dkim", "dnsbl"))
    assert "dmarc.mode" not in values
    assert "nosuch" in missing


def test_what_is_one_check_here(desk: Desk) -> None:
    """`checks/date` refuses mail without a Date, as it did, and the other old checks of headers stay off."""
    values, missing = switched(["date", "address"], False, desk.registry.defaults(), old=True)
    of_headers = {key.removeprefix("headers."): value for key, value in values.items() if "headers." in key}
    assert of_headers == {
        "mode": "on", "missing_date": "refuse", "missing_from": "refuse", "odd_from": "refuse",
        "empty_body": "ignore", "bad_mailer": "ignore", "mailman": "ignore",
    }  # fmt: skip
    assert [] == missing
    every, _ = switched(["all"], False, desk.registry.defaults(), old=True)
    assert {"refuse"} == {every[f"headers.{one}"] for names in FINDINGS.values() for one in names}
    ours, _ = switched(["headers"], False, desk.registry.defaults(), old=False)
    assert {"headers.mode": "on"} == ours


def test_in_a_tree_of_ours_nothing_is_off_by_itself(desk: Desk) -> None:
    """Our own export says what is off; a name of ours is a name too; zones switch the lists on."""
    values, missing = switched(["dmarc"], True, desk.registry.defaults(), old=False)
    assert {"dmarc.mode": "on", "dnsbl.mode": "on"} == values
    assert [] == missing


def test_a_check_of_the_machine_is_no_check_of_a_domain(desk: Desk) -> None:
    """`client_rate` acts for the machine: a file cannot switch it on for one domain."""
    assert ({}, ["client_rate"]) == switched(["client_rate"], False, desk.registry.defaults(), old=False)


def test_all(desk: Desk) -> None:
    """`all` is every check but greylisting; those that are not here are told by their own names."""
    values, missing = switched(["all"], False, desk.registry.defaults(), old=True)
    named = {plugin_of(name) for name in missing} | {key.removesuffix(".mode") for key in values}
    assert set(OLD_CHECKS.values()) - {"greylist"} <= named
    assert "greylisting" not in missing
    assert "on" != values.get("greylist.mode")


def test_names_lead_back() -> None:
    """What is exported under an old name is read as the same check."""
    assert dict.fromkeys(NEW_NAMES, True) == {name: plugin_of(old) == name for name, old in NEW_NAMES.items()}
