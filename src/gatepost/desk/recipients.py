"""Recipients of a domain: add, remove, list, import from a file.

`*` is everybody; a recipient that is listed as invalid beats one that is valid, and the wildcard.
An import reads one local part (or address) a line and says which lines it could not read; with
`replace` the list becomes what the file says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_network

from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.scopes import hosted
from gatepost.mail.address import AddressError, parse_address
from gatepost.policy.source import RecipientRow
from gatepost.store.base import StoreError
from gatepost.store.scopes import domain_name, local_part

MAX_BYTES = 256 << 20
"""Of a file with recipients: some ten million."""
MAX_TOLD = 20
"""Bad lines that are named."""
BATCH = 4_000
"""Recipients of one change: such a change can still be rolled back."""

Rows = list[RecipientRow]
Strings = list[str]


@dataclass(slots=True)
class Imported:
    """What an import did."""

    read: int = 0
    added: int = 0
    removed: int = 0
    bad: list[str] = field(default_factory=list)
    """`line 3: ...` for what could not be read; at most `MAX_TOLD`."""
    bad_count: int = 0


def add(
    desk: Desk,
    domain: str,
    locals_: Iterable[str],
    *,
    invalid: bool = False,
    acl: Iterable[str] | None = None,
) -> int:
    """Put recipients on the list; returns how many were new or changed. `acl`: only from these networks."""
    name = hosted(desk, domain)
    networks = None if acl is None else [_network(text) for text in acl]
    kind = "invalid" if invalid else "valid"
    return desk.policy.add_recipients(name, _locals(name, locals_), kind, networks or None, by=desk.by)


def remove(desk: Desk, domain: str, locals_: Iterable[str]) -> int:
    """Take recipients off the list; returns how many rows went."""
    name = hosted(desk, domain)
    return desk.policy.remove_recipients(name, _locals(name, locals_), by=desk.by)


def listing(desk: Desk, domain: str, after: str = "", limit: int = -1) -> Rows:
    """Return the recipients of a domain, in order."""
    return desk.policy.recipients(hosted(desk, domain), after, limit)


def import_lines(
    desk: Desk, domain: str, data: bytes, *, invalid: bool = False, replace: bool = False
) -> Imported:
    """Add one recipient a line; `#` begins a comment; what is of another domain is told as bad."""
    name = hosted(desk, domain)
    if len(data) > MAX_BYTES:
        raise DeskError(f"a file of recipients may have {MAX_BYTES >> 20} MiB")
    done = Imported()
    wanted: dict[str, None] = {}
    for number, raw in enumerate(data.split(b"\n"), 1):
        try:
            text = raw.decode("utf-8").strip().removeprefix("\ufeff")
            if not text or text.startswith("#"):
                continue
            _is_a_name(text)
            wanted[_local(name, text)] = None
        except (UnicodeDecodeError, DeskError) as error:
            done.bad_count += 1
            if len(done.bad) < MAX_TOLD:
                done.bad.append(f"line {number}: {error if isinstance(error, DeskError) else 'not UTF-8'}")
    done.read = len(wanted)
    if not wanted:
        raise DeskError(f"no recipient could be read{f' ({done.bad[0]})' if done.bad else ''}")
    kind = "invalid" if invalid else "valid"
    if replace:
        gone = [r.local for r in desk.policy.recipients(name) if r.kind == kind and r.local not in wanted]
        for start in range(0, len(gone), BATCH):
            done.removed += desk.policy.remove_recipients(name, gone[start : start + BATCH], kind, by=desk.by)
    listed = list(wanted)
    for start in range(0, len(listed), BATCH):
        done.added += desk.policy.add_recipients(name, listed[start : start + BATCH], kind, by=desk.by)
    return done


def _locals(domain: str, texts: Iterable[str]) -> Strings:
    return [_local(domain, text) for text in texts]


def _is_a_name(text: str) -> None:
    """Raise for a line that would only be a name in quotes: a table or a file of aliases is no list."""
    if "@" in text or text == "*":
        return
    try:
        parse_address(f"{text}@example.org")
    except AddressError as error:
        raise DeskError(f"{text[:60]!r} is not a local part ({error}); a name a line is wanted") from None


def _local(domain: str, text: str) -> str:
    """Return the local part that `ann` or `ann@example.org` means in this domain."""
    if not text.strip():
        raise DeskError("a recipient has a name; * is everybody")
    local, at, its_domain = text.rpartition("@")
    try:
        if (at and not text.startswith('"')) or text.endswith(f"@{domain}"):
            if domain_name(its_domain) != domain:
                raise DeskError(f"{text!r} is not of {domain}")
            return local_part(local)
        return local_part(text)
    except StoreError as error:
        raise DeskError(str(error)) from error


def _network(text: str) -> str:
    try:
        return str(ip_network(text.strip()))
    except ValueError as error:
        raise DeskError(f"{text!r} is not an address or a network: {error}") from error
