"""What a setting or an entry holds for, as text: `all`, `domain:example.org`, `mailbox:ann@example.org`."""

from __future__ import annotations

from gatepost.mail.address import AddressError, fold, parse_address, parse_domain
from gatepost.store.base import StoreError

ALL = "all"
EVERYWHERE = "*"
"""In the database: the domain's name of what is set for all domains."""


class ScopeError(StoreError):
    """A scope is written wrongly."""


def parse_scope(scope: str) -> tuple[str, str]:
    """Return (domain or `*`, folded local part or "")."""
    if scope == ALL:
        return EVERYWHERE, ""
    kind, _, name = scope.partition(":")
    if kind == "domain":
        return domain_name(name), ""
    if kind == "mailbox":
        try:
            local, domain = parse_address(name).key
        except AddressError as error:
            raise ScopeError(f"{name!r} is not a mailbox: {error}") from None
        return domain, local
    raise ScopeError(f"{scope!r} is none of: all, domain:NAME, mailbox:ADDRESS")


def scope_of(domain: str, local: str) -> str:
    """Return the text of a scope."""
    if domain == EVERYWHERE:
        return ALL
    return f"mailbox:{local}@{domain}" if local else f"domain:{domain}"


def level_of(domain: str, local: str) -> str:
    """Return `all`, `domain` or `mailbox`."""
    if domain == EVERYWHERE:
        return "all"
    return "mailbox" if local else "domain"


def domain_name(name: str) -> str:
    """Return a domain's name as it is kept: lower case, A-labels."""
    try:
        domain = parse_domain(name.strip().removesuffix("."))
    except AddressError as error:
        raise ScopeError(f"{name!r} is not a domain: {error}") from None
    if domain.startswith("["):
        raise ScopeError(f"{name!r} is an address and not a domain")
    return domain


def local_part(text: str) -> str:
    """Return a local part as it is compared; `*` is everybody."""
    if text == "*":
        return text
    if not text:
        raise ScopeError("empty local part")
    try:
        # The grammar of a whole address, so that what can be listed is what can come over the wire.
        return parse_address(f"{text}@example.org").key[0]
    except AddressError:
        pass
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    try:
        return fold(parse_address(f"{quoted}@example.org").local)
    except AddressError as error:
        raise ScopeError(f"{text!r} is not a local part: {error}") from None
