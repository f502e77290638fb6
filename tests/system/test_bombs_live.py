"""Bombs through a real gateway with the checks of content switched on: others get their answers."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest

from tests.mail.bombs import BOMBS
from tests.system.dns import Unbound
from tests.system.gateway import Gateway
from tests.system.meanwhile import answers
from tests.system.running import behind, host, in_force, journal, running, written
from tests.system.talk import Talk

CHECKS = ("headers", "attachments", "classifier", "uribl", "impersonation", "spf", "dkim", "dmarc")
PROPER = (250, 550, 552)
"""Taken or held, refused for its form (a line of more than a MiB), too big."""


@pytest.fixture(scope="module")
def gateway(unbound: Unbound) -> Iterator[Gateway]:
    """Give a gateway with one worker, so that the other session is in the same loop."""
    dns = {"servers": [unbound.server]}
    with behind() as back_end, running(smtp={"workers": 1}, dns=dns) as gateway:
        on = {f"{name}__mode": "on" for name in CHECKS}
        host(gateway, "example.org", back_end.url, uribl__zones=["uri.test"], **on)
        in_force()
        yield gateway


SENT: list[str] = []
"""Bombs that this process sent to its gateway."""


def mailbox(name: str) -> str:
    """Return a mailbox of its own for a bomb."""
    return f"bomb{list(BOMBS).index(name)}@example.org"


@pytest.mark.parametrize("name", BOMBS)
def test_the_others_get_their_answers(gateway: Gateway, name: str) -> None:
    """T6.1: a proper reply to the bomb, and NOOP of another session in less than 100 ms meanwhile."""
    raw = BOMBS[name]()
    raw = raw if raw.endswith(b"\r\n") else raw + b"\r\n"

    def send() -> None:
        with Talk(gateway.port, seconds=60) as talk:
            assert [250] == [code for code, _ in talk.begin(mailbox(name))]
            code, said = talk.data(raw)
            SENT.append(name)
        assert code in PROPER, said

    took = answers(gateway.port, send)
    worst = f"{len(took)} answers, median {statistics.median(took):.3f} s, the worst {max(took):.3f} s"
    assert statistics.median(took) < 0.1, worst
    assert max(took) < 2, worst


def test_what_became_of_them(gateway: Gateway) -> None:
    """Over budget is held by the check `headers`; nobody died, no check failed, nothing is poison."""
    with Talk(gateway.port) as talk:
        talk.begin("bob@example.org")
        code, said = talk.data(BOMBS["100,000 To: lines"]())
    assert 250 == code, said
    (last,) = written(gateway, 1, seconds=40, recipient="bob@example.org")
    known = {row.recipient for row in journal(gateway)}
    assert [] == [name for name in SENT if mailbox(name) not in known], "each has its outcome"
    assert ("quarantined", "headers") == (last.fate, last.plugin)
    assert "over budget" in last.reason
    said = gateway.said()
    assert "event=process_died" not in said
    assert "event=plugin_no_answer" not in said, [line for line in said.splitlines() if "no_answer" in line]
    assert "plugin=poison" not in said
