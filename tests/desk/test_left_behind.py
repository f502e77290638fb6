"""What a removed domain left comes back with it, or goes before anybody else has its name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from threading import Thread

import pytest

from gatepost.desk import (
    changes,
    domains,
    left_behind,
    overview,
    srv,
    tokens,
    train_addresses,
    users,
)
from gatepost.desk.deeds import at_once
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError
from gatepost.desk.left_behind import DAY, DAYS, StillThere
from gatepost.desk.srv_follow import ROUTE as ROUTE_KEY
from gatepost.desk.srv_follow import TreeFollower
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.store.journal_lines import outcome_line
from gatepost.store.journal_writer import JournalWriter
from gatepost.store.policy_files import bring
from gatepost.store.under_way import UnderWay
from tests.desk.conftest import Clock
from tests.desk.lived import NAME, OTHER, ROUTE, left, live, lived, nothing


@pytest.fixture
def full(desk: Desk) -> Desk:
    """Return a desk with two domains that have lived."""
    return lived(desk)


def srv_follow(desk: Desk) -> TreeFollower:
    """Return who follows a tree."""
    return TreeFollower(desk, desk.data_dir / "srv", {})


def test_roll_back_brings_all_back(full: Desk) -> None:
    """The removal alone deletes nothing, so what it takes away comes back as it was."""
    before = left(full, NAME)
    assert all(before.values()), before
    domains.remove(full, NAME)
    (removal,) = changes.listing(full, NAME, limit=1)
    changes.roll_back(full, removal.id)
    assert before == left(full, NAME)
    assert (OTHER, NAME) == tuple(sorted(users.get(full, "ann").domains))
    assert left_behind.look(full) == []


def test_a_new_domain_is_asked_about(full: Desk) -> None:
    """Without a word nothing is added and nothing deleted; the answer names both ways."""
    before = left(full, NAME)
    domains.remove(full, NAME)
    (removal,) = changes.listing(full, NAME, limit=1)
    with pytest.raises(StillThere, match=rf"--roll-back {removal.id} .*--again.*--anew"):
        domains.add(full, NAME, ROUTE)
    assert before == left(full, NAME)
    with pytest.raises(DeskError):  # what cannot be added deletes nothing
        domains.add(full, NAME, ROUTE, {"keep_dais": 3}, anew=True)
    changes.roll_back(full, removal.id)
    assert before == left(full, NAME)


def test_anew_inherits_nothing(full: Desk) -> None:
    """Nothing of the old one is seen in any place, nobody of the old one gets in; others lost nothing."""
    theirs = left(full, OTHER)
    _, bearer = tokens.add(full, "root", "watch", rights="look", domains=[NAME])
    _, both = tokens.add(full, "root", "both", rights="look", domains=[NAME, OTHER])
    old = train_addresses.of_person(full, NAME, "annabel")
    domains.remove(full, NAME)
    (removal,) = changes.listing(full, NAME, limit=1)
    domains.add(full, NAME, ROUTE, anew=True)
    assert nothing(full, NAME), left(full, NAME)
    assert theirs == left(full, OTHER)
    assert (OTHER,) == users.get(full, "ann").domains
    assert tokens.who_bears(full, bearer) is None
    kept = tokens.who_bears(full, both)
    assert kept is not None
    assert (OTHER,) == kept.user.domains
    full.policy.add_recipients(NAME, ["annabel"])
    assert old != train_addresses.of_person(full, NAME, "annabel")
    older = [one for one in changes.listing(full, NAME) if one.id <= removal.id]
    assert {"domain"} == {one.what for one in older}
    assert not [word for word in ("annabel", "maildir", "bob") if word in repr(older)]
    with pytest.raises(DeskError, match="cannot be rolled back"):
        changes.roll_back(full, removal.id)


def test_no_byte_is_left(full: Desk) -> None:
    """No file says the name of a person of the removed domain any more."""
    domains.remove(full, NAME)
    left_behind.forget(full, NAME)
    full.close()
    found = [
        str(path.relative_to(full.data_dir))
        for path in full.data_dir.rglob("*")
        if path.is_file() and b"annabel@example.org" in path.read_bytes()
    ]
    assert [name for name in found if not name.startswith("journal/")] == []


def test_when_the_time_is_over(full: Desk, clock: Clock) -> None:
    """After 30 days the keeper deletes it; then the name is free, and nothing can be rolled back."""
    domains.remove(full, NAME)
    (removal,) = changes.listing(full, NAME, limit=1)
    clock.now += DAYS * DAY - 1
    assert left_behind.look(full) == []
    clock.now += 2
    assert left_behind.look(full) == [NAME]
    assert left_behind.look(full) == []
    assert nothing(full, NAME)
    with pytest.raises(DeskError, match="cannot be rolled back"):
        changes.roll_back(full, removal.id)
    domains.add(full, NAME, ROUTE)
    (told,) = [one for one in changes.listing(full, "all") if one.what == "forgotten"]
    assert told.after["kept"] == 1
    assert f"removed domain {NAME}: 1 accounts" in changes.in_words(told)


def test_hosted_again_is_left_alone(full: Desk, clock: Clock) -> None:
    """Whoever was brought back keeps all, however old the removal is."""
    domains.remove(full, NAME)
    (removal,) = changes.listing(full, NAME, limit=1)
    changes.roll_back(full, removal.id)
    before = left(full, NAME)
    clock.now += 2 * DAYS * DAY
    assert left_behind.look(full) == []
    assert left_behind.forget(full, NAME) == {}
    assert before["records"] == left(full, NAME)["records"]


def test_killed_in_between(full: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who dies while he deletes has closed the way back; the next one ends it."""
    domains.remove(full, NAME)
    (removal,) = changes.listing(full, NAME, limit=1)
    with monkeypatch.context() as patched:
        patched.setattr(type(full.records), "forget_domain", lambda _self, _name: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            left_behind.forget(full, NAME)
    with pytest.raises(DeskError, match="cannot be rolled back"):
        changes.roll_back(full, removal.id)
    for anew in (None, False):
        with pytest.raises(StillThere, match="still kept: to add it, say that it is another"):
            domains.add(full, NAME, ROUTE, anew=anew)
    domains.add(full, NAME, ROUTE, anew=True)
    assert nothing(full, NAME)


def test_hosted_anew_while_it_is_deleted(full: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who adds the name meanwhile, in another process, waits: the deleting never meets what is his."""
    domains.remove(full, NAME)
    real, fresh = left_behind._kept, {"done": False}
    other = Desk(full.data_dir, "other")

    def add() -> None:
        domains.add(other, NAME, ROUTE, anew=True)
        live(other, NAME, 5)
        fresh["done"] = True

    adding = Thread(target=add)

    def meanwhile(desk: Desk, name: str) -> int:
        monkeypatch.setattr(left_behind, "_kept", real)
        adding.start()
        adding.join(0.5)
        assert not fresh["done"]
        assert desk.policy.domain(name) is None
        return real(desk, name)

    monkeypatch.setattr(left_behind, "_kept", meanwhile)
    assert left_behind.forget(full, NAME)["kept"] == 1
    adding.join(30)
    assert fresh["done"]
    assert ["waits5"] == left(full, NAME)["queue"]
    assert all(
        left(full, NAME)[kind] for kind in ("kept", "records", "reviews", "greylist", "model", "filter")
    )


@pytest.mark.parametrize("how", [domains.remove, lambda desk, name: srv_follow(desk)._gone_too(name)])
def test_removed_meanwhile(full: Desk, how: Callable[[Desk, str], object]) -> None:
    """Who removes one waits, as who adds one does: no step of a deletion or of an addition meets him."""
    bring(full.policy, "files.example", {ROUTE_KEY: ROUTE}, full.by, follow=True)
    other = Desk(full.data_dir, full.by)
    removing = Thread(target=how, args=(other, "files.example"))
    with left_behind.alone(full):
        removing.start()
        removing.join(0.3)
        assert full.policy.domain("files.example") is not None
    removing.join(30)
    assert full.policy.domain("files.example") is None


@pytest.mark.parametrize("step", ["_queue", "_kept", "_journal", "_accounts"])
def test_hosted_past_the_lock(full: Desk, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Even where somebody hosts it without the lock, each step looks first whether it is still gone."""
    domains.remove(full, NAME)
    real = getattr(left_behind, step)

    def hosts(desk: Desk, name: str) -> int:
        done: int = real(desk, name)
        if desk.policy.domain(name) is None:
            desk.policy.add_domain(name, ROUTE)
        at_once(desk.state.add(f"reputation\x1f{name}\x1fgood new@x.example", 1, DAY))
        return done

    monkeypatch.setattr(left_behind, step, hosts)
    with pytest.raises(Conflict, match="hosted again"):
        left_behind.forget(full, NAME)
    assert 1 == at_once(full.state.add(f"reputation\x1f{NAME}\x1fgood new@x.example", 0, DAY))


def test_a_mail_that_is_being_delivered(full: Desk, clock: Clock) -> None:
    """What the courier holds cannot be dropped: until it is through, nobody has the name; others go on."""
    domains.remove(full, NAME)
    domains.remove(full, OTHER)
    claim = full.queue.claim("waits3")
    assert claim is not None
    with pytest.raises(DeskError, match=r"being delivered right now.*try again in some minutes"):
        domains.add(full, NAME, ROUTE, anew=True)
    assert full.policy.domain(NAME) is None
    clock.now += DAYS * DAY + 1
    assert left_behind.look(full) == [OTHER]
    assert left(full, NAME)["queue"] == ["waits3"]
    claim.release()
    domains.add(full, NAME, ROUTE, anew=True)
    assert nothing(full, NAME), left(full, NAME)


def test_a_mail_that_comes_in(full: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that still takes one of the old domain is waited for, and what it queued goes too."""
    worker = UnderWay(full.data_dir, "w0")
    domains.remove(full, NAME)

    def ends(_seconds: float) -> None:
        envelope = Envelope("late", "", (Rcpt("x"),), full.clock(), full.clock(), domain=NAME)
        full.queue.put(envelope, [b"a"])
        for _ in range(2):
            worker.tell(full.policy.version(), lambda _name: False)

    with worker.work((NAME,)):
        monkeypatch.setattr(left_behind, "PATIENCE", 0.0)
        with pytest.raises(DeskError, match=r"coming in or being delivered right now.*try again"):
            domains.add(full, NAME, ROUTE, anew=True)
    assert full.policy.domain(NAME) is None
    assert left(full, NAME)["journal"]
    monkeypatch.setattr(left_behind, "PATIENCE", 60.0)
    monkeypatch.setattr("time.sleep", ends)
    domains.add(full, NAME, ROUTE, anew=True)
    assert nothing(full, NAME), left(full, NAME)


def test_an_import_is_asked(full: Desk, tmp_path: Path) -> None:
    """Who imports a tree may not take over what is left either."""
    (tmp_path / "srv" / NAME).mkdir(parents=True)
    domains.remove(full, NAME)
    with pytest.raises(StillThere, match="anew"):
        srv.import_tree(full, tmp_path / "srv", route=ROUTE[0])
    assert full.policy.domain(NAME) is None


def test_mail_stays_as_long_as_it_would_have(full: Desk) -> None:
    """A removed domain's mail is kept as its own policy said: who brings it back misses none."""
    domains.set_values(full, NAME, {"keep_days": 90})
    domains.remove(full, NAME)
    assert 90 == left_behind.keep_days(full, NAME)
    domains.remove(full, OTHER)
    assert DAYS == left_behind.keep_days(full, OTHER)
    assert DAYS == left_behind.keep_days(full, "never.example")


def test_counts_of_the_old_one_are_not_remembered(full: Desk, clock: Clock) -> None:
    """The overview remembers hours for minutes; a new domain does not get those of the old one."""
    writer = JournalWriter(full.data_dir, "w1", clock=lambda: full.clock() - 3 * DAY)
    writer.add(outcome_line("0DQ3N7V5K2F9T.1", NAME, f"a@{NAME}", "s@x.example", "192.0.2.1", "accepted"))
    writer.close()

    def seen() -> int:
        return sum(line.total for _, line in overview.overview(full, [NAME], UTC).days)

    assert seen() > 0
    clock.now += 1
    domains.remove(full, NAME)
    domains.add(full, NAME, ROUTE, anew=True)
    assert 0 == seen()


def test_the_same_again(full: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no roll back brings it back (it was too large), the same domain is added with what it had."""
    monkeypatch.setattr("gatepost.store.policy_write.WRITTEN_DOWN", 0)
    before, old = left(full, NAME), train_addresses.of_person(full, NAME, "annabel")
    domains.remove(full, NAME)
    (removal,) = changes.listing(full, NAME, limit=1)
    with pytest.raises(DeskError, match="cannot be rolled back"):
        changes.roll_back(full, removal.id)
    domains.add(full, NAME, ROUTE, anew=False)
    assert before == left(full, NAME)
    assert NAME in users.get(full, "ann").domains
    full.policy.add_recipients(NAME, ["annabel"])
    assert old == train_addresses.of_person(full, NAME, "annabel")
    clock.now += 2 * DAYS * DAY
    assert left_behind.look(full) == []
