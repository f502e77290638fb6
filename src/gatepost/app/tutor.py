"""Does the errands that trainings leave: teaches SpamAssassin, Rspamd and others what people trained.

Runs in the keeper. One errand after the other, each with a time limit; a filter that fails gets its
errands later, and is left alone for the rest of the round, so that a dead one holds up nobody else's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from gatepost.plugin.lesson import Lesson, learners
from gatepost.plugin.registry import Registry
from gatepost.plugin.tools import Tools
from gatepost.policy.snapshot import PolicyUnavailable, Snapshot
from gatepost.store.errands import Errand, Errands

ROUND = 2.0
"""Seconds between rounds."""
SECONDS = 60.0
"""For one errand."""
Said = Callable[..., None]


class Tutor:
    """The one who does them."""

    def __init__(
        self,
        errands: Errands,
        registry: Registry,
        tools: Tools,
        snapshot: Callable[[], Snapshot],
        clock: Callable[[], float],
        log: Said,
    ) -> None:
        self._errands = errands
        self._registry = registry
        self._tools = tools
        self._snapshot = snapshot
        self._clock = clock
        self._log = log
        self._due: dict[Path, float] = {}
        """When each is to be looked at again; one that is not here is new."""

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                await self.round()
            except OSError as error:
                self._log("errands", "error", why=str(error))
            await asyncio.sleep(ROUND)

    async def round(self) -> int:
        """Do what is due; returns how many were done."""
        paths = await asyncio.to_thread(self._errands.paths)
        self._due = {path: at for path, at in self._due.items() if path in set(paths)}
        done = 0
        tired: set[tuple[str, str]] = set()
        for path in paths:
            if self._due.get(path, 0.0) > self._clock():
                continue
            found = await asyncio.to_thread(self._errands.read, path)
            if found is None:
                continue
            errand, raw = found
            if errand.due > self._clock():
                self._due[path] = errand.due
            elif errand.given_up:
                self._errands.done(path)
            elif (errand.domain, errand.plugin) not in tired:
                why = await self._try(errand, raw)
                if not why:
                    self._errands.done(path)
                    done += 1
                    continue
                tired.add((errand.domain, errand.plugin))
                after = await asyncio.to_thread(self._errands.failed, path, errand, raw, why)
                self._due[path] = after.due
                self._log(
                    "not_taught", "warning", domain=errand.domain, plugin=errand.plugin, why=why,
                    given_up=after.given_up or None,
                )  # fmt: skip
        return done

    async def _try(self, errand: Errand, raw: bytes) -> str:
        """Do one; returns what went wrong. What nobody wants any more is done."""
        try:
            policy = self._snapshot().policy_for(errand.domain)
        except PolicyUnavailable as error:
            return f"the policy cannot be read: {error}"
        loaded = self._registry.get(errand.plugin)
        if policy is None or loaded is None or errand.plugin not in learners(policy):
            return ""
        settings = policy.plugins[errand.plugin].settings
        lesson = Lesson(settings, errand.domain, raw, errand.spam, self._tools)
        try:
            async with asyncio.timeout(SECONDS):
                await loaded.plugin.teach(lesson)
        except TimeoutError:
            return f"no answer within {SECONDS:g} s"
        except Exception as error:  # a check's own mistake must not stop the others' errands
            return str(error) or type(error).__name__
        return ""
