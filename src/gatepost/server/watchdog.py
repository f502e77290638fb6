"""Whose loop stands still, and which plugin it was in.

A plugin that blocks the loop cannot be stopped from inside (ARCHITECTURE 3). So each process shows a
heartbeat and the running plugin on the board, and the parent looks. Only a change of the heartbeat
counts, and only by the parent's own clock: if the parent was not run for a while itself (a suspended or
starved machine), that time is held against nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gatepost.server.board import Board


@dataclass(slots=True)
class _Watched:
    beat: int
    seen: float
    may_be_silent: bool


class Watchdog:
    """Looks at the columns of the board; `standstill` and `start` are seconds."""

    __slots__ = ("_blocked", "_board", "_plugin_name", "_tick", "_turn", "_wait", "_watched")

    def __init__(
        self,
        board: Board,
        *,
        standstill: float,
        start: float,
        tick: float,
        plugin_name: Callable[[int], str] | None = None,
    ) -> None:
        self._board = board
        self._wait = (start, standstill)
        self._tick = tick
        self._plugin_name = plugin_name
        self._turn = 0.0
        self._watched: dict[int, _Watched] = {}
        self._blocked: dict[str, int] = {}

    def begin(self, column: int, now: float, *, may_be_silent: bool) -> None:
        """A process was started in this column; `may_be_silent` watches it from its first beat only."""
        self._watched[column] = _Watched(0, now, may_be_silent)

    def end(self, column: int) -> None:
        """It is gone, or as good as gone."""
        self._watched.pop(column, None)

    def look(self, now: float) -> list[tuple[int, float]]:
        """Return (column, seconds) of each loop that has stood still too long; look once a tick."""
        away = now - self._turn - self._tick if self._turn else 0.0
        self._turn = now
        still = []
        for column, watched in self._watched.items():
            if away > self._tick:
                watched.seen += away
            beat = self._board.beat(column)
            if beat != watched.beat:
                watched.beat, watched.seen = beat, now
            elif (beat or not watched.may_be_silent) and now - watched.seen >= self._wait[beat != 0]:
                still.append((column, now - watched.seen))
        return still

    def blame(self, column: int) -> tuple[str, int]:
        """Return the plugin that the process is in, "" if none, and how often it has been blamed now."""
        index = self._board.running(column)
        if not index:
            return "", 0
        name = self._plugin_name(index) if self._plugin_name is not None else ""
        # A foreign plugin that came with HUP may be unknown to the parent; the worker named it.
        name = name or self._board.plugin_name(column, index) or f"number {index}"
        self._blocked[name] = times = self._blocked.get(name, 0) + 1
        return name, times
