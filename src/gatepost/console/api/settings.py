"""`/settings` and `/domains/{domain}/settings`: every setting in force with its origin; ETag and If-Match.

The ETag is the version of the policy. A change with If-Match is refused with 412 where somebody changed
these settings since; what others changed elsewhere does not matter.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from gatepost.console.api.answers import Answer, Expected, Text, as_seen, etag
from gatepost.console.auth import Admin, Changing, Here, Looking
from gatepost.desk import domains

router = APIRouter(tags=["settings"])
Values = dict[Text, Any]


class Value(Answer):
    """One setting in force."""

    key: str
    value: Any
    origin: str
    """`default`, `all`, `domain` or `mailbox`."""


class Settings(Answer):
    """Every setting in force."""

    version: int
    items: list[Value]


def read(here: Here, word: str | None, response: Response, prefix: str = "") -> Settings:
    """Return the settings of a domain or (None) of all, with their version as ETag."""
    version = here.desk.policy.version()  # first: what is changed meanwhile is then a conflict
    found, _ = domains.get_values(here.desk, word)
    etag(response, version)
    return Settings(version=version, items=[Value.of(one) for one in found if one.key.startswith(prefix)])


def write(here: Here, word: str | None, values: Values, expect: int | None) -> None:
    """Set values, and unset those that are null; 412 where somebody was faster."""
    gone = {key: None for key, value in values.items() if value is None}
    if gone:
        own = domains.own_values(here.desk, word)
        gone = {key: None for key in gone if key in own}
    given = {key: value for key, value in values.items() if value is not None}
    with as_seen():
        if gone and given:
            # Looked at together first, so that a fault leaves nothing half done.
            domains.checked_values(here.desk, word, given)
        if gone:
            version = domains.unset_values(here.desk, word, gone, expect)
            expect = None if expect is None else version
        if given:
            domains.set_values(here.desk, word, given, expect)


@router.get("/domains/{domain}/settings")
def show_settings(here: Looking, response: Response) -> Settings:
    """Show every setting of a domain with where it comes from."""
    return read(here, here.domain, response)


@router.patch("/domains/{domain}/settings")
def change_settings(here: Changing, values: Values, response: Response, expect: Expected) -> Settings:
    """Set values of a domain; null lets the value of all domains hold again."""
    write(here, here.domain, values, expect)
    return read(here, here.domain, response)


@router.get("/settings")
def show_settings_of_all(here: Admin, response: Response) -> Settings:
    """Show the settings that hold for all domains."""
    return read(here, None, response)


@router.patch("/settings")
def change_settings_of_all(here: Admin, values: Values, response: Response, expect: Expected) -> Settings:
    """Set values for all domains; null lets the default hold again."""
    write(here, None, values, expect)
    return read(here, None, response)
