"""What settings are called and what their values mean, in the reader's language: for sentences about them.

The forms show the same names and choices (`core_form`, `forms`); a check's own choices are the words that
people type, in every language.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gatepost.console.core_form import ACTIONS, CHOICES, FAILURES, LABELS
from gatepost.console.text import Words, mark
from gatepost.policy.settings import HIDDEN, SETTINGS

SWITCHES = {
    "mode": mark("switch"),
    "action": mark("what its refusal becomes"),
    "on_failure": mark("when it cannot answer"),
}
"""What every check has."""
SWITCHED = {
    "mode": {"off": mark("off"), "watch": mark("watch"), "on": mark("on")},
    "action": ACTIONS,
    "on_failure": FAILURES,
}
SHOWN = 5
"""Items of a list that a sentence names."""
LONGEST = 120
"""Characters of a text that a sentence repeats."""


def title(words: Words, key: str) -> str:
    """Return what a setting is called: `Kept for (days)`, `dnsbl, zones`."""
    if key in SETTINGS:
        return words.say(LABELS.get(key, key))
    check, _, part = key.partition(".")
    own = words.say(SWITCHES.get(part, part.replace("_", " "))) if part else ""
    return f"{check}, {own}" if own else check


def meaning(words: Words, key: str, value: Any) -> str:
    """Return a value as people say it."""
    if value is None:
        return words.say(mark("not set"))
    if isinstance(value, bool):
        return words.say(mark("on")) if value else words.say(mark("off"))
    if isinstance(value, int | float):
        return words.number(value)
    if value == HIDDEN:
        return words.say(mark("not shown"))
    if isinstance(value, list | tuple):
        return named(words, [_item(words, one) for one in value])
    if isinstance(value, dict):
        return _item(words, value)
    known = CHOICES if key in SETTINGS else SWITCHED.get(key.partition(".")[2], {})
    return words.say(known[value]) if value in known else _short(str(value))


def change(words: Words, key: str, before: Any, after: Any) -> str:
    """Return what happened to a setting: `Kept for (days): 30 → 7`."""
    return f"{title(words, key)}: {from_to(words, key, before, after)}"


def from_to(words: Words, key: str, before: Any, after: Any) -> str:
    """Return from what to what a value went; of a list, what came and what left."""
    if before == after == HIDDEN:
        return words.say(mark("changed, not shown"))
    if isinstance(before, list) and isinstance(after, list):
        return "; ".join(_difference(words, before, after))
    return f"{meaning(words, key, before)} → {meaning(words, key, after)}"


def named(words: Words, items: Sequence[str]) -> str:
    """Return the first items of a list, and how many more there are."""
    if not items:
        return words.say(mark("nothing"))
    shown = ", ".join(items[:SHOWN])
    more = len(items) - SHOWN
    if more <= 0:
        return shown
    return words.say(mark("%(shown)s and %(n)s more"), shown=shown, n=words.number(more))


def _difference(words: Words, before: list[Any], after: list[Any]) -> list[str]:
    came = [_item(words, one) for one in after if one not in before]
    gone = [_item(words, one) for one in before if one not in after]
    # A rule whose note changed is the same rule to who reads of it.
    both = [one for one in came if one in gone]
    came, gone = ([one for one in items if one not in both] for items in (came, gone))
    parts = (
        (mark("added: %(items)s"), came),
        (mark("removed: %(items)s"), gone),
        (mark("changed: %(items)s"), both),
    )
    said = [words.say(text, items=named(words, items)) for text, items in parts if items]
    return said or [words.say(mark("another order"))]


def _item(words: Words, item: Any) -> str:
    """Return one item of a list: a rule by what it looks for, another table by its fields."""
    if not isinstance(item, dict):
        return _short(str(item)) if isinstance(item, str) else meaning(words, "", item)
    if isinstance(item.get("pattern"), str):
        return _short(item["pattern"])
    return _short(
        " ".join(f"{name.replace('_', ' ')} {meaning(words, '', one)}" for name, one in item.items())
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
