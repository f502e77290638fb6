"""`/stats`: the numbers of `gatepost stats`."""

from gatepost.desk import stats
from tests.console import seed
from tests.console.api.program import Program
from tests.console.house import NOW, House


def test_stats(house: House, root: Program, ann: Program) -> None:
    """The same as the desk's; of all domains for administrators alone."""
    seed.journal(house, NOW, days=2, each_day=10)
    ann.get("/domains/ann.example/journal")  # brings the lines in
    told = ann.get("/domains/ann.example/stats", since="3d")
    with house.desk() as desk:
        meant = stats.stats(desk, "ann.example", NOW - 3 * 86_400)
    assert (meant.all.total, meant.all.spam) == (told["all"]["total"], told["all"]["spam"])
    assert [one.check for one in meant.checks] == [one["check"] for one in told["checks"]]
    assert told["all"]["total"] < root.get("/stats", since="3d")["all"]["total"]
    ann.get("/stats", 404)
    ann.get("/domains/ann.example/stats", 422, since="soon")
