"""A program that talks to the API of a house with a token of somebody's."""

from __future__ import annotations

from typing import Any

import httpx
from fastapi.testclient import TestClient

from gatepost.console.app import API
from tests.console.house import House


class Program:
    """Sends `Authorization: Bearer program-NAME`, which the house's people understand."""

    def __init__(self, house: House, name: str) -> None:
        self.client = TestClient(house.app, headers={"authorization": f"Bearer program-{name}"})

    def ask(self, method: str, path: str, **further: Any) -> httpx.Response:
        """Send one request to a path below /api/v1."""
        return self.client.request(method, API + path, **further)  # type: ignore[no-any-return]

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """Return what stands there."""
        return self._answer(self.ask("GET", path, params=query), status)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        """Send something and return the answer; bytes are a message."""
        if isinstance(body, bytes):
            kind = {"content-type": "message/rfc822"}
            return self._answer(self.ask("POST", path, content=body, headers=kind), status)
        return self._answer(self.ask("POST", path, json=body), status)

    def patch(self, path: str, body: Any, status: int = 200, if_match: str = "*") -> Any:
        """Change something and return the answer."""
        return self._answer(self.ask("PATCH", path, json=body, headers={"if-match": if_match}), status)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        """Replace something and return the answer."""
        return self._answer(self.ask("PUT", path, json=body), status)

    def delete(self, path: str, status: int = 200) -> Any:
        """Delete something and return the answer."""
        return self._answer(self.ask("DELETE", path), status)

    def _answer(self, response: httpx.Response, status: int) -> Any:
        assert status == response.status_code, f"{response.status_code} {response.text[:500]}"
        return response.json() if response.content else None
