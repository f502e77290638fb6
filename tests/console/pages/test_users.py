"""The page of users: added, changed, another password, removed; for administrators alone."""

import re

import pytest

from gatepost.desk import users
from tests.console.house import House
from tests.console.people import real, signed_in

MADE = re.compile(r'<code id="made">([^<]+)</code>')


@pytest.fixture
def real_house(house: House) -> House:
    """Return a house with real accounts."""
    return real(house)


def test_add(real_house: House) -> None:
    """Added with a password that is shown once, opens, and shows that domain alone."""
    root = signed_in(real_house, "root")
    answer = root.post("/users", {"name": "Zoe", "role": "owner", "domains": "ann.example"})
    made = MADE.search(answer.text)
    assert made
    assert made[1] not in root.page("/users/zoe")
    page = signed_in(real_house, "zoe", made[1]).page("/domains")
    assert ("ann.example" in page, "eve.example" in page) == (True, False)
    again = root.post("/users", {"name": "Zoe", "domains": "ann.example"})
    assert (422, True) == (again.status_code, "already" in again.text)


def test_change(real_house: House) -> None:
    """Another role, other domains, shut out; the last administrator stays one."""
    root, ann = signed_in(real_house, "root"), signed_in(real_house, "ann")
    root.post("/users/ann", {"role": "reader", "domains": "ann.example eve.example"})
    assert 303 == ann.get("/domains").status_code
    with real_house.desk() as desk:
        assert ("reader", ("ann.example", "eve.example")) == (
            users.get(desk, "ann").role, users.get(desk, "ann").domains,
        )  # fmt: skip
    root.post("/users/ann", {"role": "reader", "disabled": "on"})
    assert "shut out" in root.page("/users")
    answer = root.post("/users/root", {"role": "owner"})
    assert (422, True) == (answer.status_code, "last administrator" in answer.text)
    assert 404 == root.post("/users/none", {"role": "owner"}).status_code


def test_password_and_removal(real_house: House) -> None:
    """A new password ends all sessions; whoever is removed is gone; both stand in the list of changes."""
    root, ann = signed_in(real_house, "root"), signed_in(real_house, "ann")
    made = MADE.search(root.post("/users/ann/password").text)
    assert made
    assert 303 == ann.get("/domains").status_code
    assert "ann.example" in signed_in(real_house, "ann", made[1]).page("/domains")
    assert 303 == root.post("/users/ann/codes-off").status_code
    assert 303 == root.post("/users/ann/remove").status_code
    assert 404 == root.get("/users/ann").status_code
    assert "ann may sign in no longer: removed" in root.page("/changes")


@pytest.mark.parametrize("path", ["/users", "/users/ann", "/users/none"])
def test_administrators_alone(real_house: House, path: str) -> None:
    """For an owner there are no users, not even himself."""
    ann = signed_in(real_house, "ann")
    assert 404 == ann.get(path).status_code
    assert 404 == ann.post(path, {"name": "zoe", "role": "admin"}).status_code
