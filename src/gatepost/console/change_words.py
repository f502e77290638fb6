"""What a change did, as sentences in the reader's language: for the list of changes.

The command line keeps the keys that people type there (`desk/changes.py`), and programs get the values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gatepost.console import setting_words
from gatepost.console.pages.account import RIGHTS
from gatepost.console.pages.archive import DEEDS
from gatepost.console.pages.privacy import KINDS
from gatepost.console.pages.reviews import STATES
from gatepost.console.pages.users import ROLES
from gatepost.console.setting_words import meaning, named
from gatepost.console.text import Words, mark
from gatepost.desk.changes import hidden
from gatepost.policy.entries import entry_text
from gatepost.store.base import Change

NONE = "\u2013"
LISTS = {"allow": mark("Allow list"), "deny": mark("Deny list")}
ENTRY = {
    "expires": mark("until"),
    "note": mark("note"),
    "verified": mark("only if SPF or DKIM agrees"),
    "locked": mark("only administrators change it"),
}
"""What may change of a list's entry."""
ROLE, DOMAINS = mark("Role"), mark("Domains")
DONE = {
    ("disabled", True): mark("may not sign in any more"),
    ("disabled", False): mark("may sign in again"),
    ("password", "changed"): mark("password changed"),
    ("one-time codes", "on"): mark("one-time codes switched on"),
    ("one-time codes", "off"): mark("one-time codes switched off"),
}
"""What happened to somebody's account, where from is plain."""
PASSKEYS = {
    "passkey added": mark("passkey %(label)s added"),
    "passkey removed": mark("passkey %(label)s removed"),
}
LEFT = KINDS | {"folders": mark("folders"), "counts": mark("counts"), "tokens": mark("tokens")}


def sentences(words: Words, change: Change) -> list[str]:
    """Return what a change did, a sentence for each thing that it changed."""
    say = _KINDS.get(change.what, _other)
    said = say(words, change)
    if change.undoes is not None:
        said = [*said, words.say(mark("This rolled back change %(n)s."), n=change.undoes)]
    return said


def in_one(words: Words, change: Change) -> str:
    """Return the sentences as one line."""
    return "; ".join(sentences(words, change))


def _settings(words: Words, change: Change) -> list[str]:
    before, after = hidden(change.before or {}), hidden(change.after or {})
    return [setting_words.change(words, key, before.get(key), new) for key, new in after.items()]


def _recipients(words: Words, change: Change) -> list[str]:
    if not isinstance(change.before, list) or not isinstance(change.after, list):
        gone, came = (n if isinstance(n, int) else 0 for n in (change.before, change.after))
        many = mark("Many recipients: %(came)s added, %(gone)s removed")
        return [words.say(many, came=words.number(came), gone=words.number(gone))]
    before, after = ([str(row[0]) for row in rows] for rows in (change.before, change.after))
    parts = (
        (mark("Recipients added: %(names)s"), [one for one in after if one not in before]),
        (mark("Recipients removed: %(names)s"), [one for one in before if one not in after]),
        (mark("Recipients changed: %(names)s"), [one for one in after if one in before]),
    )
    return [words.say(text, names=named(words, names)) for text, names in parts if names]


def _entry(words: Words, change: Change) -> list[str]:
    before, after = change.before, change.after
    row = after or before
    where = words.say(LISTS[row["kind"]])
    if row.get("plugin"):
        where = words.say(mark("%(list)s of the check %(check)s"), list=where, check=row["plugin"])
    text = mark("%(list)s: %(entry)s removed")
    if after:
        text = mark("%(list)s: %(entry)s changed") if before else mark("%(list)s: %(entry)s added")
    said = words.say(text, list=where, entry=entry_text(str(row["field"]), str(row["value"])))
    return [said, *(_of_entry(words, before, after) if before and after else [])]


