"""How the machine is, for administrators: versions in force, checks, next hops, disk."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from gatepost.console.auth import Admin
from gatepost.console.render import show
from gatepost.console.text import mark
from gatepost.desk import health

router = APIRouter()
SAID = {
    "delivered": mark("accepted"),
    "deferred": mark("put off"),
    "refused": mark("refused"),
    "unreachable": mark("not reached"),
}
"""What next hops said, for people; another word is shown as it is."""


@router.get("/health")
def page(here: Admin) -> Response:
    """Show the state of the machine now."""
    running = [health.InForce(one.name, one.version) for one in here.site.processes()]
    return show(here, "health.html", health=health.look(here.desk, running), SAID=SAID)
