"""`/rules`: added, tried, removed."""

from tests.console.api.program import Program

PATH = "/domains/ann.example/rules"


def test_rules(ann: Program, rob: Program) -> None:
    """The whole way; a reader may try, not set."""
    rule = {"pattern": "yo", "how": "part"}
    draft = {"addresses": ["you", "bob"], "draft": [rule]}
    assert ["yo", None] == [one["rule"] for one in rob.post(f"{PATH}/test", draft)["items"]]
    rob.post(PATH, {"rules": [rule]}, 404)
    added = ann.post(PATH, {"rules": [rule]}, 201)
    assert (["you"], 1) == (added["caught"], added["caught_count"])
    (one,) = ann.get(PATH)["items"]
    assert ("yo", "part", added["added"][0], 0) == (one["pattern"], one["how"], one["id"], one["day"])
    assert 1 == ann.post(PATH, {"rules": [rule]}, 201)["same"]
    ann.post(PATH, {"rules": [{"pattern": "(", "how": "regex"}]}, 422)
    ann.post(f"{PATH}/test", {"addresses": ["x@other.example"]}, 422)
    ann.delete(f"{PATH}/{one['id']}", 204)
    ann.delete(f"{PATH}/{one['id']}", 404)
    ann.delete(f"{PATH}/zzz", 404)
