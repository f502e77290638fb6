"""The checks that refuse say to the sender why and how to mend it."""

from __future__ import annotations

from gatepost.console.why_texts import GENERAL, HELP, help_for
from tests.console.house import REGISTRY

USUAL = {
    "dnsbl",
    "rdns",
    "helo_name",
    "recipients",
    "deny_list",
    "spf",
    "dkim",
    "dmarc",
    "headers",
    "classifier",
}


def test_each_check_has_its_words() -> None:
    """No line is of a check that there is not; the usual ones have words of their own, each of its kind."""
    shipped = {one.name for one in REGISTRY}
    assert {"score"} == set(HELP) - shipped
    assert not [name for name in USUAL if help_for(name) is GENERAL]
    assert HELP["dnsbl"] != HELP["rdns"] != HELP["recipients"] != HELP["classifier"]


def test_what_is_not_ours() -> None:
    """A third party's check, and none."""
    assert GENERAL == help_for("their_own") == help_for("")


def test_no_names_of_checks() -> None:
    """What the sender reads names no check, no list and no setting of ours."""
    for one in HELP.values():
        text = f"{one.why} {one.mend}".lower()
        assert not [name for name in HELP if "_" in name and name in text]
        assert "gatepost" not in text
