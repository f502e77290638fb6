"""`/changes`: who, when, from, to; rolled back by whose it is."""

from tests.console.api.program import Program
from tests.console.house import House

PATH = "/domains/ann.example/changes"


def test_changes(ann: Program, rob: Program, root: Program, house: House) -> None:
    """The owner sees and undoes own changes; a foreign number is unknown."""
    ann.patch("/domains/ann.example/settings", {"keep_days": 7})
    newest = ann.get(PATH)["items"][0]
    assert ("ann", "Kept for (days): not set → 7", {"keep_days": None}, {"keep_days": 7}) == (
        newest["by"], newest["said"], newest["before"], newest["after"],
    )  # fmt: skip
    number = newest["id"]
    Program(house, "eve").post(f"/domains/eve.example/changes/{number}/roll-back", status=404)
    rob.post(f"{PATH}/{number}/roll-back", status=404)
    ann.post(f"/changes/{number}/roll-back", status=404)
    assert number == ann.post(f"{PATH}/{number}/roll-back")["id"]
    assert number == ann.get(PATH)["items"][0]["undoes"]
    ann.patch("/domains/ann.example/settings", {"keep_days": 8})
    assert "changed since" in ann.post(f"{PATH}/{number}/roll-back", status=409)["detail"]
    root.post("/changes/999999/roll-back", status=404)


def test_pages(ann: Program, root: Program) -> None:
    """In pages without gap or double; all of them for administrators alone."""
    for days in range(3, 9):
        ann.patch("/domains/ann.example/settings", {"keep_days": days})
    whole = root.get("/changes")["items"]
    first = root.get("/changes", limit=4)
    second = root.get("/changes", limit=500, after=first["next"])
    assert whole == first["items"] + second["items"]
    ann.get("/changes", 404)
