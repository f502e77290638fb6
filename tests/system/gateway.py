"""The program itself, as a user runs it: `gatepost serve` with a configuration file, and its command line."""

from __future__ import annotations

import json
import re
import smtplib
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from gatepost.store.policy_db import PolicyStore
from tests.system.process import Child, free_port, greets, wait_until

GATEPOST = str(Path(sys.executable).with_name("gatepost"))


def toml(tables: Mapping[str, Any], under: str = "") -> str:
    """Write nested tables as TOML; JSON's strings, numbers, truth values and lists are TOML's too."""
    plain = {key: value for key, value in tables.items() if not isinstance(value, Mapping)}
    deeper = {key: value for key, value in tables.items() if isinstance(value, Mapping)}
    out = [f"[{under}]"] if under and plain else []
    out += [f"{_word(key)} = {json.dumps(value)}" for key, value in plain.items()]
    out += [toml(value, f"{under}.{_word(key)}" if under else _word(key)) for key, value in deeper.items()]
    return "\n".join(out) + "\n"


def _word(key: str) -> str:
    return json.dumps(key) if "." in key else key


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `over`, table by table."""
    out = dict(base)
    for key, value in over.items():
        old = out.get(key)
        out[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return out


class Gateway:
    """One installation in a directory: configuration, data, log, and the running server."""

    started: ClassVar[set[Gateway]] = set()
    """Those of this process that run."""

    def __init__(self, top: Path, settings: Mapping[str, Any] | None = None) -> None:
        self.top = top
        self.port = free_port()
        self.metrics_port = free_port()
        self.data = top / "data"
        self.config = top / "gatepost.toml"
        usual = {
            "hostname": "mx.gatepost.test",
            "data_dir": str(self.data),
            "smtp": {"listen": [f"127.0.0.1:{self.port}"], "workers": 1},
            "metrics": {"listen": f"127.0.0.1:{self.metrics_port}"},
            "console": {"listen": ""},  # who tests it says where; it takes half a second to start
        }
        self.config.write_text(toml(merged(usual, settings or {})))
        self.child: Child | None = None

    def start(self, *arguments: str, **environment: str) -> None:
        """Start `gatepost serve` and return when it greets."""
        self.started.add(self)
        command = [GATEPOST, "--config", str(self.config), "serve", *arguments]
        self.child = Child("gatepost", command, self.top, **environment)
        self.child.wait_for(lambda: greets(self.port))

    def cli(self, *arguments: str, check: bool = True, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of the command line on this installation; fails where its status is not 0."""
        done = subprocess.run(
            [GATEPOST, "--config", str(self.config), *arguments],
            capture_output=True,
            text=True,
            input=stdin,
            timeout=60,
            cwd=self.top,
            check=False,
        )
        if check:
            assert 0 == done.returncode, f"gatepost {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def cli_bytes(self, *arguments: str) -> bytes:
        """Run a command and return the bytes that it printed."""
        command = [GATEPOST, "--config", str(self.config), *arguments]
        return subprocess.run(command, capture_output=True, timeout=60, cwd=self.top, check=True).stdout

    def json(self, *arguments: str) -> Any:
        """Run a command with --json and return what it printed, read."""
        return json.loads(self.cli(*arguments, "--json").stdout)

    def follow(self, *arguments: str) -> Child:
        """Start a command that does not end by itself (`journal --follow`)."""
        command = [GATEPOST, "--config", str(self.config), *arguments]
        return Child(f"follow{time.monotonic_ns()}", command, self.top)

    def smtp(self, source: str = "127.0.0.1", helo: str = "client.example") -> smtplib.SMTP:
        """Connect as a client from this loopback address."""
        return smtplib.SMTP("127.0.0.1", self.port, helo, timeout=20, source_address=(source, 0))

    def until_accepted(self, recipient: str, source: str = "127.0.0.1") -> None:
        """Wait until a change that lets a recipient in is in force."""
        wait_until(lambda: self.rcpt(recipient, source=source)[0] == 250, f"{recipient} accepted")

    def current(self) -> bool:
        """Say whether the policy as it is stored is in force in each of its processes."""
        store = PolicyStore(self.data / "policy.db")
        try:
            stored = store.version()
        finally:
            store.close()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/readyz", timeout=5) as answer:
                said = answer.read().decode()
        except OSError:
            return False
        return all(int(version) >= stored for version in re.findall(r"\d+", said.partition("[")[2]))

    def rcpt(
        self, *recipients: str, source: str = "127.0.0.1", sender: str = "sender@client.example"
    ) -> tuple[int, str]:
        """Ask for recipients and send nothing; the reply to the last one."""
        with self.smtp(source) as client:
            client.ehlo()
            client.mail(sender)
            code, text = 0, b""
            for recipient in recipients:
                code, text = client.rcpt(recipient)
            return code, text.decode()

    def send(
        self,
        recipients: list[str],
        body: bytes,
        source: str = "127.0.0.1",
        sender: str = "sender@client.example",
    ) -> tuple[int, str]:
        """Send a message (CRLF line ends) and return the last reply, be it to RCPT or to the data."""
        with self.smtp(source) as client:
            client.ehlo()
            client.mail(sender)
            for recipient in recipients:
                code, text = client.rcpt(recipient)
                if code >= 400:
                    return code, text.decode()
            code, text = client.data(body)
            return code, text.decode()

    def said(self) -> str:
        """Return its log."""
        return self.child.said() if self.child else ""

    def stop(self) -> int:
        """End it with TERM, as systemd does; returns its status."""
        assert self.child is not None
        self.started.discard(self)
        return self.child.stop(20)

    def kill(self) -> None:
        """Kill every process of it at once, as a power failure does."""
        self.started.discard(self)
        if self.child is not None:
            self.child.kill()
