"""`/tokens`: of programs. A token makes and ends none (but an administrator's): that needs a session."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException

from gatepost.console.api.answers import Answer, Body, Id, Page, Text, Time
from gatepost.console.auth import Here, SignedIn
from gatepost.desk import tokens
from gatepost.desk.spans import until

router = APIRouter(tags=["tokens"])


class Token(Answer):
    """One token, without what opens the door."""

    id: int
    user: str
    label: str
    rights: str
    domains: list[str]
    """Empty: all of the person's."""
    made: Time
    expires: Time | None
    used: Time | None


class NewToken(Body):
    """A token to be made."""

    label: Text
    """What it is for."""
    rights: Literal["look", "change", "admin"] = "look"
    domains: list[Text] = []
    expires: Text | None = None
    """30d, 12h or a date."""


class MadeToken(Answer):
    """A token, and what the program has to send; shown this once."""

    token: Token
    bearer: str


def in_person(here: SignedIn) -> Here:
    """Somebody who signed in, or a token that may everything: else a token could make a wider one."""
    if here.session_id.startswith("token ") and not here.is_admin:
        raise HTTPException(403, "a token cannot do that: sign in")
    return here


Person = Annotated[Here, Depends(in_person)]


@router.get("/tokens")
def list_tokens(here: Person) -> Page[Token]:
    """List your tokens; administrators see everybody's."""
    found = tokens.listing(here.desk, None if here.is_admin else here.user.name)
    return Page(items=[Token.of(one) for one in found])


@router.post("/tokens", status_code=201)
def add_token(here: Person, new: NewToken) -> MadeToken:
    """Make a token of yours."""
    end = until(new.expires, here.desk.clock()) if new.expires else None
    token, bearer = tokens.add(
        here.desk, here.user.name, new.label, rights=new.rights, domains=new.domains, expires=end
    )
    return MadeToken(token=Token.of(token), bearer=bearer)


@router.delete("/tokens/{number}", status_code=204)
def revoke_token(here: Person, number: Id) -> None:
    """End a token, at once."""
    tokens.revoke(here.desk, number, None if here.is_admin else here.user.name)
