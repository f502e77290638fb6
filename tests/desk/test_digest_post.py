"""A digest is put into the queue once for each period, whoever is killed or runs beside; nothing is lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gatepost.desk import digest_marks, digest_post, domains, left_behind, recipients
from gatepost.desk.desk import Desk
from gatepost.desk.digest import Digest
from gatepost.desk.digest_post import enabled, send, send_due
from gatepost.desk.errors import DeskError
from gatepost.policy.schedule import last_due, zone_of
from gatepost.store.under_way import deed
from tests.desk.conftest import NOW, Clock
from tests.desk.test_archive import deliver
from tests.desk.test_digest import keep

DAY = 86_400.0
SEVEN = last_due("daily", 7, zone_of("UTC"), NOW).at
"""The last seven o'clock."""


def render(one: Digest, id: str, now: float) -> bytes:  # noqa: A002
    """Say who reads how many."""
    return f"Subject: {one.reader} {one.number}\r\n\r\n".encode()


def subjects(desk: Desk) -> list[str]:
    """Return what waits in the queue."""
    found = [desk.queue.blob(one.id).head() for one in desk.queue.list()]
    return sorted(head.split(b"\r\n")[0].decode().removeprefix("Subject: ") for head in found)


@pytest.fixture(autouse=True)
def begun(desk: Desk, clock: Clock) -> None:
    """Ann and bob get digests at seven, the postmaster one of the domain; it is a quarter past ten."""
    recipients.add(desk, "example.org", ["ann", "bob", "postmaster"])
    values = {"digest": "daily", "digest.to": ["postmaster"], "digest.mailboxes": True}
    domains.set_values(desk, "example.org", values)
    clock.now = SEVEN + 3 * 3600
    assert [] == send_due(desk, render)


def test_switched_on(desk: Desk, clock: Clock) -> None:
    """The first one is that of the next moment, and tells what was kept since the one before."""
    assert digest_marks.Last(SEVEN, "2026-11-18") == digest_marks.last(desk, "example.org")
    keep(desk)
    for now, expected in (
        (SEVEN + DAY, []),
        (SEVEN + DAY + 59, []),
        (SEVEN + DAY + 60, ["ann@example.org 1"]),
    ):
        clock.now = now
        send_due(desk, render)
        assert expected == [one for one in subjects(desk) if one.startswith("ann")]
    assert ["ann@example.org 1", "postmaster@example.org 1"] == subjects(desk)
    (envelope, _) = desk.queue.list()
    assert (None, "digest", "example.org", True, 13) == (
        envelope.sender, envelope.reason, envelope.domain, envelope.once, len(envelope.session),
    )  # fmt: skip


def test_once_in_a_period(desk: Desk, clock: Clock) -> None:
    """However often it is looked, and whatever hour is set meanwhile; what comes later is in the next."""
    keep(desk)
    clock.now = SEVEN + DAY + 100
    assert 2 == len(send_due(desk, render))
    deliver(desk)
    keep(desk)
    for hour in (7, 8, 9):
        domains.set_values(desk, "example.org", {"digest.hour": hour})
        clock.now = SEVEN + DAY + (hour - 6) * 3600
        assert [] == send_due(desk, render)
    clock.now = SEVEN + 2 * DAY + 2 * 3600 + 60
    assert [1, 1] == [one.number for one in send_due(desk, render)]


