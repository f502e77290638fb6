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
    assert [box["id"], made["id"]] == [one["id"] for one in ann.get(PATH)["items"]]
    assert made == ann.get(f"{PATH}/{made['id']}")
    Program(house, "eve").delete(f"{PATH}/{made['id']}", 404)
    Program(house, "eve").delete(f"/domains/eve.example/lists/{made['id']}", 404)
    assert "mia@partner.example" == ann.delete(f"{PATH}/{made['id']}")["items"][0]["entry"]
    ann.post(PATH, NEW | {"entry": "?"}, 422)
    ann.post(PATH, NEW | {"plugin": "none"}, 404)


def test_pages_and_filters(ann: Program) -> None:
    """A cursor leads through them, the newest first; by text, kind and check."""
    made = [ann.post(PATH, {"kind": "deny", "entry": f"n{n}.example"}, 201)["id"] for n in range(5)]
    ann.post(PATH, NEW, 201)
    seen, after = [], None
    while True:
        page = ann.get(PATH, kind="deny", limit=2, **({"after": after} if after else {}))
        seen += [one["id"] for one in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert made[::-1] == seen
    assert ["n3.example"] == [one["entry"] for one in ann.get(PATH, text="N3")["items"]]
    assert ["mia@partner.example"] == [one["entry"] for one in ann.get(PATH, plugin="dnsbl")["items"]]
    assert 5 == len(ann.get(PATH, plugin="-")["items"])


def test_change(ann: Program, root: Program, house: House) -> None:
    """What is left out stays; another entry is another number, and a foreign one is unknown."""
    made = ann.post(PATH, NEW, 201)
    changed = ann.patch(f"{PATH}/{made['id']}", {"note": "again"})
    assert made | {"note": "again"} == changed
    assert ann.patch(f"{PATH}/{made['id']}", {"expires": ""})["expires"] is None
    other = ann.patch(f"{PATH}/{made['id']}", {"entry": "tom@partner.example"})
    assert ["tom@partner.example"] == [one["entry"] for one in ann.get(PATH)["items"]]
    Program(house, "eve").patch(f"/domains/eve.example/lists/{other['id']}", {"note": "mine"}, 404)
    ann.patch(f"{PATH}/{other['id']}", {"entry": "?"}, 422)
    root.patch(f"{PATH}/{other['id']}", {"locked": True})
    assert "locked" in ann.patch(f"{PATH}/{other['id']}", {"note": "mine"}, 422)["detail"]


def test_deciding(ann: Program, root: Program) -> None:
    """The entry that decides, and those that do not; where it comes from, without other people's notes."""
    root.post("/lists", {"kind": "deny", "entry": "192.0.2.0/24", "note": "secret"}, 201)
    ann.post(PATH, {"kind": "allow", "entry": "192.0.2.7"}, 201)
    (said,) = ann.get(f"{PATH}/deciding", client="192.0.2.7")["items"]
    assert {"kind": "allow", "entry": "192.0.2.7", "level": "domain"} == said["decides"]
    assert [{"kind": "deny", "entry": "192.0.2.0/24", "level": "all"}] == said["others"]
    assert [] == ann.get(f"{PATH}/deciding", client="198.51.100.1")["items"]
    ann.get(f"{PATH}/deciding", 422, client="nonsense")


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
