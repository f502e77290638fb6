"""Files stay small, say what they are, import nothing that is banned, and leave nothing unfinished."""

import ast
import re
from collections.abc import Iterator

from tests.house.tree import TOP, name, parsed, sources, tracked

LONGEST = 450
"""Lines of one Python file. Beyond it, a file has two ideas (a good one has 90 to 250 lines)."""
NO_ROOM = {"utils", "util", "common", "helpers", "misc"}
"""Names that say nothing; what would go there has a room of its own."""
HOSTILE = "unbounded on hostile mail; gatepost.mail.message is the reader"
BANNED = {
    "email.policy": HOSTILE,
    "email.parser": HOSTILE,
    "email.message_from_bytes": HOSTILE,
    "email.message_from_string": HOSTILE,
    "email.utils": "reads addresses otherwise than servers do; gatepost.mail.address is the grammar",
    "pickle": "runs what it reads",
    "marshal": "crashes on what it does not know",
    "smtplib": "blocks; gatepost.smtp.client is the protocol, gatepost.relay the driver",
}
ALLOWED = {
    (
        "src/gatepost/plugin/worker.py",
        "pickle",
    ): "to our own child; its answers are read as plain values only",
}
"""(file, import) -> why it may."""
OPEN_ENDS = "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"))
STUBS = r"raise Not" + r"ImplementedError|pytest\.mark\.(skip|xfail)|pytest\.(skip|xfail)\("
UNFINISHED = re.compile(rf"\b({OPEN_ENDS})\b|{STUBS}")
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def test_no_banned_import() -> None:
    """Nothing in the product imports what is banned, in any room."""
    found = [
        f"{name(path)}:{line} imports {what}: {BANNED[what]}"
        for path in sources()
        for line, what in imported(parsed(path))
        if what in BANNED and (name(path), what) not in ALLOWED
    ]
    assert not found, "\n".join(found)


def test_length() -> None:
    """No Python file is longer than the budget."""
    files = [path for path in tracked() if path.suffix == ".py"]
    sizes = {name(path): len(path.read_text("utf-8").splitlines()) for path in files}
    long = [f"{path}: {lines}" for path, lines in sizes.items() if lines > LONGEST]
    assert not long, "which two ideas are in each of these?\n" + "\n".join(long)


def test_names_say_something() -> None:
    """No file is called utils, common or helpers."""
    assert not [name(path) for path in sources() if path.stem in NO_ROOM]


def public_things(tree: ast.Module) -> Iterator[tuple[int, str, str | None]]:
    """Yield line, name and docstring of public classes, functions and methods.

    Methods of a class that is made from another one need no words: the other one says what they are.
    """
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | FUNCTIONS) or node.name.startswith("_"):
            continue
        yield node.lineno, node.name, ast.get_docstring(node)
        if isinstance(node, ast.ClassDef) and not node.bases:
            for member in node.body:
                if isinstance(member, FUNCTIONS) and is_public(member):
                    yield member.lineno, f"{node.name}.{member.name}", ast.get_docstring(member)


def is_public(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Say whether a method is public, and not the other half of a property."""
    setter = any(isinstance(mark, ast.Attribute) and mark.attr == "setter" for mark in method.decorator_list)
    return not method.name.startswith("_") and not setter


def test_public_things_have_a_docstring() -> None:
    """Module, public classes, functions and methods say what they are."""
    silent = [name(path) for path in sources() if not ast.get_docstring(parsed(path))]
    silent += [
        f"{name(path)}:{line} {what}"
        for path in sources()
        for line, what, words in public_things(parsed(path))
        if not words
    ]
    assert not silent, "\n".join(silent)


def test_nothing_is_left_open() -> None:
    """No notes to oneself, no skipped test, no stub."""
    found = [
        f"{name(path)}:{number}: {line.strip()}"
        for path in tracked()
        if path.suffix in {".py", ".sh", ".toml", ".sql"} or not path.suffix
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert not found, "\n".join(found)


def test_commands_can_be_run() -> None:
    """What the README tells to start can be started, and CI starts what a developer starts."""
    for command in ("run", "test", ".ci/run"):
        assert (TOP / command).stat().st_mode & 0o111, f"{command} is not executable"
    assert "./test" in (TOP / ".ci" / "run").read_text("utf-8")
