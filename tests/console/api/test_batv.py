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
