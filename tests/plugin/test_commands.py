"""Filters as commands: own data by domain; limits of time, memory, output and number; teaching."""

import asyncio
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from gatepost.plugin.commands import FOLDER, MAX_OUTPUT, Commands
from gatepost.plugin.outside import OutsideError
from gatepost.policy.commands import Command, Side
from gatepost.spool.names import safe_name
from tests.system.process import wait_until

MEANT: dict[int, Side] = {0: "spam", 1: "ham"}
EXITS = MappingProxyType(MEANT)
COUNTS = 'echo {domain} >> "{data}/log"; cat > "{data}/last"; grep -q free "{data}/last"'


def made(data: Path, script: str, **words: Any) -> Commands:
    """Return one filter, `f`, that is a shell script."""
    for name in {"spam", "ham", "prepare"} & words.keys():
        words[name] = ("/bin/sh", "-c", words[name])
    words.setdefault("exits", EXITS)
    command = Command("f", ("/bin/sh", "-c", script), **words)
    return Commands({"f": command}, data)


def ask(commands: Commands, raw: bytes = b"x\r\n", domain: str = "example.org") -> tuple[Side, float | None]:
    return asyncio.run(commands.classify("f", domain, raw))


def test_each_domain_its_own(tmp_path: Path) -> None:
    """Data of one domain is never another's; a message comes with the line ends of Unix."""
    commands = made(tmp_path, COUNTS)
    assert ("spam", None) == ask(commands, b"free\r\nmoney\r\n")
    assert ("ham", None) == ask(commands, b"hello\r\n", "second.example")
    folders = {domain: tmp_path / FOLDER / "f" / domain for domain in ("example.org", "second.example")}
    assert {d: f"{d}\n" for d in folders} == {d: (f / "log").read_text() for d, f in folders.items()}
    assert b"free\nmoney\n" == (folders["example.org"] / "last").read_bytes()
    assert 0o700 == folders["example.org"].stat().st_mode & 0o777


def test_names_are_no_paths(tmp_path: Path) -> None:
    """A domain that looks like a path stays below the filter's folder, and no shell reads it."""
    commands = made(tmp_path, 'test "$PWD" = "{data}"')
    assert ("spam", None) == ask(commands, domain="../../x;touch y")
    assert [safe_name("../../x;touch y")] == [path.name for path in (tmp_path / FOLDER / "f").iterdir()]


def test_prepared_once(tmp_path: Path) -> None:
    """A domain's folder is made by the command for that, once, before the first question."""
    commands = made(tmp_path, "test $(wc -l < made) = 1", prepare="echo x >> made")
    assert [("spam", None)] * 3 == [ask(commands) for _ in range(3)]

    async def many() -> list[Any]:
        return await asyncio.gather(*(commands.classify("f", f"d{n % 2}.example", b"") for n in range(8)))

    assert [("spam", None)] * 8 == asyncio.run(many())


def test_a_domain_called_new(tmp_path: Path) -> None:
    """`.new` is a top level domain: whose name ends so is not taken for another's unfinished folder."""
    commands = made(
        tmp_path, "test $(cat whose) = {domain}", prepare="test ! -e whose && echo {domain} > whose"
    )
    assert ("spam", None) == ask(commands, domain="example.org.new")
    assert ("spam", None) == ask(commands, domain="example.org")
    assert ("spam", None) == ask(commands, domain="example.org.new")


def test_failed_preparation(tmp_path: Path) -> None:
    """A folder that could not be prepared is not there, and is tried again."""
    commands = made(tmp_path, "true", prepare="test -e ../ready")
    with pytest.raises(OutsideError, match="f ended with status 1"):
        ask(commands)
    (tmp_path / FOLDER / "f" / "ready").touch()
    assert ("spam", None) == ask(commands)


def test_slow_one_is_killed(tmp_path: Path) -> None:
    """With all that it started, at the deadline."""
    commands = made(tmp_path, "sleep 60 & echo $! > pid; wait", seconds=2)
    with pytest.raises(TimeoutError):
        ask(commands)
    pid = int((tmp_path / FOLDER / "f" / "example.org" / "pid").read_text())
    wait_until(lambda: not alive(pid), "its child ends")


def alive(pid: int) -> bool:
    """Is there such a process (that is not a corpse)?"""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
    except OSError:
        return False


def test_bounded_output_and_input(tmp_path: Path) -> None:
    """One that prints without end is read to the end and forgotten; one that reads nothing is no error."""
    commands = made(tmp_path, "echo H; head -c 20000000 /dev/zero", exits={}, pattern="^(?P<verdict>H)$")
    assert ("ham", None) == ask(commands, b"x" * 5_000_000)
    late = made(
        tmp_path, f"head -c {MAX_OUTPUT} /dev/zero; echo; echo H", exits={}, pattern="^(?P<verdict>H)$"
    )
    with pytest.raises(ValueError, match="f ended with status 0"):
        ask(late)


def test_bounded_message(tmp_path: Path) -> None:
    """Spam is small: what is longer is cut."""
    commands = made(tmp_path, "test $(wc -c) = 100", max_size=100)
    assert ("spam", None) == ask(commands, b"y" * 1_000)


def test_bounded_memory(tmp_path: Path) -> None:
    """One that wants too much ends with an error of its own."""
    commands = made(tmp_path, "head -c 300000000 /dev/zero | tail -c 200000000 > /dev/null", memory=100 << 20)
    assert ("ham", None) == ask(commands)


def test_bounded_number(tmp_path: Path) -> None:
    """No more at once than is said."""
    script = "mkdir run.$$; n=$(ls -d run.* | wc -l); sleep 0.2; rmdir run.$$; test $n -le 2"
    commands = made(tmp_path, script, processes=2)

    async def many() -> list[Any]:
        return await asyncio.gather(*(commands.classify("f", "example.org", b"") for _ in range(6)))

    assert [("spam", None)] * 6 == asyncio.run(many())


def test_teaching(tmp_path: Path) -> None:
    """Each side by its command, with the message; one that is not taught says so; failures have words."""
    commands = made(tmp_path, "true", spam="cat >> spam", ham="false")
    assert commands.teach("f", "example.org", b"buy\r\n", spam=True)
    assert commands.teach("f", "example.org", b"now\r\n", spam=True)
    assert b"buy\nnow\n" == (tmp_path / FOLDER / "f" / "example.org" / "spam").read_bytes()
    with pytest.raises(OutsideError, match="f ended with status 1"):
        commands.teach("f", "example.org", b"", spam=False)
    assert not made(tmp_path, "true").teach("f", "example.org", b"", spam=True)
    slow = made(tmp_path, "true", spam="sleep 60", seconds=0.2)
    with pytest.raises(OutsideError, match=r"more than 0\.2 s"):
        slow.teach("f", "example.org", b"", spam=True)


def test_unknown_name(tmp_path: Path) -> None:
    """The names that there are stand in the error."""
    with pytest.raises(OutsideError, match=r"'g' here \(scanner.commands has: f\)"):
        made(tmp_path, "true").known("g")
    with pytest.raises(OutsideError, match="has: none"):
        Commands({}, tmp_path).known("g")
