"""A journal line is one line of JSON whatever a sender wrote, and reads back as what it was."""

import json

from hypothesis import given
from hypothesis import strategies as st

from gatepost.store.journal_lines import (
    MAX_TEXT,
    outcome_line,
    quoted,
    read_outcome,
    read_session,
    session_line,
    stamp_line,
)
from tests.store.conftest import HOSTILE

TEXT = st.text(max_size=60) | st.sampled_from(HOSTILE)


def outcome(line: str) -> tuple[str, str]:
    """Return the two parts of an outcome's line."""
    assert line.endswith("\n")
    assert line.count("\n") == 1
    text, tab, trace = line[:-1].partition("\t")
    assert tab
    return text, trace


@given(TEXT, TEXT, TEXT, TEXT)
def test_outcome(recipient: str, sender: str, reason: str, subject: str) -> None:
    """What people and senders wrote comes back as it was (lone surrogates too, or as a mark)."""
    line = outcome_line(
        "0DQ3N7V5K2F8T.1",
        "example.org",
        recipient,
        sender,
        "2001:db8::1",
        "rejected",
        "dnsbl",
        reason,
        550,
        1.5,
        77,
        subject,
        "2026-01-01/x.eml",
        '[["rcpt","dnsbl","Reject",1.0,"x"]]',
        0.25,
    )
    text, trace = outcome(line.encode("utf-8", "replace").decode())
    row = read_outcome(9, 5.0, text, trace)
    wanted = tuple(t.encode("utf-8", "replace").decode() for t in (recipient, sender, reason, subject))
    got = (row.recipient, row.sender, row.reason, row.subject)
    assert wanted == tuple(t.encode("utf-8", "replace").decode() for t in got)
    assert (row.seq, row.time, row.id, row.domain) == (9, 5.0, "0DQ3N7V5K2F8T.1", "example.org")
    assert (row.client, row.fate, row.plugin, row.code) == ("2001:db8::1", "rejected", "dnsbl", 550)
    assert (row.score, row.size, row.archive_ref, row.seconds) == (1.5, 77, "2026-01-01/x.eml", 0.25)
    assert row.trace == [["rcpt", "dnsbl", "Reject", 1.0, "x"]]


@given(TEXT, TEXT, TEXT, TEXT, TEXT)
def test_the_collector_can_cut(id: str, domain: str, client: str, reason: str, recipient: str) -> None:  # noqa: A002
    """What the collector sorts by never holds a quote, so its cuts are right for any text."""
    text, _ = outcome(outcome_line(id, domain, recipient, "", client, "rejected", "p", reason))
    parts = text.split('"', 14)
    assert len(parts) == 15
    assert parts[5] == "rejected"
    assert parts[7] == "p"
    if domain.isprintable() and domain.isascii() and not set('"\\') & set(domain):
        assert parts[9] == domain
    json.loads(text)


@given(TEXT, TEXT, TEXT)
def test_session(host: str, helo: str, why: str) -> None:
    """A session's line, with what a client called itself."""
    line = session_line("0DQ3N7V5K2F8T", "192.0.2.1", host, helo, "TLSv1.3", why, 2, 1, 3.5, '[["early"]]')
    assert line.count("\n") == 1
    row = read_session(5.0, line.encode("utf-8", "replace").decode())
    assert (row.id, row.client, row.tls) == ("0DQ3N7V5K2F8T", "192.0.2.1", "TLSv1.3")
    assert (row.transactions, row.errors, row.seconds, row.steps) == (2, 1, 3.5, [["early"]])
    if helo.isprintable():
        assert (row.host == host or not host.isprintable()) and row.helo == helo


def test_short_forms() -> None:
    """What is not given is empty when it is read."""
    row = read_outcome(1, 0.0, *outcome(outcome_line("I.1", "d", "r@d", "", "c", "accepted")))
    assert (row.plugin, row.reason, row.code, row.score, row.trace, row.folded_into) == (
        "",
        "",
        250,
        0,
        None,
        "",
    )
    assert read_session(0.0, session_line("I", "c", "", "", "", "quit")).steps is None
    assert (
        read_outcome(
            1, 0.0, '["o","I","rejected","p",550,0,0,0,"d","c","r","a","b","",""]', "=X.1"
        ).folded_into
        == "X.1"
    )
    broken = read_outcome(1, 0.0, '["o","I","rejected","p",550,0,0,0,"d","c","r","a","b","",""]', "[[")
    assert broken.trace == "[["


def test_long_texts_are_cut() -> None:
    """A subject of a megabyte does not fill the journal."""
    line = outcome_line("I.1", "d", "r", "s", "c", "accepted", subject="x" * 1_000_000, reason="y" * 5000)
    assert len(line) < 4 * MAX_TEXT
    assert len(session_line("I", "c", "h" * 9000, "x" * 9000, "", "quit")) < 4 * MAX_TEXT


def test_stamp_and_quotes() -> None:
    """A stamp is a line; a quoted text is ASCII."""
    assert stamp_line(1.5) == '["t",1.500]\n'
    assert quoted('a"\n\u2028') == '"a\\"\\n\\u2028"'
