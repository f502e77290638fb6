"""`plugin new` writes a plugin and a test that both work before a line is changed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from gatepost.mail.message import Message
from gatepost.mail.verdict import Reject
from gatepost.plugin.bench import Case, try_plugin
from gatepost.plugin.registry import load
from gatepost.plugin.template import names_of, new_plugin


def written(folder: Path, name: str = "subject-words") -> Path:
    for file, text in new_plugin(name).items():
        (folder / file).write_text(text)
    return folder


def test_it_loads_and_works(tmp_path: Path) -> None:
    """The walk of ARCHITECTURE 4c, steps 1 and 3."""
    registry = load(written(tmp_path), entries=False, check_folder=False)
    assert {} == registry.errors()
    message = Message(b"Subject: Best =?utf-8?q?CAS?=INO in town\r\n\r\n")
    (verdict,) = asyncio.run(
        try_plugin(registry["subject_words"], {"words": ["in town"]}, Case(), message)
    ).verdicts
    assert Reject("subject has 'in town'", "Not accepted here") == verdict
    assert [] == asyncio.run(try_plugin(registry["subject_words"], {}, Case(), message)).verdicts


def test_its_test_passes(tmp_path: Path) -> None:
    """The test that is written with it passes as it stands."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_subject_words.py"],
        cwd=written(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == done.returncode, done.stdout
    assert "2 passed" in done.stdout


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("subject-words", ("subject_words", "SubjectWords")),
        ("SubjectWords", ("subject_words", "SubjectWords")),
        ("quiet", ("quiet", "Quiet")),
        ("word_2", ("word2", "Word2")),
    ],
)
def test_names(name: str, expected: tuple[str, str]) -> None:
    """However the name is typed, file and class follow the house's way, and belong together."""
    assert expected == names_of(name)


@pytest.mark.parametrize("name", ["", "2words", "a b", "../x", "x.py", "-", "a--b", "_x", "x" * 41])
def test_bad_names(name: str) -> None:
    """What is no name is refused before anything is written."""
    with pytest.raises(ValueError, match="is no name for a plugin"):
        new_plugin(name)


def test_class_and_file_agree(tmp_path: Path) -> None:
    """The plugin's name is that of its file, also with digits."""
    registry = load(written(tmp_path, "words-2-go"), entries=False, check_folder=False)
    assert {} == registry.errors()
    assert "words2_go" in registry
    assert (tmp_path / "words2_go.py").exists()
