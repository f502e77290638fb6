"""Each kind of change is a sentence, in English and in German, without a key or a dump of values."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import gatepost
from gatepost.console.change_words import _KINDS, in_one, sentences
from gatepost.console.text import Words
from gatepost.desk import changes
from gatepost.desk.deeds import WHAT
from gatepost.policy.settings import HIDDEN
from gatepost.store.base import Change
from tests.console.house import House
from tests.console.seed import sow

ENGLISH, GERMAN = Words(), Words("de")
ENTRY = {"kind": "allow", "field": "sender", "value": "a@b.example", "plugin": "", "expires": None,
         "note": "",
         "verified": 0, "locked": 0}  # fmt: skip
USER = {"name": "ann", "role": "owner", "domains": ["a.example"], "disabled": False}
TOKEN = {"name": "watch", "user": "ann", "rights": "look", "domains": ["a.example"]}
MAIL = {"id": "3.1", "recipient": "you@a.example"}


@pytest.mark.parametrize(
    ("what", "before", "after", "english", "german"),
    [
        ("settings", {"keep_days": 30, "dnsbl.mode": None}, {"keep_days": 7, "dnsbl.mode": "on"},
         ["Kept for (days): 30 → 7", "dnsbl, switch: not set → on"],
         ["Aufbewahrt für (Tage): 30 → 7", "dnsbl, Schalter: nicht gesetzt → an"]),
        ("settings", {"arc.seal_key": "old"}, {"arc.seal_key": "new"},
         ["arc, seal key: changed, not shown"], ["arc, Siegel-Schlüssel: geändert, wird nicht gezeigt"]),
        ("recipients", [["a", 1, ""], ["b", 1, ""]], [["b", 1, "x"], ["c", 1, ""]],
         ["Recipients added: c", "Recipients removed: a", "Recipients changed: b"],
         ["Empfänger hinzugefügt: c", "Empfänger entfernt: a", "Empfänger geändert: b"]),
        ("recipients", 4000, 12345, ["Many recipients: 12,345 added, 4,000 removed"],
         ["Viele Empfänger: 12.345 hinzugefügt, 4.000 entfernt"]),
        ("entry", None, ENTRY, ["Allow list: a@b.example added"],
         ["Erlaubnisliste: a@b.example hinzugefügt"]),
        ("entry", ENTRY | {"kind": "deny", "plugin": "dnsbl"}, None,
         ["Deny list of the check dnsbl: a@b.example removed"],
         ["Verbotsliste der Prüfung dnsbl: a@b.example entfernt"]),
        ("entry", ENTRY, ENTRY | {"note": "phoned", "locked": 1, "expires": 86_400.0},
         ["Allow list: a@b.example changed", "until: for good → 2 Jan 1970, 00:00:00 UTC",
          "note: \u2013 → phoned",
          "only administrators change it: off → on"],
         ["Erlaubnisliste: a@b.example geändert", "bis: für immer → 2 Jan. 1970, 00:00:00 UTC",
          "Notiz: \u2013 → phoned", "nur Administratoren ändern es: aus → an"]),
        ("domain", None, {"settings": {"": {"route": ["smtp://m.example"]}}},
         ["Domain added", "Route: smtp://m.example"], ["Domain angelegt", "Route: smtp://m.example"]),
        ("domain", None, {"settings": {}}, ["Domain added"], ["Domain angelegt"]),
        ("domain", {"settings": {}}, None, ["Domain removed"], ["Domain entfernt"]),
        ("user", None, USER, ["ann added as owner", "a.example"], ["ann angelegt als Inhaber", "a.example"]),
        ("user", USER, None, ["ann may sign in no longer: removed"],
         ["ann entfernt, darf sich nicht mehr anmelden"]),
        ("user", USER, USER | {"role": "reader", "domains": ["b.example"], "disabled": True},
         ["ann: Role: owner → reader", "ann: Domains: added: b.example; removed: a.example",
          "ann: may not sign in any more"],
         ["ann: Rolle: Inhaber → Leser", "ann: Domains: hinzugefügt: b.example; entfernt: a.example",
          "ann: darf sich nicht mehr anmelden"]),
        ("user", USER | {"disabled": True}, USER, ["ann: may sign in again"],
         ["ann: darf sich wieder anmelden"]),
        ("user", {"name": "ann"}, {"name": "ann", "password": "changed"}, ["ann: password changed"],
         ["ann: Passwort geändert"]),
        ("user", {"name": "ann"}, {"name": "ann", "passkey added": "phone"}, ["ann: passkey phone added"],
         ["ann: Passkey phone hinzugefügt"]),
        ("user", {"name": "ann"}, {"name": "ann", "passkey removed": "ab12"}, ["ann: passkey ab12 removed"],
         ["ann: Passkey ab12 entfernt"]),
        ("user", {"name": "ann"}, {"name": "ann", "one-time codes": "on"},
         ["ann: one-time codes switched on"],
         ["ann: Einmalcodes eingeschaltet"]),
        ("user", {"name": "ann"}, {"name": "ann", "one-time codes": "off"},
         ["ann: one-time codes switched off"], ["ann: Einmalcodes ausgeschaltet"]),
        ("token", None, TOKEN, ["Token watch of ann made", "look, a.example"],
         ["Token watch von ann angelegt", "ansehen, a.example"]),
        ("token", TOKEN, None, ["Token watch of ann revoked"], ["Token watch von ann widerrufen"]),
        ("review", None, MAIL | {"decision": "declined"},
         ["Review of the mail 3.1 for you@a.example: declined"],
         ["Überprüfung der Mail 3.1 an you@a.example: abgelehnt"]),
        ("opened", None, MAIL, ["Kept mail 3.1 for you@a.example: opened"],
         ["Aufgehobene Mail 3.1 an you@a.example: geöffnet"]),
        ("erased", None, {"journal": 2000, "kept": 1},
         ["One person's data erased", "2,000 rows of the journal, 1 kept mails"],
         ["Daten einer Person gelöscht", "2.000 Zeilen des Journals, 1 aufgehobene Mails"]),
        ("exported", None, {}, ["One person's data handed out", "nothing"],
         ["Daten einer Person herausgegeben", "nichts"]),
        ("forgotten", None, {}, ["What was left of the removed domain was deleted"],
         ["Was von der entfernten Domain übrig war, wurde gelöscht"]),
        ("forgotten", None, {"domain": "x.example", "kept": 0, "folders": 2, "changes": 3},
         ["What was left of the removed domain x.example was deleted",
          "2 folders, 3 lines of the list of changes"],
         ["Was von der entfernten Domain x.example übrig war, wurde gelöscht",
          "2 Ordner, 3 Zeilen der Liste der Änderungen"]),
        ("load", None, {"domains": 1200}, ["1,200 domains read in"], ["1.200 Domains eingelesen"]),
        ("files", None, {"added": 1, "replaced": 0, "removed": 2},
         ["Read from files: 1 added, 0 replaced, 2 removed"],
         ["Aus Dateien gelesen: 1 hinzugefügt, 0 ersetzt, 2 entfernt"]),
        ("something new", None, {"recipients": "any"}, ["something new: not set → recipients any"],
         ["something new: nicht gesetzt → recipients any"]),
    ],
)  # fmt: skip
def test_each_kind(what: str, before: Any, after: Any, english: list[str], german: list[str]) -> None:
    """What was done, from what to what, in the reader's words."""
    change = Change(7, 1, 0.0, "ann", "domain:a.example", what, before, after)
    assert (english, german) == (sentences(ENGLISH, change), sentences(GERMAN, change))


