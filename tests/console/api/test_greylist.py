"""`/greylist`: the days and their sum."""

from tests.console.api.program import Program
from tests.console.house import House
from tests.console.seed import proofs


def test_bill(house: House, rob: Program) -> None:
    """The newest day first, the sum last."""
    path = "/domains/ann.example/greylist"
    assert [] == rob.get(path)["items"]
    proofs(house)
    *days, whole = rob.get(path, since="30d")["items"]
    assert ("2027-01-15", 14, "") == (days[0]["day"], len(days), whole["day"])
    assert whole["put_off"] == sum(one["put_off"] for one in days)
    assert whole["average"] > 5
    rob.get(path, 422, since="soon")
