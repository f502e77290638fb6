"""Every key of `gatepost.toml`, with its kind, its default and what it is for (CONTRACT section 2).

The table is the classes themselves: reading, the environment's names, `config show` and the
reference page are made from them. A key is added here and nowhere else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from gatepost.config.commands import COMMANDS
from gatepost.config.section import Section, key, section, walk
from gatepost.config.values import (
    ADDRESS,
    ADDRESSES,
    DOMAIN,
    DOMAINS_NETWORKS,
    ENDPOINT,
    FLAG,
    MAILBOXES,
    NAME_SERVERS,
    NETWORKS,
    OPTIONAL_PATH,
    PATH,
    ROUTE,
    SECRET,
    SIZE,
    STRING,
    Kind,
    Network,
    choice,
    count,
    hide_password,
    ratio,
    seconds,
    url,
)
from gatepost.policy.commands import Command

DEFAULT = "default"
"""The origin of a value that nobody set."""


class Outgoing(Section):
    """For BATV: the domains' own servers use us as smart host."""

    listen: tuple[str, ...] = key(ADDRESSES, [], "Where the domains' own servers hand in mail; empty: off.")
    networks: Mapping[str, tuple[Network, ...]] = key(
        DOMAINS_NETWORKS, {}, "Who may send for which domain; everyone else gets 550."
    )
    next_hop: str = key(ADDRESS, "", "The one server that this mail goes to, in the dialogue.")


class Smtp(Section):
    """The door on port 25."""

    listen: tuple[str, ...] = key(ADDRESSES, ["0.0.0.0:25", "[::]:25"], "Addresses to accept mail on.")
    workers: int = key(count(0, 63), 0, "Processes; 0 means one per core.")
    max_message_size: int = key(SIZE, "50MiB", "Larger messages are refused, also by the SIZE parameter.")
    max_recipients: int = key(count(100, 100_000), 1000, "Recipients of one message (RFC 5321 demands 100).")
    max_connections: int = key(count(1, 1_000_000), 20_000, "Connections at once, whole machine.")
    max_connections_per_client: int = key(
        count(1), 50, "Connections at once of one client: an IPv4 address or an IPv6 /64."
    )
    timeout: float = key(seconds(1), 300, "Between commands (RFC 5321 4.5.3.2).")
    final_reply: float = key(
        seconds(5, 600),
        240,
        "From the final dot to our reply: checks some 60 of it, the hand-off the rest.",
    )
    max_message_line: int = key(SIZE, "1MiB", "Longer lines are refused; up to there they pass unchanged.")
    greet_wait: float = key(seconds(0, 60), 0, "How long to wait for early talkers before the greeting.")
    trusted_relays: tuple[Network, ...] = key(
        NETWORKS, [], "Our own backup MX and forwarders: the client is taken from their Received line."
    )
    dsn: bool = key(FLAG, False, "Offer DSN (RFC 3461).")
    tls_certificate: Path | None = key(
        OPTIONAL_PATH, "", "PEM file; empty: a self-signed one is made at first start."
    )
    tls_key: Path | None = key(OPTIONAL_PATH, "", "PEM file; empty: the key is in the certificate's file.")
    proxy_protocol_from: tuple[Network, ...] = key(NETWORKS, [], "Networks that must speak PROXY v1 or v2.")
    xclient_from: tuple[Network, ...] = key(NETWORKS, [], "Networks that may use XCLIENT.")
    bare_newline: str = key(
        choice("normalize", "reject"), "normalize", "What a bare CR or LF in a message becomes."
    )
    outgoing: Outgoing = section(Outgoing)

    @property
    def worker_processes(self) -> int:
        """How many workers to start."""
        return self.workers or min(63, len(os.sched_getaffinity(0)))


class Dns(Section):
    """Whom we ask."""

    servers: tuple[str, ...] = key(
        NAME_SERVERS, [], 'Name servers, "host" or "host:port"; empty: /etc/resolv.conf.'
    )
    timeout: float = key(seconds(0.1, 60), 5, "For one question, tries included.")


