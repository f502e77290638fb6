"""Let a classic filter that runs as a command give points."""

from __future__ import annotations

import asyncio

from pydantic import Field

from gatepost.plugin import Context, Cost, DomainPolicy, Plugin, PluginSettings, Score, Verdict
from gatepost.plugin.lesson import Lesson
from gatepost.plugin.scanners import Breaker


class Settings(PluginSettings):
    """Which filter, and what its opinion is worth."""

    filter: str = Field(default="", max_length=60)
    """Its name; which there are is written in gatepost.toml (`[scanner.commands.NAME]`)."""
    spam: float = Field(default=5.0, ge=0, le=100)
    """Points for what it calls spam."""
    unsure: float = Field(default=0.0, ge=-100, le=100)
    """Points where it is not sure."""
    ham: float = Field(default=-1.0, ge=-100, le=0)
    """Points for what it calls wanted; they stand against those of other checks."""
    seconds: float = Field(default=20.0, gt=0, le=50)
    """How long it may take, waiting for its turn included."""

    @property
    def wants_lessons(self) -> bool:
        return bool(self.filter)


class FilterCommand(Plugin):
    """Ask a filter such as bogofilter, CRM114 or SpamBayes, with data of its own for each domain.

    People have trained these for years and know how they err; a domain that brings its data along is
    filtered from the first day as it was before. Training here teaches the filter too. It is one process a
    message, so it costs more than the classifier, and it gives points instead of refusing by itself.
    """

    settings = Settings
    cost = Cost.CPU
    timeout = 55.0
    public = "Message looks like spam"

    def __init__(self) -> None:
        self._breaker = Breaker()

    def has_work(self, hook: str, settings: Settings, policy: DomainPolicy | None) -> bool:
        return bool(settings.filter)

    async def message(self, ctx: Context[Settings]) -> Verdict | None:
        settings, raw = ctx.settings, ctx.message.body or b""

        async def ask(name: str) -> tuple[str, float | None]:
            answer: tuple[str, float | None] = await ctx.commands.classify(name, ctx.domain, raw)
            return answer

        side, score = await self._breaker.ask((settings.filter,), ask, ctx.now, settings.seconds, ctx.alert)
        points = {"spam": settings.spam, "ham": settings.ham}.get(side, settings.unsure)
        said = f"{settings.filter} says {side}"
        return Score(points, said if score is None else f"{said} ({score:g})")

    async def teach(self, lesson: Lesson[Settings]) -> None:
        name, spam = lesson.settings.filter, lesson.spam
        await asyncio.to_thread(lesson.commands.teach, name, lesson.domain, lesson.raw, spam=spam)
