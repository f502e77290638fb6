"""Real scanners on loopback: clamd with hand-made signatures, spamd and Rspamd without the network."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

from tests.system.process import Child, free_port, program

# Written in two pieces, so that no scanner finds it in this file.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-" + b"STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
MARKER = b"a marker string that only our own signature knows"

CLAMD = """\
LogFile {top}/clamd.log
DatabaseDirectory {top}/db
TCPSocket {port}
TCPAddr 127.0.0.1
Foreground yes
PidFile {top}/clamd.pid
StreamMaxLength 30M
"""
RSPAMD_LOCAL = {
    "options.inc": 'filters = "";\ndns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; }\n',
    "logging.inc": 'type = "file"; filename = "{top}/rspamd.log"; level = "warning";\n',
    "worker-normal.inc": 'bind_socket = "127.0.0.1:{port}"; count = 1;\n',
    "worker-controller.inc": "enabled = false;\n",
    "worker-proxy.inc": "enabled = false;\n",
    "worker-fuzzy.inc": "enabled = false;\n",
}
RSPAMD_LEARNS = {
    "worker-controller.inc": 'bind_socket = "127.0.0.1:{controller}"; count = 1; secure_ip = "127.0.0.1";\n',
    "../override.d/statistic.conf": 'classifier "bayes" { tokenizer { name = "osb"; } backend = "sqlite3";\n'
    'min_learns = 1; min_tokens = 1; cache { type = "sqlite3"; path = "{top}/data/learned.sqlite"; }\n'
    'statfile { symbol = "BAYES_HAM"; spam = false; path = "{top}/data/ham.sqlite"; }\n'
    'statfile { symbol = "BAYES_SPAM"; spam = true; path = "{top}/data/spam.sqlite"; } }\n',
}
RSPAMD_OFF = (
    "rbl", "surbl", "asn", "fuzzy_check", "mx_check", "dkim", "spf", "dmarc", "arc", "greylist",
    "ratelimit", "phishing", "neural", "url_redirector", "history_redis", "hfilter", "whitelist",
    "emails", "bayes_expiry", "maillist", "mid", "multimap", "replies", "reputation",
    "spamassassin", "trie", "once_received", "milter_headers", "antivirus", "external_services",
    "clickhouse", "elastic", "metadata_exporter", "p0f", "known_senders", "bimi", "aws_s3", "dcc",
    "clustering", "spamtrap", "metric_exporter",
)  # fmt: skip


def listens(port: int) -> bool:
    """Say whether somebody takes connections there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Scanner:
    """A scanner on a port of its own."""

    def __init__(self, name: str, command: list[str], top: Path, port: int, seconds: float = 20) -> None:
        self.port = port
        self.child = Child(name, command, top, HOME=str(top))
        self.child.wait_for(lambda: listens(port), seconds)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End it."""
        self.child.kill()


def clamd(top: Path) -> Scanner:
    """Start a real clamd that knows EICAR and a marker of ours."""
    port = free_port()
    database = top / "db"
    database.mkdir()
    (database / "test.hdb").write_text(f"{hashlib.md5(EICAR).hexdigest()}:{len(EICAR)}:Test.Eicar\n")
    (database / "test.ndb").write_text(f"Test.Marker:0:*:{MARKER.hex()}\n")
    root = "User root\n" if os.geteuid() == 0 else ""
    (top / "clamd.conf").write_text(CLAMD.format(top=top, port=port) + root)
    return Scanner("clamd", [program("clamd", "clamav-daemon"), "-c", str(top / "clamd.conf")], top, port)


def clamd_again(dead: Scanner) -> Scanner:
    """Start a clamd that was stopped, at the same address."""
    top = dead.child.output.parent
    return Scanner(
        "clamd", [program("clamd", "clamav-daemon"), "-c", str(top / "clamd.conf")], top, dead.port
    )


def spamd(top: Path, *, learns: bool = False) -> Scanner:
    """Start a real spamd: local tests only, no user's files; `learns`: a Bayes of its own for each user."""
    port = free_port()
    users = ["--allow-tell", f"--virtual-config-dir={top}/users/%u"] if learns else []
    command = [program("spamd", "spamd"), "-L", "-x", "-i", "127.0.0.1", "-p", str(port), "-m", "2",
               "--min-children=1", "-r", str(top / "spamd.pid"), "-s", "stderr", *users]  # fmt: skip
    if os.geteuid() == 0:
        command += ["-u", "nobody"]
        top.chmod(0o777)
    return Scanner("spamd", command, top, port)


def rspamd(top: Path, *, controller: int = 0) -> Scanner:
    """Start a real Rspamd with its outside lists off; it takes ten seconds. `controller`: where it learns."""
    port = free_port()
    local = top / "local.d"
    local.mkdir()
    (top / "override.d").mkdir()
    for name, text in (RSPAMD_LOCAL | (RSPAMD_LEARNS if controller else {})).items():
        ports = text.replace("{port}", str(port)).replace("{controller}", str(controller))
        (local / name).write_text(ports.replace("{top}", str(top)))
    for name in RSPAMD_OFF:
        (local / f"{name}.conf").write_text("enabled = false;\n")
    for folder in ("run", "data", "logs"):
        (top / folder).mkdir()
    variables = {"LOCAL_CONFDIR": top, "DBDIR": top / "data", "RUNDIR": top / "run", "LOGDIR": top / "logs"}
    command = [
        program("rspamd", "rspamd"),
        "-f",
        "-i",
        *(f"--var={k}={path}" for k, path in variables.items()),
    ]
    return Scanner("rspamd", command, top, port, 60)
