"""`/health`: versions in force in each process, checks in trouble, mail that waits, the disk."""

from __future__ import annotations

from fastapi import APIRouter

from gatepost.console.api.answers import Answer, Time
from gatepost.console.auth import Admin
from gatepost.desk import health

router = APIRouter(tags=["health"])


class Process(Answer):
    """One process, and the version of the policy that it uses."""

    name: str
    version: int


class Check(Answer):
    """A check in trouble."""

    name: str
    failures: int
    """Times that it could not answer, since the processes started."""
    error: str
    """Why it did not load."""


class Waiting(Answer):
    """A domain whose mail waits."""

    domain: str
    number: int
    since: Time
    said: str


class Disk(Answer):
    """The disk that the data lie on, in bytes."""

    free: int
    total: int
    archive: int
    archive_most: int


class Health(Answer):
    """The state of the machine now."""

    good: bool
    """Nothing here wants a person."""
    version: int
    """Of the policy as it is stored."""
    current: int
    """How many processes have it in force."""
    processes: list[Process]
    checks: list[Check]
    faults: list[str]
    waiting: list[Waiting]
    relayed: dict[str, int]
    dns: dict[str, int]
    disk: Disk


@router.get("/health")
def show(here: Admin) -> Health:
    """Show how the machine is."""
    running = [health.InForce(one.name, one.version) for one in here.site.processes()]
    return Health.of(health.look(here.desk, running))
