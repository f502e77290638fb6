"""The queue loses nothing and delivers nothing to two at once (L2, L4, L12, L14)."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.spool.queue import LONGEST_WAIT, Queue
from tests.spool.shim import Failing, Killing, Recorder, in_child
from tests.system.process import wait_until

MAIL = b"Subject: x\r\n\r\nHello\r\n"


def envelope(name: str = "one", due: float = 100.0, *, once: bool = False) -> Envelope:
    return Envelope(name, "a@b.example", (Rcpt("ann@example.org"),), 50.0, due, "example.org", once=once)


def files(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir() if entry.is_file())


def _put(place: Path, at: int) -> None:
    Queue(place, Killing(at)).put(envelope(), [MAIL])


def test_put_and_take(tmp_path: Path) -> None:
    """What was put is due at its time, claimed once, and gone when done."""
    queue = Queue(tmp_path)
    queue.put(envelope(), [MAIL])
    assert [] == queue.due(99)
    assert ["one"] == queue.due(100)
    assert 100.0 == queue.next_due()
    claim = queue.claim("one")
    assert claim is not None
    assert len(MAIL) == claim.envelope.size
    assert [MAIL] == list(claim.blob)
    queue.done(claim)
    assert [] == files(tmp_path)
    assert [] == queue.due(1000)
    assert queue.claim("one") is None
    assert 0 == len(queue)


def test_order_of_writing(tmp_path: Path) -> None:
    """The bytes are on the disk before the envelope has its name, and the names behind both."""
    Queue(tmp_path)
    recorder = Recorder()
    Queue(tmp_path, recorder).put(envelope(), [MAIL])
    said = [word for word in recorder.said if not word.startswith(("open", "close"))]
    expected = [
        "write one.eml.tmp",
        "fsync one.eml.tmp",
        "rename one.eml.tmp -> one.eml",
        "write one.json.tmp",
        "fsync one.json.tmp",
        "rename one.json.tmp -> one.json",
        f"fsync {tmp_path.name}",
    ]
    assert expected == said


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS, errno.EMFILE])
def test_put_fails_whole(tmp_path: Path, code: int) -> None:
    """Whichever call fails while putting, nothing is in the queue: the client hears 4xx and comes again."""
    Queue(tmp_path)
    at = 0
    while True:
        shim = Failing(at, code)
        try:
            Queue(tmp_path, shim).put(envelope(), [MAIL, MAIL])
        except OSError as error:
            assert code == error.errno
            assert [] == files(tmp_path), shim.failed
        else:
            break
        at += 1
    assert at > 10
    assert ["one.eml", "one.json"] == files(tmp_path)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_update_fails_safe(tmp_path: Path, code: int) -> None:
    """A failed update leaves the entry, older or newer, and it can still be delivered."""
    Queue(tmp_path).put(envelope(), [MAIL])
    for at in range(8):
        queue = Queue(tmp_path, Failing(at, code))
        claim = queue.claim("one")
        assert claim is not None
        with pytest.raises(OSError):
            queue.update(claim, replace(claim.envelope, attempts=9))
        claim.release()
        again = Queue(tmp_path).claim("one")
        assert again is not None
        again.release()


def test_killed_while_putting(tmp_path: Path) -> None:
    """kill -9 ahead of each call: the entry is whole or not there, and whole if `put` came back."""
    at = 0
    while True:
        place = tmp_path / str(at)
        Queue(place)
        finished = in_child(partial(_put, place, at))
        late = time.time() + 1200
        queue = Queue(place, clock=lambda late=late: late)  # type: ignore[misc]
        queue.recover()
        left = files(place)
        assert left in ([], ["one.eml", "one.json"])
        if finished:
            assert ["one"] == queue.due(100)
            break
        claim = queue.claim("one") if left else None
        assert claim is None or list(claim.blob) == [MAIL]
        at += 1
    assert at > 8


def test_killed_while_finishing(tmp_path: Path) -> None:
    """kill -9 ahead of each call of `done`: the entry is there to be delivered again, or gone for good."""
    at = 0
    while True:
        place = tmp_path / str(at)
        Queue(place).put(envelope(), [MAIL])

        def work(place: Path = place, at: int = at) -> None:
            queue = Queue(place, Killing(at))
            claim = queue.claim("one")
            assert claim is not None
            queue.done(claim)

        finished = in_child(work)
        queue = Queue(place)
        assert 0 == queue.recover(), "nothing of a finished entry is taken for damage"
        left = files(place)
        assert left in ([], ["one.eml", "one.json"])
        assert (at == 0) == bool(left)
        if finished:
            break
        at += 1
    assert at >= 4


def test_the_claim_dies_with_its_process(tmp_path: Path) -> None:
    """While one process holds the claim no other gets it; after kill -9 the next one does."""
    queue = Queue(tmp_path)
    queue.put(envelope(), [MAIL])
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        held = Queue(tmp_path).claim("one")
        os.write(tell, b"y" if held is not None else b"n")
        time.sleep(60)
        os._exit(0)
    try:
        assert b"y" == os.read(ready, 1)
        assert queue.claim("one") is None
        assert not queue.retry("one", 0)
        assert not queue.drop("one")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    claim = queue.claim("one")
    assert claim is not None
    assert queue.claim("one") is None, "not twice in one process either"


def test_many_workers_one_delivery(tmp_path: Path) -> None:
    """Eight threads race for fifty entries: each is taken exactly once."""
    queue = Queue(tmp_path)
    for number in range(50):
        queue.put(envelope(f"e{number}"), [MAIL])
    taken: list[str] = []

    def work() -> None:
        mine = Queue(tmp_path)
        for name in mine.due(1000):
            claim = mine.claim(name)
            if claim is not None:
                taken.append(name)
                mine.done(claim)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(f"e{number}" for number in range(50)) == sorted(taken)


def test_updates_are_seen_by_others(tmp_path: Path) -> None:
    """Another process's change of due time is seen at the next look."""
    one, two = Queue(tmp_path), Queue(tmp_path)
    one.put(envelope(due=10), [MAIL])
    assert ["one"] == two.due(10)
    claim = one.claim("one")
    assert claim is not None
    one.update(claim, replace(claim.envelope, due=500.0, attempts=1))
    claim.release()
    assert [] == two.due(10)
    assert 500.0 == two.next_due()
    assert two.retry("one", 10)
    assert ["one"] == one.due(10)
    assert two.drop("one")
    assert [] == one.due(1000)


