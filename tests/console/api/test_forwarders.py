"""`/forwarders`: candidates, trusted and no longer."""

from tests.console.api.program import Program
from tests.console.house import House
from tests.console.seed import proofs

PATH = "/domains/ann.example/forwarders"


def test_forwarders(house: House, ann: Program, rob: Program) -> None:
    """The most mails first; a network and a name; a reader looks."""
    proofs(house)
    found = rob.get(PATH)["items"]
    assert [("lists.club.example", 100, True), ("forward.isp.example", 10, False)] == [
        (one["name"], one["mails"], one["trusted"]) for one in found
    ]
    ann.post(f"{PATH}/trusted", {"name": "192.0.2.0/24"}, 204)
    assert ["lists.club.example", "192.0.2.0/24"] == rob.get(f"{PATH}/trusted")["items"]
    ann.delete(f"{PATH}/trusted?name=192.0.2.0/24", 204)
    ann.delete(f"{PATH}/trusted?name=192.0.2.0/24", 404)
    ann.post(f"{PATH}/trusted", {"name": "a b"}, 422)
    rob.post(f"{PATH}/trusted", {"name": "x.example"}, 404)