class Store(Section):
    """What is remembered: policy, users, journal, archive index."""

    url: str = key(url("postgresql"), "", "Empty: SQLite in data_dir; postgresql://... for many machines.")


class State(Section):
    """What is counted: greylist, rates, storms, reputation."""

    url: str = key(url("valkey", "redis"), "", "Empty: embedded; valkey:// or redis:// for many machines.")


class Archive(Section):
    """What was refused or held."""

    max_bytes: int = key(SIZE, "20GiB", "All domains together; the oldest refused mail goes first.")
    domain_bytes: int = key(
        SIZE, 0, "One domain at most, so that it leaves the others room; 0: three quarters."
    )
    min_free: int = key(
        SIZE, "1GiB", "Below: refused mail is no longer kept (counted), held mail gets 452 4.3.1."
    )

    @property
    def of_domain(self) -> int:
        """What one domain may fill: whoever holds all his mail must not have the others' put off."""
        return self.domain_bytes or self.max_bytes * 3 // 4


class Relay(Section):
    """The way on to the domains' own servers."""

    allow: tuple[Network, ...] = key(
        NETWORKS, [], "Private networks that an owner's route may point to; administrators may use any."
    )


class Files(Section):
    """Policy as a tree of files."""

    srv: Path | None = key(OPTIONAL_PATH, "", "A tree to follow live (docs/howto/files-under-srv.md).")
    route: str = key(STRING, "", "Where mail of a domain goes that only the tree has, without a route.")
    blacklist_d: Path | None = key(
        OPTIONAL_PATH,
        "/etc/blacklist.d",
        "With srv: a file for each client address to deny.",
    )


class Plugins(Section):
    """Plugins of your own."""

    folder: Path | None = key(
        OPTIONAL_PATH, "/etc/gatepost/plugins", "Where they lie; never a folder that the service can write."
    )


class Console(Section):
    """The web console."""

    listen: str = key(ADDRESS, "127.0.0.1:8025", "Empty: no console.")
    public_url: str = key(url("http", "https"), "", "Used in links of digests and SMTP replies.")


class Metrics(Section):
    """Prometheus text at /metrics, health at /healthz and /readyz."""

    listen: str = key(ADDRESS, "127.0.0.1:9025", "Empty: none.")


class Alarms(Section):
    """Who is told that something is in trouble, by a way that does not pass the filter."""

    webhook: str = key(url("http", "https"), "", "Each alarm is posted there, as JSON.")
    webhook_secret: str = key(SECRET, "", "Goes along as `Authorization: Bearer SECRET`.")
    mail_to: tuple[str, ...] = key(
        MAILBOXES, [], "Mailboxes outside, whose mail does not come through this machine."
    )
    mail_through: str = key(
        ROUTE,
        "",
        "The server that takes this mail; encrypted where it offers that, ?tls=required demands it.",
    )
    mail_user: str = key(
        STRING, "", "The name to sign in with there, over TLS with a certificate that holds."
    )
    mail_password_file: Path | None = key(
        OPTIONAL_PATH, "", "The file that holds its password, and nothing else."
    )
    after: float = key(seconds(0, 86_400), 60, "Trouble that is over sooner is no alarm.")
    repeat: float = key(
        seconds(3_600, 30 * 86_400), 21_600, "After so long it is told again that an alarm goes on."
    )

    @property
    def ways(self) -> tuple[str, ...]:
        """`webhook`, `mail`: the ways that are set."""
        mail = self.mail_to and self.mail_through
        return (*(("webhook",) if self.webhook else ()), *(("mail",) if mail else ()))


class LogKeys(Section):
    """One line per outcome."""

    format: str = key(choice("logfmt", "json"), "logfmt", "How a line is written.")
    level: str = key(choice("debug", "info", "warning", "error"), "info", "What is written at all.")
    terse: bool = key(FLAG, False, "Outcomes as the eight tab-separated fields of the old logterse.")

    @property
    def style(self) -> str:
        """`logfmt`, `json` or `terse`: how an outcome is written."""
        return "terse" if self.terse else self.format