def test_what_is_rolled_back() -> None:
    """A roll back says so; as one line the sentences stand behind each other."""
    change = Change(7, 1, 0.0, "ann", "all", "settings", {"keep_days": 7}, {"keep_days": None}, undoes=5)
    assert "Kept for (days): 7 → not set; This rolled back change 5." == in_one(ENGLISH, change)


def test_no_kind_is_forgotten() -> None:
    """Each kind of change that the code writes down is known here, and nothing else is."""
    written = set(WHAT)
    for path in Path(gatepost.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                place = {"note": 0, "changed": 2, "written_down": 2}.get(node.func.attr)
                given = node.args[place] if place is not None and len(node.args) > max(place, 3) else None
                if isinstance(given, ast.Constant):
                    written.add(str(given.value))
    assert written == set(_KINDS)


@pytest.mark.parametrize("words", [ENGLISH, GERMAN], ids=["en", "de"])
def test_nothing_looks_like_a_program(house: House, words: Words) -> None:
    """No sentence of a lived-in house holds a dump of values, a dotted key, or what is secret."""
    sow(house)
    with house.desk() as desk:
        said = [one for change in changes.listing(desk, limit=500) for one in sentences(words, change)]
    assert len(said) > 30
    assert [] == [one for one in said if re.search(r"[{}\"]|None|True|False|\w=|^[a-z_]+\.[a-z_]+:", one)]
    assert not any(HIDDEN in one for one in said)
