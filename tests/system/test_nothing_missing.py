"""However a session ends, it is one row; each recipient that was named is one; metrics and log say the same.

systems-before 7.2, "logging detail": nothing missing, the count of sessions is the count of outcomes.
"""

from __future__ import annotations

import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from gatepost.store.base import SessionRow
from gatepost.store.journal_db import JournalStore
from gatepost.telemetry.log import read_logfmt
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import behind, deny, host, in_force, journal, metric, policy, running
from tests.system.talk import Talk

GOOD, AT_RCPT, AT_DATA, LATER = "good.example", "rcpt.example", "data.example", "later.example"
BALANCER = "127.0.0.40"
BODY = b"Subject: x\r\n\r\nx\r\n"
TIMEOUT, WAIT, MOST = 4, 0.3, 3

Where = Callable[..., Talk]


def silent(at: Where) -> None:
    """Connect, hear the greeting, go."""
    at().close()


def hello(at: Where) -> None:
    """Go after HELO."""
    with at() as talk:
        assert 250 == talk.say("HELO client.example")[0]


def reset(at: Where) -> None:
    """Go after EHLO with a reset of the connection."""
    with at() as talk:
        assert 250 == talk.say("EHLO client.example")[0]
        talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def leave(at: Where) -> None:
    """QUIT as the first word."""
    with at() as talk:
        assert 221 == talk.say("QUIT")[0]


def named(*recipients: str, last: str = "", codes: tuple[int, ...] = ()) -> Callable[[Where], None]:
    """Name recipients, then say `last` or go."""

    def session(at: Where) -> None:
        with at() as talk:
            said = [code for code, _ in talk.begin(*recipients)]
            assert list(codes or [250] * len(recipients)) == said
            if last:
                assert talk.say(last)[0] in (220, 221, 250, 500)

    return session


def sent(*recipients: str, code: int, mail: str = "") -> Callable[[Where], None]:
    """Send a mail and hear this; then QUIT."""

    def session(at: Where) -> None:
        with at() as talk:
            talk.begin(*recipients, mail=mail)
            said = talk.data(BODY)[0]
            if said == 353:  # with PRDR each recipient's own reply, then the last
                *_, said = [talk.reply()[0] for _ in range(len(recipients) + 1)]
            assert code == said
            assert 221 == talk.say("QUIT")[0]

    return session


def two_mails(at: Where) -> None:
    """One mail delivered, the next one given up by RSET, a third dropped within."""
    with at() as talk:
        talk.begin(f"a@{GOOD}")
        assert 250 == talk.data(BODY)[0]
        assert 250 == talk.say("MAIL FROM:<b@client.example>")[0]
        assert 250 == talk.say(f"RCPT TO:<b@{GOOD}>")[0]
        assert 250 == talk.say("RSET")[0]
        assert 250 == talk.say("MAIL FROM:<>")[0]
        assert 250 == talk.say(f"RCPT TO:<c@{GOOD}>")[0]


def within_data(at: Where) -> None:
    """Go in the middle of the message."""
    with at() as talk:
        talk.begin(f"ann@{GOOD}", f"bob@{AT_DATA}")
        assert 354 == talk.say("DATA")[0]
        talk.send(BODY * 10)


def within_chunk(at: Where) -> None:
    """Go in the middle of a BDAT chunk."""
    with at() as talk:
        talk.begin(f"ann@{GOOD}")
        talk.send(b"BDAT 1000 LAST\r\nSubject: x\r\n")


def not_waiting(at: Where) -> None:
    """Send the end of the data and go before the reply comes: the mail has its fate all the same."""
    with at() as talk:
        talk.begin(f"ann@{GOOD}")
        assert 354 == talk.say("DATA")[0]
        talk.send(BODY + b".\r\n")


def no_tls(at: Where) -> None:
    """A recipient, RSET (STARTTLS has no place in a transaction), STARTTLS, then no TLS."""
    with at() as talk:
        talk.begin(f"ann@{GOOD}")
        assert 503 == talk.say("STARTTLS")[0]
        assert 250 == talk.say("RSET")[0]
        assert 220 == talk.say("STARTTLS")[0]
        talk.send(b"GET / HTTP/1.1\r\n\r\n")
        while talk.sock.recv(4096):  # an alert, then the end
            pass


def injected(at: Where) -> None:
    """Commands behind STARTTLS in clear text."""
    with at() as talk:
        assert 250 == talk.say("EHLO client.example")[0]
        talk.send(b"STARTTLS\r\nMAIL FROM:<x@client.example>\r\n")
        assert 554 == talk.reply()[0]


