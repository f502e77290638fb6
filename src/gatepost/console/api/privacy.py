"""`/domains/{domain}/privacy`: one person's data in the domain, counted, handed out, erased."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import Field

from gatepost.console.api.answers import Answer, Body, Text
from gatepost.console.auth import Changing
from gatepost.console.zips import zipped
from gatepost.desk import privacy

router = APIRouter(tags=["privacy"])


class Person(Body):
    """Who is meant. In the body, since addresses of requests are written into logs."""

    address: Annotated[Text, Field(max_length=320)]


class Erased(Answer):
    """What was done: kind -> how many."""

    done: dict[str, int]
    left: dict[str, int]
    """What waits to be delivered, and what is a setting (lists, recipients, accounts)."""


@router.post("/domains/{domain}/privacy/find")
def count_traces(here: Changing, body: Person) -> dict[str, int]:
    """Count what the domain has of a person; nothing is opened or changed."""
    return privacy.look(here.desk, here.domain, privacy.person(body.address)).counts


@router.post("/domains/{domain}/privacy/export", response_class=StreamingResponse)
def export_person(here: Changing, body: Person) -> StreamingResponse:
    """Return all of it as a zip."""
    return zipped(here.desk, here.domain, privacy.person(body.address))


@router.post("/domains/{domain}/privacy/erase")
def erase_person(here: Changing, body: Person) -> Erased:
    """Erase a person from the domain, for good."""
    return Erased.of(privacy.erase(here.desk, here.domain, privacy.person(body.address)))
