"""`/aliases`: listed, closed, opened; an address of another domain is none of this one."""

from tests.console.api.program import Program

PATH = "/domains/ann.example/aliases"


def test_aliases(ann: Program, rob: Program) -> None:
    """One that had no mail yet can be closed before it has any."""
    assert [] == ann.get(PATH)["items"]
    ann.get(f"{PATH}/shop.5.you", 404)
    closed = ann.post(f"{PATH}/shop.5.you@ann.example/close")
    assert ("you", "shop", True) == (closed["user"], closed["word"], closed["closed"])
    assert [closed] == ann.get(PATH, user="you")["items"]
    other = ann.post(f"{PATH}/zoo.5.you/close")
    first = ann.get(PATH, limit=1)
    assert [closed] == first["items"]
    assert (
        [other] == ann.get(PATH, limit=1, after=first["next"])["items"] == ann.get(PATH, text="ZOO")["items"]
    )
    rob.post(f"{PATH}/shop.5.you/open", status=404)
    assert ann.post(f"{PATH}/shop.5.you/open")["over"] == ""
    for path in ("shop.5.you@eve.example/close", "shop.5.nobody/close"):
        ann.post(f"{PATH}/{path}", status=404)
    ann.post(f"{PATH}/you/close", status=422)
