"""`/lists`: entries added, renewed, removed; a foreign number is unknown."""

from tests.console.api.program import Program
from tests.console.house import House

PATH = "/domains/ann.example/lists"
NEW = {"kind": "allow", "entry": "mia@partner.example", "plugin": "dnsbl", "expires": "30d", "note": "asked"}


def test_entries(ann: Program, root: Program, house: House) -> None:
    """The whole way; what another domain has is not there."""
    made = ann.post(PATH, NEW, 201)
    assert ("mia@partner.example", "domain:ann.example", "dnsbl", "asked") == (
        made["entry"], made["scope"], made["plugin"], made["note"],
    )  # fmt: skip
    assert made["expires"].startswith("2027-02-14T")
    box = ann.post(PATH, {"kind": "deny", "entry": "bulk.example", "mailbox": "you"}, 201)
    assert [made["id"], box["id"]] == [one["id"] for one in ann.get(PATH)["items"]]
    Program(house, "eve").delete(f"{PATH}/{made['id']}", 404)
    Program(house, "eve").delete(f"/domains/eve.example/lists/{made['id']}", 404)
    assert "mia@partner.example" == ann.delete(f"{PATH}/{made['id']}")["items"][0]["entry"]
    ann.post(PATH, NEW | {"entry": "?"}, 422)
    ann.post(PATH, NEW | {"plugin": "none"}, 404)


def test_locked(ann: Program, root: Program) -> None:
    """What an administrator locks stays; nobody else can lock."""
    assert ann.post(PATH, NEW | {"locked": True}, 201)["locked"] is False
    held = root.post(PATH, {"kind": "deny", "entry": "foe.example", "locked": True}, 201)
    assert "locked" in ann.delete(f"{PATH}/{held['id']}", 422)["detail"]
    root.delete(f"{PATH}/{held['id']}")


def test_all_domains(root: Program, ann: Program) -> None:
    """Administrators alone."""
    made = root.post("/lists", {"kind": "deny", "entry": "192.0.2.0/24"}, 201)
    assert [made] == root.get("/lists")["items"]
    ann.get("/lists", 404)
    root.delete(f"/lists/{made['id']}")
    root.delete(f"/lists/{made['id']}", 404)
