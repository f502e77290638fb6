"""`/rules`: added, tried, removed."""

from tests.console.api.program import Program
from tests.console.house import House

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


def test_order_and_import(ann: Program, rob: Program) -> None:
    """An old file is taken over line by line; a rule is moved; the six of 2009 come when asked for."""
    done = ann.post(f"{PATH}/import", {"text": "[0-9]$ DENY No digits\nnonsense\nroute66 OK\n"}, 201)
    assert (2, 1) == (len(done["added"]), len(done["bad"]))
    digits, route = done["added"]
    ann.post(f"{PATH}/{route}/move?place=1", status=204)
    assert [route, digits] == [one["id"] for one in ann.get(PATH)["items"]]
    ann.post(f"{PATH}/{route}/move?place=99", status=204)
    assert [digits, route] == [one["id"] for one in ann.get(PATH)["items"]]
    ann.post(f"{PATH}/00000000/move?place=1", status=404)
    rob.post(f"{PATH}/{route}/move?place=1", status=404)
    ann.post(f"{PATH}/import", {"text": "x"}, 422)
    assert 6 == len(ann.post(f"{PATH}/import", {"text": "", "six": True}, 201)["added"])


def test_if_match(ann: Program, house: House) -> None:
    """Who saw rules that somebody changed since is told by whom; who saw the last ones is not."""
    seen = ann.ask("GET", PATH).headers["etag"]
    rule = {"rules": [{"pattern": "x"}]}
    assert 201 == ann.ask("POST", PATH, json=rule, headers={"if-match": seen}).status_code
    (there,) = ann.get(PATH)["items"]
    late = ann.ask("DELETE", f"{PATH}/{there['id']}", headers={"if-match": seen})
    assert (412, True) == (late.status_code, "ann" in late.json()["detail"])
    moved = ann.ask("POST", f"{PATH}/import", json={"text": "y DENY"}, headers={"if-match": seen})
    assert 412 == moved.status_code
    now = ann.ask("GET", PATH).headers["etag"]
    assert 204 == ann.ask("DELETE", f"{PATH}/{there['id']}", headers={"if-match": now}).status_code


def test_all_domains(root: Program, ann: Program) -> None:
    """Administrators alone; a domain without rules of its own has these."""
    (made,) = root.post("/rules", {"rules": [{"pattern": "x"}]}, 201)["added"]
    (other,) = root.post("/rules/import", {"text": "[0-9]$ DENY No"}, 201)["added"]
    root.post(f"/rules/{other}/move?place=1", status=204)
    assert [other, made] == [one["id"] for one in root.get("/rules")["items"]]
    assert [other, made] == [one["id"] for one in ann.get(PATH)["items"]]
    ann.get("/rules", 404)
    root.delete(f"/rules/{made}", 204)
    root.delete(f"/rules/{made}", 404)
