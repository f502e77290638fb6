"""`/health`: for administrators alone."""

from tests.console.api.program import Program


def test_health(root: Program, ann: Program) -> None:
    """The house has a worker that is up to date and a keeper that is behind."""
    told = root.get("/health")
    assert (1, False, ["w0", "keeper"]) == (
        told["current"], told["good"], [one["name"] for one in told["processes"]],
    )  # fmt: skip
    assert told["version"] == told["processes"][0]["version"]
    assert 0 < told["disk"]["free"] < told["disk"]["total"]
    ann.get("/health", 404)
