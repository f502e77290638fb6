"""Close an address to bounces while a storm of them comes in."""

from __future__ import annotations

import json
from collections.abc import Coroutine
from functools import cached_property, lru_cache
from typing import Any, Literal, NamedTuple

from pydantic import Field, field_validator

from gatepost.plugin import (
    BatvTag,
    Context,
    Kind,
    Plugin,
    PluginSettings,
    Reject,
    Scope,
    Score,
    Verdict,
    automatic,
)

DAY = 86_400.0
ANY = "any closed"
"""Key that stands while any address of the domain may be closed: else nothing more is looked up."""
MAX_KEPT = 500
"""Closed addresses that are remembered for people to see; those that ended first go first."""


class Settings(PluginSettings):
    """How many are a storm, and what is closed for how long."""

    bounces: int = Field(default=20, ge=1, le=100_000)
    """So many bounces to one address within `minutes` close it."""
    minutes: int = Field(default=10, ge=1, le=1_440)
    """Minutes within which bounces are counted."""
    closed_minutes: int = Field(default=60, ge=1, le=10_080)
    """Minutes for which an address stays closed; while as many go on coming it stays closed longer."""
    close: Literal["bounces", "all"] = "bounces"
    """Closed to mail with the null sender and to challenges (`bounces`), or to all mail (`all`)."""
    never: tuple[str, ...] = ()
    """Addresses or local parts that are never closed: where real bounces are read by a program."""

    @field_validator("never")
    @classmethod
    def _named(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not one.strip() or not one.isprintable() for one in value):
            raise ValueError("each is an address or a local part")
        return value

    @cached_property
    def exempt(self) -> frozenset[str]:
        """What is never closed, as it is compared."""
        return frozenset(one.strip().lower() for one in self.never)

    @property
    def window(self) -> float:
        """Seconds within which is counted."""
        return self.minutes * 60.0


class Closed(NamedTuple):
    """That an address is closed."""

    since: float
    until: float
    bounces: int
    """As many had come."""


@lru_cache(maxsize=1_000)
def read_closed(value: bytes) -> Closed | None:
    """Return what was kept; None for what cannot be read. Remembered: a storm asks for the same again."""
    try:
        return Closed(*json.loads(value))
    except (ValueError, TypeError):
        return None


CLOSED = Reject(
    "the address is closed to bounces for a while: a storm of them came",
    "Too many bounces to this address, none is taken for now",
    550,
    "5.7.1",
    at_once=True,
)
CLOSED_TO_ALL = Reject(
    "the address is closed for a while: a storm of bounces came",
    "Mail to this address is not taken for now",
    550,
    "5.7.1",
    at_once=True,
)
"""The same objects each time: the pipeline knows them again, and the journal folds them."""


class BounceStorm(Plugin):
    """Count the bounces to each address, and close it to bounces when they become a storm.

    Who sends spam in your name brings you its bounces: thousands in a night, to one address, from
    honest servers that no list has. A person gets a handful of bounces a week, so twenty within ten
    minutes are somebody else's. Only mail with the null sender and challenges are refused, at
    RCPT and before anything is read, or twenty forged bounces would shut anybody's mailbox; bounces
    with a valid BATV tag answer your own mail and pass. It opens by itself. It errs for addresses
    that send lists and get real bounces in numbers (name them in `never`), and while an address is
    closed the few servers that ask by a null sender whether it exists (callouts) are told no.
    """

    settings = Settings
    scope = Scope.RECIPIENT
    needs = (BatvTag,)
    reads_body = False
    public = "Too many bounces to this address"

    def rcpt(self, ctx: Context[Settings]) -> Coroutine[object, object, Verdict | None] | None:
        """Mail with a sender is none of our business, unless all is closed."""
        if ctx.sender is not None and ctx.settings.close == "bounces":
            return None
        return self._rcpt(ctx)

    async def _rcpt(self, ctx: Context[Settings]) -> Verdict | None:
        local = _local(ctx)
        closed = await _is_closed(ctx, local) if local else None
        if closed is None:
            return None
        settings, state = ctx.settings, ctx.state
        came = await state.add(f"refused {local}", 1, settings.window)
        if came >= settings.bounces and closed.until - ctx.now < settings.closed_minutes * 30.0:
            # It goes on: half of the time is over and as many came again.
            await _write(ctx, local, closed._replace(until=ctx.now + settings.closed_minutes * 60.0))
        return CLOSED if settings.close == "bounces" else CLOSED_TO_ALL

    async def headers(self, ctx: Context[Settings]) -> Verdict | None:
        """Count what really came: who only asked at RCPT and left (a callout) sent no bounce."""
        found = automatic(ctx.message, null_sender=ctx.sender is None)
        if ctx.sender is not None and (found is None or found.kind is Kind.REPLY):
            return None
        local = _local(ctx)
        if not local:
            return None
        if await _is_closed(ctx, local) is not None:
            return CLOSED
        settings, state = ctx.settings, ctx.state
        turn = await state.get(f"round {local}") or b"0"
        came = await state.add(f"bounces {local} {turn.decode()}", 1, settings.window)
        if came < settings.bounces:
            return None
        until = ctx.now + settings.closed_minutes * 60.0
        await _write(ctx, local, Closed(ctx.now, until, came))
        await next_round(state, local, ctx.now)
        await _prune(ctx)
        said = f"{came} bounces within {settings.minutes} minutes"
        what = "all mail" if settings.close == "all" else "bounces"
        ctx.alert(f"{local}@{ctx.domain} is closed to {what} for {settings.closed_minutes} minutes: {said}")
        return Score(0, f"{said}: the address is closed to {what} for {settings.closed_minutes} minutes")


def _local(ctx: Context[Settings]) -> str:
    """Return whose bounces are counted, "" for whom they are not: an exception, or proven by BATV."""
    recipient = ctx.recipient
    if recipient is None:
        return ""
    local = recipient.key[0]
    exempt = ctx.settings.exempt
    if exempt and (local in exempt or f"{local}@{recipient.domain}" in exempt):
        return ""
    tag = ctx.fact(BatvTag)
    return "" if tag is not None and tag.valid else local


async def _is_closed(ctx: Context[Settings], local: str) -> Closed | None:
    """Return that an address is closed; one whose time is over is opened, and that is told."""
    state = ctx.state
    if await state.get(ANY) is None:
        return None
    value = await state.get(f"closed {local}")
    if value is None:
        return None
    closed = read_closed(value)
    if closed is not None and closed.until > ctx.now:
        return closed
    await state.delete(f"closed {local}")
    ctx.alert(f"{local}@{ctx.domain} is open to bounces again")
    return None


async def _write(ctx: Context[Settings], local: str, closed: Closed) -> None:
    """Close, for all workers within half a second (state), and for people to see (records)."""
    value = json.dumps(closed).encode()
    # Kept for a day behind its end, so that the opening is noticed and told.
    kept = closed.until - ctx.now + DAY
    await ctx.state.put(ANY, b"1", kept + DAY)
    await ctx.state.put(f"closed {local}", value, kept)
    await ctx.records.put(f"closed {local}", closed._asdict())


async def next_round(state: Any, local: str, now: float) -> None:
    """Begin to count anew: what has come so far must not close the address a second time."""
    await state.put(f"round {local}", b"%d" % int(now * 1000), 2 * DAY)


async def _prune(ctx: Context[Settings]) -> None:
    kept = await ctx.records.list("closed ")
    if len(kept) > MAX_KEPT:
        for key, _ in sorted(kept, key=lambda one: float(one[1]["until"]))[: len(kept) - MAX_KEPT]:
            await ctx.records.delete(key)
