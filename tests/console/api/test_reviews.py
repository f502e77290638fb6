"""`/reviews`: what refused senders asked, decided by a program."""

from __future__ import annotations

from gatepost.desk import domains, reviews
from tests.console.api.program import Program
from tests.console.house import House
from tests.desk.refused import refuse

PATH = "/domains/ann.example/reviews"


def asked(house: House, session: str) -> int:
    """Let a refused sender ask; returns the number of his request."""
    with house.desk() as desk:
        domains.set_values(desk, "ann.example", {"why.page": True})
        reviews.ask(desk, refuse(desk, "you@ann.example", session=session), "192.0.2.3", "", "please")
        return reviews.listing(desk, None)[0].id


def test_reviews(house: House, ann: Program, rob: Program) -> None:
    """Listed page by page, looked at, decided once and by who may; then among the decided."""
    numbers = [asked(house, f"3479ACDEFH34{last}") for last in "347"]
    page = rob.get(PATH, limit=2)
    assert numbers[:0:-1] == [one["id"] for one in page["items"]]
    assert [numbers[0]] == [one["id"] for one in rob.get(PATH, after=page["next"])["items"]]
    one = ann.get(f"{PATH}/{numbers[0]}")
    assert ("please", "open", None, "dnsbl") == (one["text"], one["state"], one["decided"], one["plugin"])
    assert one["mail"] == ann.get(f"/messages/{one['mail']}")["id"]
    rob.post(f"{PATH}/{numbers[0]}/decide", {"decision": "decline"}, 404)
    ann.post(f"{PATH}/{numbers[0]}/decide", {"decision": "explode"}, 422)
    ann.post(f"{PATH}/{numbers[0]}/decide", {"decision": "release"}, 422)
    done = ann.post(f"{PATH}/{numbers[0]}/decide", {"decision": "decline"})
    assert ("declined", "ann") == (done["state"], done["decided_by"])
    ann.post(f"{PATH}/{numbers[0]}/decide", {"decision": "decline"}, 409)
    assert numbers[:0:-1] == [one["id"] for one in ann.get(PATH)["items"]]
    assert [done] == ann.get(PATH, state="decided")["items"]
    assert "review" in {one["what"] for one in ann.get("/domains/ann.example/changes")["items"]}


def test_whose_it_is_not(house: House) -> None:
    """Another domain's owner finds none by its number, in her own domain either."""
    number = asked(house, "3479ACDEFH343")
    eve = Program(house, "eve")
    for domain in ("ann.example", "eve.example"):
        eve.get(f"/domains/{domain}/reviews/{number}", 404)
        eve.post(f"/domains/{domain}/reviews/{number}/decide", {"decision": "decline"}, 404)
    assert [] == eve.get("/domains/eve.example/reviews")["items"]
