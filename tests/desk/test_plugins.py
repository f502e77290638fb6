"""The checks are listed with what they do; a new one works as it is written; one is tried alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gatepost.desk import domains, plugins
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.steps import brief
from gatepost.mail.verdict import Reject
from gatepost.plugin.bench import Case

MAIL = b"Subject: Best CASINO in town\n\nhello\n"


def test_listing(desk: Desk) -> None:
    """Shipped checks with the mode that holds for all domains."""
    domains.set_values(desk, None, {"helo_name.mode": "on"})
    found = {line.name: line for line in plugins.listing(desk)}
    assert {"recipients", "deny_list", "helo_name", "dnsbl", "client_rate"} <= set(found)
    assert found["helo_name"].mode == "on"
    assert found["client_rate"].mode == "always"
    assert found["dnsbl"].does


def test_broken_plugin_is_listed(desk: Desk) -> None:
    """One that does not load does not vanish, and says why."""
    assert desk.plugin_folder is not None
    desk.plugin_folder.mkdir()
    (desk.plugin_folder / "broken.py").write_text("this is no python")
    line = next(line for line in plugins.listing(desk) if line.name == "broken")
    assert line.error
    assert "did not load: SyntaxError" in line.does


def test_show(desk: Desk) -> None:
    """Everything about one, by either spelling; a wrong name is answered with the right one."""
    about = plugins.show(desk, "helo-name")
    assert about["name"] == "helo_name"
    assert "helo_name.mode" in {one["key"] for one in about["settings"]}
    with pytest.raises(NotFound, match="did you mean 'dnsbl'"):
        plugins.show(desk, "dnsbll")


def test_new(tmp_path: Path) -> None:
    """Plugin and test are written, the test passes as it is, and nothing is overwritten."""
    made = plugins.new("subject-words", tmp_path, tmp_path)
    assert [path.name for path in made] == ["subject_words.py", "test_subject_words.py"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(made[1])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in run.stdout, run.stdout
    with pytest.raises(DeskError, match="exists already"):
        plugins.new("subject-words", tmp_path, tmp_path)
    with pytest.raises(DeskError, match="no name for a plugin"):
        plugins.new("../x", tmp_path, tmp_path)


def test_try_a_file(desk: Desk, tmp_path: Path) -> None:
    """A new plugin is tried before it is installed: verdict and time."""
    made = plugins.new("subject-words", tmp_path, tmp_path)
    settings = {"words": ["casino"]}
    steps, tried = plugins.try_on(desk, str(made[0]), MAIL, settings, Case())
    assert [brief(v) for v in tried.verdicts] == ["Reject(\"subject has 'casino'\")"]
    assert [(s.hook, s.said) for s in steps] == [("headers", "refuses it")]
    _, tried = plugins.try_on(desk, str(made[0]), b"Subject: minutes\n\n", settings, Case())
    assert tried.verdicts == []


def test_try_a_shipped_one(desk: Desk) -> None:
    """By name, with the client's words; settings may carry the plugin's name or not."""
    _, tried = plugins.try_on(desk, "helo_name", MAIL, {}, Case(helo="friend"))
    assert isinstance(tried.verdicts[0], Reject)
    private = Case(helo="mail.local")
    _, tried = plugins.try_on(desk, "helo_name", MAIL, {"helo_name.refuse_private_names": False}, private)
    assert tried.verdicts == []


@pytest.mark.parametrize(
    ("name", "settings", "case", "words"),
    [
        ("helo_name", {"nonsense": 1}, Case(), "nonsense"),
        ("helo_name", {}, Case(recipient="a b"), "address|local part"),
        ("nothing.py", {}, Case(), "does not exist"),
    ],
)
def test_try_errors(desk: Desk, name: str, settings: dict[str, object], case: Case, words: str) -> None:
    """Wrong settings, wrong addresses and missing files are one clear line."""
    with pytest.raises(DeskError, match=words):
        plugins.try_on(desk, name, MAIL, settings, case)


def test_try_broken_file(desk: Desk, tmp_path: Path) -> None:
    """Whatever a file does when it is run, it is told with its name."""
    for text, words in (("1/0", "ZeroDivisionError"), ("x = 1", "no class")):
        (tmp_path / "broken.py").write_text(text)
        with pytest.raises(DeskError, match=words):
            plugins.try_on(desk, str(tmp_path / "broken.py"), MAIL, {}, Case())


@pytest.mark.parametrize("raw", [b"", b"Subject: x", b"Subject: x\r\n\r\nbody", b"\n\nbody", b"a\rb\n\nc"])
def test_message_of(raw: bytes) -> None:
    """A file's line ends become those of the wire, and a file without a body is all headers."""
    message = plugins.message_of(raw)
    assert message.head.endswith(b"\r\n\r\n") or message.head == b"\r\n"
    assert message.body is not None
    assert b"\n" not in message.body.replace(b"\r\n", b"")
