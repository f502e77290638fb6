"""The links of a digest: signed, for one mail, one reader and one deed, good once, until the mail goes.

A link is useless for anything but what stands in it: deed, mail, reader and expiry are under an HMAC of
this installation's secret (peers T4.4). Opening one changes nothing, since mail scanners follow links;
only `use` does, and what became of it is durable before the reader is told. A second use finds it used.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from gatepost.desk import archive, domains
from gatepost.desk.desk import Desk
from gatepost.desk.digest_marks import Use, is_used
from gatepost.desk.errors import DeskError, NotFound
from gatepost.desk.releasing import Releasing
from gatepost.desk.secret import installation_secret
from gatepost.mail.address import AddressError, fold, parse_address
from gatepost.spool.index import Kept

RELEASE = "release"
ACTIONS = frozenset({RELEASE})
EXAMPLE = "example"
"""Stands for a token where a digest is only looked at; it opens nothing."""
LONGEST = 3_000
"""Characters of a token."""
_PURPOSE = b"gatepost-digest-link-1\n"


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says."""

    action: str
    ref: str
    """The kept mail."""
    reader: str
    """Who got the digest."""
    expires: float

    @property
    def domain(self) -> str:
        """The domain whose mail it is."""
        return self.reader.rpartition("@")[2]


class BadLink(NotFound):
    """It is none of ours; nothing more is said."""


class GoneLink(DeskError):
    """It was ours: used, expired, or its mail is gone."""


def make(desk: Desk, link: Link) -> str:
    """Return the token of a link."""
    said = json.dumps([link.action, link.ref, link.reader, int(link.expires)], separators=(",", ":"))
    text = _text(said.encode("ascii"))
    return f"{text}.{_sign(desk, text)}"


def read(desk: Desk, token: str) -> Link:
    """Return what a token says; BadLink for any that `make` did not make, whatever is wrong with it."""
    text, _, mark = token[: LONGEST + 1].partition(".")
    good = token.isascii() and len(token) <= LONGEST
    if not good or not hmac.compare_digest(_sign(desk, text), mark):
        raise BadLink("there is no such link")
    try:
        action, ref, reader, expires = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        link = Link(str(action), str(ref), str(reader), float(expires))
    except (ValueError, TypeError, binascii.Error) as error:  # signed by a later release
        raise BadLink("there is no such link") from error
    if link.action not in ACTIONS:
        raise BadLink("there is no such link")
    return link


def look(desk: Desk, token: str) -> tuple[Link, Kept]:
    """Return a link that can still be used, and its mail; nothing is changed."""
    link = read(desk, token)
    kept = desk.archive.get(link.ref)
    if desk.clock() >= link.expires or is_used(desk, link.domain, _id(token)):
        raise GoneLink("the link was used already, or has expired")
    if kept is None or kept.domain != link.domain or not desk.archive.exists(kept.ref):
        raise GoneLink("the mail is kept no longer")
    if desk.policy.domain(link.domain) is None:
        raise GoneLink("the domain is hosted here no longer")
    if not _may_read(desk, link, kept):
        raise GoneLink("the reader gets this domain's digest no longer")
    return link, kept


def use(desk: Desk, token: str) -> tuple[Link, archive.Release]:
    """Release the mail of a link, once; GoneLink for whoever comes second.

    Doubtful where the virus check is against it, or cannot look: the link is as good as before. Its reader
    overrules no scanner.

    The desk is that of `by(link)`, under whose name it stands in the list of changes.
    The mail is in the queue before the link counts as used: killed in between, the link is good again
    after a minute, and the queue still takes the mail but once.
    """
    link, kept = look(desk, token)
    Releasing(desk).look(kept)
    one = Use(desk, link.domain, _id(token))
    if not one.begin():
        raise GoneLink("the link was used already, or has expired")
    done = None
    try:
        done = archive.release(desk, kept)
    finally:
        one.end(link.expires, used=done is not None)
    return link, done


def by(link: Link) -> str:
    """Return who used a link, as the list of changes names him."""
    return f"digest link, {link.reader}"


def _may_read(desk: Desk, link: Link, kept: Kept) -> bool:
    """Say whether it is the reader's own mail, or he gets the whole domain's digest to this day."""
    try:
        reader = parse_address(link.reader)
        if parse_address(kept.recipient) == reader:
            return True
    except AddressError:
        return False
    policy, _ = domains.resolved(desk, link.domain)
    return fold(reader.local) in policy.digest_to


def _id(token: str) -> str:
    """Return the name of a token among those that were used."""
    return hashlib.sha256(token.partition(".")[0].encode("ascii")).hexdigest()


def _sign(desk: Desk, text: str) -> str:
    secret = installation_secret(desk.data_dir)
    return _text(hmac.digest(secret, _PURPOSE + text.encode("ascii", "replace"), "sha256"))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
