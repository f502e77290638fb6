"""docs/ARCHITECTURE.md names only what exists: each path, and each `file.py:name`."""

import ast
import re
from pathlib import Path

import pytest

from gatepost.cli.main import COMMANDS
from tests.house.tree import SOURCE, TOP, parsed

PAGE = TOP / "docs" / "ARCHITECTURE.md"
NAMED = re.compile(
    r"(?<![\w/.])((?:[\w.-]+/)+[\w.-]+\.(?:py|sql|md|toml)|[\w-]+\.(?:py|sql))(?::([A-Za-z_][\w.]*\w|[A-Z]))?"
)
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def named(text: str) -> list[tuple[str, str]]:
    """Return (path, name) for everything that a text names; name is "" where only the file is."""
    return sorted({(match[1], match[2] or "") for match in NAMED.finditer(text)} - {("file.py", "name")})


def where(path: str) -> Path | None:
    """Return the file that the page means: below src/gatepost, beside the page, or of the repository."""
    return next((top / path for top in (SOURCE, PAGE.parent, TOP) if (top / path).is_file()), None)


def has(path: Path, name: str) -> bool:
    """Say whether a Python file has this function, class, method, field or table."""
    inside: list[ast.stmt] = list(parsed(path).body)
    for part in name.split("."):
        found = next((node for node in inside if part in names_of(node)), None)
        if found is None:
            return False
        inside = members(found) if isinstance(found, ast.ClassDef) else []
    return True


def members(found: ast.ClassDef) -> list[ast.stmt]:
    """Return what stands in a class, and what its methods give its instances: `self.key = ...`."""
    methods = [node for node in found.body if isinstance(node, FUNCTIONS)]
    inner = [node for method in methods for node in ast.walk(method)]
    return [*found.body, *(node for node in inner if isinstance(node, ast.Assign | ast.AnnAssign))]


def names_of(node: ast.AST) -> set[str]:
    """Return the names that a statement makes."""
    if isinstance(node, ast.ClassDef | FUNCTIONS):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {name for target in node.targets for name in target_names(target)}
    return target_names(node.target) if isinstance(node, ast.AnnAssign) else set()


def target_names(target: ast.expr) -> set[str]:
    """Return the names on the left of an equals sign; of `self.x` the `x`."""
    if isinstance(target, ast.Tuple):
        return {name for one in target.elts for name in target_names(one)}
    if isinstance(target, ast.Attribute):
        return {target.attr}
    return {target.id} if isinstance(target, ast.Name) else set()


@pytest.mark.parametrize(("path", "name"), named(PAGE.read_text("utf-8")))
def test_it_exists(path: str, name: str) -> None:
    """The file is there, and so is what the page says is in it."""
    file = where(path)
    assert file is not None, f"{PAGE.name} names {path}, which is not there"
    assert not name or has(file, name), f"{PAGE.name} names {name} in {path}, which is not there"


def test_what_is_gone_is_seen() -> None:
    """A wrong file, function or method is found; what is right is not complained about."""
    text = "`server/wire.py:Hub._batch` server/wires.py `server/wire.py:Hub.fly` server/dialogue.py:ANSWERS"
    wrong = [
        (path, name)
        for path, name in named(text)
        if (file := where(path)) is None or (name and not has(file, name))
    ]
    assert [("server/wire.py", "Hub.fly"), ("server/wires.py", "")] == wrong


def test_each_room_is_on_the_map() -> None:
    """Every package has its line on the map of rooms, and no line is left over."""
    text = PAGE.read_text("utf-8")
    drawn = re.search(r"^```text\n(cli .*?)^```", text, re.MULTILINE | re.DOTALL)
    assert drawn
    rooms = {word for line in drawn[1].splitlines() for word in re.split(r"\s{2,}", line)[0].split(" | ")}
    assert {path.parent.name for path in SOURCE.glob("*/__init__.py")} == rooms


def test_each_file_of_the_data_is_explained() -> None:
    """The databases that the schema knows stand in the table of what is written where."""
    text = PAGE.read_text("utf-8")
    for schema in (SOURCE / "store" / "schema").glob("*_0001_*.sql"):
        assert f"`{schema.name.partition('_')[0]}.db`" in text


def test_the_commands_it_shows_exist() -> None:
    """`gatepost WORD` on the page is a command."""
    said = set(re.findall(r"\bgatepost ([a-z]+)\b", PAGE.read_text("utf-8")))
    assert said <= COMMANDS.keys()
