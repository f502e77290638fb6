"""`gatepost changes`: who changed what from what, and back again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gatepost.desk.desk import Desk

Run = Callable[..., Any]


def test_nothing_yet(run: Run) -> None:
    """Said on stderr, so that a script reads no rows."""
    assert ("", "Nothing was changed yet.\n") == (run("changes").stdout, run("changes").stderr)


def test_listing(hosted: Run, as_json: Run) -> None:
    """The newest first, with both values; only a domain's own where one is named."""
    hosted("domain", "set", "example.org", "keep_days=7")
    hosted("domain", "add", "example.net", "--route", "smtp://192.0.2.5")
    newest, *_ = as_json("changes", "example.org")
    assert ("domain:example.org", "settings", {"keep_days": None}, {"keep_days": 7}) == (
        newest["scope"],
        newest["what"],
        newest["before"],
        newest["after"],
    )
    assert {"domain:example.org"} == {row["scope"] for row in as_json("changes", "example.org")}
    assert "example.net" in hosted("changes").stdout
    assert 1 == len(as_json("changes", "--limit", "1"))


def test_roll_back(hosted: Run, as_json: Run) -> None:
    """Undone, and itself a change; refused where it is no longer the last word."""
    hosted("domain", "set", "example.org", "keep_days=7")
    number = as_json("changes")[0]["id"]
    assert (
        f"change {number} undone: domain:example.org" in hosted("changes", "--roll-back", str(number)).stdout
    )
    (value,) = as_json("domain", "get", "example.org", "keep_days")
    assert (30, "default") == (value["value"], value["origin"])
    assert number == as_json("changes")[0]["undoes"]
    hosted("domain", "set", "example.org", "keep_days=8")
    assert "" == hosted("changes", "--roll-back", str(number), status=1).stdout


def test_no_such_change(hosted: Run) -> None:
    """An error that names it."""
    assert "4711" in hosted("changes", "--roll-back", "4711", status=1).stderr


ROUTE = "smtp://192.0.2.5"
SET = ("domain", "set")
DEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    # What was done before, and last the deed that is undone.
    "a setting": ((*SET, "example.org", "keep_days=7"),),
    "a setting over another": ((*SET, "example.org", "keep_days=7"), (*SET, "example.org", "keep_days=9")),
    "several settings": ((*SET, "example.org", "keep_days=7", "dnsbl.mode=on", 'dnsbl.zones=["bl.test"]'),),
    "a setting unset": (
        (*SET, "example.org", "keep_days=7"),
        ("domain", "unset", "example.org", "keep_days"),
    ),
    "a preset": ((*SET, "example.org", "preset=strict"),),
    "a route": ((*SET, "example.org", f'route=["{ROUTE}"]'),),
    "a setting of all domains": ((*SET, "--all", "dnsbl.mode=watch"),),
    "a setting of a mailbox": ((*SET, "ann@example.org", "greylist.mode=on"),),
    "a recipient": (("recipient", "add", "example.org", "bob"),),
    "a recipient who was there": (("recipient", "add", "example.org", "ann", "bob"),),
    "a recipient for some clients": (
        ("recipient", "add", "example.org", "ann", "--only-from", "192.0.2.0/24"),
    ),
    "an invalid recipient": (("recipient", "add", "example.org", "ann", "--invalid"),),
    "the wildcard": (("recipient", "add", "example.org", "*"),),
    "a recipient removed": (("recipient", "remove", "example.org", "ann"),),
    "recipients imported": (("recipient", "import", "example.org", "names"),),
    "recipients replaced": (("recipient", "import", "example.org", "names", "--replace"),),
    "an allow entry": (("list", "add", "example.org", "allow", "friend.example", "--note", "a friend"),),
    "a deny entry of all domains": (("list", "add", "--all", "deny", "192.0.2.0/24"),),
    "an entry for one check": (("list", "add", "example.org", "allow", "192.0.2.7", "--plugin", "dnsbl"),),
    "a locked entry": (("list", "add", "example.org", "deny", "192.0.2.7", "--lock"),),
    "an entry of a mailbox": (("list", "add", "ann@example.org", "deny", "foe.example"),),
    "an entry renewed": (
        ("list", "add", "example.org", "deny", "192.0.2.7", "--note", "one"),
        ("list", "add", "example.org", "deny", "192.0.2.7", "--note", "two", "--expires", "30d"),
    ),
    "an entry removed": (
        ("list", "add", "example.org", "deny", "192.0.2.7", "--note", "one"),
        ("list", "remove", "example.org", "192.0.2.7"),
    ),
    "a rule": (("rules", "add", "example.org", "sales"),),
    "a rule of all domains": (("rules", "add", "--all", "sales", "--first"),),
    "a rule removed": (
        ("rules", "add", "example.org", "sales"),
        ("rules", "add", "example.org", "shop"),
        ("rules", "remove", "example.org", "sales"),
    ),
    "rules imported": (("rules", "import", "example.org", "patterns"),),
    "bypass": (("bypass", "on", "example.org"),),
    "bypass of all domains": (("bypass", "on"),),
    "bypass off": (("bypass", "on", "example.org"), ("bypass", "off", "example.org")),
    "a forwarder trusted": (("forwarders", "example.org", "--trust", "lists.example"),),
    "a signed address": (("batv", "add", "example.org", "ann"),),
    "a new key": (("batv", "key", "example.org"),),
    "a domain": (("domain", "add", "example.net", "--route", ROUTE),),
    "a domain removed": (
        (*SET, "example.org", "keep_days=7"),
        (*SET, "ann@example.org", "greylist.mode=on"),
        ("list", "add", "ann@example.org", "deny", "foe.example"),
        ("recipient", "add", "example.org", "bob", "--only-from", "192.0.2.0/24"),
        ("rules", "add", "example.org", "sales"),
        ("domain", "remove", "example.org", "--yes"),
    ),
}


