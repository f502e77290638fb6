"""The checks of a domain: each with its switch, its settings, its own allow list, and what it did this week.

The same pages stand below `/checks` for all domains, for administrators, and below
`/domains/DOMAIN/mailboxes` for one mailbox, whose settings come before its domain's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form
from fastapi.responses import Response

from gatepost.console import entry_form, forms
from gatepost.console.auth import Admin, Changing, Here, Looking
from gatepost.console.core_form import ACTIONS, FAILURES
from gatepost.console.errors import NotHere
from gatepost.console.place import PAGES, Place
from gatepost.console.render import go, show
from gatepost.console.setting_words import meaning
from gatepost.console.text import mark
from gatepost.console.typed import Typed, below
from gatepost.desk import checks, domains, lists, scopes
from gatepost.desk.errors import Conflict, DeskError
from gatepost.plugin.faces import sentence, why
from gatepost.plugin.registry import Loaded
from gatepost.policy.policy import Action, OnFailure
from gatepost.policy.settings import is_secret

router = APIRouter()
SETTING = "set."
"""What the inputs of a check's own fields are called begins so: a field may have any name."""
BACK = frozenset(page for page, _ in PAGES.values())
"""Pages of a domain that show the switch of their check."""
MODES = {"on": mark("Switched on"), "watch": mark("Only watching"), "off": mark("Switched off")}
"""The order of the list."""


def _of(here: Here, word: str | None, base: str = "") -> Place:
    return Place(here, word, base or ("/checks" if word is None else f"/domains/{word}/checks"))


def _list(place: Place) -> Response:
    found = checks.listing(place.here.desk, place.word)
    groups = [(mode, title, [one for one in found if one.mode == mode]) for mode, title in MODES.items()]
    return show(place.here, "checks.html", groups=groups, place=place, ORIGINS=place.origins)


def _otherwise(place: Place, loaded: Loaded, values: Mapping[str, tuple[Any, str]]) -> dict[str, str]:
    """Return for each field that is set just here what would hold if it were not, in the reader's words."""
    level = "mailbox" if place.is_mailbox else "domain" if place.word is not None else "all"
    if place.word is None:
        farther = {
            name: (value, "") for name, value in loaded.plugin.settings().model_dump(mode="json").items()
        }
    else:
        word = place.word.rpartition("@")[2] if place.is_mailbox else None
        farther = checks.values_as_written(place.here.desk, word, loaded)
    return {
        name: meaning(place.words, f"{loaded.name}.{name}", farther[name][0])
        for name, (_, origin) in values.items()
        if origin == level and not is_secret(name)
    }


def _page(
    place: Place, name: str, faults: dict[str, str] | None = None, fields: dict[str, str] | None = None
) -> Response:
    desk = place.here.desk
    loaded, policy = checks.one(desk, place.word, name)
    values = checks.values_as_written(desk, place.word, loaded)
    typed = below(SETTING, fields) if fields is not None else None
    if typed is not None:
        typed = {one: typed.get(one, "") for one in loaded.plugin.settings.model_fields}
    return show(
        place.here,
        "check.html",
        status=422 if faults else 200,
        place=place,
        name=name,
        error=loaded.error,
        does="" if loaded.error else sentence(loaded.plugin),
        why=[] if loaded.error else why(loaded.plugin).split("\n\n"),
        policy=policy,
        fields=forms.fields_of(loaded.plugin.settings, values, faults, typed, admin=place.here.is_admin),
        otherwise=_otherwise(place, loaded, values),
        faults=faults or {},
        entry=(fields or {}).get("entry", ""),
        did=checks.lately(desk, place.word).get(name, checks.Did()),
        own_list=loaded.plugin.own_list,
        entries=[one for one in lists.show(desk, place.word) if one.entry.plugin == name],
        version=desk.policy.version(),
        page=PAGES.get(name) if place.word is not None and not place.is_mailbox else None,
        ORIGINS=place.origins,
        ACTIONS=ACTIONS,
        FAILURES=FAILURES,
        is_set=any(key.startswith(f"{name}.") for key in domains.own_values(desk, place.word)),
    )


