"""The first screen: what became of my domains' mail."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from gatepost.console.auth import SignedIn
from gatepost.console.render import show

router = APIRouter()


@router.get("/")
def first(here: SignedIn) -> Response:
    """Show the first screen."""
    return show(here, "first.html", domains=here.names(limit=50))
