"""`gatepost alarms`: what is in trouble is listed; a test goes out on each way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatepost.desk import alarm_book
from gatepost.desk.alarms import Alarm
from gatepost.desk.desk import Desk
from tests.app.hooks import listening

Run = Callable[..., Any]


def test_list(hosted: Run, as_json: Run, desk: Desk) -> None:
    """Those that go on; with --all the others too; and where nobody can be told."""
    assert ("", "No alarm.\n") == (hosted("alarms", "list").stdout, hosted("alarms", "list").stderr)
    alarm_book.remember(desk, Alarm("scanner", "127.0.0.1:3310", "refused\x1b[31m", 1_795_000_000, 0))
    alarm_book.remember(desk, Alarm("disk", "data_dir", "1 GiB", 1_795_000_000, 0, 1_795_000_060))
    alarm_book.way_fails(desk, "mail", "550 no relaying")
    listed = hosted("alarms", "list")
    assert "The scanner 127.0.0.1:3310 is in trouble: refused" in listed.stdout
    assert "\x1b" not in listed.stdout
    assert "nearly full" not in listed.stdout
    assert "nothing gets out by mail: 550 no relaying" in listed.stderr
    assert "nearly full" in hosted("alarms", "list", "--all").stdout
    (row,) = as_json("alarms", "list")
    assert ("scanner:127.0.0.1:3310", None) == (row["alarm"], row["ended"])
    assert 2 == len(as_json("alarms", "list", "--all"))


def test_test(run: Run, config: Path) -> None:
    """Each way is tried; one that does not work is named, and the status is 1."""
    assert "no way is set" in run("alarms", "test", status=1).stderr
    with listening() as hook:
        config.write_text(
            config.read_text() + f'[alarms]\nwebhook = "{hook.url}"\nmail_to = ["a@out.example"]\n'
            'mail_through = "smtp://127.0.0.1:1"\n'
        )
        said = run("alarms", "test", status=1)
    assert [("test", "")] == hook.events
    assert "webhook: sent\n" in said.stdout
    assert "mail: mail: 451 4.4.1" in said.stdout
    assert "not every way works" in said.stderr