def _switch(place: Place, name: str, mode: str, back: str) -> Response:
    checks.set_mode(place.here.desk, place.word, name, mode)
    said = {
        "off": mark("%(check)s is off."),
        "watch": mark("%(check)s watches: it writes down what it would refuse, and refuses nothing."),
        "on": mark("%(check)s is on."),
    }[mode]
    target = place.base if back == "list" else f"{place.base}/{name}"
    if back in BACK and place.word is not None and not place.is_mailbox:
        target = f"/domains/{place.word}/{back}"
    return go(place.here, target, place.words.say(said, check=name))


def _save(place: Place, name: str, fields: dict[str, str]) -> Response:
    desk = place.here.desk
    loaded, policy = checks.one(desk, place.word, name)
    before = checks.values_as_written(desk, place.word, loaded)
    read = forms.read(loaded.plugin.settings, below(SETTING, fields), admin=place.here.is_admin)
    # What was not shown (a secret) or could not be read is looked at as it is.
    whole = {one: value for one, (value, origin) in before.items() if origin != "default"} | read.values
    faults = checks.faults(loaded, whole) | read.faults
    if faults:
        return _page(place, name, faults, fields)
    values = {f"{name}.{one}": value for one, value in forms.changed(before, read.values).items()}
    for switch, there, known in (
        ("action", policy.action, Action),
        ("on_failure", policy.on_failure, OnFailure),
    ):
        wanted = fields.get(switch, str(there))
        if wanted in tuple(known) and wanted != str(there):
            values[f"{name}.{switch}"] = wanted
    version = fields.get("version", "")
    try:
        if values:
            domains.set_values(desk, place.word, values, int(version) if version.isdecimal() else None)
    except (Conflict, DeskError) as error:
        return _page(place, name, {"": str(error)}, fields)
    return go(place.here, f"{place.base}/{name}", place.words.say(mark("Saved.")))


def _reset(place: Place, name: str) -> Response:
    checks.reset(place.here.desk, place.word, name)
    return go(place.here, f"{place.base}/{name}", place.words.say(mark("Back to what holds elsewhere.")))


def _allow(place: Place, name: str, fields: dict[str, str]) -> Response:
    desk = place.here.desk
    checks.one(desk, place.word, name)
    try:
        lists.add(
            desk,
            place.word,
            "allow",
            fields.get("entry", ""),
            plugin=name,
            **entry_form.read(place.here, fields),
        )
    except DeskError as error:
        return _page(place, name, {"entry": str(error)}, fields)
    return go(place.here, f"{place.base}/{name}", place.words.say(mark("Added; it counts from now on.")))


def _forget(place: Place, name: str, number: int) -> Response:
    desk = place.here.desk
    if not any(one.entry.id == number and one.entry.plugin == name for one in lists.show(desk, place.word)):
        raise NotHere
    lists.remove(desk, place.word, f"#{number}")
    return go(place.here, f"{place.base}/{name}", place.words.say(mark("Removed.")))


Mode = Annotated[str, Form()]


@router.get("/domains/{domain}/checks")
def domain_checks(here: Looking) -> Response:
    """List the checks of a domain."""
    return _list(_of(here, here.domain))


@router.get("/domains/{domain}/checks/{check}")
def domain_check(here: Looking, check: str) -> Response:
    """Show one check of a domain."""
    return _page(_of(here, here.domain), check)


@router.post("/domains/{domain}/checks/{check}")
def save_domain_check(here: Changing, check: str, fields: Typed) -> Response:
    """Keep the settings of a check in a domain."""
    return _save(_of(here, here.domain), check, fields)


