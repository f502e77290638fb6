"""What a person means by a word: a domain, a mailbox, or nothing for all domains; is it hosted here?"""

from __future__ import annotations

from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError, NotFound
from gatepost.store.base import StoreError
from gatepost.store.scopes import ALL, domain_name, level_of, parse_scope

NEAR = 2_000
"""Hosted domains that are looked through for one that was probably meant."""


def scope_for(word: str | None) -> str:
    """Return `all`, `domain:NAME` or `mailbox:ADDRESS` for None, `example.org` or `ann@example.org`."""
    if word is None:
        return ALL
    try:
        scope = f"mailbox:{word}" if "@" in word else f"domain:{domain_name(word)}"
        parse_scope(scope)
    except StoreError as error:
        raise DeskError(str(error)) from error
    return scope


def hosted_scope(desk: Desk, word: str | None) -> tuple[str, str]:
    """Return scope and level; NotFound with the name that was probably meant."""
    scope = scope_for(word)
    domain, local = parse_scope(scope)
    if scope != ALL:
        hosted(desk, domain)
    return scope, level_of(domain, local)


def address_in(domain: str, text: str) -> str:
    """Return `ann` or `ann@example.org` as an address of a domain; DeskError for one of another domain."""
    local, at, behind = text.strip().rpartition("@")
    if at and behind.lower() != domain:
        raise DeskError(f"{text!r} is not of {domain}")
    return f"{local if at else behind}@{domain}"


def hosted(desk: Desk, name: str) -> str:
    """Return the name of a hosted domain as it is kept."""
    try:
        domain = domain_name(name)
    except StoreError as error:
        raise DeskError(str(error)) from error
    if desk.policy.domain(domain) is None:
        from difflib import get_close_matches

        near = get_close_matches(domain, desk.policy.domains(limit=NEAR), 1, 0.75)
        raise NotFound(f"{domain} is not hosted here{f'; did you mean {near[0]!r}?' if near else ''}")
    return domain
