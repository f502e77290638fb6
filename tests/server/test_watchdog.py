"""A loop that stands still is seen in time, its plugin is named, and nobody is blamed for our own sleep."""

from gatepost.server.board import Board
from gatepost.server.watchdog import Watchdog


def watchdog(board: Board, names: dict[int, str] | None = None) -> Watchdog:
    """Ten seconds of stand-still, thirty to begin, a look each second."""
    named = None if names is None else lambda index: names.get(index, "")
    return Watchdog(board, standstill=10, start=30, tick=1, plugin_name=named)


def test_a_loop_that_turns_is_left_alone_and_one_that_stands_still_is_found() -> None:
    """Ten seconds after the last heartbeat, not before."""
    board = Board.create(None, 2)
    turning, standing = board.open_column(0), board.open_column(1)
    dog = watchdog(board)
    dog.begin(0, 100, may_be_silent=False)
    dog.begin(1, 100, may_be_silent=False)
    standing.beat()
    found = {}
    for second in range(101, 113):
        turning.beat()
        found[second] = dog.look(second)
    assert [second for second, still in found.items() if still] == [111, 112]
    assert found[111] == [(1, 10)]
    dog.end(1)
    assert dog.look(113) == []


def test_the_first_heartbeat_may_take_longer() -> None:
    """A worker loads the policy first; the keeper need not beat at all."""
    board = Board.create(None, 1)
    dog = watchdog(board)
    dog.begin(0, 100, may_be_silent=False)
    dog.begin(1, 100, may_be_silent=True)
    found = {second: dog.look(second) for second in range(101, 140)}
    assert min(second for second, still in found.items() if still) == 130
    assert {column for still in found.values() for column, _ in still} == {0}


def test_time_that_the_parent_slept_counts_against_nobody() -> None:
    """After a suspended machine every worker has its ten seconds anew."""
    board = Board.create(None, 1)
    column = board.open_column(0)
    dog = watchdog(board)
    dog.begin(0, 100, may_be_silent=False)
    column.beat()
    assert [dog.look(second) for second in (101, 102, 3600, 3605)] == [[], [], [], []]
    assert dog.look(3606) == []
    found = {second: dog.look(second) for second in range(3607, 3615)}
    assert min(second for second, still in found.items() if still) <= 3612


def test_who_was_it() -> None:
    """By the parent's registry, else by the worker's own name for it, else by number; counted."""
    board = Board.create(None, 1)
    column = board.open_column(0)
    column.name_plugins(["recipients", "foreign"])
    dog = watchdog(board, {1: "recipients"})
    assert dog.blame(0) == ("", 0)
    column.running(1)
    assert dog.blame(0) == ("recipients", 1)
    column.running(2)
    assert dog.blame(0) == ("foreign", 1)
    assert dog.blame(0) == ("foreign", 2)
    column.running(9)
    assert dog.blame(0) == ("number 9", 1)