@router.post("/domains/{domain}/checks/{check}/mode")
def switch_domain_check(here: Changing, check: str, mode: Mode, back: Mode = "") -> Response:
    """Turn a check's switch in a domain."""
    return _switch(_of(here, here.domain), check, mode, back)


@router.post("/domains/{domain}/checks/{check}/reset")
def reset_domain_check(here: Changing, check: str) -> Response:
    """Let the settings of all domains hold again."""
    return _reset(_of(here, here.domain), check)


@router.post("/domains/{domain}/checks/{check}/allow")
def allow_past_domain_check(here: Changing, check: str, fields: Typed) -> Response:
    """Let somebody past one check of a domain."""
    return _allow(_of(here, here.domain), check, fields)


@router.post("/domains/{domain}/checks/{check}/allow/{number}/remove")
def forget_domain_entry(here: Changing, check: str, number: int) -> Response:
    """Take an entry off the list of one check."""
    return _forget(_of(here, here.domain), check, number)


def _mailbox(here: Here, local: str) -> Place:
    base = f"/domains/{here.domain}/mailboxes/{quote(local, safe='')}/checks"
    return _of(here, scopes.scope_for(f"{local}@{here.domain}").partition(":")[2], base)


@router.get("/domains/{domain}/mailboxes/{local:part}/checks")
def mailbox_checks(here: Looking, local: str) -> Response:
    """List the checks as a mailbox has them."""
    return _list(_mailbox(here, local))


@router.get("/domains/{domain}/mailboxes/{local:part}/checks/{check}")
def mailbox_check(here: Looking, local: str, check: str) -> Response:
    """Show one check of a mailbox."""
    return _page(_mailbox(here, local), check)


@router.post("/domains/{domain}/mailboxes/{local:part}/checks/{check}")
def save_mailbox_check(here: Changing, local: str, check: str, fields: Typed) -> Response:
    """Keep the settings of a check for a mailbox."""
    return _save(_mailbox(here, local), check, fields)


@router.post("/domains/{domain}/mailboxes/{local:part}/checks/{check}/mode")
def switch_mailbox_check(here: Changing, local: str, check: str, mode: Mode, back: Mode = "") -> Response:
    """Turn a check's switch for a mailbox."""
    return _switch(_mailbox(here, local), check, mode, back)


@router.post("/domains/{domain}/mailboxes/{local:part}/checks/{check}/reset")
def reset_mailbox_check(here: Changing, local: str, check: str) -> Response:
    """Let the settings of the domain hold again."""
    return _reset(_mailbox(here, local), check)


@router.get("/checks")
def all_checks(here: Admin) -> Response:
    """List the checks as all domains have them where nothing nearer is set."""
    return _list(_of(here, None))


@router.get("/checks/{check}")
def all_check(here: Admin, check: str) -> Response:
    """Show one check for all domains."""
    return _page(_of(here, None), check)


@router.post("/checks/{check}")
def save_all_check(here: Admin, check: str, fields: Typed) -> Response:
    """Keep the settings of a check for all domains."""
    return _save(_of(here, None), check, fields)


@router.post("/checks/{check}/mode")
def switch_all_check(here: Admin, check: str, mode: Mode, back: Mode = "") -> Response:
    """Turn a check's switch for all domains."""
    return _switch(_of(here, None), check, mode, back)


@router.post("/checks/{check}/reset")
def reset_all_check(here: Admin, check: str) -> Response:
    """Let the defaults hold again."""
    return _reset(_of(here, None), check)


@router.post("/checks/{check}/allow")
def allow_past_all_check(here: Admin, check: str, fields: Typed) -> Response:
    """Let somebody past one check of all domains."""
    return _allow(_of(here, None), check, fields)


@router.post("/checks/{check}/allow/{number}/remove")
def forget_all_entry(here: Admin, check: str, number: int) -> Response:
    """Take an entry off the list of one check."""
    return _forget(_of(here, None), check, number)
