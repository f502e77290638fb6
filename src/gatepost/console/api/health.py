"""`/health`: versions in force in each process, who is in trouble, mail that waits, the disk; alarms."""

from __future__ import annotations

from fastapi import APIRouter

from gatepost.console.api.answers import Answer, Page, Time
from gatepost.console.auth import Admin, SignedIn
from gatepost.desk import alarm_book, health
from gatepost.desk.alarms import Alarm as Kept

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


class Asked(Answer):
    """A DNS list, a scanner or a next hop, as it was seen last."""

    kind: str
    """`list`, `scanner` or `backend`."""
    name: str
    why: str
    """What is wrong; "" where it is well."""
    since: Time
    seen: Time


class Alarm(Answer):
    """Something in trouble, from its beginning to its end."""

    alarm: str
    """The same from the beginning to the end."""
    kind: str
    """`list`, `scanner`, `backend`, `check`, `process`, `disk`, `policy`, `backup`, `poison`,
    `spool` or `held`."""
    name: str
    why: str
    text: str
    domains: list[str]
    """Those of yours that it touches; none: all mail."""
    began: Time
    ended: Time | None
    times: int
    """How often it began."""


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
    asked: list[Asked]
    """Lists, scanners and next hops, those in trouble first."""
    alarms: list[Alarm]
    """Those that go on."""
    untold: dict[str, str]
    """Way that alarms go -> why nothing gets out on it."""


@router.get("/health")
def show(here: Admin) -> Health:
    """Show how the machine is."""
    running = [health.InForce(one.name, one.version) for one in here.site.processes()]
    told = health.look(here.desk, running)
    fields = {name: getattr(told, name) for name in Health.model_fields if name != "alarms"}
    return Health.model_validate({**fields, "alarms": [_alarm(one) for one in told.alarms]})


@router.get("/alarms")
def list_alarms(here: SignedIn, ended: bool = False) -> Page[Alarm]:
    """List the alarms that go on, of your domains' back ends and held mail; all of them to administrators."""
    found = alarm_book.shown(here.desk, None if here.is_admin else here.names(), ended=ended)
    return Page(items=[_alarm(one) for one in found])


def _alarm(one: Kept) -> Alarm:
    return Alarm(
        alarm=one.key,
        kind=one.kind,
        name=one.name,
        why=one.why,
        text=one.text,
        domains=list(one.domains),
        began=one.began,
        ended=None if one.open else one.ended,
        times=one.times,
    )
