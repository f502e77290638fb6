"""`/messages/{id}`: every check of a mail; of another's mail nothing, not even that it is there."""

from tests.console import seed
from tests.console.api.program import Program
from tests.console.house import NOW, House


def test_explain(house: House, ann: Program, root: Program) -> None:
    """Whose domain it is sees it, with each check; others get what an unknown id gets."""
    seed.journal(house, NOW, days=1, each_day=20)
    row = next(one for one in ann.get("/journal")["items"] if one["plugin"])
    told = ann.get(f"/messages/{row['id']}")
    (copy,) = told["outcomes"]
    assert (row["recipient"], row["reason"]) == (copy["recipient"], copy["reason"])
    assert row["plugin"] in {step["check"] for step in copy["steps"]}
    assert row["client"] == told["session"]["client"]
    assert told == root.get(f"/messages/{row['id']}")
    eve = Program(house, "eve")
    foreign, unknown = eve.ask("GET", f"/messages/{row['id']}"), eve.ask("GET", "/messages/3333333333333")
    assert (404, foreign.content, foreign.headers) == (
        unknown.status_code, unknown.content, unknown.headers,
    )  # fmt: skip
    ann.get("/messages/no-id", 404)
