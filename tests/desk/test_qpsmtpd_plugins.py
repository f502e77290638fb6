"""Lines of the file `plugins`: checks with their switch and settings; the rest with a reason."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gatepost.desk.desk import Desk
from gatepost.desk.qpsmtpd_config import Line, Report
from gatepost.desk.qpsmtpd_plugins import BUILT_IN, CHECKS, read_plugin

MEANS: dict[str, dict[str, Any]] = {
    "dnsbl reject naughty": {"dnsbl.mode": "on"},
    "dnsbl reject 0 loglevel -1": {"dnsbl.mode": "watch"},
    "dnsbl reject_type temp": {"dnsbl.mode": "on", "dnsbl.action": "defer"},
    "earlytalker reject 1": {"early_talker.mode": "on"},
    "helo reject 0": {"helo_name.mode": "watch"},
    "fcrdns:1 reject 1 reject_type disconnect": {"rdns.mode": "on"},
    "resolvable_fromhost": {"sender_domain.mode": "on", "sender_domain.action": "defer"},
    "resolvable_fromhost reject_type perm": {"sender_domain.mode": "on"},
    "sender_permitted_from reject 1": {"spf.mode": "watch"},
    "sender_permitted_from reject 3": {"spf.mode": "on"},
    "greylisting black_timeout 600 white_timeout 864000": {
        "greylist.mode": "on",
        "greylist.delay": 600,
        "greylist.keep": 10,
    },
    "headers require From,Date future 1 past 15 reject 1": {
        "headers.mode": "on",
        "headers.missing_from": "refuse",
        "headers.missing_date": "refuse",
        "headers.future_hours": 24,
        "headers.future_date": "refuse",
        "headers.old_days": 15,
        "headers.old_date": "refuse",
    },
    "check_basicheaders reject 0": {"headers.mode": "watch"},
    "bogus_bounce log": {"bounce.mode": "watch"},
    "bogus_bounce denysoft": {"bounce.mode": "on", "bounce.action": "defer"},
}


@pytest.mark.parametrize(("text", "values"), MEANS.items())
def test_what_a_line_means(desk: Desk, text: str, values: dict[str, Any]) -> None:
    """`reject 0` is watch; a temporary refusal is defer; times are our own units."""
    report = Report()
    assert values == read_plugin(Line("plugins", 1, text), desk.registry.defaults(), report)
    assert (1, 0) == (len(report.taken), len(report.left))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nosuch", "no such check"),
        ("queue/maildir /var/mail", "route"),
        ("logging/warn", r"\[log\]"),
        ("auth/auth_flat_file", "AUTH"),
        ("rcpt_ok", "always"),
        ("helo policy strict", "policy strict"),
        ("headers require From,Subject", "require From,Subject"),
        ("headers past ever", "past ever"),
        ("karma", "by hand"),
    ],
)
def test_what_is_left_says_why(desk: Desk, text: str, why: str) -> None:
    """A plugin without an equal, and an option without one, are named with the reason."""
    report = Report()
    read_plugin(Line("plugins", 1, text), desk.registry.defaults(), report)
    ((line, said),) = report.left
    assert text == line.text
    assert re.search(why, said)


def test_a_check_that_is_not_here(desk: Desk) -> None:
    """Told by our name for it."""
    report = Report()
    assert {} == read_plugin(Line("plugins", 1, "helo"), {}, report)
    assert "helo_name is not installed" in report.left[0][1]


def test_no_plugin_is_both() -> None:
    """What has become a check is not also said to be built in."""
    assert set() == CHECKS.keys() & BUILT_IN.keys()
