"""A person's release is looked into, and goes all the same where the person says so."""

from __future__ import annotations

import pytest

from gatepost.desk import archive, changes, malice
from gatepost.desk.deeds import deeds_of
from gatepost.desk.desk import Desk
from gatepost.desk.malice import Doubt
from gatepost.desk.releasing import Doubtful, Releasing
from gatepost.spool.index import Kept
from tests.desk.test_archive import RAW
from tests.desk.test_malice import BAD, keep, scanned

__all__ = ["scanned"]


def test_clean(scanned: Desk) -> None:
    """It goes, and what waits needs no second look."""
    kept = keep(scanned, RAW)
    assert "waiting" == Releasing(scanned).release(kept).state
    assert "waiting" == Releasing(scanned).release(kept).state
    assert 1 == len(scanned.queue)


def test_infected(scanned: Desk) -> None:
    """Not by itself; in so many words, yes."""
    kept = keep(scanned, BAD)
    with pytest.raises(Doubtful, match=r"for ann@example.org is not released, .* refuses it: virus: a vir"):
        Releasing(scanned).release(kept)
    assert ("", 0) == (archive.state(scanned, kept).state, len(scanned.queue))
    assert "waiting" == Releasing(scanned, all_the_same=True).release(kept).state
    assert "waiting" == Releasing(scanned).release(kept).state, "it was said once"
    assert ["released all the same"] == [deed.what for deed in deeds_of(scanned, kept.domain, kept.ref)]
    (change, *_) = changes.listing(scanned, "example.org")
    assert f"released all the same the kept mail {kept.id} for ann@example.org" == changes.in_words(change)


def test_delivered_before(scanned: Desk) -> None:
    """Nothing is done, so nothing is asked; another time is a delivery of its own."""
    kept = keep(scanned, BAD)
    name = archive.queue_name(kept)
    Releasing(scanned, all_the_same=True).release(kept)
    claim = scanned.queue.claim(name)
    assert claim is not None
    scanned.queue.done(claim)
    assert "delivered" == Releasing(scanned).release(kept).state
    with pytest.raises(Doubtful):
        Releasing(scanned, again=True).release(kept)


def test_many(scanned: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead scanner is asked once for a domain; one that finds something is asked for each."""
    asked: list[str] = []
    says = {False: 1, True: 3}  # answered -> times asked
    for answered, times in says.items():

        def found(_desk: Desk, kept: Kept, answered: bool = answered) -> Doubt:
            asked.append(kept.ref)
            return Doubt("virus: x", answered)

        monkeypatch.setattr(malice, "found", found)
        one = Releasing(scanned)
        for _ in range(3):
            with pytest.raises(Doubtful, match="refuses it" if answered else "cannot look at it now"):
                one.release(keep(scanned, RAW))
        assert times == len(asked)
        asked.clear()