def test_given_away_meanwhile(desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name goes to nobody else before the digest of the old one is in the queue, to go with the rest."""
    monkeypatch.setattr(left_behind, "PATIENCE", 0.0)
    keep(desk)
    clock.now = SEVEN + DAY + 100

    def given_away(one: Digest, name: str, now: float) -> bytes:
        if desk.policy.domain("example.org") is not None:
            domains.remove(desk, "example.org")
            with pytest.raises(DeskError, match="try again"):
                domains.add(desk, "example.org", ["maildir:///nowhere"], anew=True)
        return render(one, name, now)

    assert 2 == len(send_due(desk, given_away))
    domains.add(desk, "example.org", ["maildir:///nowhere"], anew=True)
    assert [] == subjects(desk)


def test_removed_before_it_is_made(desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose name is another's since somebody looked gets no digest of the old one's mail."""
    keep(desk)
    clock.now = SEVEN + DAY + 100
    real = deed

    def given_away(*given: Any) -> Any:
        domains.remove(desk, "example.org")
        domains.add(desk, "example.org", ["maildir:///nowhere"], {"digest": "daily"}, anew=True)
        return real(*given)

    monkeypatch.setattr("gatepost.desk.digest_post.deed", given_away)
    assert [] == send_due(desk, render)
    assert [] == subjects(desk)


def test_weekly(desk: Desk, clock: Clock) -> None:
    """From one Monday to the next."""
    domains.set_values(desk, "example.org", {"digest": "weekly", "digest.mailboxes": False})
    monday = last_due("weekly", 7, zone_of("UTC"), NOW + 7 * DAY).at
    keep(desk)
    for day in (-1, 0, 1, 2, 6):
        clock.now = monday + day * DAY + 60
        assert (1 if day == 0 else 0) == len(send_due(desk, render))


def test_off(desk: Desk, clock: Clock) -> None:
    """A domain without digests is not looked at; what is set for all holds where nothing nearer is set."""
    domains.set_values(desk, "example.org", {"digest": "off"})
    domains.add(desk, "new.example", ["maildir:///nowhere/%u"])
    assert [] == enabled(desk)
    domains.set_values(desk, None, {"digest": "daily"})
    assert ["new.example"] == enabled(desk)
    keep(desk)
    clock.now = SEVEN + 2 * DAY
    assert [] == send_due(desk, render)


def test_the_server_is_down_for_days(desk: Desk, clock: Clock) -> None:
    """The digest that waits is replaced by one that tells all; one that arrived is not told again."""
    for day in (1, 2, 3):
        keep(desk)
        clock.now = SEVEN + day * DAY + 60
        assert 2 == len(send_due(desk, render))
    assert ["ann@example.org 3", "postmaster@example.org 3"] == subjects(desk)
    deliver(desk)
    keep(desk)
    clock.now = SEVEN + 4 * DAY + 60
    send_due(desk, render)
    assert ["ann@example.org 1", "postmaster@example.org 1"] == subjects(desk)


def test_nobody_looked_for_days(desk: Desk, clock: Clock) -> None:
    """The next one tells all that was kept since, but no more than a month."""
    keep(desk)
    clock.now += 10 * DAY
    keep(desk)
    clock.now += 25 * DAY
    assert [1, 1] == [one.number for one in send_due(desk, render)]


class Killed(BaseException):
    """Ends a pass as a kill would."""


@pytest.mark.parametrize("at", range(8))
def test_killed_at_each_step(desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Whatever step is the last: looked at again, each reader has one digest, with all that was kept."""
    keep(desk)
    keep(desk, "bob@example.org")
    clock.now = SEVEN + DAY + 60
    steps = Counter[str]()

    def dying(name: str, real: object) -> object:
        def step(*words: object, **named: object) -> object:
            if sum(steps.values()) == at:
                raise Killed
            steps[name] += 1
            return real(*words, **named)  # type: ignore[operator]

        return step

    with monkeypatch.context() as context:
        context.setattr(digest_post, "_put", dying("put", digest_post._put))
        context.setattr(digest_marks, "sent", dying("sent", digest_marks.sent))
        context.setattr(digest_marks, "told", dying("told", digest_marks.told))
        try:
            send_due(desk, render)
        except Killed:
            pass
    if at % 2:
        deliver(desk)
    delivered = len(list((desk.queue.directory / "sent").iterdir()))
    send_due(desk, render)
    send_due(desk, render)
    assert 3 == delivered + len(subjects(desk)), steps
    assert {"postmaster@example.org 2", "ann@example.org 1", "bob@example.org 1"} >= set(subjects(desk))
    if not at % 2:
        assert ["ann@example.org 1", "bob@example.org 1", "postmaster@example.org 2"] == subjects(desk)


def _pass(data: Path, now: float, plugins: Path, start: object) -> None:
    with Desk(data, "keeper", plugin_folder=plugins, hostname="mx.example.org", clock=lambda: now) as mine:
        start.wait(30)  # type: ignore[attr-defined]
        send_due(mine, render)


def test_processes_at_once(desk: Desk, clock: Clock, tmp_path: Path) -> None:
    """Three at the same time, one of them killed with -9: each reader has one digest."""
    for n in range(20):
        recipients.add(desk, "example.org", [f"u{n}"])
        keep(desk, f"u{n}@example.org")
    clock.now = SEVEN + DAY + 60
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Event()
    words = (desk.data_dir, clock.now, tmp_path / "plugins", start)
    running = [spawn.Process(target=_pass, args=words) for _ in range(3)]
    for one in running:
        one.start()
    start.set()
    while not len(desk.queue) and any(one.is_alive() for one in running):
        running[0].join(0.002)
    if running[0].pid is not None and running[0].is_alive():
        os.kill(running[0].pid, signal.SIGKILL)
    for one in running:
        one.join(60)
    assert [0, 0] == [one.exitcode for one in running[1:]]
    expected = ["postmaster@example.org 20", *(f"u{n}@example.org 1" for n in range(20))]
    assert sorted(expected) == subjects(desk)


def test_send(desk: Desk, clock: Clock) -> None:
    """What somebody asks for goes at once, also twice, and the schedule stays as it is."""
    keep(desk)
    assert ["ann@example.org"] == [one.reader for one in send(desk, "example.org", "ann", render)]
    send(desk, "example.org", None, render)
    assert ["ann@example.org 1", "postmaster@example.org 1"] == subjects(desk)
    clock.now = SEVEN + DAY + 60
    assert 2 == len(send_due(desk, render))
    domains.set_values(desk, "example.org", {"digest.to": []})
    with pytest.raises(DeskError, match=r"nobody gets the digest of example\.org"):
        send(desk, "example.org", None, render)


def test_a_mailbox_with_a_route_of_its_own(desk: Desk) -> None:
    """Its digest goes there."""
    domains.set_values(desk, "bob@example.org", {"route": ["smtp://192.0.2.9"]})
    send(desk, "example.org", "bob", render)
    send(desk, "example.org", "ann", render)
    assert {"bob@example.org": ("smtp://192.0.2.9",), "ann@example.org": ()} == {
        one.recipients[0].address: one.routes for one in desk.queue.list()
    }


def test_marks_go(desk: Desk, clock: Clock) -> None:
    """It is not remembered for ever what was delivered; the marks of others stay."""
    keep(desk)
    send(desk, "example.org", "ann", render)
    deliver(desk)
    other = desk.queue.directory / "sent" / "release-1"
    other.touch()
    for mark in other.parent.iterdir():
        os.utime(mark, (NOW, NOW))
    clock.now = NOW + digest_post.MARKS + DAY
    send_due(desk, render)
    assert [other] == list(other.parent.iterdir())
