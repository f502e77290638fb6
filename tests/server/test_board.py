"""The processes see each other's columns, limits add up, and a dead worker's column is forgotten."""

import os
from collections.abc import Callable
from pathlib import Path

from gatepost.server.board import NAME_BYTES, Board
from gatepost.server.counts import client_key
from tests.cost import assert_cheap

ANN = client_key("192.0.2.1")
BOB = client_key("2001:db8::1")


def in_child(work: Callable[[], None]) -> None:
    """Run it in another process and wait for its end."""
    pid = os.fork()
    if not pid:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


def test_counts_add_up_across_processes() -> None:
    """What a worker counted in another process is part of the sum here, exactly."""
    board = Board.create(None, 3)
    mine = board.open_column(0)
    assert mine.enter(ANN) == 1

    def other() -> None:
        column = board.open_column(1)
        assert column.enter(ANN) == 2
        assert column.enter(ANN) == 3
        assert column.enter(BOB) == 1

    in_child(other)
    assert mine.enter(ANN) == 4
    assert board.client_count(ANN) == 4
    assert board.client_count(BOB) == 1
    assert board.connections() == 5
    assert board.sessions() == 5
    mine.leave(ANN)
    assert board.client_count(ANN) == 3
    assert mine.open == 1


def test_suspects() -> None:
    """In a plugin the one message that it was asked about; outside of one all; nobody's of another column."""
    board = Board.create(None, 2)
    mine = board.open_column(0)
    mine.name_plugins(["dnsbl", "classifier"])
    first, second = b"1" * 16, b"2" * 16
    mine.hands.take(first)
    slot = mine.hands.take(second)
    assert ("", [first, second]) == board.suspects(0)
    mine.running(2, slot)
    assert ("classifier", [second]) == board.suspects(0)
    mine.running(1)  # asked about a recipient: no message is to blame
    assert ("dnsbl", []) == board.suspects(0)
    assert ("", []) == board.suspects(1)
    board.zero(0)
    assert ("", []) == board.suspects(0)


def test_zeroing_forgets_a_dead_worker_and_no_other() -> None:
    """The parent zeroes the column of the dead: its connections count no more."""
    board = Board.create(None, 2)
    mine = board.open_column(0)
    mine.enter(ANN)

    def other() -> None:
        column = board.open_column(1)
        column.enter(ANN)
        column.beat()
        column.running(3)
        column.set_version(17)
        column.name_plugins(["dnsbl", "helo_name"])

    in_child(other)
    assert board.client_count(ANN) == 2
    assert board.beat(1) > 0
    assert board.running(1) == 3
    assert board.pid(1) > 0
    assert board.versions() == [0, 17]
    assert board.plugin_name(1, 2) == "helo_name"
    board.zero(1)
    assert board.client_count(ANN) == 1
    assert (board.beat(1), board.running(1), board.pid(1)) == (0, 0, 0)
    assert board.plugin_name(1, 2) == ""
    assert board.connections() == 1


def test_a_replacement_starts_from_nothing() -> None:
    """Even where nobody zeroed the column before."""
    board = Board.create(None, 1)
    board.open_column(0).enter(ANN)
    again = board.open_column(0)
    assert again.open == 0
    assert again.enter(ANN) == 1


def test_the_true_client_takes_the_place_of_the_proxy() -> None:
    """After PROXY or XCLIENT the connection counts for the client that was named, once."""
    board = Board.create(None, 2)
    column = board.open_column(0)
    column.enter(ANN)
    assert column.move(ANN, BOB) == 1
    assert (board.client_count(ANN), board.client_count(BOB), board.connections()) == (0, 1, 1)


def test_the_keeper_has_a_column_of_its_own() -> None:
    """It beats and has a version, and counts no connection."""
    board = Board.create(None, 2)
    keeper = board.open_column(board.keeper)
    keeper.beat()
    keeper.set_version(4)
    assert board.columns == 3
    assert board.beat(2) > 0
    assert board.versions() == [4]


def test_plugin_names_are_cut_and_unknown_indices_have_none() -> None:
    """Names from foreign plugins fit in their cells and nothing is read outside of them."""
    board = Board.create(None, 1)
    column = board.open_column(0)
    column.name_plugins(["x" * 500, "b"])
    assert board.plugin_name(0, 1) == "x" * NAME_BYTES
    assert board.plugin_name(0, 2) == "b"
    assert [board.plugin_name(0, n) for n in (0, 3, 70_000)] == [""] * 3


def test_a_board_may_be_a_file(tmp_path: Path) -> None:
    """A path makes it a file that only the owner may read, of the size of all columns."""
    path = tmp_path / "board"
    board = Board.create(str(path), 2, clients=100)
    board.open_column(0).enter(ANN)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_size % 3 == 0
    board.zero(0)
    assert board.connections() == 0


def test_counting_a_connection_is_cheap() -> None:
    """Two microseconds for two workers is the plan; a slow machine gets five times that."""
    board = Board.create(None, 2)
    column = board.open_column(0)
    keys = [client_key(f"10.0.{n >> 8}.{n & 255}") for n in range(2000)]
    for key in keys:
        column.enter(key)
    assert_cheap(len(keys) * 10e-6, lambda: [column.enter(key) for key in keys])
