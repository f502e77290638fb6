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


def test_somebody_was_faster(ann: Program, root: Program) -> None:
    """With If-Match of what was read each change is refused once somebody else has changed something."""
    path = f"{PATH}/trusted"
    for method, query, body in (("POST", "", {"name": "a.example"}), ("DELETE", "?name=a.example", None)):
        seen = ann.ask("GET", path).headers["etag"]
        root.post(path, {"name": f"{method.lower()}.example"}, 204)
        before = ann.get(path)["items"]
        late = ann.ask(method, path + query, json=body, headers={"if-match": seen})
        assert (412, True) == (late.status_code, "root" in late.json()["detail"])
        assert before == ann.get(path)["items"]
        now = ann.ask("GET", path).headers["etag"]
        assert 204 == ann.ask(method, path + query, json=body, headers={"if-match": now}).status_code
        assert before != ann.get(path)["items"]
    known = {"name": "post.example"}
    assert 412 == ann.ask("POST", path, json=known, headers={"if-match": '"1"'}).status_code
