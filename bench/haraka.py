"""Haraka from npm, with nothing but a recipient check in memory and, for the relay, its own smtp_forward.

One process (`nodes = 0`, cheaper here than a cluster), no look-up of the client's name, log level warn.
"""

import json
import shutil
from pathlib import Path

from bench.places import WORK, BenchError, call
from bench.server import DOMAIN, KNOWN_USERS, Server

HOME = WORK / "haraka"

PLUGIN = """\
'use strict'
// The bench's recipients: a Set. The client's name is not looked up.
exports.register = function () {
    this.known = new Set()
    for (let n = 0; n < %(users)d; n++) this.known.add(`user${n}@%(domain)s`)
}
exports.hook_lookup_rdns = function (next) { next(OK, 'client.example.com') }
exports.hook_rcpt = function (next, connection, params) {
    const to = `${params[0].user}@${params[0].host}`.toLowerCase()
    if (this.known.has(to)) return next(OK)
    next(DENY, 'no such user')
}
"""


class Haraka(Server):
    """Refuses unknown recipients."""

    name = "haraka"
    title = "Haraka"
    plugins: tuple[str, ...] = ("rcpt_set",)

    def version(self) -> str:
        manifest = json.loads((HOME / "node_modules" / "Haraka" / "package.json").read_text())
        return f"Haraka {manifest['version']}, Node {call(self.node(), '--version').strip().lstrip('v')}"

    @staticmethod
    def node() -> str:
        own = HOME / "node_modules" / "node" / "bin" / "node"
        found = str(own) if own.exists() else shutil.which("node")
        if found is None:
            raise BenchError("no Node; Haraka cannot run")
        return found

    def prepare(self) -> None:
        config = self.folder / "config"
        plugins = self.folder / "plugins"
        config.mkdir()
        plugins.mkdir()
        (plugins / "rcpt_set.js").write_text(PLUGIN % {"users": KNOWN_USERS, "domain": DOMAIN})
        shutil.copy(HOME / "node_modules" / "Haraka" / "config" / "connection.ini", config)  # it must exist
        files = {
            "smtp.ini": f"listen=127.0.0.1:{self.port}\nnodes=0\ninactivity_timeout=600\n",
            "plugins": "\n".join(self.plugins) + "\n",
            "me": "mx.bench.example\n",
            "loglevel": "WARN\n",
            "host_list": DOMAIN + "\n",
            "smtp_forward.ini": f"host=127.0.0.1\nport={self.sink_port}\n",
        }
        for name, text in files.items():
            (config / name).write_text(text)
        (self.folder / "package.json").write_text('{"name": "bench", "version": "1.0.0"}\n')

    def command(self) -> list[str]:
        haraka: Path = HOME / "node_modules" / "Haraka" / "bin" / "haraka"
        return [self.node(), str(haraka), "-c", str(self.folder)]


class HarakaForward(Haraka):
    """Relays each message inside the dialogue."""

    name = "haraka-forward"
    title = "Haraka smtp_forward"
    plugins = ("rcpt_set", "queue/smtp_forward")
