"""`/domains`: which domains there are, added and removed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from gatepost.console.api.answers import After, Answer, Body, Limit, Page, Text
from gatepost.console.auth import Admin, Changing, Looking, SignedIn
from gatepost.desk import domains, domains_listed

router = APIRouter(tags=["domains"])


class Domain(Answer):
    """One domain in the list."""

    name: str
    routes: list[str]
    recipients: str
    """`list`, `callout` or `any`."""
    listed: int
    """Recipients on the list."""


class About(Answer):
    """One domain."""

    name: str
    version: int
    """Of the policy that was read."""
    listed: int
    entries: int
    """On its lists."""
    mailboxes: list[str]
    """Local parts with settings or entries of their own."""


class NewDomain(Body):
    """A domain to be hosted."""

    name: Text
    routes: list[Text]
    """Where its mail goes on to, in order: `smtp://mail.example.org`."""
    settings: dict[Text, Any] = {}
    anew: bool | None = None
    """Where one of this name was removed: true deletes what is left of it for good, false lets the domain
    have it again; null is then a conflict."""


class Version(Answer):
    """What was done is in the policy of this version."""

    version: int


@router.get("/domains")
def list_domains(here: SignedIn, after: After = "", limit: Limit = 100) -> Page[Domain]:
    """List the domains that you may look at, in order."""
    if here.is_admin:
        names = here.desk.policy.domains(after=after, limit=limit + 1)
    else:
        names = [name for name in here.names() if name > after][: limit + 1]
    found = [Domain.of(one) for one in domains_listed.summaries(here.desk, names[:limit])]
    return Page(items=found, next=names[limit - 1] if len(names) > limit else None)


@router.post("/domains", status_code=201)
def add_domain(here: Admin, new: NewDomain) -> Version:
    """Host a domain; its mail flows at once."""
    return Version(version=domains.add(here.desk, new.name, new.routes, new.settings, anew=new.anew))


@router.get("/domains/{domain}")
def show_domain(here: Looking) -> About:
    """Show one domain."""
    return About.of(domains_listed.about(here.desk, here.domain))


@router.delete("/domains/{domain}")
def remove_domain(here: Changing, _admin: Admin) -> Version:
    """Host a domain no longer; for 30 days its change can be rolled back, then all that was its own goes."""
    return Version(version=domains.remove(here.desk, here.domain))
