"""A model as a file: bounded, checked, and seen by readers while somebody writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.store.base import StoreDamaged
from gatepost.store.model_file import SIZE, ModelFile, copy_model, new_model
from tests.learn.mails import spam


def test_size(tmp_path: Path) -> None:
    """At most 1 MB, and an empty one takes next to nothing on the disk."""
    new_model(tmp_path / "model", 7, 0)
    assert SIZE == (tmp_path / "model").stat().st_size <= 1_000_000
    assert (tmp_path / "model").stat().st_blocks * 512 < 20_000


def test_a_reader_sees_what_is_written(tmp_path: Path) -> None:
    """Without opening it again."""
    new_model(tmp_path / "model", 7, 3)
    reader, writer = ModelFile(tmp_path / "model"), ModelFile(tmp_path / "model", write=True)
    writer.begin()
    writer.model.train(spam(1), spam=True)
    assert reader.dirty
    writer.done(5, spam=True)
    assert (False, 1, 0, 5, 7, 3) == (
        reader.dirty, reader.spam, reader.ham, reader.seq, reader.seed, reader.base_version
    )  # fmt: skip
    assert reader.model.score(spam(1)).total == writer.model.score(spam(1)).total > 0
    with pytest.raises(ValueError):
        reader.model.train(spam(2), spam=True)


def test_copy(tmp_path: Path) -> None:
    """A copy is the same, and goes its own way from then on."""
    new_model(tmp_path / "model", 7, 0)
    file = ModelFile(tmp_path / "model", write=True)
    file.model.train(spam(1), spam=True)
    file.sync()
    copy_model(tmp_path / "model", tmp_path / "copy")
    copied = ModelFile(tmp_path / "copy")
    assert copied.model.score(spam(1)).total == file.model.score(spam(1)).total
    file.model.train(spam(2), spam=True)
    assert copied.model.score(spam(2)).total != file.model.score(spam(2)).total


@pytest.mark.parametrize("harm", [b"", b"x" * 100, b"\0" * SIZE])
def test_damaged(tmp_path: Path, harm: bytes) -> None:
    """What is no model is said to be none."""
    (tmp_path / "model").write_bytes(harm)
    with pytest.raises(StoreDamaged):
        ModelFile(tmp_path / "model")
