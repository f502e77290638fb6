"""The questions of `gatepost check --interactive`: what a client would say, asked for line by line.

Questions go to stderr, so that --json stays clean; answers are lines of stdin, typed or from a pipe.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

import click

T = TypeVar("T")

END = "."
"""The line that ends a typed message, as in SMTP."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a mail without asking; what is None or empty is asked for."""

    raw: bytes | None
    sender: str | None
    recipients: tuple[str, ...]
    ip: str
    helo: str


def ask(told: Told) -> Told:
    """Ask for what was not told; an answer that cannot be is asked for again.

    Raises click.Abort where the input ends before the last answer.
    """
    from gatepost.desk.trial import NOBODY

    ip = told.ip or _ask("Client's address", client_address, NOBODY)
    helo = told.helo or _ask("HELO name (empty: the sender's domain)", str.strip, "")
    sender = _ask("From (<>: a bounce)", _sender) if told.sender is None else told.sender
    recipients = told.recipients or _ask("To (spaces between several)", _recipients)
    raw = told.raw
    if raw is None:
        raw = _ask("File with the message (empty: type it here)", _file, "")
    if raw is None:
        raw = _typed()
    return Told(raw, sender, recipients, ip, helo)


def client_address(text: str) -> str:
    """Return an IP address as it is written; BadParameter if it is none."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not an IP address") from None


def _ask(question: str, read: Callable[[str], T], default: str | None = None) -> T:
    answer: T = click.prompt(question, default=default, show_default=bool(default), value_proc=read, err=True)
    return answer


def _address(text: str) -> str:
    from gatepost.mail.address import AddressError, parse_address

    try:
        return parse_address(text).text
    except AddressError as error:
        raise click.BadParameter(f"{text!r}: {error}") from None


def _sender(text: str) -> str:
    text = text.strip()
    return text if text == "<>" else _address(text)


def _recipients(text: str) -> tuple[str, ...]:
    words = text.replace(",", " ").split()
    if not words:
        raise click.BadParameter("a mail needs a recipient")
    return tuple(_address(word) for word in words)


def _file(text: str) -> bytes | None:
    """Return what is in the file; None where none was named."""
    if not text.strip():
        return None
    try:
        return Path(text.strip()).expanduser().read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{text}: {error.strerror}") from None


def _typed() -> bytes:
    """Return the lines up to one with a dot alone, or up to the end of the input."""
    click.echo(f"Headers, an empty line, text; a line with {END} alone ends it:", err=True)
    lines = []
    for line in sys.stdin:
        if line.rstrip("\r\n") == END:
            break
        lines.append(line)
    return "".join(lines).encode("utf-8", "surrogateescape")
