"""Points by a filter's opinion; one that fails is no refusal and is left alone for a while."""

import asyncio
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from gatepost.mail.address import parse_address
from gatepost.mail.message import Message, find_border
from gatepost.mail.transaction import Recipient
from gatepost.mail.verdict import Score
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.commands import Commands
from gatepost.plugin.lesson import Lesson
from gatepost.plugin.outside import OutsideError
from gatepost.plugin.registry import Registry
from gatepost.plugin.tools import Tools
from gatepost.plugins.filter_command import FilterCommand, Settings
from gatepost.policy.commands import Command
from gatepost.policy.decide import Finding

SCRIPT = "case $(cat) in *free*) echo S 0.99;; *maybe*) echo U 0.5;; *bad*) echo what;; *) echo H 0.01;; esac"


class House:
    """One process with the plugin."""

    def __init__(self, data: Path) -> None:
        self.alerts: list[str] = []
        command = Command("f", ("/bin/sh", "-c", SCRIPT), pattern="^(?P<verdict>[SHU]) (?P<score>.*)$")
        tools = Tools(
            commands=Commands({"f": command}, data), alert=lambda _name, text: self.alerts.append(text)
        )
        self.bench = Bench(Registry([("filter_command", FilterCommand(), "built-in", "")]), tools)

    def ask(self, text: str, **settings: Any) -> Finding:
        (finding,) = self.found(text, **settings)
        return finding

    def found(self, text: str, **settings: Any) -> list[Finding]:
        raw = f"Subject: x\r\n\r\n{text}\r\n".encode()
        switches = {"filter_command": {"mode": "on", "filter": "f", **settings}}
        policy = self.bench.policy("example.org", switches)
        address, case = parse_address("ann@example.org"), Case()
        recipient = Recipient(address, address, policy=policy)

        async def run() -> Any:
            message = Message(raw[: find_border(raw)], raw)
            transaction = case.transaction()
            transaction.recipients.append(recipient)
            return await self.bench.pipeline.run_message(case.session(), transaction, [recipient], message)

        (found,) = asyncio.run(run())
        return list(found)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("free money", Score(5.0, "f says spam (0.99)")),
        ("maybe", Score(0.0, "f says unsure (0.5)")),
        ("hello", Score(-1.0, "f says ham (0.01)")),
    ],
)
def test_points(tmp_path: Path, text: str, verdict: Score) -> None:
    """By what it says."""
    assert verdict == House(tmp_path).ask(text).verdict


def test_own_points(tmp_path: Path) -> None:
    """As the domain wants them."""
    assert Score(2.5, "f says spam (0.99)") == House(tmp_path).ask("free", spam=2.5).verdict


def test_nonsense(tmp_path: Path) -> None:
    """An answer that is none is a failure that is told, not a verdict."""
    house = House(tmp_path)
    finding = house.ask("bad")
    assert finding.verdict is None
    assert "f ended with status 0 and said b'what\\n'" in finding.failure
    assert 1 == len(house.alerts)


def test_no_such_filter(tmp_path: Path) -> None:
    """A name that the administrator has not written down."""
    finding = House(tmp_path).ask("x", filter="g")
    assert finding.verdict is None
    assert "no filter is called 'g' here" in finding.failure


def test_none_chosen(tmp_path: Path) -> None:
    """Nothing to do."""
    assert House(tmp_path).found("free", filter="") == []


def test_taught(tmp_path: Path) -> None:
    """Its data of this domain learn; a filter that is gone says so."""
    command = Command(
        "f", ("true",), spam=("/bin/sh", "-c", "cat >> spam"), exits=MappingProxyType({0: "spam"})
    )
    tools = Tools(commands=Commands({"f": command}, tmp_path))
    asyncio.run(FilterCommand().teach(Lesson(Settings(filter="f"), "example.org", b"a mail", True, tools)))
    assert "a mail" in (tmp_path / "filters/f/example.org/spam").read_text()
    assert (True, False) == (Settings(filter="f").wants_lessons, Settings().wants_lessons)
    with pytest.raises(OutsideError, match="no filter is called"):
        asyncio.run(
            FilterCommand().teach(Lesson(Settings(filter="g"), "example.org", b"a mail", True, tools))
        )
