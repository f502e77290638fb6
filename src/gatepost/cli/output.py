"""How the command line prints: tables that fit 80 columns, JSON, times in the local zone, colours.

What a stranger wrote (a subject, a HELO name) never reaches a terminal raw: everything that is
not printable is written out, so that no mail can move the cursor or turn the text around (T7.1).
Where the output is not a terminal, lines are as long as they have to be.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

LEAST = 40
"""Columns of the narrowest terminal that tables are cut to."""
GAP = "  "
COLOURS = {
    "accepted": "green",
    "accept": "green",
    "delivered": "green",
    "ok": "green",
    "on": "green",
    "rejected": "red",
    "reject": "red",
    "error": "red",
    "off": None,
    "watch": "yellow",
    "deferred": "yellow",
    "defer": "yellow",
    "quarantined": "magenta",
    "quarantine": "magenta",
    "queued": "cyan",
    "taken": "cyan",
}


def width() -> int | None:
    """Return the columns of the terminal ($COLUMNS goes before), None where the output is not one."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said) > 0:
        return max(LEAST, int(said))
    if not sys.stdout.isatty():
        return None
    try:
        return max(LEAST, os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError):
        return 80


def paint(text: str, colour: str | None = "") -> str:
    """Colour a word (by what it says), on a terminal and without NO_COLOR (no-color.org)."""
    if colour == "":
        colour = COLOURS.get(text)
    if not colour or os.environ.get("NO_COLOR") or not sys.stdout.isatty():
        return text
    return click.style(text, fg=colour)


def visible(value: object) -> str:
    """Return a value as one printable line."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else compact(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _written_out(c) for c in text)


def _written_out(c: str) -> str:
    n = ord(c)
    return f"\\x{n:02x}" if n < 0x100 else f"\\u{n:04x}" if n < 0x10000 else f"\\U{n:08x}"


def compact(value: object) -> str:
    """Return a setting's value as a person may type it again behind `KEY=`."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, default=plain)


def plain(value: Any) -> Any:
    """Return what JSON has for what it has not."""
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json")
    if isinstance(value, set | frozenset | tuple):
        return sorted(value, key=str) if not isinstance(value, tuple) else list(value)
    return str(value)


def when(moment: float | None) -> str:
    """Return a moment in the local zone, `2026-11-23 14:30:05`."""
    return "-" if moment is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def iso(moment: float | None) -> str | None:
    """Return a moment for programs: ISO 8601 with the local zone's offset."""
    if moment is None:
        return None
    text = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(moment))
    return f"{text[:-2]}:{text[-2:]}"


def size(number: int) -> str:
    """Return a number of bytes as a person reads it."""
    amount, unit = float(number), "B"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if amount >= 10 or unit == "B" else f"{amount:.1f} {unit}"


def print_json(value: object) -> None:
    """Print for programs: pure ASCII, so that nothing of a stranger reaches the terminal raw."""
    click.echo(json.dumps(value, indent=2, default=plain))


def print_json_line(value: object) -> None:
    """Print one object on one line, for what goes on and on."""
    click.echo(json.dumps(value, default=plain))


def print_table(
    titles: Sequence[str], rows: Iterable[Sequence[object]], *, right: Iterable[str] = (), empty: str = ""
) -> None:
    """Print rows under titles. The last column takes what room is left and is wrapped, not cut."""
    cells = [[visible(cell) for cell in row] for row in rows]
    if not cells:
        if empty:
            click.echo(empty, err=True)
        return
    to_right = {titles.index(title) for title in right}
    widths = [max(len(title), *(len(row[n]) for row in cells)) for n, title in enumerate(titles)]
    room = width()
    last = len(titles) - 1
    if room is not None:
        _narrow(widths, room, [len(title) for title in titles])
    click.echo(paint(_line([t.upper() for t in titles], widths, to_right), "bright_black"))
    for row in cells:
        parts = [_fold(cell, widths[n] if room is not None or n != last else 0) for n, cell in enumerate(row)]
        for depth in range(max(len(part) for part in parts)):
            line = [part[depth] if depth < len(part) else "" for part in parts]
            click.echo(_line(line, widths, to_right, coloured=True))


def _narrow(widths: list[int], room: int, least: list[int]) -> None:
    """Take columns from the widest until the table fits, the last column first."""
    over = sum(widths) + len(GAP) * (len(widths) - 1) - room
    order = [len(widths) - 1, *sorted(range(len(widths) - 1), key=lambda n: -widths[n])]
    for n in order:
        if over <= 0:
            return
        take = min(over, max(0, widths[n] - max(least[n], 16)))
        widths[n] -= take
        over -= take


def _fold(cell: str, columns: int) -> list[str]:
    if columns <= 0 or len(cell) <= columns:
        return [cell]
    return textwrap.wrap(cell, columns, break_long_words=True, break_on_hyphens=False) or [""]


def _line(cells: Sequence[str], widths: Sequence[int], right: set[int], *, coloured: bool = False) -> str:
    padded = []
    for n, (cell, columns) in enumerate(zip(cells, widths, strict=True)):
        space = " " * (columns - len(cell))
        word = paint(cell) if coloured else cell
        padded.append(space + word if n in right else word + space)
    return GAP.join(padded).rstrip()


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names with their values below one another; long values are wrapped."""
    longest = max((len(name) for name in facts), default=0)
    room = width()
    for name, value in facts.items():
        label = f"{name:<{longest}}{GAP}"
        text = visible(value)
        if room is None or len(label) + len(text) <= room:
            click.echo(label + paint(text))
        else:
            click.echo(
                textwrap.fill(
                    text,
                    room,
                    initial_indent=label,
                    subsequent_indent=" " * len(label),
                    break_on_hyphens=False,
                )
            )


def print_entry(first: str, rest: str) -> None:
    """Print a line of two parts: side by side where there is room (or no terminal), else below."""
    room = width()
    if room is None or len(click.unstyle(first)) + len(GAP) + len(rest) <= room:
        click.echo(f"{first}{GAP}{rest}".rstrip())
        return
    click.echo(first)
    click.echo(
        textwrap.fill(rest, room, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    )