def test_failed_recipients_wait_for_a_person(tmp_path: Path) -> None:
    """An entry whose recipients all failed is listed, never due, and tried again by hand."""
    queue = Queue(tmp_path)
    queue.put(replace(envelope(), recipients=(Rcpt("ann@example.org", failed=True),)), [MAIL])
    assert [] == queue.due(1000)
    assert queue.next_due() is None
    assert ["one"] == [entry.id for entry in queue.list()]
    assert queue.retry("one", 5)
    assert ["one"] == queue.due(1000)
    found = queue.get("one")
    assert found is not None
    assert not found.recipients[0].failed


def test_a_clock_that_stood_wrong(tmp_path: Path) -> None:
    """An entry due years ahead was written by a wrong clock: it is due now (L14)."""
    queue = Queue(tmp_path)
    queue.put(envelope(due=1e10), [MAIL])
    assert ["one"] == queue.due(1000)
    queue.put(envelope("two", due=1000 + LONGEST_WAIT), [MAIL])
    assert ["one"] == queue.due(1000)


def test_garbage_is_put_aside(tmp_path: Path) -> None:
    """A queue full of rubbish starts, says so, delivers what is whole and deletes nothing (L12)."""
    lines: list[tuple[str, dict[str, object]]] = []
    queue = Queue(
        tmp_path, log=lambda name, **said: lines.append((name, said)), clock=lambda: time.time() + 1200
    )
    queue.put(envelope("good"), [MAIL])
    rubbish = {
        "a.json": b"{",
        "a.eml": b"x",
        "b.json": envelope("b").as_json(),
        "c.eml": b"no envelope",
        "d.eml.77.1.tmp": b"half",
        "e.json": envelope("other").as_json(),
        "e.eml": b"x",
        "f": b"?",
        "%.json": b"{}",
    }
    for name, data in rubbish.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    queue.recover()
    assert ["good.eml", "good.json"] == files(tmp_path)
    aside = {entry.name.rpartition(".")[0] for entry in (tmp_path / "corrupt").iterdir()}
    assert set(rubbish) | {"loop.json"} == aside
    assert len(aside) == len([name for name, _ in lines if name == "queue.corrupt"])
    assert ["good"] == queue.due(1000)


def test_fresh_files_are_left_alone(tmp_path: Path) -> None:
    """Another process may be writing just now: nothing younger than ten minutes is touched."""
    queue = Queue(tmp_path)
    (tmp_path / "x.eml").write_bytes(b"half")
    (tmp_path / "y.eml.77.1.tmp").write_bytes(b"half")
    assert 0 == queue.recover()
    assert ["x.eml", "y.eml.77.1.tmp"] == files(tmp_path)


