"""One command line in, one event out: HELO, MAIL, RCPT, BDAT (RFC 5321, 4.1.1; RFC 3030).

The common forms, `MAIL FROM:<local@domain>` with or without SIZE, and `RCPT TO:<local@domain>`, take
one regex; anything else takes the long way through the full grammar, and both ways agree (tested).
What cannot be obeyed is a `CommandError` with its reply. No state: whether a command may come now is
for `states`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from gatepost.mail.address import PLAIN, Address, AddressError, NeedsUtf8, is_plain, parse_path
from gatepost.mail.reply import Reply
from gatepost.smtp.errors import CommandError
from gatepost.smtp.events import Hello, Mail, Rcpt
from gatepost.smtp.grammar import CONTROL, SYNTAX, is_clean, is_xtext, parameters


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a session (RFC 5321, 4.5.3.1)."""

    command_line: int = 512
    path_line: int = 2048
    """Of MAIL and RCPT, which carry parameters; the longest line of all."""
    message: int = 52_428_800
    recipients: int = 1000
    message_line: int = 1_048_576
    errors: int = 20
    """Bad commands after which the session is closed with 421."""


@dataclass(frozen=True, slots=True)
class Extensions:
    """What EHLO offers. One object for all sessions of a door: its lines are made once."""

    size: int = 0
    """Advertised limit; 0: SIZE without a number."""
    starttls: bool = False
    prdr: bool = True
    dsn: bool = False
    chunking: bool = True
    smtputf8: bool = True
    xclient: bool = False
    lines: bytes = field(init=False, repr=False, compare=False)
    """The EHLO reply behind its first line."""

    def __post_init__(self) -> None:
        words = ["PIPELINING", f"SIZE {self.size}" if self.size else "SIZE"]
        words += ["STARTTLS"] * self.starttls + ["8BITMIME"] + ["SMTPUTF8"] * self.smtputf8
        words += ["CHUNKING"] * self.chunking + ["PRDR"] * self.prdr + ["DSN"] * self.dsn
        words += ["XCLIENT NAME ADDR PORT PROTO HELO REVERSE_NAME"] * self.xclient + ["ENHANCEDSTATUSCODES"]
        text = "".join(f"250-{word}\r\n" for word in words[:-1]) + f"250 {words[-1]}\r\n"
        object.__setattr__(self, "lines", text.encode("ascii"))


HELO_SYNTAX = Reply(501, "5.5.4", "HELO and EHLO need one name")
MAIL_SYNTAX = Reply(501, "5.5.4", "Syntax: MAIL FROM:<address>")
RCPT_SYNTAX = Reply(501, "5.5.4", "Syntax: RCPT TO:<address>")
BDAT_SYNTAX = Reply(501, "5.5.4", "Syntax: BDAT size [LAST]", close=True)
UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognized or not implemented")
"""RFC 5321's words for 555 (4.2.2): said of what a client names that no extension of ours knows."""
TOO_BIG = Reply(552, "5.3.4", "Message is too big")
NEEDS_UTF8 = Reply(553, "5.6.7", "Address is not ASCII and SMTPUTF8 was not asked for")
MAX_HELO = 255
MAX_ENVID = 100
MAX_ORCPT = 500
REMEMBERED = 4096
"""MAIL lines whose meaning is remembered in a process, at most 2 KiB each."""

_MAIL = re.compile("MAIL FROM:" + PLAIN.pattern + "(?: SIZE=([0-9]{1,12}))?").fullmatch
_RCPT = re.compile("RCPT TO:" + PLAIN.pattern).fullmatch
_BDAT = re.compile(r"BDAT +([0-9]{1,12})( +LAST)? *", re.IGNORECASE)


def parse_hello(line: bytes, esmtp: bool) -> Hello:
    """Parse HELO or EHLO (4.1.1.1). The name is not judged: that is a check's business."""
    name = line[5:].decode("latin-1")
    if " " in name:
        name = name.strip(" ")
    if not (name.isascii() and name.isprintable()):
        raise CommandError(CONTROL)
    if not name or " " in name or len(name) > MAX_HELO:
        raise CommandError(HELO_SYNTAX)
    return Hello(name, esmtp)


