"""Write rows of the policy as the files that say them; `srv_read` reads them back to the same rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatepost.desk.srv_checks import NEW_NAMES, ZONES
from gatepost.desk.srv_names import to_file
from gatepost.desk.srv_read import EVERYBODY, FIELDS, GLOBAL, LISTS, MARK
from gatepost.store.policy_files import NO_MARKS, Rows
from gatepost.store.scopes import EVERYWHERE

Files = dict[tuple[str, ...], str | None]
"""Path below the tree -> content; None: a folder."""
SETTINGS = "settings"
_FOLDER = {field: folder for folder, fields in FIELDS.items() for field in fields}
_LIST = {kind: name for name, kind in LISTS.items()}


def files_of(domain: str, rows: Rows) -> Files:
    """Return the files of one domain (`*`: of all); `BadName` for a name that no file can have."""
    top = GLOBAL if domain == EVERYWHERE else to_file(domain)
    files: Files = {(top,): None}
    settings: dict[str, dict[str, Any]] = {"": {}}
    for key, value in rows.items():
        match key:
            case ("setting", local, name):
                settings.setdefault(local, {})[name] = value
            case ("recipient", local, kind):
                place = (top, "users", kind, to_file(local))
                files[place] = "" if value is None else None
                files |= {(*place, to_file(net)): "" for net in value or ()}
            case ("kept", *parts):
                files[(top, *map(to_file, parts))] = ""
            case ("entry", *what):
                _entry(files, top, rows, tuple(what), value)
    for local, values in settings.items():
        if local:
            files[top, "mailboxes", to_file(local), SETTINGS] = _lines(values)
        else:
            files |= _switches(top, values, checks=domain != EVERYWHERE)
    _mark_lists(files, top)
    return files


def _entry(files: Files, top: str, rows: Rows, what: tuple[str, ...], marks: Mapping[str, Any]) -> None:
    local, plugin, kind, field, value = what
    check = ("checks", to_file(NEW_NAMES.get(plugin, plugin))) if plugin else ()
    if kind == "allow" and value in EVERYBODY and local and _whole_recipient(rows, local, plugin):
        files[(top, *check, "whitelisted", "recipients", to_file(local))] = ""
        return
    base = (top, "mailboxes", to_file(local), *check) if local else (top, *check)
    content = "" if marks == NO_MARKS else f"{MARK}{json.dumps(dict(marks), ensure_ascii=False)}\n"
    files[(*base, _LIST[kind], _FOLDER[field], to_file(value))] = content


def _whole_recipient(rows: Rows, local: str, plugin: str) -> bool:
    return all(rows.get(("entry", local, plugin, "allow", "net", net)) == NO_MARKS for net in EVERYBODY)


def _switches(top: str, values: dict[str, Any], *, checks: bool) -> Files:
    files: Files = {}
    left = dict(values)
    zones = left.get(f"{ZONES}.zones")
    mode = left.get(f"{ZONES}.mode")
    plain = isinstance(zones, list) and all("#" not in str(zone) for zone in zones)
    if zones and plain and (mode == "on" or not checks):
        files[top, "zones"] = "".join(f"{zone}\n" for zone in zones)
        left.pop(f"{ZONES}.zones")
    for key, value in values.items():
        plugin, _, field = key.partition(".")
        if checks and field == "mode" and value == "on":
            if plugin != ZONES or (top, "zones") not in files:
                files[top, "checks", to_file(NEW_NAMES.get(plugin, plugin))] = ""
            left.pop(key)
    # Always there in a domain: it says that what has no file is as it is by default, and not off.
    if left or checks:
        files[top, SETTINGS] = _lines(left)
    return files


def _mark_lists(files: Files, top: str) -> None:
    """A check that has a list is a folder; where it is not switched on, a file in it says so."""
    for name in {path[2] for path in files if path[:2] == (top, "checks") and len(path) > 3}:
        if (top, "checks", name) in files:
            del files[top, "checks", name]
        else:
            files[top, "checks", name, "only-lists"] = ""


def _lines(values: Mapping[str, Any]) -> str:
    return "".join(
        f"{key}={json.dumps(value, ensure_ascii=False)}\n" for key, value in sorted(values.items())
    )


def write_files(top: Path, files: Files) -> int:
    """Write files below a folder; returns how many. Every part of a path came from `to_file`."""
    for path in sorted(files, key=len):
        content = files[path]
        place = top.joinpath(*path)
        (place if content is None else place.parent).mkdir(parents=True, exist_ok=True)
        if content is not None:
            # Keys of BATV and passwords stand in settings: for whoever wrote them, and for nobody else.
            place.touch(mode=0o600 if path[-1] == SETTINGS else 0o666)
            place.write_text(content, "utf-8")
    return sum(content is not None for content in files.values())
