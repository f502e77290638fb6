"""Each finding with its own answer, by the defaults and as an owner sets it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.auth.facts import Spf
from gatepost.mail.message import Message, find_border
from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin.bench import Bench
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.plugin.worker import Workers
from gatepost.plugins.headers import Headers, Settings
from gatepost.policy.decide import Fate, Outcome, decide_message
from gatepost.policy.lists import Entry, Lists
from tests.plugins.senders import World

NOW = 1_795_600_000.0
"""Wed, 25 Nov 2026 09:46:40 +0000."""
REGISTRY = load(entries=False)
GOOD = (
    b"Received: from a by b; Wed, 25 Nov 2026 09:40:00 +0000\r\nDate: Wed, 25 Nov 2026 09:39:00 +0000\r\n"
    b"From: Ann <ann@example.net>\r\nTo: bob@example.org\r\nMessage-ID: <1@example.net>\r\nSubject: hello\r\n"
)
OUTLOOK = b"X-Mailer: Microsoft Outlook 16.0\r\n"


def ask(head: bytes, body: bytes = b"text\r\n", **settings: Any) -> tuple[Outcome, str]:
    """Return what becomes of a message and all reasons."""
    return judge(head + b"\r\n" + body, Tools(), **settings)


def judge(raw: bytes, tools: Tools, **settings: Any) -> tuple[Outcome, str]:
    bench = Bench(REGISTRY, tools, clock=lambda: NOW)
    policy = bench.policy("example.org", {"headers": {"mode": "on", **settings}})
    message = Message(raw[: find_border(raw)], raw)
    findings = asyncio.run(bench.ask_message(policy, message))
    assert [] == [f.failure for f in findings if f.failure]
    reasons = [f.verdict.reason for f in findings if isinstance(f.verdict, Reject | Defer | Score)]
    return decide_message(policy, findings, None), "; ".join(reasons)


def without(name: bytes) -> bytes:
    return b"".join(line for line in GOOD.splitlines(keepends=True) if not line.startswith(name))


def test_good() -> None:
    """An ordinary letter gets no word and no point."""
    outcome, reasons = ask(GOOD)
    assert (Fate.ACCEPT, 0, "") == (outcome.fate, outcome.score, reasons)


@pytest.mark.parametrize(
    ("head", "points", "why"),
    [
        (without(b"Date"), 2, "Missing header - Date:"),
        (GOOD.replace(b"Date: Wed, 25", b"Date: Mon, 30"), 2, "hours ahead"),
        (without(b"Message-ID"), 1, "Missing header - Message-ID:"),
        (GOOD.replace(b"<1@example.net>", b"1"), 1, "Message-ID is none: 1"),
        (GOOD + b"Subject: two\r\n", 1, "more than once: Subject (2)"),
        (GOOD + b"From: eve@example.com\r\n", 3, "2 From: headers"),
        (GOOD.replace(b"Ann <", b"Ann <@x:"), 2, "From: what stands in the angle brackets"),
        (GOOD.replace(b"Ann <a", b"<-a"), 2, "Bogus initial character"),
        (GOOD + b"X-Mailer: The Bat! (v9)\r\n", 0.5, "Bad mailer: The Bat! (v9)"),
        (GOOD + b"X-Mailer: =?utf-8?q?GLOBOMAIL?=\r\n", 0.5, "Bad mailer: GLOBOMAIL"),
        (GOOD + b"Bad : blank\r\n", 2, "can be read in more than one way: ambiguous header"),
        (without(b"Date").replace(b"<1@example.net>", b"1"), 3, "Date:; Message-ID"),
    ],
)
def test_points(head: bytes, points: float, why: str) -> None:
    """Most findings are points by default, which add up."""
    outcome, reasons = ask(head)
    assert (Fate.ACCEPT, points) == (outcome.fate, outcome.score)
    assert why in reasons


def test_no_author_is_refused() -> None:
    """A message without From is refused; the sender reads a general sentence."""
    outcome, _ = ask(without(b"From"))
    assert (Fate.REJECT, 550, "5.6.0") == (outcome.fate, outcome.code, outcome.enhanced)
    assert (Headers.public, "From: missing or empty.") == (outcome.public, outcome.reason)


@pytest.mark.parametrize(
    ("answer", "fate", "code"),
    [
        ("refuse", Fate.REJECT, 550),
        ("defer", Fate.DEFER, 451),
        ("quarantine", Fate.QUARANTINE, 250),
        ("tag", Fate.ACCEPT, 250),
        ("ignore", Fate.ACCEPT, 250),
        (4.5, Fate.ACCEPT, 250),
    ],
)
def test_answers(answer: object, fate: Fate, code: int) -> None:
    """Each finding has its own answer; what is ignored is still written down."""
    outcome, reasons = ask(without(b"Date"), missing_date=answer)
    assert (fate, code) == (outcome.fate, outcome.code)
    assert (("headers",) if answer == "tag" else ()) == outcome.tags
    assert "Missing header - Date:" == reasons


def test_the_old_checks() -> None:
    """As ms-lite refused: mailers, mailman, empty body, each when it is asked for."""
    approval = GOOD.replace(b"hello", b"Foo post from eve@x.example requires approval")
    cases = (
        ("bad_mailer", GOOD + b"X-Mailer: The Bat!\r\n", b"x", "Bad mailer: The Bat!"),
        ("mailman", approval, b"x", "mailman posts not accepted here"),
        ("empty_body", GOOD, b"\r\n", "Empty body"),
    )
    for name, head, body, why in cases:
        outcome, _ = ask(head, body, **{name: "refuse"})
        assert (Fate.REJECT, why) == (outcome.fate, outcome.reason)
    assert Fate.ACCEPT is ask(approval)[0].fate


def test_own_patterns() -> None:
    """An owner's patterns are regular expressions that stay linear; a bad one is said at once."""
    head = GOOD + b"User-Agent: MassSender 3\r\n"
    assert Fate.REJECT is ask(head, bad_mailers=["^mass ?sender"], bad_mailer="refuse")[0].fate
    for wrong in ("(", "", "a*"):
        with pytest.raises(ValueError, match="pattern"):
            Settings(bad_mailers=(wrong,))


