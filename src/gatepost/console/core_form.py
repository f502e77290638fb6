"""The form of a domain's own settings, made from the one table of them (`policy.settings.SETTINGS`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gatepost.console.forms import Field, Read, value_of, written
from gatepost.console.text import mark
from gatepost.policy.settings import SETTINGS, Setting

ROUTE = "route"
LABELS = {
    "route": mark("Route"),
    "recipients": mark("Who exists"),
    "refuse_at": mark("Refusals are said"),
    "refuse_at.unknown": mark("Unknown recipients are refused"),
    "score.tag_at": mark("Marked from (points)"),
    "score.quarantine_at": mark("Held from (points)"),
    "score.reject_at": mark("Refused from (points)"),
    "preset": mark("Preset"),
    "on_backend_down": mark("When the domain's server is down"),
    "mixed": mark("When recipients of one mail differ"),
    "poison": mark("Mail that kills who reads it"),
    "keep_days": mark("Kept for (days)"),
    "bypass": mark("Filter out of the way"),
    "subjects": mark("Subjects are written down"),
    "digest": mark("Digest by mail"),
    "digest.to": mark("Mailboxes that get the domain's digest"),
    "digest.mailboxes": mark("A digest for each mailbox"),
    "digest.hour": mark("Hour of the digest"),
    "digest.language": mark("Language of the digest"),
    "digest.zone": mark("Time zone of the digest"),
    "why.page": mark("A page for refused senders"),
}
"""What the inputs are called; a setting without a line here is called by its key."""
CHOICES = {
    "list": mark("those on the list"),
    "callout": mark("the list, and the server behind the route is asked"),
    "any": mark("everybody"),
    "rcpt": mark("at once"),
    "data": mark("when the message is here (a copy is kept)"),
    "defer": mark("the sender waits and comes back"),
    "spool": mark("we keep the mail until it is back"),
    "hold": mark("refused copies are held"),
    "split": mark("later recipients are put off"),
    "quarantine": mark("it is held"),
    "reject": mark("it is refused"),
    "careful": mark("careful"),
    "usual": mark("usual"),
    "strict": mark("strict"),
    "off": mark("off"),
    "daily": mark("each day"),
    "weekly": mark("each Monday"),
    "en": "English",
    "de": "Deutsch",
}
"""What the choices are called."""
ACTIONS = {
    "reject": mark("refuse the mail"),
    "quarantine": mark("hold it for a person"),
    "defer": mark("ask the sender to come back"),
    "tag": mark("mark it and let it through"),
}
FAILURES = {"pass": mark("as if it had nothing to say"), "defer": mark("ask the sender to come back")}
"""What the switches of a check are called, on its own page."""
BOUNDS: dict[str, tuple[int, int | None]] = {"digest.hour": (0, 23)}
"""Least and most of a number, where it may be nothing."""
GROUPS = (
    (mark("Recipients and delivery"), ("recipients", "on_backend_down", "mixed")),
    (mark("Refusing"), ("preset", "score.tag_at", "score.quarantine_at", "score.reject_at", "refuse_at",
                        "refuse_at.unknown", "poison", "why.page")),
    (mark("Keeping"), ("keep_days", "subjects")),
    (mark("Digest"), ("digest", "digest.to", "digest.mailboxes", "digest.hour", "digest.language",
                      "digest.zone")),
)  # fmt: skip
"""The order of the form. The route and the bypass have forms of their own."""


def shown_keys() -> tuple[str, ...]:
    """Return the settings of the form; what is in no group comes last."""
    grouped = [key for _, keys in GROUPS for key in keys]
    return (*grouped, *(key for key in SETTINGS if key not in grouped and key not in (ROUTE, "bypass")))


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Inputs under one heading, which folds."""

    title: str
    fields: list[Field]

    @property
    def differs(self) -> bool:
        """Whether somebody has set any of them."""
        return any(one.origin not in ("", "default") for one in self.fields)

    @property
    def faulty(self) -> bool:
        """Whether anything in it is wrong, so that it has to be seen."""
        return any(one.fault for one in self.fields)


def groups(fields: Iterable[Field]) -> list[FieldGroup]:
    """Return the inputs under their headings."""
    by_name = {one.name: one for one in fields}
    found = [
        FieldGroup(title, [by_name.pop(key) for key in keys if key in by_name]) for title, keys in GROUPS
    ]
    return [*found, FieldGroup(mark("More"), list(by_name.values()))] if by_name else found


def fields_of(
    values: Mapping[str, tuple[Any, str]],
    faults: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    keys: Iterable[str] | None = None,
) -> list[Field]:
    """Return the inputs; `values`: key -> (value, origin); `typed` stands where something was wrong."""
    found = []
    for key in keys if keys is not None else shown_keys():
        setting = SETTINGS[key]
        kind = kind_of(setting)
        value, origin = values.get(key, (setting.default, "default"))
        text = typed[key] if typed is not None and key in typed else written(kind, value)
        numeric = kind == "number"
        least, most = BOUNDS.get(key, (1, None)) if numeric else (None, None)
        found.append(
            Field(
                key,
                kind,
                text,
                setting.sentence,
                label=LABELS.get(key, key),
                least=least,
                most=most,
                whole=numeric,
                choices=tuple(setting.allowed.split(", ")) if kind == "choice" else ("off",),
                texts=CHOICES,
                origin=origin,
                fault=(faults or {}).get(key, ""),
            )
        )
    return found


def read(form: Mapping[str, str], keys: Iterable[str] | None = None) -> Read:
    """Return what was typed for these settings."""
    done = Read()
    for key in keys if keys is not None else shown_keys():
        try:
            done.values[key] = value_of(kind_of(SETTINGS[key]), form.get(key, ""))
        except ValueError as error:
            done.faults[key] = str(error)
    return done


def wrong(values: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with each value alone, so that all of it is told at once."""
    found = {}
    for key, value in values.items():
        try:
            SETTINGS[key].check(value)
        except ValueError as error:
            found[key] = f"{error}: {SETTINGS[key].allowed}"
    return found


def kind_of(setting: Setting) -> str:
    """Return the kind of input that a setting needs, by its default and what it may be."""
    if setting.key == ROUTE or isinstance(setting.default, list):
        return "lines"
    if isinstance(setting.default, bool):
        return "flag"
    if isinstance(setting.default, int):
        return "number"
    if setting.key == "digest.zone":
        return "text"
    return "words" if "points" in setting.allowed else "choice"
