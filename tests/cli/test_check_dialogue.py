"""The questions of `gatepost check --interactive`, answered from a pipe."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gatepost.cli.check_dialogue import Told, ask, client_address

NOTHING = Told(None, None, (), "", "")


def answered(lines: str, told: Told = NOTHING) -> tuple[Told, str]:
    """Return what came of the questions, and what was asked."""
    found: list[Told] = []

    @click.command()
    def command() -> None:
        found.append(ask(told))

    result = CliRunner().invoke(command, input=lines)
    assert 0 == result.exit_code, result.output
    return found[0], result.stderr


def test_typed() -> None:
    """Each answer has its place; a dot alone ends the message, two do not."""
    told, asked = answered(
        "2001:DB8::1\nmail.example.net\n<>\nann@example.org bob@example.org\n\nA: b\n\n..\n.\nx\n"
    )
    assert (
        Told(b"A: b\n\n..\n", "<>", ("ann@example.org", "bob@example.org"), "2001:db8::1", "mail.example.net")
        == told
    )
    assert ["Client", "HELO", "From", "To", "File"] == [
        word for word in ("Client", "HELO", "From", "To", "File") if word in asked
    ]


def test_nothing_but_the_needed() -> None:
    """Enter takes what is offered; the input's end ends the message."""
    told, _ = answered("\n\nbob@example.net\nann@example.org\n\nSubject: x\n")
    assert Told(b"Subject: x\n", "bob@example.net", ("ann@example.org",), "192.0.2.1", "") == told


def test_wrong_answers_are_asked_again(tmp_path: Path) -> None:
    """No address, no file: it is said, and the question comes again."""
    mail = tmp_path / "mail"
    mail.write_bytes(b"Subject: caf\xe9\n\n")
    told, asked = answered(
        f"here\n192.0.2.9\n\nbob@@\nbob@example.net\n ,\nann\nann@example.org\n{tmp_path}/none\n{mail}\n"
    )
    assert (b"Subject: caf\xe9\n\n", "192.0.2.9", ("ann@example.org",)) == (
        told.raw,
        told.ip,
        told.recipients,
    )
    for complaint in ("not an IP address", "'bob@@'", "needs a recipient", "'ann'", "No such file"):
        assert complaint in asked


def test_only_what_was_not_told() -> None:
    """What stood on the command line is not asked for, the null sender included."""
    whole = Told(b"Subject: x\n\n", "", ("ann@example.org",), "192.0.2.9", "mail.example.net")
    assert (whole, "") == answered("", whole)


def test_client_address() -> None:
    """Addresses in their one form."""
    assert "2001:db8::1" == client_address(" 2001:0DB8::0:1 ")
    with pytest.raises(click.BadParameter, match="not an IP address"):
        client_address("300.1.1.1")
