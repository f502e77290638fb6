"""Every route of the API, tried by whose domain it is not: as if it were not there, to the byte (T4.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from gatepost.console.app import API
from tests.console.api.program import Program
from tests.console.house import House

PARTS = {
    "key": "0",
    "day": "2027-01-01", "file": "x.zst", "plugin": "dnsbl", "number": "1", "name": "ann",
    "id": "3333333333333", "address": "shop.3.you@ann.example", "rule": "abcdef01", "local": "you",
}  # fmt: skip
"""What stands for the other parts of a path."""
OPEN = {
    "/alarms",
    "/domains",
    "/journal",
    "/queue",
    "/tokens",
    "/queue/{id}",
    "/queue/{id}/retry",
    "/messages/{id}",
    "/tokens/{number}",
}
"""Routes that anybody who is signed in may ask: they answer with one's own."""


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield (method, path below /api/v1) of every route."""
    for path, methods in app.openapi()["paths"].items():
        if path.startswith(API):
            yield from ((method.upper(), path.removeprefix(API)) for method in methods)


def ask(program: Program, method: str, path: str, domain: str) -> httpx.Response:
    """Ask for a route with something in each of its places."""
    filled = re.sub(r"\{(\w+)\}", lambda part: {**PARTS, "domain": domain}[part[1]], path)
    return program.ask(method, filled, json={} if method in ("POST", "PUT", "PATCH") else None)


def test_every_route_of_a_domain(house: House) -> None:
    """By an owner of another domain, of none, and by no good token: 404 like an unknown domain, or 401."""
    tried = 0
    for method, path in routes(house.app):
        if "{domain}" not in path:
            continue
        for name in ("eve", "nobody"):
            program = Program(house, name)
            foreign, unknown = (ask(program, method, path, one) for one in ("ann.example", "not.example"))
            assert 404 == foreign.status_code, f"{method} {path} by {name}: {foreign.status_code}"
            assert (foreign.content, foreign.headers) == (unknown.content, unknown.headers), path
            tried += 1
        assert 401 == ask(Program(house, "stranger"), method, path, "ann.example").status_code
    assert tried > 40


def test_every_route_of_the_machine(house: House) -> None:
    """For whoever is no administrator, what is the whole machine's does not exist."""
    tried = 0
    for method, path in routes(house.app):
        if "{domain}" in path or path in OPEN:
            continue
        answer = ask(Program(house, "ann"), method, path, "")
        assert 404 == answer.status_code, f"{method} {path}: {answer.status_code}"
        tried += 1
    assert tried > 15


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_reader_changes_nothing(house: House, method: str) -> None:
    """What changes a domain does not exist for whoever only looks."""
    for one, path in routes(house.app):
        if one == method and "{domain}" in path and not path.endswith("/test"):
            assert 404 == ask(Program(house, "rob"), method, path, "ann.example").status_code, path


def test_the_document_is_all(house: House) -> None:
    """Each route below /api/v1 stands in the document, with a sentence."""
    told = dict.fromkeys(routes(house.app))
    mounted = {
        (method, route.path.removeprefix(API))
        for route in house.app.routes
        if isinstance(route, APIRoute) and route.path.startswith(API)
        for method in route.methods or ()
    }
    assert mounted <= told.keys()
    assert all(
        deed.get("description")
        for path, deeds in house.app.openapi()["paths"].items()
        for deed in deeds.values()
    )
