"""The how-to pages are true: their snippets run, their settings are those that the system tests show."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gatepost.dns.zone import Zone
from gatepost.mail.verdict import Allow
from gatepost.plugin.bench import Case, try_plugin
from gatepost.plugin.registry import load
from gatepost.plugin.tools import Tools
from gatepost.policy.settings import SETTINGS
from tests.console.pictures import PICTURES
from tests.house.tree import TOP
from tests.system import exim, postfix

HOWTO = TOP / "docs" / "howto"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of one language."""
    text = (HOWTO / page).read_text("utf-8")
    return [block for of, block in BLOCK.findall(text) if of == language]


def test_the_plugin_and_its_test_run(tmp_path: Path) -> None:
    """The first plugin of the page loads, and the test beside it passes as it stands."""
    plugin, test, _ = blocks("write-a-plugin.md", "python")
    (tmp_path / "reply_to.py").write_text(plugin)
    (tmp_path / "try.py").write_text(test)

    done = subprocess.run(
        [sys.executable, "try.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert 0 == done.returncode, done.stderr


def test_the_plugin_that_waits(tmp_path: Path) -> None:
    """The second plugin loads, asks DNS, and has no opinion where there is no answer."""
    (tmp_path / "partners.py").write_text(blocks("write-a-plugin.md", "python")[2])
    registry = load(tmp_path, entries=False, check_folder=False)
    assert {} == registry.errors()
    tools = Tools(dns=Zone("friend.example.partners.example A 127.0.0.2"))

    def said(sender: str) -> list[object]:
        tried = asyncio.run(try_plugin(registry["partners"], {}, Case(sender=sender), None, tools))
        return list(tried.verdicts)

    assert [Allow("friend.example is a partner")] == said("me@friend.example")
    assert [] == said("me@stranger.example")
    assert [] == said("")


@pytest.mark.parametrize(
    ("page", "shown"),
    [("beside-exim.md", exim.CONFIG), ("beside-postfix.md", postfix.MAIN + postfix.MASTER)],
)
def test_settings_of_the_server_behind(page: str, shown: str) -> None:
    """Each line that the page says to set is in the configuration of the real server in the tests."""
    known = {line.strip().replace("{port}", "2600") for line in shown.splitlines()}
    said = {line.strip() for block in blocks(page, "text") for line in block.splitlines() if line.strip()}
    assert said
    assert said <= known, said - known


def test_pages_name_real_words() -> None:
    """Core settings and presets that the pages set with `domain set` exist, with these values."""
    for page in sorted(HOWTO.glob("*.md")):
        for block in blocks(page.name, "sh"):
            for key, value in re.findall(r" ([a-z_.]+)=([a-z]+)(?=\s)", block):
                if key in SETTINGS:
                    SETTINGS[key].check(value)


def test_row_7_6_book() -> None:
    """Who reads the README finds each page."""
    linked = (TOP / "README.md").read_text("utf-8")
    assert [] == [page.name for page in sorted(HOWTO.glob("*.md")) if f"docs/howto/{page.name}" not in linked]


def test_pictures() -> None:
    """Each picture is shown on a page, and can be made anew (`python -m tests.console.pictures`)."""
    there = {path.name for path in (HOWTO / "pictures").iterdir()}
    shown = {
        name
        for page in HOWTO.glob("*.md")
        for name in re.findall(r"\(pictures/([^)]+)\)", page.read_text("utf-8"))
    }
    assert there == shown == PICTURES.keys()
