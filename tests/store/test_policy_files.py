"""What files say is brought in and taken out; what a person entered stays."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.store.base import NotFound
from gatepost.store.policy_db import PolicyStore
from gatepost.store.policy_files import NO_MARKS, Key, bring, followed, let_go, rows_of
from gatepost.store.scopes import EVERYWHERE

DENY: Key = ("entry", "", "", "deny", "ip", "192.0.2.1")
ANN: Key = ("recipient", "ann", "valid")
MODE: Key = ("setting", "", "spf.mode")
NAME: Key = ("kept", "checks", "nosuch")
ROWS: dict[Key, Any] = {DENY: dict(NO_MARKS), ANN: ["192.0.2.0/24"], MODE: "on", NAME: None}


def of(store: PolicyStore, rows: dict[Key, Any]) -> dict[Key, Any]:
    """Return those of a domain's rows that are named in `rows`."""
    return {key: value for key, value in rows_of(store, "files.example").items() if key in rows}


def test_not_hosted_by_the_way(store: PolicyStore) -> None:
    """Where it was there when somebody looked, and is removed this moment, it stays removed."""
    with pytest.raises(NotFound):
        bring(store, "files.example", ROWS, "files", follow=True, host=False)
    assert store.domain("files.example") is None
    bring(store, EVERYWHERE, {DENY: dict(NO_MARKS)}, "files", follow=True, host=False)
    bring(store, "files.example", ROWS, "files", follow=True)
    assert bring(store, "files.example", {}, "files", follow=True, remove=True, host=False)


def test_in_and_out(store: PolicyStore) -> None:
    """Rows come in one change, the same again is none, and what files no longer say goes."""
    version = store.version()
    done = bring(store, "files.example", ROWS, "files", follow=True)
    assert (True, 4, version + 1) == (done.hosted, done.added, store.version())
    assert ROWS == of(store, ROWS)
    assert {"files.example"} == followed(store)
    assert not bring(store, "files.example", ROWS, "files", follow=True, remove=True)
    assert version + 1 == store.version()
    assert 4 == bring(store, "files.example", {}, "files", follow=True, remove=True).removed
    assert {} == of(store, ROWS)


def test_a_persons_own_stays(store: PolicyStore) -> None:
    """A recipient or an entry that a person entered is not the files'; a setting comes back."""
    store.add_domain("files.example", "smtp://127.0.0.1:26")
    store.add_entry("domain:files.example", "deny", "ip", "192.0.2.1", note="mine")
    store.add_recipients("files.example", ["ann"])
    store.put("domain:files.example", {"spf.mode": "watch"})
    mine = of(store, ROWS)
    bring(store, "files.example", ROWS, "files", follow=True, remove=True)
    assert "on" == of(store, ROWS)[MODE]
    assert mine[DENY] == of(store, ROWS)[DENY]
    bring(store, "files.example", {}, "files", follow=True, remove=True)
    assert mine == of(store, ROWS)


def test_what_a_person_changed_since(store: PolicyStore) -> None:
    """Who changes a row of the files' makes it his own: it does not go with the file."""
    bring(store, "files.example", ROWS, "files", follow=True)
    store.add_entry("domain:files.example", "deny", "ip", "192.0.2.1", note="mine now")
    bring(store, "files.example", {}, "files", follow=True, remove=True)
    assert "mine now" == of(store, ROWS)[DENY]["note"]


def test_files_are_the_truth(store: PolicyStore) -> None:
    """What somebody took away or set otherwise, while the file is there, comes again at the next look."""
    bring(store, "files.example", ROWS, "files", follow=True)
    store.remove_recipients("files.example", ["ann"])
    store.put("domain:files.example", {"spf.mode": "off"})
    done = bring(store, "files.example", ROWS, "files", follow=True, remove=True)
    assert (1, 1) == (done.added, done.replaced)
    assert ROWS == of(store, ROWS)


def test_without_follow_a_row_belongs_to_nobody(store: PolicyStore) -> None:
    """An import writes over what is there, and nothing of it goes with a file; names are kept."""
    store.add_domain("files.example", "smtp://127.0.0.1:26")
    store.add_recipients("files.example", ["ann"])
    bring(store, "files.example", ROWS, "ann")
    assert ROWS == of(store, ROWS)
    bring(store, "files.example", {}, "files", follow=True, remove=True)
    assert ROWS.keys() - {NAME} == of(store, ROWS).keys()


def test_a_domain_that_files_brought(store: PolicyStore) -> None:
    """It goes with its folder, unless a person entered something for it or hosted it himself."""
    bring(store, "files.example", ROWS, "files", follow=True)
    assert let_go(store, "files.example", "files")
    assert set() == followed(store)
    bring(store, "files.example", ROWS, "files", follow=True)
    store.add_recipients("files.example", ["bob"])
    assert not let_go(store, "files.example", "files")
    assert "files.example" in store.domains()
    assert not let_go(store, "example.org", "files")


def test_an_entry_keeps_its_number(store: PolicyStore) -> None:
    """Its uses are counted under it."""
    key: Key = ("entry", "", "", "deny", "tld", "ru")
    bring(store, EVERYWHERE, {key: NO_MARKS}, "files", follow=True)
    before = store.entries("all")[0].id
    bring(store, EVERYWHERE, {key: {**NO_MARKS, "note": "x"}}, "files", follow=True)
    assert [(before, "x")] == [(entry.id, entry.note) for entry in store.entries("all")]


def test_all_or_nothing(store: PolicyStore) -> None:
    """A row that cannot be written leaves everything as it was."""
    version = store.version()
    with pytest.raises(ValueError, match="not in"):
        bring(store, "files.example", ROWS | {("recipient", "bob", "odd"): None}, "files")
    assert version == store.version()
    assert "files.example" not in store.domains()
