"""Links are worked out once for all domains; a long message in another process."""

import asyncio
from typing import Any

import pytest

from gatepost.mail.links import Link
from gatepost.mail.message import Message, find_border
from gatepost.plugin.linked import LONG, Linked, linked, links_in, registrable
from gatepost.plugin.worker import Workers

RAW = b"Content-Type: text/plain\r\n\r\nsee http://evil.example/ and www.other.example/x\r\n"


class Transaction:
    def __init__(self) -> None:
        self.facts: dict[Any, Any] = {}


class Context:
    """As much of a context as is needed."""

    def __init__(self, raw: bytes, *, workers: bool) -> None:
        self.message = Message(raw[: find_border(raw)], raw)
        self.transaction = Transaction()
        self.has_workers = workers
        self.asked: list[Any] = []

    async def in_worker(self, function: Any, *arguments: Any) -> Any:
        self.asked.append(function)
        return await Workers().run(function, *arguments)


@pytest.mark.parametrize(
    ("size", "workers", "asked"), [(0, True, 0), (LONG, True, 1), (LONG, False, 0)], ids=str
)
def test_once(size: int, workers: bool, asked: int) -> None:
    """The same links, wherever they are looked for, and only once."""
    ctx = Context(RAW + b"x" * size, workers=workers)
    expected = [Link("evil.example"), Link("www.other.example")]
    assert expected == asyncio.run(linked(ctx))  # type: ignore[arg-type]
    assert expected == asyncio.run(linked(ctx))  # type: ignore[arg-type]
    assert [links_in] * asked == ctx.asked
    assert expected == ctx.transaction.facts[Linked]


def test_registrable() -> None:
    """By the public suffix list."""
    assert "example.co.uk" == registrable("www.example.co.uk")