def through_tls(at: Where) -> None:
    """A mail under TLS; what was named in clear text before it has its row too."""
    with at() as talk:
        talk.begin(f"ann@{GOOD}")
        assert 250 == talk.say("RSET")[0]
        assert 220 == talk.say("STARTTLS")[0]
        talk.tls()
        talk.begin(f"ann@{GOOD}")
        assert 250 == talk.data(BODY)[0]


def early(at: Where) -> None:
    """Everything at once, before the greeting."""
    with at(greeted=False) as talk:
        talk.send(f"EHLO x.example\r\nMAIL FROM:<x@x.example>\r\nRCPT TO:<ann@{GOOD}>\r\nQUIT\r\n")
        assert [220, 250, 250, 550, 221] == talk.rest()


def too_slow(at: Where) -> None:
    """Name a recipient and say no more."""
    with at() as talk:
        talk.begin(f"ann@{GOOD}")
        assert [421] == talk.rest()


def too_many_at_once(at: Where) -> None:
    """One more connection than a client may have: the last is sent away."""
    talks = [at() for _ in range(MOST)]
    assert 421 == at().greeting[0]
    for talk in talks:
        talk.close()


def nonsense(at: Where) -> None:
    """Errors until the server has enough."""
    with at() as talk:
        talk.begin(f"ann@{GOOD}")
        for _ in range(100):
            if talk.say("WHAT")[0] in (0, 421):
                break
        else:
            pytest.fail("a hundred errors are no reason to close")


def no_proxy_header(port: int) -> None:
    """A balancer that does not say who is there."""
    with Talk(port, BALANCER, greeted=False) as talk:
        talk.send("EHLO client.example\r\n")
        assert [] == talk.rest()


def too_many_mails(at: Where) -> None:
    """More mails than a client may send: put off at MAIL, where nobody is named yet."""
    with at() as talk:
        talk.begin()
        for code in [250] * (MOST - 1) + [450, 450]:
            assert 250 == talk.say("RSET")[0]
            assert code == talk.say("MAIL FROM:<x@client.example>")[0]
        assert 503 == talk.say(f"RCPT TO:<ann@{GOOD}>")[0]
        assert 221 == talk.say("QUIT")[0]


@dataclass
class Kind:
    """A way to end: how many sessions and recipients, and the fates of those."""

    how: Callable[[Where], None]
    fates: str = ""
    """Space between; in any order."""
    sessions: int = 1
    ended: str = ""
    """In the row of (one of) its sessions."""


A, B, D, L = f"ann@{GOOD}", f"bob@{AT_RCPT}", f"dan@{AT_DATA}", f"leo@{LATER}"
KINDS = {
    "silent": Kind(silent, ended="connection lost"),
    "hello": Kind(hello, ended="connection lost"),
    "reset": Kind(reset, ended="connection lost"),
    "quit": Kind(leave, ended="quit"),
    "mail-only": Kind(named(), ended="connection lost"),
    "refused-at-rcpt": Kind(named(B, "x@nowhere.example", codes=(550, 550)), "rejected rejected"),
    "deferred-at-rcpt": Kind(named(L, last="QUIT", codes=(451,)), "deferred", ended="quit"),
    "named-and-gone": Kind(named(A, A, D, codes=(250, 250, 550)), "abandoned abandoned rejected"),
    "named-and-reset": Kind(named(A, last="RSET"), "abandoned"),
    "named-and-greets-again": Kind(named(A, last="EHLO again.example"), "abandoned"),
    "pending-and-gone": Kind(named(D), "abandoned"),
    "relayed": Kind(sent(A, A, code=250), "accepted accepted", ended="quit"),
    "refused-at-data": Kind(sent(D, code=550), "rejected", ended="quit"),
    "some-of-each": Kind(sent(D, A, B, L, code=250), "quarantined accepted rejected deferred"),
    "each-alone": Kind(sent(D, A, code=250, mail=" PRDR"), "rejected accepted"),
    "two-mails": Kind(two_mails, "accepted abandoned abandoned"),
    "within-data": Kind(within_data, "abandoned rejected"),
    "within-chunk": Kind(within_chunk, "abandoned"),
    "not-waiting": Kind(not_waiting, "accepted"),
    "no-tls": Kind(no_tls, "abandoned", ended="TLS handshake failed"),
    "injected": Kind(injected, ended="commands behind STARTTLS"),
    "through-tls": Kind(through_tls, "abandoned accepted"),
    "early": Kind(early, "rejected", ended="quit"),
    "too-slow": Kind(too_slow, "abandoned", ended="timeout"),
    "too-many-at-once": Kind(too_many_at_once, sessions=MOST + 1, ended="Too many connections"),
    "too-many-mails": Kind(too_many_mails, ended="quit"),
    "nonsense": Kind(nonsense, "abandoned", ended="Too many errors"),
}
SOURCES = {name: f"127.0.9.{n + 1}" for n, name in enumerate(KINDS)}


