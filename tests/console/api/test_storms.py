"""`/storms`: what a storm closed, and opened again."""

from gatepost.desk.deeds import at_once
from tests.console.api.program import Program
from tests.console.house import NOW, House

PATH = "/domains/ann.example/storms"


def test_storms(house: House, ann: Program, rob: Program) -> None:
    """Listed while it is closed, opened by its owner alone, known afterwards as ended."""
    with house.desk() as desk:
        row = {"since": NOW - 60, "until": NOW + 600, "bounces": 50}
        at_once(desk.records.put("ann.example", "bounce_storm", "closed you", row))
    (one,) = ann.get(PATH)["items"]
    assert ("you@ann.example", 50, True) == (one["address"], one["bounces"], one["closed"])
    rob.post(f"{PATH}/you/open", status=404)
    ann.post(f"{PATH}/you/open", status=204)
    assert [] == ann.get(PATH)["items"]
    (one,) = ann.get(PATH, ended=True)["items"]
    assert (False, "ann") == (one["closed"], one["opened_by"])
    ann.post(f"{PATH}/you/open", status=404)


def test_hours_and_exceptions(ann: Program, rob: Program) -> None:
    """Every hour is told; an exception is set, listed and taken away."""
    hours = ann.get(f"{PATH}/hours", hours=3)["items"]
    assert [(0, 0)] * 3 == [(one["closed"], one["forged"]) for one in hours]
    assert "2027-01-15T08:00:00+00:00" == hours[-1]["at"]
    ann.get(f"{PATH}/hours", 422, hours=0)
    ann.put(f"{PATH}/never/news@ann.example", None, 204)
    assert ["news"] == rob.get(f"{PATH}/never")["items"]
    ann.delete(f"{PATH}/never/news", 204)
    ann.delete(f"{PATH}/never/news", 404)
    ann.put(f"{PATH}/never/news@eve.example", None, 422)


def test_somebody_was_faster(ann: Program, root: Program) -> None:
    """With If-Match of what was read each change is refused once somebody else has changed something."""
    path = f"{PATH}/never"
    for method in ("PUT", "DELETE"):
        seen = ann.ask("GET", path).headers["etag"]
        root.put(f"{path}/{method.lower()}", None, 204)
        before = ann.get(path)["items"]
        late = ann.ask(method, f"{path}/news", headers={"if-match": seen})
        assert (412, True) == (late.status_code, "root" in late.json()["detail"])
        assert before == ann.get(path)["items"]
        now = ann.ask("GET", path).headers["etag"]
        assert 204 == ann.ask(method, f"{path}/news", headers={"if-match": now}).status_code
        assert before != ann.get(path)["items"]
    assert 412 == ann.ask("PUT", f"{path}/put", headers={"if-match": '"1"'}).status_code


def test_all_domains(house: House, ann: Program, root: Program) -> None:
    """An administrator lists those of every domain, in pages; nobody else does."""
    with house.desk() as desk:
        for number, name in enumerate(("ann.example", "eve.example", "gone.example")):
            row = {"since": NOW - 60 + number, "until": NOW + 600, "bounces": 50}
            at_once(desk.records.put(name, "bounce_storm", "closed you", row))
    first = root.get("/storms", limit=1)
    assert ["you@eve.example"] == [one["address"] for one in first["items"]]
    last = root.get("/storms", limit=1, after=first["next"])
    assert (["you@ann.example"], None) == ([one["address"] for one in last["items"]], last["next"])
    assert 3 == len(root.get("/storms/hours", hours=3)["items"])
    ann.get("/storms", 404)
    ann.get("/storms/hours", 404)
