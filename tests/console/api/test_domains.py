"""`/domains`: each sees what is theirs; administrators add and remove."""

from tests.console.api.program import Program


def test_list(root: Program, ann: Program) -> None:
    """In pages, in order."""
    whole = root.get("/domains")
    assert (["ann.example", "eve.example"], None) == ([one["name"] for one in whole["items"]], whole["next"])
    first = root.get("/domains", limit=1)
    assert "ann.example" == first["next"]
    assert ["eve.example"] == [one["name"] for one in root.get("/domains", after=first["next"])["items"]]
    assert ["ann.example"] == [one["name"] for one in ann.get("/domains")["items"]]
    assert [] == ann.get("/domains", after="ann.example")["items"]


def test_add_and_remove(root: Program, ann: Program) -> None:
    """Only by an administrator; a wrong one is told why."""
    new = {"name": "New.example", "routes": ["smtp://192.0.2.9"], "settings": {"keep_days": 9}}
    root.post("/domains", new, 201)
    assert "new.example" == root.get("/domains/new.example")["name"]
    root.post("/domains", new, 409)
    assert "route" in root.post("/domains", {"name": "x.example", "routes": []}, 422)["detail"]
    ann.post("/domains", new | {"name": "y.example"}, 404)
    ann.ask("DELETE", "/domains/ann.example")
    assert 2 == ann.get("/domains/ann.example")["listed"]
    root.delete("/domains/new.example")
    root.get("/domains/new.example", 404)


def test_an_old_name(root: Program) -> None:
    """A domain that was removed lately is brought back, or added anew: nothing is inherited unasked."""
    new = {"name": "new.example", "routes": ["smtp://192.0.2.9"]}
    root.post("/domains", new, 201)
    root.delete("/domains/new.example")
    assert "anew" in root.post("/domains", new, 409)["detail"]
    root.get("/domains/new.example", 404)
    root.post("/domains", new | {"anew": False}, 201)
    root.delete("/domains/new.example")
    root.post("/domains", new | {"anew": True}, 201)
    assert "new.example" == root.get("/domains/new.example")["name"]
