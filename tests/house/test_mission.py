"""docs/mission.md: each part of the old systems leads to tests that exist, or to the work that brings it."""

import ast
import re

import pytest

from tests.house.tree import TOP, parsed

PAGE = (TOP / "docs" / "mission.md").read_text("utf-8")
SECTIONS = {"7.2": 15, "7.3": 2, "7.4": 13, "7.5": 7, "7.6": 8}
"""Section of the description of the old systems -> how many parts it has."""
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ELSEWHERE = {"web UI for domain owners", "GUI -> server glue", "spamassassin, spambayes, etc per domain",
             '"training" addresses', "hotmail/yahoo spam, compromised machines"}  # fmt: skip
"""Parts of the console and of the content: shown by tests that tell a longer story."""
LATER = {"later: several machines", "later: comments", "none wanted"}


def rows(section: str) -> list[tuple[str, str]]:
    """Return (part, shown by) of a section."""
    _, _, behind = PAGE.partition(f"\n## {section} ")
    block, _, _ = behind.partition("\n## ")
    lines = [line.strip("|").split(" | ") for line in block.splitlines() if line.startswith("| ")]
    return [(cells[0].strip(), cells[-1].strip()) for cells in lines[1:]]


@pytest.mark.parametrize("section", SECTIONS)
def test_each_part_has_a_row(section: str) -> None:
    """No part is left out, and none is empty: tests, or what it waits for."""
    found = rows(section)
    assert SECTIONS[section] == len({part for part, _ in found}) == len(found)
    for part, shown in found:
        rest = TEST.sub("", shown).strip(" ,;")
        assert TEST.search(shown) or rest, part
        assert not rest or rest in LATER, (part, rest)


def test_each_test_exists() -> None:
    """What the page names is a test of that file, as it is called now."""
    missing = []
    for file, test in TEST.findall(PAGE):
        path = TOP / file
        names = (
            {n.name for n in parsed(path).body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
            if path.exists()
            else set()
        )
        if test not in names:
            missing.append(f"{file}::{test}")
    assert [] == missing


def words(text: str) -> list[str]:
    """Return the words of a text, in small letters."""
    return re.findall(r"[a-z0-9]+", text.lower())


@pytest.mark.parametrize("section", SECTIONS)
def test_each_part_has_a_test_of_its_name(section: str) -> None:
    """`./test -k row_7_4_batv`: one of a row's tests has the section and words of the part in its name."""
    begin = f"test_row_{section.replace('.', '_')}_"
    for part, shown in rows(section):
        if part in ELSEWHERE or shown in LATER:
            continue
        named = [test.removeprefix(begin) for _, test in TEST.findall(shown) if test.startswith(begin)]
        assert any(follows(words(name.replace("_", " ")), words(part)) for name in named), (part, named)


def follows(some: list[str], of: list[str]) -> bool:
    """Tell whether the words stand among the others in this order."""
    rest = iter(of)
    return all(word in rest for word in some)
