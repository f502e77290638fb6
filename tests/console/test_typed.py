"""Fields of a form whose names are not known before."""

from gatepost.console import typed
from gatepost.console.auth import SignedIn
from gatepost.console.typed import Typed, below
from tests.console.house import House


def test_typed(house: House) -> None:
    """Texts arrive; a file, and what is far too long, does not."""
    got: list[dict[str, str]] = []

    def take(here: SignedIn, fields: Typed) -> None:
        got.append(fields)

    house.app.add_api_route("/take", take, methods=["POST"])
    values = {"set.a": "1", "long": "x" * (typed.LONGEST + 1)}
    house.browser("ann").post("/take", values, files={"file": b"data"})

    assert {"csrf", "set.a"} == got[0].keys()
    assert {"a": "1"} == below("set.", got[0])
