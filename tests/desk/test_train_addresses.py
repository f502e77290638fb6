"""A domain's training addresses: for all, and with one person's secret, that a new generation makes void."""

from __future__ import annotations

import pytest

from gatepost.desk import domains, recipients
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.secret import installation_secret
from gatepost.desk.train_addresses import of_person, open_to_all
from gatepost.mail.train_address import holds, read


def test_of_a_person(desk: Desk) -> None:
    """Two addresses, good in this domain; another generation has others."""
    recipients.add(desk, "example.org", ["ann"])
    found = of_person(desk, "example.org", "Ann@example.org")
    assert found == of_person(desk, "example.org", "ann")
    local, _, host = found.spam.partition("@")
    named = read(local)
    assert named is not None
    assert "train.example.org" == host
    assert holds(named, installation_secret(desk.data_dir), "example.org", 1)
    domains.set_values(desk, "example.org", {"training.generation": 2})
    assert found != of_person(desk, "example.org", "ann")


def test_open_to_all(desk: Desk) -> None:
    """Where training is not off."""
    found = open_to_all(desk, "example.org")
    assert found is not None
    assert ("spam@train.example.org", "ham@train.example.org") == (found.spam, found.ham)
    domains.set_values(desk, "example.org", {"training.mode": "off"})
    assert open_to_all(desk, "example.org") is None


@pytest.mark.parametrize(
    ("person", "why"),
    [
        ("nobody", "no known recipient"),
        ("ann@example.net", "no address of example.org"),
        ("a b", "'a b'"),
        ("x" * 60, "too long"),
    ],
)
def test_mistakes(desk: Desk, person: str, why: str) -> None:
    """Each is named."""
    recipients.add(desk, "example.org", ["x" * 60])
    with pytest.raises(DeskError, match=why):
        of_person(desk, "example.org", person)
    domains.set_values(desk, "example.org", {"training.secrets": False})
    with pytest.raises(DeskError):
        of_person(desk, "example.org", person)
