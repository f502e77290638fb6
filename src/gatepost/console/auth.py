"""Who asks, and may they? The dependencies that each page and route names.

`SignedIn`, `Admin`, `Looking` and `Changing` are what a handler declares; it gets a `Here`: the
person and a desk that is theirs, open for this one request. A domain that is not theirs is answered
as one that is not hosted: 404, no difference to see. Handlers are plain functions: the desk blocks,
so FastAPI runs them in a thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from gatepost.console import rights
from gatepost.console.cookies import site_of
from gatepost.console.errors import NotHere, SignInFirst
from gatepost.console.rights import Right
from gatepost.console.site import Person, Site
from gatepost.console.visit import visit_of
from gatepost.desk import domains_listed
from gatepost.desk.desk import Desk
from gatepost.store.base import StoreError
from gatepost.store.scopes import domain_name


@dataclass(frozen=True, slots=True)
class Here:
    """One request of a person who is signed in."""

    request: Request
    site: Site
    desk: Desk
    """Opened for this request; its changes are written down as this person's."""
    user: Person
    session_id: str
    domain: str = ""
    """The domain that the path names, as it is kept; checked."""

    @property
    def is_admin(self) -> bool:
        """Return whether everything is open to them."""
        return rights.is_admin(self.user)

    def may(self, domain: str | None, right: str = Right.CHANGE) -> bool:
        """Return whether they may do so with a domain (None: the whole machine)."""
        return rights.may(self.user, domain, Right(right))

    def names(self, limit: int = -1) -> list[str]:
        """Return the hosted domains that they may look at, in order."""
        if self.is_admin:
            return domains_listed.names(self.desk, limit=limit)
        policy = self.desk.policy
        mine = [name for name in sorted(self.user.domains) if policy.domain(name) is not None]
        return mine if limit < 0 else mine[:limit]


def signed_in(request: Request) -> Iterator[Here]:
    """Somebody who is signed in, whoever it is; everybody else is sent to sign in."""
    site = site_of(request)
    visit = visit_of(request, site)
    if visit is None:
        raise SignInFirst
    request.state.user = request.state.person = visit.user
    with site.desk_for(visit.user.name, rights.is_admin(visit.user)) as desk:
        yield Here(request, site, desk, visit.user, visit.id)


SignedIn = Annotated[Here, Depends(signed_in)]


def admin_only(here: SignedIn) -> Here:
    """An administrator; for others the page does not exist."""
    if not here.is_admin:
        raise NotHere
    return here


def looking(domain: str, here: SignedIn) -> Here:
    """Somebody who may look at the domain in the path."""
    return at_domain(here, domain, Right.LOOK)


def changing(domain: str, here: SignedIn) -> Here:
    """Somebody who may change the domain in the path."""
    return at_domain(here, domain, Right.CHANGE)


Admin = Annotated[Here, Depends(admin_only)]
Looking = Annotated[Here, Depends(looking)]
Changing = Annotated[Here, Depends(changing)]


def at_domain(here: Here, domain: str, right: Right = Right.LOOK) -> Here:
    """Return `here` for a domain, or NotHere where it is unknown or not theirs."""
    try:
        name = domain_name(domain)
    except StoreError:
        raise NotHere from None
    if not here.may(name, right) or here.desk.policy.domain(name) is None:
        raise NotHere
    return replace(here, domain=name)
