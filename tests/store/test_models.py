"""All models of an installation: one seed, one base, and each domain's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.store.base import StoreDamaged, StoreError
from gatepost.store.models import Models
from tests.learn.mails import ham, spam
from tests.store.test_trainings import one


def teach(models: Models, domain: str, count: int, start: int = 0) -> None:
    with models.trainings(domain) as held:
        held.train(one(n, is_spam=bool(n % 2)) for n in range(start, start + count))


def test_one_seed(tmp_path: Path) -> None:
    """Made once, secret, the same for each process."""
    assert Models(tmp_path).seed == Models(tmp_path).seed
    assert 0o600 == (tmp_path / "learn" / "seed").stat().st_mode & 0o777
    assert Models(tmp_path / "other").seed != Models(tmp_path).seed
    (tmp_path / "learn" / "seed").write_text("nonsense")
    with pytest.raises(StoreDamaged, match="no number"):
        _ = Models(tmp_path).seed


def test_each_domain_its_own(tmp_path: Path) -> None:
    """What one learns another never hears; an undo is seen at once by who has the old file mapped."""
    models, reader = Models(tmp_path), Models(tmp_path)
    assert reader.of("example.org") is None
    teach(models, "example.org", 20)
    score, spams, hams = reader.score("example.org", spam(99))
    assert (10, 10) == (spams, hams)
    assert score.total > 1
    assert 0.0 == reader.score("other.example", spam(99))[0].total
    with models.trainings("example.org") as held:
        held.undo([t.seq for t in held.log()])
    assert 0.0 == reader.score("example.org", spam(99))[0].total


def test_base(tmp_path: Path) -> None:
    """Made of domains that share; who has learnt nothing leans on it, in a new process and in an old one."""
    models, reader = Models(tmp_path), Models(tmp_path)
    assert reader.score("new.example", spam(99))[0].total == 0
    teach(models, "a.example", 20)
    teach(models, "b.example", 20, start=100)
    assert (1, 40) == models.make_base(["a.example", "b.example"])
    for one_reader in (reader, Models(tmp_path)):
        assert one_reader.score("new.example", spam(99))[0].total > 0.3
        assert one_reader.score("new.example", ham(99))[0].total < -0.3
    assert (2, 20) == models.make_base(["a.example"])
    assert 2 == Models(tmp_path).trainings("x.example")._base_version
    assert (tmp_path / "learn" / "base").stat().st_size <= 16_000_000


def test_a_new_base_is_learnt_on(tmp_path: Path) -> None:
    """A domain's own model is made anew over it, so that undo stays exact."""
    models = Models(tmp_path)
    teach(models, "a.example", 20)
    models.make_base(["a.example"])
    teach(models, "b.example", 10)
    models.make_base(["a.example"])
    teach(models, "b.example", 10, start=10)
    teach(models, "c.example", 20)
    assert models.score("b.example", spam(99))[0].total == models.score("c.example", spam(99))[0].total


@pytest.mark.parametrize("name", ["../x", "", ".", "a/b", "A.example", "x" * 300])
def test_names(tmp_path: Path, name: str) -> None:
    """No name leads out of the folder."""
    with pytest.raises(StoreError):
        Models(tmp_path).of_domain(name)


def test_a_damaged_base_is_told(tmp_path: Path) -> None:
    """It is said, not guessed."""
    models = Models(tmp_path)
    teach(models, "a.example", 2)
    (tmp_path / "learn" / "base").write_bytes(b"x" * 100)
    with pytest.raises(StoreDamaged, match="no base"):
        models.score("a.example", spam(1))
