"""`/plugins` and `/domains/{domain}/plugins`: each check's switch and settings, and what it did this week."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from gatepost.console.api.answers import Answer, Expected, Page
from gatepost.console.api.settings import Settings, Values, read, write
from gatepost.console.auth import Admin, Changing, Here, Looking
from gatepost.desk import checks

router = APIRouter(tags=["checks"])


class Did(Answer):
    """What a check did in the last seven days."""

    refused: int
    deferred: int
    would_refuse: int
    """On watch: mails that it would have refused."""
    of_accepted: int
    """Of these, mails that got in."""


class Plugin(Answer):
    """One check."""

    name: str
    does: str
    mode: str
    """`off`, `watch` or `on`."""
    origin: str
    did: Did
    allowed: int
    """Allow entries for this check alone."""
    error: bool


def _list(here: Here, word: str | None) -> Page[Plugin]:
    return Page(items=[Plugin.of(line) for line in checks.listing(here.desk, word)])


def _show(here: Here, word: str | None, name: str, response: Response) -> Settings:
    loaded, _ = checks.one(here.desk, word, name)
    return read(here, word, response, f"{loaded.name}.")


def _put(here: Here, word: str | None, name: str, values: Values, expect: int | None, *, whole: bool) -> None:
    loaded, _ = checks.one(here.desk, word, name)
    given: dict[str, Any] = {f"{loaded.name}.{field}": value for field, value in values.items()}
    if whole:
        own = checks.own_keys(here.desk, word, loaded.name)
        given = dict.fromkeys(own) | given
    write(here, word, given, expect)


@router.get("/domains/{domain}/plugins")
def list_plugins(here: Looking) -> Page[Plugin]:
    """List the checks of a domain, those at work first."""
    return _list(here, here.domain)


@router.get("/domains/{domain}/plugins/{plugin}")
def show_plugin(here: Looking, plugin: str, response: Response) -> Settings:
    """Show a check's switch and settings."""
    return _show(here, here.domain, plugin, response)


@router.put("/domains/{domain}/plugins/{plugin}")
def put_plugin(here: Changing, plugin: str, values: Values, response: Response, expect: Expected) -> Settings:
    """Make these the domain's own values of a check (`{"mode": "on", "zones": [...]}`), and no others."""
    _put(here, here.domain, plugin, values, expect, whole=True)
    return _show(here, here.domain, plugin, response)


@router.patch("/domains/{domain}/plugins/{plugin}")
def change_plugin(
    here: Changing, plugin: str, values: Values, response: Response, expect: Expected
) -> Settings:
    """Change some values of a check; null lets the value of all domains hold again."""
    _put(here, here.domain, plugin, values, expect, whole=False)
    return _show(here, here.domain, plugin, response)


@router.get("/plugins")
def list_plugins_of_all(here: Admin) -> Page[Plugin]:
    """List the checks as all domains have them."""
    return _list(here, None)


@router.get("/plugins/{plugin}")
def show_plugin_of_all(here: Admin, plugin: str, response: Response) -> Settings:
    """Show a check's switch and settings for all domains."""
    return _show(here, None, plugin, response)


@router.put("/plugins/{plugin}")
def put_plugin_of_all(
    here: Admin, plugin: str, values: Values, response: Response, expect: Expected
) -> Settings:
    """Make these the values of a check for all domains, and no others."""
    _put(here, None, plugin, values, expect, whole=True)
    return _show(here, None, plugin, response)
