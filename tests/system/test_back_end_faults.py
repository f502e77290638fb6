"""A back end that closes, is late, refuses or talks rubbish at any point: its word, or 4xx (L7)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from tests.relay.backend import Backend
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.running import behind, host, in_force, journal, running
from tests.system.talk import Talk

FINAL_REPLY = 6
"""Seconds from the final dot to our reply, whatever the back end does."""
POINTS = ("connect", "ehlo", "mail", "rcpt", "data", "body", "in body", "dot")
REPLIES = ("greeting", "ehlo", "mail", "rcpt", "data", "final")
RUBBISH = {
    "no code": b"hello, who are you?\r\n",
    "a code of nobody": b"999 9.9.9 what\r\n",
    "a code at the wrong place": b"354 3.5.4 Go ahead\r\n",
    "no line end": b"2" * 200_000,
    "lines without end": b"250-and more\r\n" * 5_000,
    "bytes": b"\0\xff\xfe\r\n" * 100,
    "bare newlines": b"250 ok\n250 ok\n",
    "two codes in one reply": b"250-ok\r\n550 no\r\n",
}
BODY = b"Subject: x\r\n\r\n" + b"a line of the body\r\n" * 50


FIRST = ("greeting", "ehlo")
"""What is said there is about the whole server and not about the mail: never passed on as a refusal."""


def cases() -> dict[str, tuple[dict[str, Any], int]]:
    """Return a name -> how the back end behaves, and what the client must be told."""
    found: dict[str, tuple[dict[str, Any], int]] = {}
    for point in POINTS:
        found[f"closes at {point}"] = {"close_at": point}, 451
        if point != "in body":
            found[f"late at {point}"] = {"delay_at": point, "delay": 1.0}, 250
            found[f"never answers at {point}"] = {"delay_at": point, "delay": 60.0}, 451
    for point in REPLIES:
        found[f"421 at {point}"] = {point: b"421 4.3.2 Not now\r\n"}, 451
        found[f"450 at {point}"] = {point: b"450 4.2.1 Not now\r\n"}, 451
        found[f"554 at {point}"] = {point: b"554 5.7.1 Not here\r\n"}, 451 if point in FIRST else 554
        for name, rubbish in RUBBISH.items():
            found[f"{name} at {point}"] = {point: rubbish}, 451
    del found["a code at the wrong place at data"]  # there it is at the right place
    found["bare newlines at final"] = {"final": RUBBISH["bare newlines"]}, 250  # it did say yes
    return found


CASES = cases()


@pytest.fixture(scope="module")
def houses() -> Iterator[tuple[Gateway, dict[str, Backend]]]:
    """Give a gateway with two workers, and a domain with a back end for each way to go wrong."""
    with ExitStack() as stack:
        gateway = stack.enter_context(running(smtp={"final_reply": FINAL_REPLY, "workers": 2}))
        backends = {}
        for number, (name, (how, _)) in enumerate(CASES.items()):
            backends[name] = backend = stack.enter_context(behind(**how))
            host(gateway, f"n{number}.example", backend.url)
        in_force()
        yield gateway, backends
        assert "event=bug" not in gateway.said()


def told(gateway: Gateway, number: int) -> tuple[int, str, float]:
    """Send a mail to one of them: the last reply, and the seconds it took; the session must go on."""
    with Talk(gateway.port, f"127.0.1.{1 + number % 200}") as talk:
        ((code, text),) = talk.begin(f"ann@n{number}.example")
        assert 250 == code, text
        began = time.monotonic()
        code, text = talk.data(BODY)
        spent = time.monotonic() - began
        assert 250 == talk.say("NOOP")[0]
    return code, text, spent


def test_what_the_client_is_told(houses: tuple[Gateway, dict[str, Backend]]) -> None:
    """Closed, too late, rubbish: 451. What is said to the mail is passed on. 250 only where it was said."""
    gateway, backends = houses
    wrong = []
    sent: Counter[str] = Counter()
    for turn in range(2):  # the second time over what is left of the first connection
        names = [name for name in CASES if not (turn and name.startswith("never"))]
        numbers = [list(CASES).index(name) for name in names]
        with ThreadPoolExecutor(24) as pool:
            results = list(pool.map(lambda n: told(gateway, n), numbers))
        for name, (code, text, spent) in zip(names, results, strict=True):
            sent[name] += code == 250
            if CASES[name][1] // 100 != code // 100 or not text.startswith(f"{code // 100}."):
                wrong.append(f"{name}: {code} {text}, wanted {CASES[name][1]}")
            if spent > FINAL_REPLY + 3:
                wrong.append(f"{name}: {spent:.1f} s")
    wrong += [
        f"{name}: told 250 {sent[name]} times, taken {len(backend.taken)}"
        for name, backend in backends.items() if sent[name] > len(backend.taken)
    ]  # fmt: skip
    assert not wrong, "\n".join(wrong)
    total = 2 * len(CASES) - sum(name.startswith("never") for name in CASES)
    wait_until(lambda: len(journal(gateway)) >= total, "a row for each")
    fates = {row.domain: row.fate for row in journal(gateway)}
    for number, (_, wanted) in enumerate(CASES.values()):
        assert {2: "accepted", 4: "deferred", 5: "rejected"}[wanted // 100] == fates[f"n{number}.example"]


def test_one_sick_back_end_disturbs_no_other(houses: tuple[Gateway, dict[str, Backend]]) -> None:
    """While fifty mails wait for a server that never answers, mail for another one goes through at once."""
    gateway, _ = houses
    names = list(CASES)
    sick, well = names.index("never answers at dot"), names.index("late at connect")
    with ThreadPoolExecutor(50) as pool:
        waiting = [pool.submit(told, gateway, sick) for _ in range(49)]
        time.sleep(1.0)
        code, text, spent = told(gateway, well)
        assert 250 == code, text
        assert spent < 3
        codes = {future.result()[0] for future in waiting}
    assert {451} == codes


def test_the_lost_answer() -> None:
    """L7: the back end took the mail and its 250 was lost: 4xx, so that the client comes again."""
    with behind(final=lambda _: b"", close_at="after data") as backend, running() as gateway:
        host(gateway, "n0.example", backend.url)
        in_force()
        assert 451 == told(gateway, 0)[0]
        backend.final, backend.close_at = b"250 2.0.0 Taken\r\n", ""
        assert 250 == told(gateway, 0)[0]
        assert 1 == len(backend.taken)
