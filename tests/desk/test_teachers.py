"""A domain's other filters are taught what its people teach; one that fails takes nothing back."""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest

from gatepost.desk import domains, training
from gatepost.desk.desk import Desk
from gatepost.desk.teachers import teachers_of
from gatepost.desk.training import Lesson
from gatepost.plugin.commands import FOLDER
from gatepost.policy.commands import Command
from tests.plugins.test_classifier import ham_mail, spam_mail

DOMAIN = "example.org"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with a filter that keeps what it is taught and cannot learn wanted mail."""
    command = Command(
        "f",
        ("true",),
        spam=("/bin/sh", "-c", "cat >> spam"),
        ham=("false",),
        exits=MappingProxyType({0: "spam"}),
    )
    with Desk(tmp_path / "data", "ann", commands={"f": command}) as made:
        domains.add(made, DOMAIN, [f"maildir://{tmp_path}/mail"])
        yield made


def set_up(desk: Desk, mode: str) -> None:
    domains.set_values(desk, DOMAIN, {"filter_command.mode": mode, "filter_command.filter": "f"})


@pytest.mark.parametrize(("mode", "count"), [("off", 0), ("watch", 1), ("on", 1)])
def test_who_is_taught(desk: Desk, mode: str, count: int) -> None:
    """Only a filter that the domain asks."""
    set_up(desk, mode)
    assert count == len(teachers_of(desk, DOMAIN))


def test_taught_once(desk: Desk) -> None:
    """What the classifier learns, and what it knew already is not taught again."""
    set_up(desk, "on")
    lessons = [Lesson(spam_mail(1)), Lesson(spam_mail(2)), Lesson(spam_mail(1))]
    done = training.train(desk, DOMAIN, lessons, spam=True)
    assert (2, 1, []) == (len(done.learnt), done.already, done.troubles)
    kept = (desk.data_dir / FOLDER / "f" / DOMAIN / "spam").read_bytes()
    assert b"".join(spam_mail(n).replace(b"\r\n", b"\n") for n in (1, 2)) == kept


def test_failure(desk: Desk) -> None:
    """It is told once, and what was learnt stays learnt."""
    set_up(desk, "on")
    done = training.train(desk, DOMAIN, [Lesson(ham_mail(n)) for n in range(3)], spam=False)
    assert (3, ["f ended with status 1"]) == (len(done.learnt), done.troubles)
    assert (0, 3) == training.counts(desk, DOMAIN)
