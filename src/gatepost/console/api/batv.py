"""`/domains/{domain}/batv`: keys by number (never their secrets), signed addresses, tags tried.

The ETag is the version of the policy, as for settings: with If-Match a change is refused with 412
where somebody changed the domain's settings since then.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from gatepost.console.api.answers import Answer, Expected, Page, Text, Time, as_seen, etag, require
from gatepost.console.auth import Changing, Here, Looking
from gatepost.desk import batv

router = APIRouter(tags=["BATV"])
KeyNumber = Annotated[int, Path(ge=0, le=9)]


class Signed(Answer):
    """An address whose outgoing mail is signed."""

    local: str
    """`*`: everybody."""
    since: Time | None
    """null: no signed mail of it was seen yet."""


class Status(Answer):
    """BATV in one domain."""

    keys: list[int]
    """By number; the last one signs."""
    addresses: list[Signed]
    refuses: bool
    """Bad and missing tags are refused."""
    grace_days: int
    """Days of signing before bounces without a tag are refused."""


class NewKey(Answer):
    """A key that was made."""

    number: int


class Tagged(Answer):
    """An address as it goes out today."""

    address: str


class Checked(Answer):
    """What a tag is worth."""

    good: bool
    why: str


def _full(here: Here, address: str) -> str:
    """Return the address, which has to be of the domain in the path."""
    local, at, domain = address.rpartition("@")
    require(not at or domain.lower() == here.domain)
    return f"{local if at else domain}@{here.domain}"


@router.get("/domains/{domain}/batv")
def show_batv(here: Looking, response: Response) -> Status:
    """Show keys, signed addresses and what is refused; their version as ETag."""
    etag(response, here.desk.policy.version())
    found = batv.show(here.desk, here.domain)
    return Status(
        keys=list(found.numbers),
        addresses=[Signed.of(one) for one in found.addresses],
        refuses=found.checks,
        grace_days=found.grace_days,
    )


@router.post("/domains/{domain}/batv/keys", status_code=201)
def make_key(here: Changing, expect: Expected) -> NewKey:
    """Make a key that signs from now on; old ones stay good for what is under way."""
    with as_seen():
        return NewKey(number=batv.new_key(here.desk, here.domain, expect=expect))


@router.delete("/domains/{domain}/batv/keys/{key}", status_code=204)
def drop_key(here: Changing, key: KeyNumber, expect: Expected) -> None:
    """Forget an old key; not the one that signs."""
    with as_seen():
        batv.drop_key(here.desk, here.domain, key, expect=expect)


@router.put("/domains/{domain}/batv/addresses/{address:part}")
def sign_address(here: Changing, address: Text, expect: Expected) -> Page[str]:
    """Sign the mail of a local part (`*`: of all); returns what was not signed before."""
    with as_seen():
        return Page(items=batv.add(here.desk, here.domain, [_full(here, address)], expect=expect))


@router.delete("/domains/{domain}/batv/addresses/{address:part}", status_code=204)
def unsign_address(here: Changing, address: Text, expect: Expected) -> None:
    """Sign its mail no longer."""
    with as_seen():
        batv.remove(here.desk, here.domain, [_full(here, address)], expect=expect)


@router.post("/domains/{domain}/batv/addresses/{address:part}/tag")
def make_tag(here: Changing, address: Text) -> Tagged:
    """Show an address as it goes out today."""
    return Tagged(address=batv.tag(here.desk, _full(here, address)))


@router.get("/domains/{domain}/batv/addresses/{address:part}/check")
def check_tag(here: Looking, address: Text) -> Checked:
    """Say whether the tag of an address is good."""
    good, why = batv.check(here.desk, _full(here, address))
    return Checked(good=good, why=why)
