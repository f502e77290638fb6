"""Three roles, and the domains that were given."""

import pytest

from gatepost.console.rights import Right, is_admin, may
from tests.console.house import Somebody

ROOT, ANN = Somebody("root", "admin"), Somebody("ann", "owner", ("ann.example",))
ROB, ODD = Somebody("rob", "reader", ("ann.example",)), Somebody("odd", "emperor", ("ann.example",))


@pytest.mark.parametrize(
    ("user", "domain", "right", "expected"),
    [
        (ROOT, "any.example", Right.CHANGE, True),
        (ROOT, None, Right.ADMIN, True),
        (ANN, "ann.example", Right.CHANGE, True),
        (ANN, "ann.example", Right.ADMIN, False),
        (ANN, "eve.example", Right.LOOK, False),
        (ANN, None, Right.LOOK, False),
        (ROB, "ann.example", Right.LOOK, True),
        (ROB, "ann.example", Right.CHANGE, False),
        (ODD, "ann.example", Right.LOOK, False),
    ],
)
def test_may(user: Somebody, domain: str | None, right: Right, expected: bool) -> None:
    """The table of who may do what; a role that nobody knows may nothing."""
    assert expected == may(user, domain, right)


def test_is_admin() -> None:
    """Only one role opens everything."""
    assert [True, False, False, False] == [is_admin(one) for one in (ROOT, ANN, ROB, ODD)]