def parse_mail(line: bytes, limits: Limits, extensions: Extensions) -> Mail:
    """Parse MAIL (4.1.1.2)."""
    plain = _plain_mail(line)
    if plain is not None:
        if plain[1] > limits.message:
            raise CommandError(TOO_BIG)
        return Mail(*plain)
    if not is_clean(line, utf8=extensions.smtputf8):
        raise CommandError(CONTROL)
    if line[:10].upper() != b"MAIL FROM:":
        raise CommandError(MAIL_SYNTAX)
    try:
        sender, rest = parse_path(line[10:], utf8=extensions.smtputf8, allow_null=True)
    except AddressError as error:
        raise _bad_address(error, "5.1.7", "sender") from None
    mail = Mail(sender)
    for name, value in parameters(rest).items():
        _mail_parameter(mail, name, value, limits, extensions)
    if sender is not None and not mail.smtputf8 and not sender.text.isascii():
        raise CommandError(NEEDS_UTF8)
    return mail


@lru_cache(REMEMBERED)
def _plain_mail(line: bytes) -> tuple[Address, int] | None:
    """The common form: sender and size. A wave of mail, wanted or not, says the same line each time."""
    match = _MAIL(line.decode("latin-1"))
    if match is None:
        return None
    text, local, domain, digits = match.groups()
    return (Address(local, domain.lower(), text), int(digits or 0)) if is_plain(text, local, domain) else None


def _mail_parameter(mail: Mail, name: str, value: str | None, limits: Limits, ext: Extensions) -> None:
    if name == "SIZE":
        if value is None or not value.isdecimal() or len(value) > 20:
            raise CommandError(SYNTAX)
        mail.size = int(value)
        if mail.size > limits.message:
            raise CommandError(TOO_BIG)
    elif name == "BODY":
        if value is None or value.upper() not in {"7BIT", "8BITMIME"}:
            raise CommandError(SYNTAX)
        mail.body = value.upper()
    elif name == "SMTPUTF8" and ext.smtputf8:
        if value is not None:
            raise CommandError(SYNTAX)
        mail.smtputf8 = True
    elif name == "PRDR" and ext.prdr:
        if value is not None:
            raise CommandError(SYNTAX)
        mail.prdr = True
    elif name == "RET" and ext.dsn:
        if value is None or value.upper() not in {"FULL", "HDRS"}:
            raise CommandError(SYNTAX)
        mail.ret = value.upper()
    elif name == "ENVID" and ext.dsn:
        if value is None or len(value) > MAX_ENVID or not is_xtext(value):
            raise CommandError(SYNTAX)
        mail.envid = value
    else:
        raise CommandError(UNKNOWN_PARAMETER)


def parse_rcpt(line: bytes, extensions: Extensions, *, utf8: bool) -> Rcpt:
    """Parse RCPT (4.1.1.3); `utf8`: the transaction's MAIL had SMTPUTF8."""
    match = _RCPT(line.decode("latin-1"))
    if match is not None:
        text, local, domain = match.groups()
        if is_plain(text, local, domain):
            return Rcpt(Address(local, domain.lower(), text))
    if not is_clean(line, utf8=extensions.smtputf8):
        raise CommandError(CONTROL)
    if line[:8].upper() != b"RCPT TO:":
        raise CommandError(RCPT_SYNTAX)
    try:
        address, rest = parse_path(line[8:], utf8=utf8, allow_postmaster=True)
    except AddressError as error:
        raise _bad_address(error, "5.1.3", "recipient") from None
    assert address is not None
    rcpt = Rcpt(address)
    for name, value in parameters(rest).items():
        if name == "NOTIFY" and extensions.dsn:
            rcpt.notify = _notify(value)
        elif name == "ORCPT" and extensions.dsn:
            kind, semicolon, original = (value or "").partition(";")
            if not (kind and semicolon and original) or len(original) > MAX_ORCPT or not is_xtext(original):
                raise CommandError(SYNTAX)
            rcpt.orcpt = value or ""
        else:
            raise CommandError(UNKNOWN_PARAMETER)
    return rcpt


def _notify(value: str | None) -> str:
    words = (value or "").upper().split(",")
    known = {"SUCCESS", "FAILURE", "DELAY"}
    if words != ["NEVER"] and (not known.issuperset(words) or len(set(words)) != len(words)):
        raise CommandError(SYNTAX)
    return ",".join(words)


def _bad_address(error: AddressError, enhanced: str, whose: str) -> CommandError:
    if isinstance(error, NeedsUtf8):
        return CommandError(NEEDS_UTF8)
    return CommandError(Reply(501, enhanced, f"Bad {whose}: {error}"))


def parse_bdat(line: bytes) -> tuple[int, bool]:
    """Parse BDAT (RFC 3030, 2); return how many bytes follow and whether they are the last."""
    match = _BDAT.fullmatch(line.decode("latin-1"))
    if match is None:
        # Without the count nobody knows where the next command begins: the session ends.
        raise CommandError(BDAT_SYNTAX)
    return int(match[1]), match[2] is not None