def test_unreadable_when_claimed(tmp_path: Path) -> None:
    """Damage that recovery did not see is put aside at the claim, and the queue goes on."""
    queue = Queue(tmp_path)
    queue.put(envelope("a"), [MAIL])
    (tmp_path / "a.json").write_bytes(b"{")
    assert ["a"] == queue.due(1000)
    assert queue.claim("a") is None
    assert [] == files(tmp_path)
    queue.put(envelope("b"), [MAIL])
    (tmp_path / "b.eml").unlink()
    assert queue.claim("b") is None
    assert [] == files(tmp_path)


def test_once(tmp_path: Path) -> None:
    """Two clicks on release are one entry; a third behind the delivery is none (L9)."""
    queue = Queue(tmp_path)
    queue.put(envelope("r", once=True), [MAIL])
    queue.put(envelope("r", once=True), [MAIL])
    assert 1 == len(queue)
    claim = queue.claim("r")
    assert claim is not None
    queue.done(claim)
    assert queue.was_sent("r")
    queue.put(envelope("r", once=True), [MAIL])
    assert 0 == len(queue)
    queue.forget_sent("r")
    queue.put(envelope("r", once=True), [MAIL])
    assert 1 == len(queue)


def test_dropped_is_not_delivered(tmp_path: Path) -> None:
    """A release that failed and was dropped may be asked for again."""
    queue = Queue(tmp_path)
    queue.put(envelope("r", once=True), [MAIL])
    assert queue.drop("r")
    assert not queue.was_sent("r")
    queue.put(envelope("r", once=True), [MAIL])
    assert 1 == len(queue)


def test_failed_entries_expire(tmp_path: Path) -> None:
    """What failed and nobody looked after goes after its time; what waits stays."""
    queue = Queue(tmp_path)
    queue.put(replace(envelope("f"), recipients=(Rcpt("ann@example.org", failed=True),)), [MAIL])
    queue.put(envelope("w"), [MAIL])
    assert 0 == queue.expire_failed(150, 60)
    assert 1 == queue.expire_failed(200, 60)
    assert ["w"] == [one.id for one in queue.list()]


def test_marks_expire(tmp_path: Path) -> None:
    """Old marks of one kind go; newer ones, and those of others, stay."""
    queue = Queue(tmp_path)
    for name in ("digest-1", "digest-2", "release-1"):
        queue.put(envelope(name, once=True), [MAIL])
        claim = queue.claim(name)
        assert claim is not None
        queue.done(claim)
    for name in ("digest-1", "release-1"):
        os.utime(tmp_path / "sent" / name, (100, 100))
    assert 1 == queue.expire_sent("digest-", 200)
    assert [False, True, True] == [queue.was_sent(name) for name in ("digest-1", "digest-2", "release-1")]


def test_once_in_a_race(tmp_path: Path) -> None:
    """Clicks from many processes while the courier delivers: exactly one delivery."""
    queue = Queue(tmp_path)
    stop = threading.Event()
    delivered: list[str] = []

    def courier() -> None:
        mine = Queue(tmp_path)
        while not stop.is_set():
            for name in mine.due(1000):
                claim = mine.claim(name)
                if claim is not None:
                    delivered.append(name)
                    mine.done(claim)

    runner = threading.Thread(target=courier)
    runner.start()
    clicks = [threading.Thread(target=queue.put, args=(envelope("r", once=True), [MAIL])) for _ in range(20)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    wait_until(lambda: delivered, "it is delivered")
    time.sleep(0.1)  # for a second time that must not come
    stop.set()
    runner.join()
    assert ["r"] == delivered


def test_killed_behind_the_mark(tmp_path: Path) -> None:
    """Killed after a release was delivered and marked, before its entry went: not delivered again."""
    for at in range(20):
        place = tmp_path / str(at)
        Queue(place).put(envelope("r", once=True), [MAIL])

        def work(place: Path = place, at: int = at) -> None:
            queue = Queue(place, Killing(at))
            claim = queue.claim("r")
            assert claim is not None
            queue.done(claim)

        finished = in_child(work)
        queue = Queue(place)
        queue.recover()
        marked = queue.was_sent("r")
        assert (queue.claim("r") is None) == marked
        queue.put(envelope("r", once=True), [MAIL])
        assert len(queue) == (0 if marked else 1)
        if finished:
            break
    else:
        pytest.fail("never came to the end")


def test_ids_are_no_paths(tmp_path: Path) -> None:
    """An id that is not plain is our own error; a person's words never leave the directory."""
    queue = Queue(tmp_path)
    with pytest.raises(ValueError, match="not an id"):
        queue.put(envelope("../x"), [MAIL])
    assert not queue.drop("../../etc/passwd")
    assert queue.get("..") is None
    assert Queue.new_id() != Queue.new_id()
