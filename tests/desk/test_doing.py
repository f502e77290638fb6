"""What takes a while for a domain is waited for before its name goes to another; nothing begins later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gatepost.desk import archive, digest_post, domains, left_behind, recipients, training
from gatepost.desk.desk import Desk
from gatepost.desk.doing import doing
from gatepost.desk.errors import DeskError, NotFound
from gatepost.store.under_way import held_up
from tests.desk.test_archive import keep

NAME = "example.org"
FOR_EVER = 1 << 40


def test_doing(desk: Desk) -> None:
    """While it goes on the deletion waits, behind it not; other domains' do not wait; not hosted: nothing."""
    with doing(desk, NAME):
        assert held_up(desk.data_dir, NAME, FOR_EVER)
        assert not held_up(desk.data_dir, "example.com", FOR_EVER)
    assert not held_up(desk.data_dir, NAME, FOR_EVER)
    with pytest.raises(NotFound), doing(desk, "never.example"):
        raise AssertionError
    assert not held_up(desk.data_dir, "never.example", FOR_EVER)


def trains(desk: Desk) -> object:
    """Teach a message."""
    return training.train(desk, NAME, [training.Lesson(b"Subject: x\r\n\r\nwin\r\n", "1.1")], spam=True)


def releases(desk: Desk) -> object:
    """Release a kept mail."""
    return archive.release(desk, keep(desk))


def digests(desk: Desk) -> object:
    """Send a digest now."""
    recipients.add(desk, NAME, ["ann"])
    return digest_post.send(desk, NAME, "ann", lambda *_: b"Subject: digest\r\n\r\n")


DEEDS: list[tuple[Callable[[Desk], object], str]] = [
    (trains, "gatepost.store.trainings.Trainings.train"),
    (releases, "gatepost.spool.queue.Queue.put"),
    (digests, "gatepost.spool.queue.Queue.put"),
]


@pytest.mark.parametrize(("deed", "step"), DEEDS, ids=lambda one: getattr(one, "__name__", ""))
def test_the_name_is_given_away_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, deed: Callable[[Desk], object], step: str
) -> None:
    """Whoever removes the domain while it is done can add another of its name only behind that."""
    monkeypatch.setattr(left_behind, "PATIENCE", 0.0)
    said: list[str] = []

    def given_away(*_given: Any) -> Any:
        domains.remove(desk, NAME)
        with pytest.raises(DeskError) as told:
            domains.add(desk, NAME, ["maildir:///nowhere/%u"], anew=True)
        said.append(str(told.value))
        return []

    monkeypatch.setattr(step, given_away)
    deed(desk)
    assert ["being delivered right now" in text for text in said] == [True]
    domains.add(desk, NAME, ["maildir:///nowhere/%u"], anew=True)
