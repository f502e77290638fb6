"""Whose training addresses are which: for a domain's people, with their secrets in them."""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.desk import domains
from gatepost.desk.desk import Desk
from gatepost.desk.errors import DeskError
from gatepost.desk.scopes import hosted
from gatepost.desk.secret import installation_secret
from gatepost.mail import train_address
from gatepost.mail.address import AddressError, parse_address
from gatepost.policy.policy import TRAINING, Mode


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where one person, or all of a domain, send what they train."""

    spam: str
    ham: str


def open_to_all(desk: Desk, domain: str) -> Addresses | None:
    """Return the addresses for people whose mail is signed; None where the domain has training off."""
    name = hosted(desk, domain)
    if _mode(desk, name) is Mode.OFF:
        return None
    host = f"{train_address.PREFIX}{name}"
    return Addresses(f"spam@{host}", f"ham@{host}")


def of_person(desk: Desk, domain: str, person: str) -> Addresses:
    """Return the addresses with a person's secret: whoever knows them trains in that name."""
    name = hosted(desk, domain)
    local, at, behind = person.strip().rpartition("@")
    if at and behind.lower() != name:
        raise DeskError(f"{person} is no address of {name}")
    try:
        who = parse_address(f"{local if at else behind}@{name}")
    except AddressError as error:
        raise DeskError(f"{person!r}: {error}") from error
    policy, _ = domains.resolved(desk, name)
    settings = policy.plugins[TRAINING].settings
    if policy.plugins[TRAINING].mode is Mode.OFF or not settings.secrets:
        raise DeskError(f"{name} takes no trainings at secret addresses (training.mode, training.secrets)")
    row = desk.policy.recipient(name, who.key[0])
    if (row is None and policy.recipients == "list") or (row is not None and row.kind != "valid"):
        raise DeskError(f"{who.text} is no known recipient, so nobody would believe it")
    try:
        secret = installation_secret(desk.data_dir)
    except OSError as error:
        raise DeskError(str(error)) from error
    place = secret, name, who.local, settings.generation, policy.owned_since
    made = [train_address.make(*place, spam=spam) for spam in (True, False)]
    if not all(made):
        raise DeskError(f"{who.local} is too long for an address with a secret")
    return Addresses(made[0], made[1])


def _mode(desk: Desk, name: str) -> Mode:
    policy, _ = domains.resolved(desk, name)
    return policy.plugins[TRAINING].mode
