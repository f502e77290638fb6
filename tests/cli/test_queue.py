"""`gatepost queue`: what waits is listed, tried again and thrown away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gatepost.desk.desk import Desk
from gatepost.spool.envelope import Envelope, Rcpt

Run = Callable[..., Any]


def put(
    desk: Desk, name: str, recipients: tuple[str, ...] = ("ann@example.org",), *, failed: bool = False
) -> None:
    """Put an entry into the queue."""
    desk.queue.put(
        Envelope(
            id=name,
            sender=None,
            recipients=tuple(Rcpt(one, failed=failed, last="450 later") for one in recipients),
            created=desk.clock(),
            due=desk.clock() + 3600,
            domain="example.org",
            session="0DQ3N7V5K2F8T.1",
            reason="back end down",
        ),
        [b"Subject: x\r\n\r\nbody\r\n"],
    )


def test_listing(hosted: Run, as_json: Run, desk: Desk) -> None:
    """Sender, recipients and the last answer; by domain; nothing said on stdout where nothing waits."""
    assert ("", "Nothing waits.\n") == (hosted("queue", "list").stdout, hosted("queue", "list").stderr)
    put(desk, "aaaa1111", ("a@example.org", "b@example.org", "c@example.org", "d@example.org"))
    text = hosted("queue", "list").stdout
    assert "<> -> a@example.org, b@example.org, c@example.org and 1 more (back end down): 450 later" in text
    (row,) = as_json("queue", "list")
    assert ("aaaa1111", "", 0) == (row["id"], row["from"], row["attempts"])
    assert [] == as_json("queue", "list", "--domain", "example.net")


def test_refused_for_good(hosted: Run, desk: Desk) -> None:
    """What is not tried again by itself says so."""
    put(desk, "aaaa1111", failed=True)
    assert "by hand only" in hosted("queue", "list").stdout


def test_retry(hosted: Run, as_json: Run, desk: Desk) -> None:
    """Due at once."""
    put(desk, "aaaa1111", failed=True)
    assert "1 will be tried now\n" == hosted("queue", "retry", "--all").stdout
    (row,) = as_json("queue", "list")
    assert row["due"] is not None
    assert [False] == [r["failed"] for r in row["recipients"]]


def test_drop_asks(hosted: Run, desk: Desk) -> None:
    """All of it only after a yes; one by its id at once."""
    put(desk, "aaaa1111")
    put(desk, "bbbb2222")
    hosted("queue", "drop", "--all", status=130, input="n\n")
    assert 2 == len(list(desk.queue.list()))
    assert "1 thrown away\n" == hosted("queue", "drop", "aaaa").stdout
    assert "1 thrown away\n" == hosted("queue", "drop", "--all", "--yes").stdout
    assert [] == list(desk.queue.list())


@pytest.mark.parametrize("words", [(), ("aaaa", "--all")])
def test_ids_or_all(hosted: Run, words: tuple[str, ...]) -> None:
    """One of the two, never by accident everything."""
    assert "name ids, or --all" in hosted("queue", "drop", *words, status=2).stderr


def test_in_the_courier_s_hands(hosted: Run, desk: Desk) -> None:
    """What is being delivered at this moment is named, and the exit status says that not all was done."""
    put(desk, "aaaa1111")
    claim = desk.queue.claim("aaaa1111")
    assert claim is not None
    result = hosted("queue", "drop", "--all", "--yes", status=1)
    assert ("0 thrown away\n", True) == (result.stdout, "aaaa1111" in result.stderr)
    claim.release()
