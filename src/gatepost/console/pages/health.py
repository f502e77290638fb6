"""How the machine is, for administrators: versions in force, checks, next hops, disk."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from gatepost.console.auth import Admin
from gatepost.console.render import show
from gatepost.console.text import mark
from gatepost.desk import health
from gatepost.desk.alarms import BACKUP, DISK, HELD, POISON, POLICY, PROCESS
from gatepost.telemetry.conditions import BACKEND, CHECK, LIST, SCANNER, SPOOL

router = APIRouter()
SAID = {
    "delivered": mark("accepted"),
    "deferred": mark("put off"),
    "refused": mark("refused"),
    "unreachable": mark("not reached"),
}
"""What next hops said, for people; another word is shown as it is."""

KINDS = {
    LIST: mark("DNS list"),
    SCANNER: mark("scanner"),
    BACKEND: mark("back end"),
    CHECK: mark("check"),
    SPOOL: mark("mail that waits unjudged"),
    PROCESS: mark("process"),
    DISK: mark("disk"),
    POLICY: mark("policy"),
    BACKUP: mark("backups"),
    POISON: mark("mail that kills who reads it"),
    HELD: mark("held mail without a reader of the digest"),
}
"""What an alarm is of, for people."""


@router.get("/health")
def page(here: Admin) -> Response:
    """Show the state of the machine now."""
    running = [health.InForce(one.name, one.version) for one in here.site.processes()]
    return show(here, "health.html", health=health.look(here.desk, running), SAID=SAID, KINDS=KINDS)
