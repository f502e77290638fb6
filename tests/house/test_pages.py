"""Pages for people are true: links lead somewhere, commands exist, the version is in the change log."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gatepost import __version__
from gatepost.cli.main import cli
from tests.house.tree import TOP, name, pages, tracked

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return FENCE.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """Return the names under which a page's headings can be linked to, as GitHub makes them."""
    return {
        re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")
        for text in HEADING.findall(prose(page))
    }


def test_links_lead_somewhere() -> None:
    """Each relative link is a file of the repository, and its heading exists."""
    broken = []
    for page in pages():
        for link in LINK.findall(prose(page)):
            file, _, heading = link.partition("#")
            target = (page.parent / file).resolve() if file else page
            if re.match(r"[a-z]+:", link):
                continue
            if not target.exists() or (heading and heading not in anchors(target)):
                broken.append(f"{name(page)} links to {link}")
    assert not broken, "\n".join(broken)


def commands() -> Iterator[tuple[str, str]]:
    """Yield (page, command) for each line of a shell block that calls gatepost."""
    for page in pages():
        for language, block in FENCE.findall(page.read_text("utf-8")):
            if language in {"sh", "bash", "console"}:
                for line in block.replace("\\\n", " ").splitlines():
                    text = re.sub(r"^(\$ |\.venv/bin/)", "", line)
                    if text.startswith("gatepost "):
                        yield name(page), text


@pytest.mark.parametrize(("page", "command"), list(commands()))
def test_commands_exist(page: str, command: str) -> None:
    """Each command that a page shows exists, with its options and its arguments."""
    words = shlex.split(command, comments=True)[1:]
    found: click.Command = cli
    context = click.Context(cli, info_name="gatepost")
    while isinstance(found, click.Group):
        while words and words[0].startswith("-"):
            words.pop(0)
        assert words, f"{page}: {command}: which command?"
        word = words.pop(0)
        inner = found.get_command(context, word)
        assert inner is not None, f"{page}: {command}: there is no {word}"
        found = inner
        context = click.Context(inner, info_name=word, parent=context)
    try:
        found.parse_args(context, words)
    except click.UsageError as error:
        pytest.fail(f"{page}: {command}: {error.format_message()}", pytrace=False)


def test_readme_is_one_screen() -> None:
    """Who has five minutes reads it whole."""
    assert len((TOP / "README.md").read_text("utf-8").splitlines()) <= 60


def test_version_is_in_the_change_log() -> None:
    """What we are is what the change log says, or what it calls unreleased."""
    text = (TOP / "CHANGELOG.md").read_text("utf-8")
    assert f"## {__version__}" in text or "## Unreleased" in text


def test_no_path_of_a_developers_machine() -> None:
    """Nothing in a page or in code holds only where somebody wrote it."""
    parents = {f"{TOP.parent}/", f"{Path.home()}/"} - {"/", "//"}
    for path in tracked():
        if path.suffix in {".py", ".md", ".toml", ".sh", ""}:
            text = path.read_text("utf-8", "replace")
            assert not [parent for parent in parents if parent in text], name(path)