def _of_entry(words: Words, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    def value(key: str, one: Any) -> str:
        if key == "expires":
            return words.say(mark("for good")) if one is None else words.exact(float(one))
        return (one or NONE) if key == "note" else meaning(words, "", bool(one))

    return [
        f"{words.say(text)}: {value(key, before.get(key))} → {value(key, after.get(key))}"
        for key, text in ENTRY.items()
        if before.get(key) != after.get(key)
    ]


def _domain(words: Words, change: Change) -> list[str]:
    if change.before is None:
        route = ((change.after or {}).get("settings") or {}).get("", {}).get("route")
        said = [words.say(mark("Domain added"))]
        return (
            [*said, f"{setting_words.title(words, 'route')}: {meaning(words, 'route', route)}"]
            if route
            else said
        )
    return [words.say(mark("Domain removed"))]


def _user(words: Words, change: Change) -> list[str]:
    before, after = change.before, change.after
    name = (after or before)["name"]
    if after is None:
        return [words.say(mark("%(name)s may sign in no longer: removed"), name=name)]
    if before is None:
        said = words.say(mark("%(name)s added as %(role)s"), name=name, role=_role(words, after.get("role")))
        return [said, *([", ".join(after["domains"])] if after.get("domains") else [])]
    return [
        f"{name}: {_of_user(words, key, before.get(key), new)}"
        for key, new in after.items()
        if before.get(key) != new
    ]


def _role(words: Words, role: Any) -> str:
    return words.say(ROLES[role]) if role in ROLES else str(role)


def _of_user(words: Words, key: str, before: Any, after: Any) -> str:
    if key == "role":
        return f"{words.say(ROLE)}: {_role(words, before)} → {_role(words, after)}"
    if key == "domains":
        return f"{words.say(DOMAINS)}: {setting_words.from_to(words, key, before, after)}"
    if (key, after) in DONE:
        return words.say(DONE[key, after])
    if key in PASSKEYS:
        return words.say(PASSKEYS[key], label=after)
    return f"{key}: {setting_words.from_to(words, key, before, after)}"


def _token(words: Words, change: Change) -> list[str]:
    row = change.after or change.before
    text = (
        mark("Token %(name)s of %(user)s revoked")
        if change.after is None
        else mark("Token %(name)s of %(user)s made")
    )
    said = [words.say(text, name=row["name"], user=row.get("user", NONE))]
    if change.after is not None:
        opens = words.say(RIGHTS[row["rights"]]) if row.get("rights") in RIGHTS else str(row.get("rights"))
        said.append(", ".join([opens, *row.get("domains", ())]))
    return said


def _review(words: Words, change: Change) -> list[str]:
    after = change.after
    state = words.say(STATES[after["decision"]]) if after["decision"] in STATES else str(after["decision"])
    text = mark("Review of the mail %(id)s for %(recipient)s: %(state)s")
    return [words.say(text, id=after["id"], recipient=after["recipient"], state=state)]


def _deed(words: Words, change: Change) -> list[str]:
    after = change.after
    text = mark("Kept mail %(id)s for %(recipient)s: %(deed)s")
    return [words.say(text, id=after["id"], recipient=after["recipient"], deed=words.say(DEEDS[change.what]))]


def _person(words: Words, change: Change) -> list[str]:
    text = (
        mark("One person's data erased") if change.what == "erased" else mark("One person's data handed out")
    )
    return [words.say(text), _counts(words, change.after or {}, KINDS)]


def _forgotten(words: Words, change: Change) -> list[str]:
    after = dict(change.after or {})
    name = after.pop("domain", "")
    if not name:
        return [words.say(mark("What was left of the removed domain was deleted"))]
    text = mark("What was left of the removed domain %(domain)s was deleted")
    return [words.say(text, domain=name), _counts(words, after, LEFT)]


def _load(words: Words, change: Change) -> list[str]:
    number = (change.after or change.before or {}).get("domains", 0)
    return [words.say_many("%(n)s domain read in", "%(n)s domains read in", number)]


def _files(words: Words, change: Change) -> list[str]:
    counts = {"added": 0, "replaced": 0, "removed": 0} | (change.after or {})
    text = mark("Read from files: %(added)s added, %(replaced)s replaced, %(removed)s removed")
    return [words.say(text, **{key: words.number(n) for key, n in counts.items()})]


def _counts(words: Words, counts: Mapping[str, Any], kinds: Mapping[str, str]) -> str:
    parts = [
        f"{words.number(n)} {words.say(kinds[kind]) if kind in kinds else kind}"
        for kind, n in counts.items()
        if n
    ]
    return ", ".join(parts) or words.say(mark("nothing"))


def _other(words: Words, change: Change) -> list[str]:
    return [f"{change.what}: {meaning(words, '', change.before)} → {meaning(words, '', change.after)}"]


_KINDS: dict[str, Callable[[Words, Change], list[str]]] = {
    "settings": _settings,
    "recipients": _recipients,
    "entry": _entry,
    "domain": _domain,
    "user": _user,
    "token": _token,
    "review": _review,
    "exported": _person,
    "erased": _person,
    "forgotten": _forgotten,
    "load": _load,
    "files": _files,
    **dict.fromkeys(DEEDS, _deed),
}
"""Kind of change -> how it is said."""
