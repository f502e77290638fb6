"""A worker that dies over a message: the parent tells which message it was, and which check had it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from gatepost.server.board import Board
from gatepost.server.workers import say_ready
from tests.server.test_workers import PLUGINS, House
from tests.system.process import wait_until

MAIL, OTHER = b"m" * 16, b"o" * 16


def test_the_message_that_a_dead_worker_had_in_hand(tmp_path: Path) -> None:
    """Told once, before the column is forgotten; trouble there is no end, and the drain no death."""
    tell, new = tmp_path / "suspects", tmp_path / "new"
    house = House(tmp_path)

    def run(n: int, board: Board, notify_fd: int) -> None:
        """Die over a message the first time, and have one in hand ever after."""
        told: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
        column = board.open_column(n)
        column.name_plugins(PLUGINS)
        column.hands.take(OTHER)
        say_ready(notify_fd)
        if not tell.exists():
            column.running(2, column.hands.take(MAIL))
            os.kill(os.getpid(), signal.SIGKILL)
        new.touch()
        while not told:
            column.beat()
            time.sleep(0.02)

    def on_suspects(plugin: str, messages: list[bytes], why: str) -> None:
        with tell.open("a") as file:
            file.write(f"{plugin} {b' '.join(messages).decode()} {why}\n")
        raise OSError("no room")

    try:
        house.start(workers=1, run=run, on_suspects=on_suspects)
        house.wait("process_ready", 1)
        house.wait("process_died")
        house.wait("process_started", 3)  # worker, keeper, worker
        assert f"slow_one {MAIL.decode()} w0 ended with status -9\n" == tell.read_text()
        assert ["on_suspects"] == [event["where"] for event in house.events("trouble")]
        wait_until(new.exists, "the new one hears TERM")
        assert house.end(signal.SIGTERM) == 0
        assert 1 == len(tell.read_text().splitlines())
    finally:
        house.listener.close()
