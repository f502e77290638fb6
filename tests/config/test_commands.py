"""Filters as the administrator writes them down: read, written back, and each mistake named."""

from pathlib import Path
from typing import Any

import pytest

from gatepost.config import load
from gatepost.config.commands import COMMANDS
from gatepost.config.problems import BadValue

BOGOFILTER = {"classify": ["bogofilter", "-T"], "exits": {"0": "spam", "1": "ham"}}


def test_read_and_written_back() -> None:
    """What was said comes back, defaults do not."""
    value = {
        "bogofilter": BOGOFILTER,
        "crm": {
            "classify": ["crm"],
            "pattern": "(?P<score>.*)",
            "spam_from": 10.0,
            "memory": "1GiB",
            "seconds": 5.0,
        },
    }
    read = COMMANDS.read(value)
    assert {0: "spam", 1: "ham"} == dict(read["bogofilter"].exits)
    assert (1 << 30, 5.0, 2) == (read["crm"].memory, read["crm"].seconds, read["crm"].processes)
    assert read == COMMANDS.read(COMMANDS.write(read))
    assert BOGOFILTER == COMMANDS.write(read)["bogofilter"]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("Bad Name", BOGOFILTER, "'Bad Name': a name has"),
        ("f", ["x"], "f is not a table"),
        ("f", {}, "f.classify is missing"),
        ("f", {"classify": "bogofilter -T"}, "f.classify: not a list of program and arguments"),
        ("f", {"classify": ["x", 1]}, "f.classify: not a list"),
        ("f", {"classify": ["x\0"]}, "f.classify: a NUL"),
        ("f", {"classify": ["x"]}, "f needs exits or a pattern"),
        ("f", {"classify": ["x"], "exits": {"0": "bad"}}, "f.exits: not a table of exit status"),
        ("f", {"classify": ["x"], "exits": {"-1": "spam"}}, "f.exits"),
        ("f", {"classify": ["x"], "pattern": "("}, "f.pattern: '\\(' is not a pattern"),
        ("f", {"classify": ["x"], "pattern": "abc"}, "f.pattern needs a group"),
        ("f", {**BOGOFILTER, "processes": 0}, "f.processes: 0 is not between"),
        ("f", {**BOGOFILTER, "spam_from": "1"}, "f.spam_from: not a number"),
        ("f", {**BOGOFILTER, "memory": "much"}, "f.memory"),
    ],
)
def test_mistakes(name: str, value: Any, why: str) -> None:
    """Each is named with its place."""
    with pytest.raises(BadValue, match=why):
        COMMANDS.read({name: value})


def test_suggestion() -> None:
    """The word that was probably meant."""
    with pytest.raises(BadValue, match=r"f\.clasify is unknown") as caught:
        COMMANDS.read({"f": {"clasify": ["x"]}})
    assert "classify" == caught.value.suggestion


def test_in_the_file(tmp_path: Path) -> None:
    """A section of its own for each."""
    file = tmp_path / "gatepost.toml"
    file.write_text('[scanner.commands.bogofilter]\nclassify = ["bogofilter"]\nexits = {0 = "spam"}\n')
    (command,) = load(file, {}).scanner.commands.values()
    assert ("bogofilter", ("bogofilter",)) == (command.name, command.classify)