def whole(config: Path) -> dict[str, list[Any]]:
    """Return all that the policy says: domains, settings, lists, recipients."""
    with closing(sqlite3.connect(config.parent / "data" / "policy.db")) as db:
        asked = {
            "domains": "SELECT name FROM domain ORDER BY 1",
            "settings": "SELECT * FROM setting ORDER BY 1, 2, 3",
            "entries": "SELECT * FROM entry ORDER BY id",
            "recipients": "SELECT d.name, r.local, r.kind, r.acl FROM recipient r LEFT JOIN domain d"
            " ON d.id = r.domain ORDER BY 1, 2, 3",
        }
        return {name: db.execute(sql).fetchall() for name, sql in asked.items()}


@pytest.mark.parametrize("deed", DEEDS)
def test_each_kind_of_change(hosted: Run, as_json: Run, config: Path, deed: str) -> None:
    """Whatever was done is undone to the last value, and done again by undoing that."""
    Path("names").write_text("bob\ncarol\n")
    Path("patterns").write_text("sales DENY no sales\n")
    *first, last = DEEDS[deed]
    for words in first:
        hosted(*words)
    count = len(as_json("changes"))
    before = whole(config)
    hosted(*last)
    after = whole(config)
    assert before != after

    made = [row["id"] for row in as_json("changes")]
    for number in made[: len(made) - count]:
        hosted("changes", "--roll-back", str(number))
    assert before == whole(config)

    undone = [row["id"] for row in as_json("changes")]
    for number in undone[: len(undone) - len(made)]:
        hosted("changes", "--roll-back", str(number))
    assert after == whole(config)


def test_what_was_too_large(hosted: Run, config: Path) -> None:
    """A bulk load is not written down whole: that is said, and nothing is undone by half."""
    with Desk(config.parent / "data", "test") as desk:
        desk.policy.load([("a.example", ROUTE, {}, ["ann"])])
        (newest,) = desk.policy.changes(limit=1)
    before = whole(config)
    assert "too large" in hosted("changes", "--roll-back", str(newest.id), status=1).stderr
    assert before == whole(config)
