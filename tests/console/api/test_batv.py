"""`/batv`: keys by number, addresses, tags; never a secret."""

from tests.console.api.program import Program

PATH = "/domains/ann.example/batv"


def test_batv(ann: Program, rob: Program) -> None:
    """The whole way; a reader looks and checks, and gets no tag."""
    assert {"keys": [], "addresses": [], "refuses": False, "grace_days": 7} == rob.get(PATH)
    assert ["you"] == ann.put(f"{PATH}/addresses/you", None)["items"]
    assert [] == ann.put(f"{PATH}/addresses/you@ann.example", None)["items"]
    assert {"number": 1} == ann.post(f"{PATH}/keys", None, 201)
    assert ([0, 1], [{"local": "you", "since": None}]) == (
        rob.get(PATH)["keys"],
        rob.get(PATH)["addresses"],
    )
    tagged = ann.post(f"{PATH}/addresses/you/tag")["address"]
    assert tagged.startswith("prvs=1")
    assert rob.get(f"{PATH}/addresses/{tagged}/check")["good"]
    assert not rob.get(f"{PATH}/addresses/prvs=1000abcdef=you/check")["good"]
    rob.post(f"{PATH}/addresses/you/tag", status=404)
    ann.post(f"{PATH}/addresses/x@eve.example/tag", status=404)
    ann.post(f"{PATH}/addresses/mia/tag", status=422)
    ann.delete(f"{PATH}/keys/1", 422)
    ann.delete(f"{PATH}/keys/0", 204)
    ann.delete(f"{PATH}/addresses/you", 204)
    ann.delete(f"{PATH}/addresses/you", 404)


def test_somebody_was_faster(ann: Program, root: Program) -> None:
    """With If-Match of what was read each change is refused once somebody else has changed something."""
    ways = (("PUT", "/addresses/you"), ("POST", "/keys"), ("DELETE", "/keys/0"), ("DELETE", "/addresses/you"))
    for days, (method, place) in enumerate(ways, 40):
        seen = ann.ask("GET", PATH).headers["etag"]
        root.patch("/domains/ann.example/settings", {"keep_days": days})
        before = ann.get(PATH)
        late = ann.ask(method, PATH + place, headers={"if-match": seen})
        assert (412, True) == (late.status_code, "root" in late.json()["detail"]), place
        assert before == ann.get(PATH)
        now = ann.ask("GET", PATH).headers["etag"]
        assert ann.ask(method, PATH + place, headers={"if-match": now}).is_success, place
        assert before != ann.get(PATH)
    # What is so already changes nothing, but was not seen either.
    ann.put(f"{PATH}/addresses/you", None)
    assert 412 == ann.ask("PUT", f"{PATH}/addresses/you", headers={"if-match": '"1"'}).status_code
    assert 412 == ann.ask("PUT", f"{PATH}/addresses/mia", headers={"if-match": "x"}).status_code
