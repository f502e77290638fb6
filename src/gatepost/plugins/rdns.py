"""Look at the reverse DNS of the client: missing, not confirmed, or the name of no mail server."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from gatepost.plugin import CannotAnswer, Context, Cost, DnsError, Plugin, PluginSettings, Scope, Verdict
from gatepost.plugin.hostnames import line_of, role_of
from gatepost.plugin.proof import Answer, together

NOT_NOW = "The name of your address cannot be looked up as it should be, try again later"
WORD = re.compile(r"[a-z]{1,63}")


class Settings(PluginSettings):
    """What each finding becomes: refuse, defer, ignore, or points."""

    missing: Answer = "refuse"
    """The client's address has no name at all (no PTR record)."""
    unconfirmed: Answer = 1.0
    """None of its names leads back to the address."""
    neighbour_confirms: bool = True
    """A name that leads to a neighbour (the same IPv4 /24 or IPv6 /64) counts as confirmed."""
    dynamic: Answer = 2.0
    """The name is that of a customer's line: its address is in it, or a word such as dsl, dyn, pool."""
    role: Answer = 2.0
    """The name is that of a machine that sends no mail to strangers, such as mysql.example.org."""
    role_names: tuple[str, ...] = Field(
        default=(
            *("backup", "camera", "database", "db", "dns", "elastic", "ftp", "git", "jenkins"),
            *("localhost", "mariadb", "mongo", "mongodb", "mysql", "ns", "nas", "pgsql", "phpmyadmin"),
            *("postgres", "postgresql", "printer", "proxy", "redis", "sql", "vpn", "web", "www"),
        ),
        max_length=200,
    )
    """First words of the names of machines that send no mail."""

    @field_validator("role_names")
    @classmethod
    def _words(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [word for word in value if not WORD.fullmatch(word)]
        if wrong:
            raise ValueError(f"{wrong[0]!r:.80} is not a word in lower-case letters")
        return value


class Rdns(Plugin):
    """Ask who the client's address says it is (PTR), and whether that name says so too.

    Whoever runs a mail server can have its address named, and most receivers ask for it; a
    machine that was taken over mostly stands on a line without a name or with one made of its
    address. A name that does not lead back to the address was made up by whoever has the line.
    Spam from hosts named mysql.example.org comes from machines that were broken into. It errs with
    small offices whose provider names nothing, so those findings are points and not refusals
    unless an owner wants otherwise. When DNS does not answer, nothing is held against the client.
    """

    settings = Settings
    scope = Scope.SESSION
    cost = Cost.DNS
    timeout = 15.0
    public = "The reverse DNS of your address is missing or not that of a mail server"

    async def connect(self, ctx: Context[Settings]) -> Verdict | tuple[Verdict, ...] | None:
        settings, client = ctx.settings, ctx.session.client
        try:
            session = await ctx.know_host()
        except DnsError as error:
            raise CannotAnswer(str(error)) from error
        name = session.host
        if not name:
            return self._answer([(settings.missing, f"Missing reverse DNS for {client}")])
        found: list[tuple[Answer, str]] = []
        confirmed = session.host_confirmed or (settings.neighbour_confirms and session.host_near)
        if not confirmed and not session.host_unsure:
            found.append((settings.unconfirmed, f"{name} does not lead back to {client}"))
        line = line_of(name, client)
        if line:
            found.append((settings.dynamic, f"{name} {line}"))
        role = role_of(name, settings.role_names)
        if role:
            found.append((settings.role, f"{name} is the name of no mail server ({role})"))
        if not found and not confirmed and settings.unconfirmed != "ignore":
            raise CannotAnswer(f"whether {name} leads back to {client} cannot be looked up")
        return self._answer(found)

    def _answer(self, found: list[tuple[Answer, str]]) -> Verdict | tuple[Verdict, ...] | None:
        return together(found, self.public, "5.7.25", NOT_NOW)  # RFC 7372, 3.3
