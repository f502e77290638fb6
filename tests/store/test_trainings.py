"""Trainings are on the disk before they are learnt, are taken back exactly, and survive kill -9."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from gatepost.learn.features import Features
from gatepost.learn.model import Model
from gatepost.store import trainings as module
from gatepost.store.model_file import ModelFile
from gatepost.store.trainings import TooOld, Training, Trainings
from tests.learn.mails import ham, spam
from tests.system.process import wait_until

SEED = 7


def one(number: int, *, is_spam: bool, by: str = "ann") -> tuple[Training, Features]:
    kind = spam if is_spam else ham
    training = Training(is_spam, by, float(number), f"{'s' if is_spam else 'h'}{number}")
    return training, kind(number)


def teach(folder: Path, numbers: range, by: str = "ann") -> list[Training]:
    with Trainings(folder, SEED) as held:
        return held.train(one(n, is_spam=bool(n % 2), by=by) for n in numbers)


def scores(folder: Path) -> list[float]:
    model = ModelFile(folder / "model").model
    return [model.score(kind(99)).total for kind in (spam, ham)]


def test_learnt_and_counted(tmp_path: Path) -> None:
    """Each training has a number; the model has learnt and says how many of each."""
    assert list(range(1, 21)) == [training.seq for training in teach(tmp_path, range(20))]
    file = ModelFile(tmp_path / "model")
    assert (10, 10, 20, False, SEED) == (file.spam, file.ham, file.seq, file.dirty, file.seed)
    bad, good = scores(tmp_path)
    assert bad > 1 > -1 > good


def test_a_fault_lets_go_of_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full, the next one need not wait until this process ends."""

    def full(_self: object) -> None:
        raise OSError(28, "No space left on device")

    for where, name in ((Trainings, "_whole"), (ModelFile, "sync")):
        with monkeypatch.context() as broken:
            broken.setattr(where, name, full)
            with pytest.raises(OSError, match="No space"):
                teach(tmp_path, range(2))
        lock = os.open(tmp_path / "lock", os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(lock)
    teach(tmp_path, range(2))
    assert [1, 2] == [training.seq for training in Trainings(tmp_path, SEED).look()]


def test_never_one_mail_twice(tmp_path: Path) -> None:
    """The same message with the same label counts once, with the other label it is a correction."""
    teach(tmp_path, range(4))
    assert [] == teach(tmp_path, range(4))
    with Trainings(tmp_path, SEED) as held:
        training, features = one(1, is_spam=True)
        changed = Training(False, "bob", 9.0, training.key, correct=True)
        assert [5] == [t.seq for t in held.train([(changed, features)])]
    assert ModelFile(tmp_path / "model").model.score(spam(1)).total <= -1


@pytest.mark.parametrize("segment", [500, 6])
def test_undo_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, segment: int) -> None:
    """A person's day taken back: no score differs from never having trained it, to the last digit."""
    monkeypatch.setattr(module, "SEGMENT", segment)
    teach(tmp_path / "a", range(10))
    bad = teach(tmp_path / "a", range(100, 106), by="mallory")
    teach(tmp_path / "a", range(10, 30))
    teach(tmp_path / "b", range(30))
    assert scores(tmp_path / "a") != scores(tmp_path / "b")
    with Trainings(tmp_path / "a", SEED) as held:
        assert 6 == len(held.undo(t.seq for t in bad))
        assert [t.seq for t in bad] == [t.seq for t in held.log() if t.undone]
    assert scores(tmp_path / "a") == scores(tmp_path / "b")
    assert ModelFile(tmp_path / "a" / "model").spam == ModelFile(tmp_path / "b" / "model").spam
    # And what comes afterwards is learnt on top of that, in both alike.
    teach(tmp_path / "a", range(30, 40))
    teach(tmp_path / "b", range(30, 40))
    assert scores(tmp_path / "a") == scores(tmp_path / "b")
    with Trainings(tmp_path / "a", SEED) as held:
        assert [] == held.undo(t.seq for t in bad)


def test_old_segments_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is bounded; what they taught stays; to take it back is too late and says so."""
    monkeypatch.setattr(module, "SEGMENT", 4)
    monkeypatch.setattr(module, "KEPT_SEGMENTS", 2)
    teach(tmp_path / "a", range(40))
    assert len(list((tmp_path / "a").glob("seg-*.jsonl"))) <= 3
    with Trainings(tmp_path / "a", SEED) as held:
        with pytest.raises(TooOld, match="too far back"):
            held.undo([1])
        last = [t.seq for t in held.log()][-3:]
        held.undo(last)
    teach(tmp_path / "b", range(37))
    assert scores(tmp_path / "a") == scores(tmp_path / "b")


def test_a_lost_or_damaged_model_is_made_anew(tmp_path: Path) -> None:
    """From the log, to the last digit; half a line at its end was never learnt."""
    teach(tmp_path, range(20))
    before = scores(tmp_path)
    for harm in (b"", b"garbage", None):
        if harm is None:
            (tmp_path / "model").unlink()
        else:
            (tmp_path / "model").write_bytes(harm)
        with (tmp_path / "seg-00001.jsonl").open("ab") as stream:
            stream.write(b'{"seq": 99, "spam": tr')
        assert [] == teach(tmp_path, range(20))
        assert before == scores(tmp_path)
    assert [21] == [t.seq for t in teach(tmp_path, range(20, 21))]


def _teach_for_ever(folder: str) -> None:
    number = 0
    while True:
        number += 1
        teach(Path(folder), range(number, number + 1))


def test_kill_9(tmp_path: Path) -> None:
    """Two at once, killed in the middle: afterwards the model is what its log says, to the last digit."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_teach_for_ever, args=(str(tmp_path),)) for _ in range(2)]
    for worker in workers:
        worker.start()
    log = tmp_path / "seg-00001.jsonl"
    wait_until(lambda: log.exists() and log.stat().st_size > 5_000, "they teach", 60)
    for worker in workers:
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    with Trainings(tmp_path, SEED) as held:
        numbers = [t.seq for t in held.log()]
        learnt = Model.empty()
        for training, features in held.examples():
            learnt.train(features, spam=training.spam)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 10
    assert scores(tmp_path) == [learnt.score(kind(99)).total for kind in (spam, ham)]
