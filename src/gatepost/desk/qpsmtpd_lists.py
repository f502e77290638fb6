"""The lists of a qpsmtpd configuration, line by line, as rows of the policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from gatepost.desk.qpsmtpd_config import Line, Report
from gatepost.desk.srv_read import EVERYBODY
from gatepost.policy.entries import EntryError, entry_text, parse_entry
from gatepost.store.base import StoreError
from gatepost.store.policy_files import NO_MARKS, Key
from gatepost.store.scopes import EVERYWHERE, domain_name, local_part

Rows = dict[str, dict[Key, Any]]
"""Domain (`*`: all) -> rows."""
PREFIX = re.compile(r"(\d{1,3}\.){1,3}")
PATTERN = re.compile(r"[\\^$*+?()\[\]{}|/!]")
A_PATTERN = "a pattern: lists take whole names; localpart_rules has patterns for recipients"


class ListReader:
    """Reads lines into rows; `hosted` are the domains that are, or will be, hosted here."""

    def __init__(self, rows: Rows, hosted: set[str], report: Report) -> None:
        self.rows = rows
        self.hosted = hosted
        self.report = report
        self._of = ""

    def read(self, line: Line, file: str) -> None:
        """Take one line over, or tell why not. `file`: whose line it is, also where it was included."""
        self._of = file
        try:
            HANDLERS[file](self, line)
        except (EntryError, StoreError) as error:
            self.report.leave(line, str(error))

    def entry(self, line: Line, kind: str, text: str, plugin: str = "", note: str = "") -> None:
        """Put an entry on the list for all domains."""
        field, value = parse_entry(text)
        note = "".join(c for c in note if c.isprintable())[:1000]
        self.rows[EVERYWHERE]["entry", "", plugin, kind, field, value] = {**NO_MARKS, "note": note}
        where = f", for {plugin} alone" if plugin else ""
        self.report.take(line, f"{kind} {entry_text(field, value)}{where}, all domains")

    def address(self, line: Line, prefix: str = "") -> None:
        """Whitelists of clients: address, `10.1.` or a name."""
        text = line.words[0]
        plugin = "dnsbl" if self._of == "dnsbl_allow" else ""
        if PREFIX.fullmatch(text):
            given = text.rstrip(".").split(".")
            text = f"{'.'.join((given + ['0'] * 4)[:4])}/{8 * len(given)}"
        elif text.endswith(":"):
            raise EntryError("a prefix of an IPv6 address: write it as a network by hand")
        elif not text.replace(".", "").isdecimal() and ":" not in text and "/" not in text:
            prefix = "host:"
        self.entry(line, "allow", prefix + text, plugin)

    def sender(self, line: Line) -> None:
        """`badmailfrom`, `whitelistsenders`: an address, `@host`, a host; a reason becomes the note."""
        text, *rest = line.text.split(None, 1)
        if PATTERN.search(text):
            self.report.leave(line, A_PATTERN)
            return
        kind = "deny" if self._of == "badmailfrom" else "allow"
        self.entry(
            line, kind, text if "@" in text.lstrip("@") else f"domain:{text.lstrip('@')}", note="".join(rest)
        )

    def helo(self, line: Line) -> None:
        """`badhelo`, `whitelisthelo`: a name."""
        text = line.words[0]
        if PATTERN.search(text):
            self.report.leave(line, A_PATTERN)
            return
        self.entry(line, "deny" if self._of == "badhelo" else "allow", f"helo:{text}")

    def bad_recipient(self, line: Line) -> None:
        """`badrcptto`: an address here is a recipient that does not exist."""
        text = line.words[0]
        if PATTERN.search(text):
            self.report.leave(line, A_PATTERN)
            return
        if text.startswith("@"):
            raise EntryError("nobody of a domain: then it is not hosted (gatepost domain remove)")
        local, domain = self._own(text)
        self.rows.setdefault(domain, {})["recipient", local, "invalid"] = None
        self.report.take(line, f"{text} does not exist")

    def good_recipient(self, line: Line) -> None:
        """`whitelistrcpt`: whatever comes for an address, or for a domain, is let past the checks."""
        text = line.words[0]
        local, domain = self._own(text) if "@" in text.lstrip("@") else ("", domain_name(text.lstrip("@")))
        if domain not in self.hosted:
            raise EntryError(f"{domain} is not hosted here")
        for net in EVERYBODY:
            self.rows.setdefault(domain, {})["entry", local, "", "allow", "net", net] = dict(NO_MARKS)
        self.report.take(line, f"mail for {text} is let past the checks")

    def mapped(self, line: Line) -> None:
        """`rcpt_map`: `address CODE=message`; who gets OK exists, who is denied does not."""
        words = line.words
        code = words[1].partition("=")[0].upper() if len(words) > 1 else "OK"
        if code not in ("OK", "DENY", "DENY_DISCONNECT"):
            raise EntryError(f"{code} has no equal among recipients")
        local, domain = self._own(words[0])
        kind = "valid" if code == "OK" else "invalid"
        self.rows.setdefault(domain, {})["recipient", local, kind] = None
        self.report.take(line, f"{words[0]} is a recipient that is {kind}")

    def pair(self, line: Line) -> None:
        """`badmailfromto`: a sender that one recipient does not want."""
        words = line.words
        if PATTERN.search(line.text):
            self.report.leave(line, A_PATTERN)
            return
        if len(words) != 2:
            raise EntryError("a pair is wanted: SENDER RECIPIENT")
        local, domain = self._own(words[1])
        field, value = parse_entry(_sender(words[0]))
        self.rows.setdefault(domain, {})["entry", local, "", "deny", field, value] = dict(NO_MARKS)
        self.report.take(line, f"deny {entry_text(field, value)}, for {words[1]} alone")

    def _own(self, address: str) -> tuple[str, str]:
        local, _, domain = address.rpartition("@")
        domain = domain_name(domain)
        if domain not in self.hosted:
            raise EntryError(f"{domain} is not hosted here")
        return local_part(local), domain


def _sender(text: str) -> str:
    """Return the entry for `ann@example.org`, `@example.org` or `example.org`."""
    host = text.lstrip("@")
    return text if "@" in host else f"domain:{host}"


HANDLERS: Mapping[str, Callable[[ListReader, Line], None]] = {
    "badmailfrom": ListReader.sender,
    "badmailfromto": ListReader.pair,
    "badhelo": ListReader.helo,
    "badrcptto": ListReader.bad_recipient,
    "dnsbl_allow": ListReader.address,
    "rcpt_map": ListReader.mapped,
    "whitelisthosts": ListReader.address,
    "whitelisthelo": ListReader.helo,
    "whitelistsenders": ListReader.sender,
    "whitelistrcpt": ListReader.good_recipient,
}
"""File -> how its lines are read."""
