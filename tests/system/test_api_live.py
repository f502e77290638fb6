"""The API of a running gateway: a token from the command line, a setting, and in force in every worker."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.system.gateway import Gateway
from tests.system.process import free_port, wait_until
from tests.system.sink import Sink
from tests.system.test_console_process import answers

pytestmark = pytest.mark.system


class Api:
    """A program with a token."""

    def __init__(self, port: int, bearer: str) -> None:
        self.base = f"http://127.0.0.1:{port}/api/v1"
        self.bearer = bearer

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, str]:
        """Return status, answer and ETag."""
        request = urllib.request.Request(self.base + path, method=method)
        request.add_header("Authorization", f"Bearer {self.bearer}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read() or b"null"), answer.headers.get("ETag", "")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null"), ""


def test_a_setting_by_the_api(tmp_path: Path, sink: Sink) -> None:
    """Set with the version that was read; every process has it within moments; the mail shows it."""
    port = free_port()
    gateway = Gateway(tmp_path, {"console": {"listen": f"127.0.0.1:{port}"}, "smtp": {"workers": 2}})
    gateway.start()
    try:
        for domain in ("mine.example", "other.example"):
            gateway.cli("domain", "add", domain, "--route", f"smtp://127.0.0.1:{sink.port}")
            gateway.cli("recipient", "add", domain, "ann")
        gateway.cli("user", "add", "olga", "--domain", "mine.example")
        token = gateway.cli("token", "add", "olga", "script", "--rights", "change").stdout.strip()
        wait_until(lambda: answers(port), "the console")
        gateway.until_accepted("ann@mine.example")
        api = Api(port, token)
        path = "/domains/mine.example/settings"
        status, _, tag = api.ask("GET", path)
        assert 200 == status
        assert 404 == api.ask("GET", "/domains/other.example/settings")[0]
        gateway.cli("domain", "set", "mine.example", "keep_days=9")
        status, told, _ = api.ask("PATCH", path, {"keep_days": 8}, If_Match=tag)
        assert (412, True) == (status, "changed meanwhile by" in told["detail"])
        deny = {"kind": "deny", "entry": "foe@bad.example"}
        assert 201 == api.ask("POST", "/domains/mine.example/lists", deny)[0]
        wait_until(
            lambda: all(
                gateway.send(["ann@mine.example"], b"Subject: x\r\n\r\nx\r\n", sender="foe@bad.example")[0]
                == 550
                for _ in range(8)
            ),
            "refused by both workers",
        )
        wait_until(
            lambda: any(
                one["plugin"] == "deny_list" for one in api.ask("GET", "/journal?fate=rejected")[1]["items"]
            ),
            "the refusal in the journal",
        )
        row = api.ask("GET", "/journal?fate=rejected")[1]["items"][0]
        status, message, _ = api.ask("GET", f"/messages/{row['id']}")
        assert (200, "foe@bad.example") == (status, message["outcomes"][0]["sender"])
        admin = gateway.cli("user", "add", "root", "--role", "admin")
        assert admin.returncode == 0
        token = gateway.cli("token", "add", "root", "all", "--rights", "admin").stdout.strip()
        root = Api(port, token)
        wait_until(lambda: root.ask("GET", "/health")[1]["current"] == 3, "the version in force everywhere")
        newest = root.ask("GET", "/domains/mine.example/changes")[1]["items"][0]
        assert ("olga", "entry") == (newest["by"], newest["what"])
        undone = f"/domains/mine.example/changes/{newest['id']}/roll-back"
        assert 200 == root.ask("POST", undone)[0]
        gateway.cli("token", "revoke", "1")
        assert 401 == api.ask("GET", path)[0]
    finally:
        gateway.stop()