def test_straight_from_a_desktop() -> None:
    """A desktop program's mail without a server in between gets points, unless a signature or SPF vouches."""
    bare = without(b"Received") + OUTLOOK
    assert (2, "written by Microsoft Outlook 16.0, and came here without a server") == (
        ask(bare)[0].score, ask(bare)[1]
    )  # fmt: skip
    assert 0 == ask(GOOD + OUTLOOK)[0].score
    assert 0 == ask(bare + b"DKIM-Signature: v=1\r\n")[0].score
    assert 0 == ask(without(b"Received") + b"X-Mailer: PHPMailer\r\n")[0].score
    raw = bare + b"\r\nx\r\n"
    for record, expected in (("v=spf1 ip4:192.0.2.1 -all", False), ("v=spf1 ~all", True)):
        judged = World((f"example.net TXT {record}",), {"spf": {}, "headers": {"old_days": 9_999}}).judge(raw)
        assert judged.transaction.answers[("fact", Spf, "example.org")].result
        assert expected is ("without a server" in judged.reasons("headers"))


def test_over_budget_is_held() -> None:
    """T6.1: what was not read to its end is held by default, or what the domain says; T6.5: fewer lines."""
    lines = GOOD + b"X: y\r\n" * 1_000
    outcome, reasons = ask(lines)
    assert Fate.QUARANTINE is outcome.fate
    assert "over budget: 1007 lines of headers, more than 1000" in reasons
    assert Fate.REJECT is ask(lines, over_budget="refuse")[0].fate
    assert (Fate.ACCEPT, 3) == (ask(lines, over_budget=3)[0].fate, ask(lines, over_budget=3)[0].score)
    assert Fate.ACCEPT is ask(GOOD + b"X: y\r\n" * 93, most_lines=100)[0].fate
    assert Fate.QUARANTINE is ask(GOOD + b"X: y\r\n" * 94, most_lines=100)[0].fate
    many = b"MIME-Version: 1.0\r\nContent-Type: text/plain" + b"; a*0=b" * 30 + b"\r\n"
    assert Fate.ACCEPT is ask(GOOD + many, most_parameters=30)[0].fate
    assert Fate.QUARANTINE is ask(GOOD + many, most_parameters=29)[0].fate


def test_points_stand_beside_what_is_held() -> None:
    """Held for one thing, with the points of another."""
    outcome, _ = ask(without(b"Date") + b"Subject: two\r\n", missing_date="quarantine", doubled=3)
    assert (Fate.QUARANTINE, 3) == (outcome.fate, outcome.score)


def test_nothing_is_read_that_nobody_asks_for() -> None:
    """Without a finding that needs it the body is left alone."""
    quiet = dict.fromkeys(("ambiguous", "broken", "over_budget", "empty_body"), "ignore")
    plugin = Headers()
    assert plugin.has_work("message", Settings(), None)
    assert not plugin.has_work("message", Settings.model_validate(quiet), None)
    assert plugin.has_work("headers", Settings.model_validate(quiet), None)


def test_own_list() -> None:
    """An allow entry of this check leads past it."""
    lists = Lists([Entry(1, "allow", "sender", "sender@example.net")])
    assert Fate.ACCEPT is ask(without(b"From"), lists=lists)[0].fate


def test_long_messages_beside_the_loop() -> None:
    """A long message is read in another process, once for two domains, with the same finding."""
    raw = GOOD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 1_200
    raw += b"x" * (2 << 20)
    calls: list[str] = []

    async def both() -> list[str]:
        workers = Workers()

        async def counted(function: Any, *arguments: Any, timeout: float) -> Any:
            calls.append(function.__name__)
            return await workers.run(function, *arguments, timeout=timeout)

        world = World((), {"headers": {"old_days": 9_999}}, tools=Tools(in_worker=counted))
        judged = await world.ask(raw, ("example.org", "example.com"))
        workers.close()
        await asyncio.sleep(0.1)  # the process is gone before the loop is
        return judged.said("headers")

    assert "reject 5.6.0" in asyncio.run(both())
    assert ["in_worker"] == calls
    outcome, reasons = judge(raw, Tools())
    assert Fate.QUARANTINE is outcome.fate
    assert "too many parts" in reasons
