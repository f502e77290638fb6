"""Two domains that have lived: something of theirs in every place that there is."""

from __future__ import annotations

from gatepost.desk import (
    archive,
    domains,
    training,
    users,
)
from gatepost.desk.deeds import at_once
from gatepost.desk.desk import Desk
from gatepost.desk.left_behind import DAY
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.spool.names import safe_name
from gatepost.store.reviews_db import ReviewRow
from tests.desk.test_archive import keep
from tests.desk.test_privacy import journal
from tests.desk.test_silence import deliver
from tests.plugins.test_classifier import ham_mail, spam_mail

NAME, OTHER = "example.org", "example.com"
ROUTE = ["maildir:///nowhere/%u"]
TRIPLET = "192.0.2.0/24 bob annabel"
SECRET = "correct horse battery"


def live(desk: Desk, name: str, number: int) -> None:
    """Leave something of a domain in every place that there is."""
    who = f"annabel@{name}"
    desk.policy.add_recipients(name, ["annabel"])
    journal(desk, (f"0DQ3N7V5K2F{number}T.1", name, who, "bob@example.net"))
    desk.journal.collect(desk.data_dir)
    keep(desk, who, f"0DQ3N7V5K2F{number}K.1")
    waits = Envelope(f"waits{number}", "bob@x.example", (Rcpt(who),), desk.clock(), desk.clock(), domain=name)
    desk.queue.put(waits, [b"a\r\n"])
    at_once(desk.records.put(name, "counted_address", "address annabel shop", {"limit": 5}))
    held = at_once(desk.records.reserve(name, "counted_address", "address annabel shop", 5, 60))
    assert held is not None
    at_once(desk.records.settle(held, used=True))
    at_once(desk.records.put(name, "digest", f"reader\x1f{who}", {"entry": "x", "since": 0, "until": 1}))
    row = ReviewRow(0, name, "ID.1", who, "bob@x.example", "dnsbl", desk.clock(), "", "", "please")
    desk.reviews.add(row, of_network=99, of_domain=99)
    at_once(desk.state.put(f"greylist\x1f{name}\x1f{TRIPLET}", b"+1", 9 * DAY))
    at_once(desk.state.add(f"reputation\x1f{name}\x1fgood bob@x.example", 7, 9 * DAY))
    desk.state.flush()
    lessons = [training.Lesson(spam_mail(number), "1.1"), training.Lesson(spam_mail(number + 50), "2.1")]
    training.train(desk, name, lessons, spam=True, by=who)
    desk.errands.put(name, "spamassassin", ham_mail(1), spam=False)
    folder = desk.data_dir / "filters" / "bogo" / safe_name(name)
    folder.mkdir(parents=True)
    (folder / "wordlist.db").write_text(f"words of {name}")


def lived(desk: Desk) -> Desk:
    """Return the desk with two domains that have lived."""
    domains.add(desk, OTHER, ROUTE)
    users.add(desk, "root", SECRET, "admin")
    users.add(desk, "ann", SECRET, "owner", [NAME, OTHER])
    for number, name in ((3, NAME), (4, OTHER)):
        live(desk, name, number)
    deliver(desk, ham_mail(3), 1, at=desk.clock())
    return desk


def left(desk: Desk, name: str) -> dict[str, object]:
    """Return what a domain has, wherever it is kept."""
    model = desk.models.of(name)
    delivered = desk.data_dir / "learn" / "delivered" / name
    return {
        "journal": [row.id for row in desk.journal.search(name)],
        "tally": desk.journal.tally(name).outcomes,
        "kept": [one.id for one in archive.listing(desk, name)],
        "queue": [one.id for one in desk.queue.list() if one.domain == name],
        "records": [row.key for row in desk.records.of_domain(name)],
        "used": at_once(desk.records.count(name, "counted_address", "address annabel shop")),
        "reviews": [row.id for row in desk.reviews.listing([name], waiting=True)],
        "greylist": at_once(desk.state.get(f"greylist\x1f{name}\x1f{TRIPLET}")),
        "reputation": at_once(desk.state.add(f"reputation\x1f{name}\x1fgood bob@x.example", 0, 9 * DAY)),
        "model": None if model is None else (model.spam, model.ham),
        "trainings": len(desk.models.trainings(name).look()),
        "delivered": len(list(delivered.iterdir())) if delivered.is_dir() else 0,
        "errands": len(desk.errands.of_domain(name)),
        "filter": (desk.data_dir / "filters" / "bogo" / safe_name(name)).is_dir(),
    }


def nothing(desk: Desk, name: str) -> bool:
    """Say whether there is nothing of a domain."""
    return not any(left(desk, name).values())
