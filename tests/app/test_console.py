"""The console's process says what it lacks, makes the first administrator, knows the others' versions."""

import socket
from pathlib import Path

import pytest

from gatepost.app import console
from gatepost.app.console import (
    first_administrator,
    in_the_clear,
    loopback,
    missing,
    open_socket,
    processes,
)
from gatepost.config import load
from gatepost.config.desks import desk_from
from gatepost.console.site import Process
from gatepost.desk import sessions, users
from gatepost.server.board import Board


def test_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is not installed is named."""
    assert [] == missing()
    monkeypatch.setattr(console, "PACKAGES", ("fastapi", "no_such_package"))
    assert ["no_such_package"] == missing()


def test_first_administrator(tmp_path: Path) -> None:
    """The first start makes one and says the password, which signs in; a later one makes nobody."""
    file = tmp_path / "gatepost.toml"
    file.write_text(f'data_dir = "{tmp_path}"')
    config = load(str(file), {})
    made = first_administrator(config)

    assert made is not None
    with desk_from(config, "test") as desk:
        assert sessions.sign_in(desk, made[0], made[1], "", "127.0.0.1")
        assert "admin" == users.get(desk, made[0]).role
    assert first_administrator(config) is None


def test_processes() -> None:
    """Each process that lives is named with the version that it uses."""
    board = Board.create(None, 2, 100)
    board.open_column(1).set_version(7)
    board.open_column(board.keeper).set_version(8)

    assert [("w1", 7), ("keeper", 8)] == [(one.name, one.version) for one in processes(board)]
    assert isinstance(processes(board)[0], Process)


def test_open_socket() -> None:
    """It says that it is TCP, so that no answer waits for an acknowledgement; a taken port is an error."""
    with open_socket("127.0.0.1", 0) as sock:
        assert socket.IPPROTO_TCP == sock.proto
        with pytest.raises(OSError, match="in use"):
            open_socket("127.0.0.1", sock.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("mail.example", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    """Only this machine reaches a loopback address."""
    assert expected == loopback(host)


def test_in_the_clear() -> None:
    """A console that others reach without TLS is warned of."""
    assert in_the_clear("0.0.0.0", "")
    assert in_the_clear("192.0.2.1", "http://mail.example")
    assert not in_the_clear("0.0.0.0", "https://mail.example")
    assert not in_the_clear("127.0.0.1", "")