@dataclass
class Written:
    """What the gateway wrote down of it all."""

    sessions: list[SessionRow]
    outcomes: list[Any]
    log: list[dict[str, str]]
    counted: Counter[str]
    sessions_counted: float

    def fates(self, source: str) -> list[str]:
        """Return the fates of what a client named."""
        return sorted(row.fate for row in self.outcomes if row.client == source)


def sessions(gateway: Gateway) -> list[SessionRow]:
    """Return the journal's sessions."""
    store = JournalStore(gateway.data / "journal.db")
    try:
        return store.sessions(limit=1000)
    finally:
        store.close()


@pytest.fixture(scope="module")
def written() -> Iterator[Written]:
    """Run every kind of session, each from an address of its own, all at once."""
    limits = {"greet_wait": WAIT, "timeout": TIMEOUT, "max_connections_per_client": MOST, "workers": 2}
    with behind() as up, running(smtp={**limits, "proxy_protocol_from": [BALANCER]}) as gateway:
        host(gateway, GOOD, up.url, refuse_at="rcpt")
        host(gateway, AT_RCPT, up.url, refuse_at="rcpt")
        host(gateway, AT_DATA, up.url, refuse_at="data")
        host(gateway, LATER, up.url, deny_list__action="defer")
        with closing(policy(gateway)) as store:
            store.put("all", {"client_rate.messages": MOST})
        for source in SOURCES.values():
            for domain in (AT_RCPT, AT_DATA, LATER):
                deny(gateway, domain, source)
        in_force()
        before = len(sessions(gateway)), metric(gateway, "gatepost_sessions_total")

        def run(name: str) -> None:
            def at(*, greeted: bool = True) -> Talk:
                return Talk(gateway.port, SOURCES[name], greeted=greeted)

            KINDS[name].how(at)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(run, KINDS))
        no_proxy_header(gateway.port)
        wanted = sum(kind.sessions for kind in KINDS.values()) + 1
        wait_until(lambda: len(sessions(gateway)) >= before[0] + wanted, "a row for each session")
        wait_until(
            lambda: (
                metric(gateway, "gatepost_outcomes_total") >= len(journal(gateway))
                and metric(gateway, "gatepost_sessions_total") >= len(sessions(gateway))
            ),
            "the metrics",
        )
        time.sleep(1.5)  # nothing more comes: not a row, not a count
        yield Written(
            sessions(gateway),
            journal(gateway),
            [read_logfmt(line) for line in gateway.said().splitlines() if " event=outcome " in line],
            Counter(
                {
                    fate: int(metric(gateway, f'gatepost_outcomes_total{{fate="{fate}"}}'))
                    for fate in ("accepted", "rejected", "deferred", "abandoned", "quarantined", "queued")
                }
            ),
            metric(gateway, "gatepost_sessions_total"),
        )


@pytest.mark.parametrize("name", KINDS)
def test_each_kind(written: Written, name: str) -> None:
    """So many rows of sessions, the end as it was, and one outcome for each recipient that was named."""
    kind, source = KINDS[name], SOURCES[name]
    rows = [row for row in written.sessions if row.client == source]
    assert kind.sessions == len(rows), rows
    assert kind.sessions == len({row.id for row in rows})
    assert any(row.outcome.startswith(kind.ended) for row in rows), [row.outcome for row in rows]
    assert sorted(kind.fates.split()) == written.fates(source)


def test_a_balancer_without_a_header(written: Written) -> None:
    """Who was cut off before the greeting is a session too."""
    assert 1 == len([row for row in written.sessions if row.client == BALANCER])


def test_refused_at_mail(written: Written) -> None:
    """Nobody was named, so there is no outcome to say it: it stands with the session."""
    (row,) = [row for row in written.sessions if row.client == SOURCES["too-many-mails"]]
    assert [["session", "refused at MAIL", "client_rate: too many messages, 2 times"]] == row.steps


def test_each_outcome_has_its_session(written: Written) -> None:
    """No row without its session, and no session twice."""
    ids = Counter(row.id for row in written.sessions)
    assert {1} == set(ids.values())
    assert set() == {row.id.partition(".")[0] for row in written.outcomes} - set(ids)


def test_row_7_2_logging_detail(written: Written) -> None:
    """Three places, one sum."""
    fates = Counter(row.fate for row in written.outcomes)
    assert fates == +written.counted
    assert fates == Counter(line["fate"] for line in written.log)
    assert sorted((row.id, row.recipient) for row in written.outcomes) == sorted(
        (line["id"], line["recipient"]) for line in written.log
    )
    assert len(written.sessions) == written.sessions_counted
