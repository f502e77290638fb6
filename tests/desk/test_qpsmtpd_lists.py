"""Lines of qpsmtpd's lists: entries and recipients; what is a pattern is named."""

from __future__ import annotations

import pytest

from gatepost.desk.qpsmtpd_config import Line, Report
from gatepost.desk.qpsmtpd_lists import HANDLERS, ListReader, Rows
from gatepost.store.policy_files import Key

ALL = "*"
MEANS: dict[tuple[str, str], tuple[str, Key]] = {
    ("badmailfrom", "Bob@Example.net go away"): (ALL, ("entry", "", "", "deny", "sender", "bob@example.net")),
    ("badmailfrom", "@example.net"): (ALL, ("entry", "", "", "deny", "sender_domain", "example.net")),
    ("badmailfromto", "a@b.example ann@example.org"): (
        "example.org",
        ("entry", "ann", "", "deny", "sender", "a@b.example"),
    ),
    ("badhelo", "friend"): (ALL, ("entry", "", "", "deny", "helo", "friend")),
    ("badrcptto", "old@example.org"): ("example.org", ("recipient", "old", "invalid")),
    ("rcpt_map", "ann@example.org OK"): ("example.org", ("recipient", "ann", "valid")),
    ("rcpt_map", "bob@example.org DENY=gone"): ("example.org", ("recipient", "bob", "invalid")),
    ("dnsbl_allow", "10.1."): (ALL, ("entry", "", "dnsbl", "allow", "net", "10.1.0.0/16")),
    ("dnsbl_allow", "192.0.2.1"): (ALL, ("entry", "", "dnsbl", "allow", "ip", "192.0.2.1")),
    ("whitelisthosts", "mail.a.example"): (ALL, ("entry", "", "", "allow", "host", "mail.a.example")),
    ("whitelisthosts", "10."): (ALL, ("entry", "", "", "allow", "net", "10.0.0.0/8")),
    ("whitelisthelo", "mail.a.example"): (ALL, ("entry", "", "", "allow", "helo", "mail.a.example")),
    ("whitelistsenders", "a.example"): (ALL, ("entry", "", "", "allow", "sender_domain", "a.example")),
    ("whitelistrcpt", "ann@example.org"): ("example.org", ("entry", "ann", "", "allow", "net", "::/0")),
    ("whitelistrcpt", "example.org"): ("example.org", ("entry", "", "", "allow", "net", "0.0.0.0/0")),
}


def read(file: str, text: str) -> tuple[Rows, Report]:
    """Return what a line has become."""
    rows: Rows = {ALL: {}}
    report = Report()
    ListReader(rows, {"example.org"}, report).read(Line(file, 1, text), file)
    return rows, report


@pytest.mark.parametrize(("line", "row"), MEANS.items())
def test_what_a_line_means(line: tuple[str, str], row: tuple[str, Key]) -> None:
    """Each list's line is a row of the policy, and that is told."""
    rows, report = read(*line)
    domain, key = row
    assert key in rows[domain]
    assert (1, 0) == (len(report.taken), len(report.left))


def test_a_reason_is_the_note() -> None:
    """What stood behind an address of `badmailfrom` is kept, behind a tab too."""
    for space in (" ", "\t", " \t "):
        rows, _ = read("badmailfrom", f"bob@example.net{space}go away")
        assert ["go away"] == [marks["note"] for marks in rows[ALL].values()]


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("badrcptto", "@example.org", "nobody of a domain: then it is not hosted"),
        ("badmailfromto", "only@a.example", "a pair is wanted"),
        ("badmailfrom", "/^x/ no", "a pattern"),
    ],
)
def test_why_it_is_left(file: str, text: str, why: str) -> None:
    """The reason is that of the line."""
    _, report = read(file, text)
    assert why in report.left[0][1]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("badmailfrom", r"^.*@spam\.example$"),
        ("badhelo", "!good"),
        ("badhelo", "/^dsl/"),
        ("badrcptto", "@example.org"),
        ("badrcptto", "ann@elsewhere.example"),
        ("badmailfromto", "onlyone@a.example"),
        ("dnsbl_allow", "2001:db8:"),
        ("dnsbl_allow", "999.1."),
        ("whitelistrcpt", "elsewhere.example"),
        ("rcpt_map", "ann@example.org DENYSOFT=later"),
        ("rcpt_map", "nobody"),
    ],
)
def test_what_is_left(file: str, text: str) -> None:
    """A pattern, a stranger's domain, a nonsense: nothing comes of it, and it is told once."""
    rows, report = read(file, text)
    assert {ALL: {}} == rows
    assert (0, 1) == (len(report.taken), len(report.left))
    assert report.left[0][1]


def test_every_file_has_a_case() -> None:
    """No list is without its line above."""
    assert HANDLERS.keys() == {file for file, _ in MEANS}
