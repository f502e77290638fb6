"""`/health`: for administrators alone."""

from tests.console.api.program import Program
from tests.console.house import House
from tests.console.pages.test_health import alarm_of


def test_health(root: Program, ann: Program) -> None:
    """The house has a worker that is up to date and a keeper that is behind."""
    told = root.get("/health")
    assert (1, False, ["w0", "keeper"]) == (
        told["current"], told["good"], [one["name"] for one in told["processes"]],
    )  # fmt: skip
    assert told["version"] == told["processes"][0]["version"]
    assert 0 < told["disk"]["free"] < told["disk"]["total"]
    ann.get("/health", 404)


def test_alarms(root: Program, ann: Program, house: House) -> None:
    """All to administrators, with everybody who is asked; to an owner those of his domains."""
    alarm_of(house)
    told = root.get("/health")
    assert {"backend:10.0.0.5:25", "scanner:127.0.0.1:3310"} == {one["alarm"] for one in told["alarms"]}
    assert [("scanner", "no answer"), ("list", "")] == [(one["kind"], one["why"]) for one in told["asked"]]
    assert {"mail": "550 no relaying"} == told["untold"]
    assert not told["good"]
    assert 2 == len(root.get("/alarms")["items"])
    assert 3 == len(root.get("/alarms", ended=True)["items"])
    (theirs,) = ann.get("/alarms")["items"]
    assert ("backend:10.0.0.5:25", ["ann.example"], None) == (
        theirs["alarm"], theirs["domains"], theirs["ended"],
    )  # fmt: skip
    assert "eve.example" not in theirs["text"]
