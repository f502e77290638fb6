"""`/archive`: kept mail looked at, released, deleted; each deed is written down."""

import pytest

from gatepost.desk import archive, malice
from gatepost.desk.errors import NotFound
from gatepost.desk.malice import Doubt
from gatepost.spool.index import Kept
from tests.console.api.program import Program
from tests.console.house import House

MAIL = b"Subject: hello\r\n\r\nIt is me.\r\n"


@pytest.fixture
def address(house: House) -> str:
    """Return where the API has a kept mail of ann.example."""
    with house.desk() as desk:
        item = Kept("ABCDEFGHJK.1", desk.clock(), "mia@partner.example", "you@ann.example", "ann.example",
                    subject="hello", plugin="dnsbl", reason="listed")  # fmt: skip
        ref = desk.archive.keep(item, [MAIL])
    day, _, file = ref.split("/")
    return f"/domains/ann.example/archive/{day}/{file}"


def test_look(ann: Program, rob: Program, house: House, address: str) -> None:
    """Listed, shown, opened; who opened it stands with it."""
    (one,) = ann.get("/domains/ann.example/archive")["items"]
    assert ("hello", "you@ann.example") == (one["subject"], one["recipient"])
    assert [] == ann.get("/domains/ann.example/archive", text="other")["items"]
    assert MAIL == rob.ask("GET", f"{address}/raw").content
    assert [("rob", "opened")] == [(deed["by"], deed["what"]) for deed in ann.get(address)["deeds"]]
    (first, *_) = ann.get("/domains/ann.example/changes")["items"]
    assert ("rob", "Kept mail ABCDEFGHJK.1 for you@ann.example: opened") == (first["by"], first["said"])
    eve = Program(house, "eve")
    for path in (address, f"{address}/raw", address.replace("ann.example", "eve.example")):
        eve.get(path, 404)


def test_what_the_virus_check_is_against(
    ann: Program, house: House, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409 and nothing done, until it is said in so many words."""
    monkeypatch.setattr(malice, "found", lambda *_: Doubt("clamav: Eicar", answered=True))
    said = ann.post(f"{address}/release", status=409)
    assert "the virus check refuses it: clamav: Eicar" in said["detail"]
    assert [] == ann.get("/queue")["items"]
    assert "waiting" == ann.post(f"{address}/release?all_the_same=true")["release"]


def test_release_and_delete(ann: Program, rob: Program, house: House, address: str) -> None:
    """Released by the owner, once however often asked; while it waits it is not deleted."""
    rob.post(f"{address}/release", status=404)
    assert "waiting" == ann.post(f"{address}/release")["release"]
    assert 0 == ann.get("/domains/ann.example/training")["wanted"]
    assert "waiting" == ann.post(f"{address}/release?train=true")["release"]
    assert 1 == ann.get("/domains/ann.example/training")["wanted"]
    (waits,) = ann.get("/queue")["items"]
    assert "release" == waits["reason"]
    ann.delete(address, 422)
    ann.delete(f"/queue/{waits['id']}", 204)
    ann.delete(address, 204)
    ann.get(address, 404)
    ann.get(f"{address}/raw", 404)
    listed = [one["said"] for one in ann.get("/domains/ann.example/changes")["items"]]
    assert [
        "Kept mail ABCDEFGHJK.1 for you@ann.example: deleted",
        "Kept mail ABCDEFGHJK.1 for you@ann.example: released",
    ] == listed[:2]
    with house.desk() as desk, pytest.raises(NotFound):
        archive.find(desk, "ABCDEFGHJK.1")


def test_pages(house: House, ann: Program) -> None:
    """A cursor leads through what is kept, the newest first; a foreign one leads nowhere else."""
    with house.desk() as desk:
        for n, domain in enumerate(["ann.example"] * 5 + ["eve.example"]):
            fate = "rejected" if n % 2 else "quarantined"
            item = Kept(f"ABCDEFGHJ{n}.1", desk.clock(), "x@y.example", f"you@{domain}", domain,
                        subject=f"number {n}", outcome=fate)  # fmt: skip
            desk.archive.keep(item, [MAIL])
    path = "/domains/ann.example/archive"
    seen: list[str] = []
    after: str | None = ""
    for _ in range(3):
        page = ann.get(path, limit=2, after=after)
        seen += [one["subject"] for one in page["items"]]
        after = page["next"]
    assert ([f"number {n}" for n in (4, 3, 2, 1, 0)], None) == (seen, after)
    assert 2 == len(ann.get(path, outcome="rejected")["items"])
    ann.get(path, 422, outcome="else")
    assert {"you@ann.example"} == {
        one["recipient"] for one in ann.get(path, after="2027-01-15/eve.example/x")["items"]
    }
