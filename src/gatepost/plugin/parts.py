"""The form of a message's parts, read once for all checks and domains; of a long one beside the loop.

The readers themselves are bounded (gatepost.mail.structure); but a second of work for 25 MB would be a
second in which nobody else on this worker gets an answer.
"""

from __future__ import annotations

from asyncio import Future, get_running_loop, shield
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from gatepost.mail.form import BUDGETS, Bounds, Oddity, is_empty, oddities, shown, troubles
from gatepost.mail.message import MAX_LINES, Message
from gatepost.mail.structure import read_structure
from gatepost.plugin.context import Context

__all__ = ["BUDGETS", "MAX_LINES", "Bounds", "Oddity", "Shape", "oddities", "once", "shape",
           "shown", "troubles"]  # fmt: skip

T = TypeVar("T")

LONG = 1 << 20
"""Bytes from which a message is read in another process: so many take 40 ms at the worst."""


class Shape(NamedTuple):
    """What a structure tells without its parts."""

    troubles: tuple[str, ...]
    parameters: int
    empty: bool = False
    """Nothing but blanks stands behind the headers."""


async def shape(ctx: Context[Any]) -> Shape:
    """Return the form of the parts of the message at hand."""
    message = ctx.message
    known = ctx.transaction.facts.get(Shape)
    if isinstance(known, Shape):
        return known
    if message.body is None or len(message.body) < LONG or not ctx.has_workers:
        found = ctx.transaction.facts[Shape] = _shape(message)
        return found

    async def beside() -> Shape:
        said, parameters, empty = await ctx.in_worker(in_worker, message.head, message.body)
        return Shape(tuple(said), parameters, empty)

    return await once(ctx.transaction.facts, Shape, beside)


def in_worker(head: bytes, body: bytes) -> tuple[list[str], int, bool]:
    """Read the structure in a process of its own; plain values go back."""
    found = _shape(Message(head, body))
    return list(found.troubles), found.parameters, found.empty


def _shape(message: Message) -> Shape:
    structure = read_structure(message)
    return Shape(tuple(structure.troubles), structure.parameters, is_empty(message))


async def once(facts: dict[type, Any], key: type[T], work: Callable[[], Awaitable[T]]) -> T:
    """Return what is known under a key of a transaction, work it out, or wait for who does so already."""
    while isinstance(known := facts.get(key), Future):
        await shield(known)  # who gives up must not end it for the others
    if known is not None:
        return known  # type: ignore[no-any-return]
    done: Future[None] = get_running_loop().create_future()
    facts[key] = done
    try:
        found = facts[key] = await work()
    except BaseException:
        del facts[key]  # the next one tries for itself
        raise
    finally:
        done.set_result(None)
    return found
