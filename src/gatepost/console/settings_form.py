"""The form of the settings of one domain, or of all: what it shows, what was typed, and keeping it."""

from __future__ import annotations

from typing import Any

from gatepost.console import core_form, forms, setting_words
from gatepost.console.auth import Here
from gatepost.console.render import words_of
from gatepost.console.typed import below
from gatepost.desk import domains
from gatepost.desk.errors import DeskError
from gatepost.policy.settings import SETTINGS

PREFIX = "set."
"""What the names of its inputs begin with."""

Values = dict[str, tuple[Any, str]]


def values_of(here: Here, domain: str | None) -> Values:
    """Return key -> (value, origin) of a domain; None: of all domains."""
    found, _ = domains.get_values(here.desk, domain)
    return {one.key: (one.value, one.origin) for one in found if one.key in SETTINGS}


def shown(
    values: Values, faults: dict[str, str] | None, fields: dict[str, str] | None
) -> list[core_form.FieldGroup]:
    """Return the inputs in their groups; where something was wrong, with what was typed."""
    typed = None
    if fields is not None:
        said = below(PREFIX, fields)
        typed = {key: said.get(key, "") for key in core_form.shown_keys()}
    return core_form.groups(core_form.fields_of(values, faults, typed))


def otherwise(here: Here, domain: str | None) -> dict[str, str]:
    """Return for each setting that is set just here what would hold if it were not, in the reader's words."""
    own = domains.own_values(here.desk, domain)
    farther = values_of(here, None) if domain is not None else {}
    found = {}
    for key in own.keys() & set(core_form.shown_keys()):
        # A preset of this place would give other points: what they would be is not known without trying.
        if not (key.startswith("score.") and "preset" in own):
            value = farther[key][0] if key in farther else SETTINGS[key].default
            found[key] = setting_words.meaning(words_of(here.request, here), key, value)
    return found


def keep(here: Here, domain: str | None, fields: dict[str, str]) -> dict[str, str]:
    """Keep what was typed; return what is wrong with it by setting ("": as a whole), {} for nothing."""
    read = core_form.read(below(PREFIX, fields))
    faults = read.faults | core_form.wrong(read.values)
    if faults:
        return faults
    values = forms.changed(values_of(here, domain), read.values)
    version = fields.get("version", "")
    try:
        if values:
            domains.set_values(here.desk, domain, values, int(version) if version.isdecimal() else None)
    except DeskError as error:
        return {"": str(error)}
    return {}
