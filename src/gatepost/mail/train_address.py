"""Training addresses: `spam@train.DOMAIN`, `ham@train.DOMAIN`, and those with a person's secret.

A mail program that cannot sign, or a rule on a phone, needs an address that proves who writes:
`spam+ann=k3v...@train.example.org`. What stands behind the name is an HMAC over domain, person and the
domain's generation under the installation's secret, so nothing has to be stored, nobody makes one for
another domain or person, and a new generation, or a new owner of the name, makes all old ones void. Lower
case only: mail programs change the case of what people type. Pure.
"""

from __future__ import annotations

import base64
import hmac
from typing import NamedTuple

from gatepost.mail.address import MAX_LOCAL, fold

PREFIX = "train."
"""Before the domain's name."""
KINDS = {"spam": True, "ham": False}
"""Local part -> whether what is sent there is spam."""
MARK = 16
"""Characters of the secret: 80 bits."""


class Named(NamedTuple):
    """What a local part says."""

    spam: bool
    person: str = ""
    """Folded local part of who claims to write; "" where nobody is named."""
    mark: str = ""
    """The secret that came with the name."""


def domain_of(host: str) -> str:
    """Return whose training a host name is for, "" where it is for none: `train.example.org`."""
    return host[len(PREFIX) :] if host.startswith(PREFIX) else ""


def read(local: str) -> Named | None:
    """Return what a local part below `train.DOMAIN` says, None for one that is none of ours."""
    kind, plus, rest = fold(local).partition("+")
    if kind not in KINDS:
        return None
    if not plus:
        return Named(KINDS[kind])
    person, equals, mark = rest.rpartition("=")
    if not equals or not person or not mark:
        return None
    return Named(KINDS[kind], person, mark)


def holds(named: Named, secret: bytes, domain: str, generation: int, owned_since: float = 0.0) -> bool:
    """Say whether the secret in an address is that of the person named in it.

    `owned_since`: as the domain's policy has it, so that no address of a former owner of the name holds.
    """
    wanted = _mark(secret, domain, named.person, generation, owned_since)
    return hmac.compare_digest(wanted.encode(), named.mark.encode("utf-8", "replace"))


def make(
    secret: bytes, domain: str, person: str, generation: int, owned_since: float = 0.0, *, spam: bool
) -> str:
    """Return a person's own training address; "" where the name is too long to have one."""
    who = fold(person)
    kind = next(word for word, is_spam in KINDS.items() if is_spam is spam)
    local = f"{kind}+{who}={_mark(secret, domain, who, generation, owned_since)}"
    return f"{local}@{PREFIX}{domain}" if len(local.encode()) <= MAX_LOCAL else ""


def _mark(secret: bytes, domain: str, person: str, generation: int, owned_since: float) -> str:
    said = f"gatepost-train-1\n{domain}\n{person}\n{generation}"
    said += f"\n{owned_since:.3f}" if owned_since else ""
    return (
        base64.b32encode(hmac.digest(secret, said.encode("utf-8", "surrogatepass"), "sha256"))
        .decode("ascii")[:MARK]
        .lower()
    )