class Overload(Section):
    """New sessions get 421 while the machine is over one of these; 0 switches it off."""

    load_per_core: float = key(ratio(10_000), 20, "One-minute load average per core.")
    min_free_memory: int = key(SIZE, "64MiB", "Memory that must be available.")
    open_files: float = key(ratio(1), 0.9, "Part of a process's limit of open files.")


class Clamav(Section):
    """The virus scanner."""

    address: str = key(ENDPOINT, "unix:/run/clamav/clamd.ctl", "Where clamd listens.")


class Spamassassin(Section):
    """The scoring filter."""

    address: str = key(ENDPOINT, "127.0.0.1:783", "Where spamd listens.")


class Rspamd(Section):
    """The other scoring filter."""

    url: str = key(url("http", "https"), "http://127.0.0.1:11333", "Where Rspamd's normal worker listens.")


class Scanner(Section):
    """Scanners over their own protocols."""

    clamav: Clamav = section(Clamav)
    spamassassin: Spamassassin = section(Spamassassin)
    rspamd: Rspamd = section(Rspamd)
    commands: Mapping[str, Command] = key(COMMANDS, {}, "Filters that run as commands, by name.")

    @property
    def addresses(self) -> dict[str, str]:
        """Where each scanner is, by the name of its check."""
        return {
            "clamav": self.clamav.address,
            "spamassassin": self.spamassassin.address,
            "rspamd": self.rspamd.url,
        }


class Row(NamedTuple):
    """One key as `config show` prints it."""

    key: str
    value: str
    """As in the file; passwords in URLs are hidden."""
    origin: str
    sentence: str


class Config(Section):
    """The configuration of this machine, frozen."""

    hostname: str = key(
        DOMAIN, "", "Greeting, Received, Authentication-Results; default: this machine's full name."
    )
    data_dir: Path = key(PATH, "/var/lib/gatepost", "Databases, archive, spool, models.")
    smtp: Smtp = section(Smtp)
    dns: Dns = section(Dns)
    store: Store = section(Store)
    state: State = section(State)
    archive: Archive = section(Archive)
    relay: Relay = section(Relay)
    files: Files = section(Files)
    plugins: Plugins = section(Plugins)
    console: Console = section(Console)
    metrics: Metrics = section(Metrics)
    alarms: Alarms = section(Alarms)
    log: LogKeys = section(LogKeys)
    overload: Overload = section(Overload)
    scanner: Scanner = section(Scanner)

    origins: Mapping[str, str]
    """key -> file, environment variable or `command line`, for what is not a default."""

    def __init__(self, *, origins: Mapping[str, str] = MappingProxyType({}), **given: Any) -> None:
        super().__init__(**given)
        vars(self)["origins"] = origins

    def origin(self, name: str) -> str:
        """Return where the value of a key comes from; KeyError if there is no such key."""
        if name not in KINDS:
            raise KeyError(name)
        return self.origins.get(name, DEFAULT)

    def value(self, name: str) -> Any:
        """Return the value of a key by its name, `smtp.listen`."""
        if name not in KINDS:
            raise KeyError(name)
        found: Any = self
        for part in name.split("."):
            found = getattr(found, part)
        return found

    def rows(self) -> list[Row]:
        """Return every key with its value and its origin, in the order of the file."""
        return [
            Row(name, self._shown(name, kind), self.origin(name), KEYS[name].sentence)
            for name, kind in KINDS.items()
        ]

    def _shown(self, name: str, kind: Kind[Any]) -> str:
        value = self.value(name)
        return toml_text("***" if kind.secret and value else kind.write(value))


def toml_text(value: Any) -> str:
    """Write a value as it would stand in the file."""
    if isinstance(value, str):
        # A JSON text is a TOML basic string, but for DEL.
        return json.dumps(hide_password(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(toml_text(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml_text(name)} = {toml_text(item)}" for name, item in value.items()) + "}"
    return json.dumps(value)


KEYS = dict(walk(Config))
"""Every key by its full name, in the order of the file."""
KINDS = {name: declared.kind for name, declared in KEYS.items()}
SECTIONS = frozenset(name[:at] for name in KEYS for at, c in enumerate(name) if c == ".")
"""`smtp`, `smtp.outgoing`, ..."""
