"""Gatepost itself, from this clone, set up through its own command line.

As it is shipped: journal, log and default plugins on, one process per core. 10,000 known recipients. The
variants say what they change: one worker; a denied network; many domains. `refuse_at = rcpt` is set
where the peer refuses at RCPT too, since the dialogues have to be the same.
"""

import sqlite3
import subprocess
import time
from pathlib import Path

from bench.groups import pss_kib
from bench.places import ROOT, BenchError, call, free_port
from bench.server import DOMAIN, KNOWN_USERS, Server

GATEPOST = ROOT / ".venv" / "bin" / "gatepost"

CONFIG = """\
hostname = "mx.bench.example"
data_dir = "{folder}/data"
[smtp]
listen = ["127.0.0.1:{port}"]
{workers}
[console]
listen = "127.0.0.1:{console}"
[metrics]
listen = "127.0.0.1:{metrics}"
"""


class Gatepost(Server):
    """As shipped: one worker per core."""

    name = "gatepost"
    title = "Gatepost as shipped"
    settles_in = 2.5  # the journal is collected about once a second
    workers = 0
    domain = DOMAIN

    def gatepost(self, *words: str | Path) -> str:
        return call(GATEPOST, "--config", self.config, *words)

    def gatepost_in(self, text: str, *words: str) -> None:
        """Run a command that reads standard input."""
        command = [str(GATEPOST), "--config", str(self.config), *words]
        subprocess.run(command, input=text, text=True, check=True, capture_output=True)

    @property
    def config(self) -> Path:
        return self.folder / "gatepost.toml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def version(self) -> str:
        commit = call("git", "rev-parse", "--short", "HEAD", cwd=ROOT).strip()
        changed = " with changes" if call("git", "status", "--porcelain", "src", cwd=ROOT).strip() else ""
        return f"Gatepost {commit}{changed}"

    def prepare(self) -> None:
        if not GATEPOST.exists():
            raise BenchError("no .venv/bin/gatepost; run ./run or ./test once")
        self.console = free_port()
        workers = f"workers = {self.workers}" if self.workers else ""
        self.config.write_text(
            CONFIG.format(
                folder=self.folder, port=self.port, workers=workers, console=self.console, metrics=free_port()
            )
        )
        self.data.mkdir()
        self.fill()

    def fill(self) -> None:
        """Domains, recipients and lists."""
        self.gatepost("domain", "add", self.domain, "--route", f"smtp://127.0.0.1:{self.sink_port or 9}")
        names = self.folder / "names"
        names.write_text("".join(f"user{number}\n" for number in range(KNOWN_USERS)))
        self.gatepost("recipient", "import", self.domain, names)

    def command(self) -> list[str]:
        return [str(GATEPOST), "--config", str(self.config), "serve"]

    def worker_mib(self) -> float:
        """The dearest process of the tree, in MiB of Pss."""
        return max(pss_kib(self.running().pids()).values(), default=0) / 1024

    def check(self, sessions: int) -> str:
        """The journal was on: it must hold a row for every session that was sent."""
        deadline = time.monotonic() + 20
        counted = -1
        while time.monotonic() < deadline:
            counted = self._journal_rows()
            if counted >= sessions:
                return ""
            time.sleep(1)
        return f"journal has {counted} sessions, {sessions} were sent"

    def _journal_rows(self) -> int:
        try:
            with sqlite3.connect(f"file:{self.data}/journal.db?mode=ro", uri=True) as journal:
                return int(journal.execute("SELECT count(*) FROM session").fetchone()[0])
        except sqlite3.Error:
            return -1


class GatepostOne(Gatepost):
    """One worker."""

    name = "gatepost-1"
    title = "Gatepost, 1 worker"
    workers = 1


class _Denied(Gatepost):
    """Every client is on the deny list of all domains."""

    def fill(self) -> None:
        super().fill()
        self.gatepost("domain", "set", self.domain, "refuse_at=rcpt")
        self.gatepost("list", "add", "--all", "deny", "127.0.0.0/8")


class GatepostDeny(_Denied):
    """The deny list, one worker per core."""

    name = "gatepost-deny"


class GatepostDenyOne(_Denied):
    """The deny list, one worker."""

    name = "gatepost-deny-1"
    title = "Gatepost, 1 worker"
    workers = 1


class GatepostSmall(GatepostOne):
    """One domain, d0.example, with 10,000 recipients."""

    name = "gatepost-small"
    title = "Gatepost, 1 worker, 1 domain"
    domain = "d0.example"
