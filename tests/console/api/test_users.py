"""`/users`: people by administrators; a password that was made is told once."""

from gatepost.desk import sessions
from tests.console.api.program import Program
from tests.console.house import House


def test_users(root: Program, ann: Program, house: House) -> None:
    """Added, changed, given another password, removed."""
    made = root.post("/users", {"name": "Zoe", "domains": ["ann.example"]}, 201)
    assert ("zoe", "owner", ["ann.example"]) == tuple(
        made["user"][key] for key in ("name", "role", "domains")
    )
    root.post("/users", {"name": "zoe"}, 409)
    with house.desk() as desk:
        assert sessions.sign_in(desk, "zoe", made["password"], "", "127.0.0.1")
    assert root.post("/users/zoe/password", {"password": "correct horse"})["password"] is None
    root.post("/users/zoe/password", {"password": "short"}, 422)
    assert "reader" == root.patch("/users/zoe", {"role": "reader"})["role"]
    assert ["zoe"] == [one["name"] for one in root.get("/users")["items"]]
    root.delete("/users/zoe", 204)
    root.get("/users/zoe", 404)


def test_administrators_alone(ann: Program) -> None:
    """For everybody else there are no users."""
    ann.get("/users", 404)
    ann.post("/users", {"name": "zoe"}, 404)
    ann.get("/users/ann", 404)
