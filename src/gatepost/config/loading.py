"""From file, environment and command line to a Config, or to a list of everything that is wrong.

The later wins: defaults, the file, the environment (`GATEPOST_SMTP__LISTEN`), the command line. The
file is the first of `--config`, `$GATEPOST_CONFIG`, `./gatepost.toml`, `/etc/gatepost/gatepost.toml`;
one that was named must be there, the other two may be missing.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gatepost.config.keys import KEYS, KINDS, SECTIONS, Config
from gatepost.config.problems import BadValue, ConfigError, Problem, nearest_key
from gatepost.config.section import Section
from gatepost.config.values import OPTIONAL_PATH, PATH

SEARCH = ("gatepost.toml", "/etc/gatepost/gatepost.toml")
ENV_FILE = "GATEPOST_CONFIG"
ENV_PREFIX = "GATEPOST_"
COMMAND_LINE = "command line"
MAX_FILE = 1 << 20
"""Bytes; a larger file is not ours."""

_NOT_OURS = (ENV_FILE, "GATEPOST_TEST_", "GATEPOST_BENCH_", "GATEPOST_RUN_")
"""Variables of the tests, the bench and ./run."""


class _Gathered:
    """What was found so far."""

    __slots__ = ("origins", "problems", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.problems: list[Problem] = []


def load(
    path: str | Path | None,
    env: Mapping[str, str],
    *,
    overrides: Mapping[str, str] = MappingProxyType({}),
    search: Sequence[str] = SEARCH,
) -> Config:
    """Read the configuration; `overrides` are key=value of the command line. ConfigError has all faults."""
    gathered = _Gathered()
    file = find(path, env, search=search)
    if file is not None:
        _take_file(file, gathered)
    _take_environment(env, gathered)
    for name, text in overrides.items():
        _take_text(name, text, COMMAND_LINE, gathered)
    gathered.problems += _together(gathered)
    if gathered.problems:
        raise ConfigError(gathered.problems)
    if not gathered.values.get("hostname"):
        gathered.values["hostname"] = machine_name()
    return Config(origins=MappingProxyType(gathered.origins), **_nested(Config, "", gathered.values))


def find(path: str | Path | None, env: Mapping[str, str], *, search: Sequence[str] = SEARCH) -> Path | None:
    """Return the file to read, None where there is none."""
    if path is not None:
        return Path(path)
    if named := env.get(ENV_FILE):
        return Path(named)
    return next((Path(name) for name in search if Path(name).exists()), None)


def env_name(name: str) -> str:
    """Return the environment variable of a key: GATEPOST_SMTP__LISTEN for smtp.listen."""
    return ENV_PREFIX + name.replace(".", "__").upper()


def machine_name(hosts: str = "/etc/hosts") -> str:
    """Return this machine's full name without asking the net: its own name, or /etc/hosts' longer one.

    DNS is not asked: with a name server that does not answer, every command would hang on it.
    """
    name = os.uname().nodename.rstrip(".").lower() or "localhost"
    if "." in name:
        return name
    try:
        lines = Path(hosts).read_text(errors="replace").splitlines()
    except OSError:
        return name
    for line in lines:
        names = [word.lower() for word in line.partition("#")[0].split()[1:]]
        if name in names:
            for candidate in names:
                if candidate.startswith(name + "."):
                    return candidate
    return name


# --- the file -----------------------------------------------------------------------------------------


def _take_file(file: Path, gathered: _Gathered) -> None:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_FILE + 1)
        if len(raw) > MAX_FILE:
            raise BadValue(f"larger than {MAX_FILE >> 20} MiB: not a configuration")
        table = tomllib.loads(raw.decode("utf-8"))
    except OSError as error:
        gathered.problems.append(Problem(str(file), "", f"cannot be read: {error.strerror}"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        gathered.problems.append(Problem(str(file), "", f"is not UTF-8 (line {line})"))
    except (BadValue, tomllib.TOMLDecodeError, RecursionError) as error:
        gathered.problems.append(Problem(str(file), "", f"does not parse: {error}"))
    else:
        for name, value in _flat(table, "", str(file), gathered):
            _take(name, value, str(file), gathered, base=file.parent)


def _flat(
    table: Mapping[str, Any], prefix: str, where: str, gathered: _Gathered
) -> Iterator[tuple[str, Any]]:
    """Walk down the sections that exist; whatever else is met is a key."""
    for part, value in table.items():
        name = prefix + part
        if name not in SECTIONS:
            yield name, value
        elif isinstance(value, dict):
            yield from _flat(value, name + ".", where, gathered)
        else:
            gathered.problems.append(
                Problem(where, name, f"is a section: write [{name}] on a line of its own")
            )


def _take(name: str, value: Any, where: str, gathered: _Gathered, base: Path | None = None) -> None:
    kind = KINDS.get(name)
    if kind is None:
        gathered.problems.append(_unknown(name, where, is_section=isinstance(value, dict)))
        return
    try:
        read = kind.read(value)
    except BadValue as error:
        gathered.problems.append(Problem(where, name, str(error), error.suggestion))
        return
    if kind in (PATH, OPTIONAL_PATH) and read is not None:
        # A path in a file is meant as seen from the file; a service's working directory is no place.
        read = (base or Path()).absolute() / read
    gathered.values[name] = read
    gathered.origins[name] = where


def _unknown(name: str, where: str, *, is_section: bool) -> Problem:
    known = sorted(SECTIONS) if is_section else list(KINDS)
    return Problem(where, name, "unknown section" if is_section else "unknown key", nearest_key(name, known))


# --- environment and command line ---------------------------------------------------------------------


def _take_environment(env: Mapping[str, str], gathered: _Gathered) -> None:
    known = {env_name(name): name for name in KINDS}
    for variable in sorted(env):
        if not variable.upper().startswith(ENV_PREFIX) or variable.upper().startswith(_NOT_OURS):
            continue
        name = known.get(variable.upper())
        if name is not None:
            _take_text(name, env[variable], variable, gathered)
            continue
        guess = variable.upper().removeprefix(ENV_PREFIX).lower().replace("__", ".")
        near = nearest_key(guess, list(KINDS))
        # GATEPOST_ANYTHING without a section may be somebody else's; a near miss is surely ours.
        if "." in guess or near:
            meant = env_name(near) if near else ""
            gathered.problems.append(Problem(variable, guess, "unknown key", meant))


def _take_text(name: str, text: str, where: str, gathered: _Gathered) -> None:
    kind = KINDS.get(name)
    if kind is None:
        gathered.problems.append(_unknown(name, where, is_section=False))
        return
    try:
        read = kind.read_text(text)
    except BadValue as error:
        gathered.problems.append(Problem(where, name, str(error), error.suggestion))
        return
    _take(name, kind.write(read), where, gathered)


# --- as a whole ---------------------------------------------------------------------------------------


def _together(gathered: _Gathered) -> Iterator[Problem]:
    """What is right by itself and wrong together."""
    values, origins = gathered.values, gathered.origins
    if values.get("smtp.tls_key") and not values.get("smtp.tls_certificate"):
        yield Problem(origins["smtp.tls_key"], "smtp.tls_key", "there is a key but no smtp.tls_certificate")
    if values.get("smtp.outgoing.listen") and not values.get("smtp.outgoing.next_hop"):
        where = origins["smtp.outgoing.listen"]
        yield Problem(where, "smtp.outgoing.listen", "needs smtp.outgoing.next_hop: where shall the mail go?")
    taken: dict[str, str] = {}
    for name in ("smtp.listen", "smtp.outgoing.listen", "console.listen", "metrics.listen"):
        value = values[name] if name in values else KEYS[name].make()
        for address in value if isinstance(value, tuple) else (value,):
            if not address or address.endswith(":0"):
                continue
            if address in taken:
                where = origins.get(name) or origins.get(taken[address], "")
                yield Problem(where, name, f"{address} is taken by {taken[address]}")
            taken.setdefault(address, name)


def _nested(of: type[Section], prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a section, its inner sections made; what was not gathered is default."""
    given = {name: values[prefix + name] for name in of.KEYS if prefix + name in values}
    for name, inner in of.SECTIONS.items():
        given[name] = inner(**_nested(inner, f"{prefix}{name}.", values))
    return given
