"""A console in this process, on a data directory of its own, with people who need no password store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi.testclient import TestClient

from gatepost.console.app import make_app
from gatepost.console.site import Process, Site
from gatepost.desk import domains, recipients
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.plugin.registry import load

REGISTRY = load(None)
NOW = 1_800_000_000.0
SECRET = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass(frozen=True)
class Somebody:
    """A person of the tests."""

    name: str
    role: str
    domains: tuple[str, ...] = ()
    language: str = "en"
    zone: str = "Europe/Berlin"


@dataclass(frozen=True)
class Visited:
    """A session of the tests."""

    id: str
    user: Somebody


class Refused(DeskError):
    """What a wrong password gets."""

    code = "wrong"
    retry_after = 0


@dataclass
class People:
    """Accounts in memory; everybody's password is `secret`, and his token his name."""

    known: dict[str, Somebody] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def sign_in(self, desk: Desk, name: str, password: str, code: str, client: str, agent: str = "") -> str:
        """Check the password."""
        if name not in self.known or password != "secret":
            raise Refused("name or password is wrong")
        self.gone.discard(name)
        return f"token-{name}"

    def who(self, desk: Desk, token: str) -> Visited | None:
        """Look the token up."""
        name = token.removeprefix("token-")
        return (
            Visited(f"id-{name}", self.known[name]) if name in self.known and name not in self.gone else None
        )

    def bearer(self, desk: Desk, token: str) -> Visited | None:
        """A program's token is `program-` and the name of whose it is."""
        name = token.removeprefix("program-")
        return Visited(f"token of {name}", self.known[name]) if name in self.known and name != token else None

    def sign_out(self, desk: Desk, token: str) -> None:
        """End it."""
        self.gone.add(token.removeprefix("token-"))


class House:
    """A console with two domains and three people: `root` (admin), `ann` (owner), `rob` (reader of ann's)."""

    def __init__(self, data: Path, **site: Any) -> None:
        self.data = data
        data.mkdir(exist_ok=True)
        self.people = People()
        for one in (
            Somebody("root", "admin"),
            Somebody("ann", "owner", ("ann.example",)),
            Somebody("rob", "reader", ("ann.example",)),
            Somebody("eve", "owner", ("eve.example",)),
            Somebody("nobody", "owner"),
        ):
            self.people.known[one.name] = one
        self.faults: list[str] = []
        self.clock = site.setdefault("clock", lambda: NOW)
        self.site = Site(
            self.desk,
            self.people,
            "mx.gatepost.test",
            bearer=self.people.bearer,
            processes=self.processes,
            **site,
        )
        self.app = make_app(
            self.site, lambda event, path, error: self.faults.append(f"{event} {path} {error!r}")
        )
        with self.desk("test", True) as desk:
            for name in ("ann.example", "eve.example"):
                domains.add(desk, name, [f"smtp://mail.{name}"])
                recipients.add(desk, name, ["you", "postmaster"])

    def processes(self) -> list[Process]:
        """Return one worker that is up to date, and a keeper that is not."""
        with self.desk() as desk:
            version = desk.policy.version()
        return [Process("w0", 1, version), Process("keeper", 2, version - 1)]

    def desk(self, by: str = "test", admin: bool = True) -> Desk:
        """Return a desk on the same data."""
        return Desk(
            self.data,
            by,
            admin=admin,
            registry=REGISTRY,
            clock=self.clock,
            hostname="mx.gatepost.test",
            dns_servers=["127.0.0.1:1"],  # nobody answers there
            dns_timeout=0.1,
        )

    def browser(self, name: str = "", **headers: str) -> Browser:
        """Return a browser, signed in as somebody or (without a name) as nobody."""
        client = TestClient(self.app, follow_redirects=False, headers=headers)
        if name:
            client.cookies.set("gatepost", f"token-{name}")
        return Browser(client)


class Browser:
    """Asks for pages and sends their forms, with the secret that the page held."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, path: str) -> httpx.Response:
        """Ask for a page."""
        return self.client.get(path)  # type: ignore[no-any-return]

    def page(self, path: str) -> str:
        """Return a page that must be there."""
        response = self.client.get(path)
        assert 200 == response.status_code, f"{path}: {response.status_code} {response.text[:500]}"
        return str(response.text)

    def secret(self, path: str = "/") -> str:
        """Return the secret of this browser's forms, as a page shows it."""
        found = SECRET.search(self.client.get(path).text)
        assert found, f"{path} has no form"
        return found[1]

    def post(self, path: str, values: Mapping[str, Any] | None = None, **further: Any) -> httpx.Response:
        """Send a form as a page of ours would."""
        return self.client.post(path, data={"csrf": self.secret(), **(values or {})}, **further)  # type: ignore[no-any-return]
