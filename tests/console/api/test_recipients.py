"""`/recipients`: listed in pages, added, imported, removed."""

from tests.console.api.program import Program

PATH = "/domains/ann.example/recipients"


def test_recipients(ann: Program, rob: Program) -> None:
    """The whole way."""
    assert {"changed": 2} == ann.post(PATH, {"recipients": ["ben", "cat@ann.example"]})
    first = ann.get(PATH, limit=2)
    assert (["ben", "cat"], "cat") == ([one["local"] for one in first["items"]], first["next"])
    last = ann.get(PATH, after="cat")
    assert (["postmaster", "you"], None) == ([one["local"] for one in last["items"]], last["next"])
    assert {"changed": 1} == ann.delete(f"{PATH}?name=ben")
    done = ann._answer(
        ann.ask("POST", f"{PATH}/import", params={"replace": "true"}, content="dan\n# no\nx@y.example\n",
                headers={"content-type": "text/plain"}), 200,
    )  # fmt: skip
    assert (1, 1, 3, 1) == (done["read"], done["added"], done["removed"], done["bad_count"])
    assert ["dan"] == [one["local"] for one in rob.get(PATH)["items"]]
    rob.post(PATH, {"recipients": ["eli"]}, 404)
    ann.post(PATH, {"recipients": ["eli@other.example"]}, 422)
