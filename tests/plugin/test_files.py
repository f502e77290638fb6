"""What a domain's rules find in an inventory, and the inventory itself: once for all, beside the loop."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost.mail.filenames import TURNED
from gatepost.plugin.contents import Inventory, Item
from gatepost.plugin.files import TYPES, Rules, held_against
from gatepost.plugin.tools import Tools
from gatepost.plugin.worker import Workers
from tests.plugin.archive_cases import PLAIN, mail, zipped
from tests.plugins.senders import World

RULES = Rules(frozenset({"exe", "scr"}), frozenset({"executable", "onenote"}), 10, 2, 1_000, 50)


def item(name: str, kind: str = "unknown unknown", *flags: str) -> Item:
    type_, _, group = kind.partition(" ")
    return Item(f"x/{name}", (name,), type_, group, flags)


def against(*items: Item) -> list[tuple[str, str]]:
    return [tuple(one) for one in held_against(Inventory(items), RULES)]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (item("a.txt"), []),
        (item("a.exe"), [("denied_name", "x/a.exe ends in .exe")]),
        (item("a.exe", "unknown unknown", "inside"), [("denied_name_inside", "x/a.exe ends in .exe")]),
        (item("a.EXE. "), [("denied_name", "x/a.EXE.  ends in .exe")]),
        (item("a.pdf.scr"), [("denied_name", "x/a.pdf.scr ends in .scr"),
                             ("double_ending", "x/a.pdf.scr ends in .pdf.scr")]),
        (item("a.pdf.zip"), []),
        (item("a\u202excod"), [("hidden_ending", f"x/a\u202excod has {TURNED}")]),
        (item("a excod", "unknown unknown", "turned"), [("hidden_ending", f"x/a excod has {TURNED}")]),
        (item("a.dat", "exe executable"), [("denied_type", "x/a.dat is exe (executable)")]),
        (item("a.jpg", "elf executable"), [("denied_type", "x/a.jpg is elf (executable)"),
                                           ("disguised", "x/a.jpg is really elf (executable)")]),
        (item("a.one", "onenote office"), [("denied_type", "x/a.one is onenote (office)")]),
        (item("a.pdf", "zip archive"), [("disguised", "x/a.pdf is really zip (archive)")]),
        (item("a.doc", "ole office", "macros", "encrypted"), [("encrypted", "x/a.doc is encrypted"),
                                                              ("macros", "x/a.doc has macros")]),
        (item("a.arj", "arj archive"), [("unreadable", "x/a.arj is arj, which nobody here can look into")]),
        (item("a.img", "udf disk"), [("unreadable", "x/a.img is udf, which nobody here can look into")]),
        (item("a.iso", "iso disk"), []),
        (item("a.zip", "zip archive"), []),
    ],
)  # fmt: skip
def test_each(one: Item, found: list[tuple[str, str]]) -> None:
    """One file, what is held against it, in words."""
    assert found == against(one)


def test_every_reading_counts() -> None:
    """T3.1: if any name of a file is forbidden, it is."""
    two = Item("a.txt", ("a.txt", "b.exe"), "unknown", "unknown")
    assert [("denied_name", "a.txt ends in .exe")] == against(two)


def test_many_files_are_one_finding() -> None:
    """A reason names four and counts the rest."""
    ((kind, text),) = against(*(item(f"{n}.exe") for n in range(9)))
    assert ("denied_name", "x/0.exe ends in .exe, x/1.exe ends in .exe") == (kind, text[:42])
    assert text.endswith(" and 5 more")


@pytest.mark.parametrize(
    ("measured", "most", "words"),
    [
        ("entries", 10, "files in archives"),
        ("depth", 2, "archives in each other"),
        ("decoded", 1_000, "bytes unpacked"),
        ("ratio", 50, "times its size unpacked"),
    ],
)
def test_budgets_of_a_domain_at_the_limit(measured: str, most: int, words: str) -> None:
    """T6.2: as much as a domain takes, and one more."""
    assert [] == held_against(Inventory(**{measured: most}), RULES)  # type: ignore[arg-type]
    (found,) = held_against(Inventory(**{measured: most + 1}), RULES)  # type: ignore[arg-type]
    assert ("over_budget", f"over budget: {most + 1} {words}, more than {most}") == found


def test_types() -> None:
    """What may be forbidden: every type and kind."""
    assert {"executable", "script", "archive", "disk", "exe", "rar", "ooxml", "jar", "lnk"} <= TYPES
    assert "unknown" not in TYPES


def test_once_for_all_domains() -> None:
    """Two domains with rules of their own: one process is asked once."""
    calls: list[str] = []

    async def both() -> list[str]:
        workers = Workers()

        async def counted(function: Any, *arguments: Any, timeout: float) -> Any:
            calls.append(function.__name__)
            return await workers.run(function, *arguments, timeout=timeout)

        world = World((), {"attachments": {}}, tools=Tools(in_worker=counted))
        judged = await world.ask(mail(("a.zip", zipped(PLAIN))), ("example.org", "example.com"))
        workers.close()
        await asyncio.sleep(0.1)  # the process is gone before the loop is
        return judged.said("attachments")

    assert ["reject 5.7.1"] == asyncio.run(both())
    assert ["look_alone"] == calls
