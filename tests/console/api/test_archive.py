"""`/archive`: kept mail looked at, released, deleted; each deed is written down."""

import pytest

from gatepost.desk import archive
from gatepost.desk.errors import NotFound
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
    eve = Program(house, "eve")
    for path in (address, f"{address}/raw", address.replace("ann.example", "eve.example")):
        eve.get(path, 404)


def test_release_and_delete(ann: Program, rob: Program, house: House, address: str) -> None:
    """Released by the owner, once however often asked; while it waits it is not deleted."""
    rob.post(f"{address}/release", status=404)
    assert "waiting" == ann.post(f"{address}/release")["release"]
    assert "waiting" == ann.post(f"{address}/release")["release"]
    (waits,) = ann.get("/queue")["items"]
    assert "release" == waits["reason"]
    ann.delete(address, 422)
    ann.delete(f"/queue/{waits['id']}", 204)
    ann.delete(address, 204)
    ann.get(address, 404)
    with house.desk() as desk, pytest.raises(NotFound):
        archive.find(desk, "ABCDEFGHJK.1")
