"""The written dialogues go as they are written, in whole segments, in single bytes and in sevens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smtp.dialogue import FOLDER, play, read

FILES = sorted(FOLDER.glob("*.smtp"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [0, 1, 7])
def test_dialogue(path: Path, size: int) -> None:
    """What is written is what is said."""
    assert play(read(path), size) == ""


def test_there_are_dialogues() -> None:
    """A moved folder does not pass for success."""
    assert len(FILES) >= 12
