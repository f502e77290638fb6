"""Every SMTP reply that the code can give, read from the source: its code, its text, who gives it.

A reply that is written down as constants (`Reply(550, "5.7.1", "...")`, `Reject(...)`, bytes) is found
wherever it stands. What is put in at run time shows as `...`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).resolve().parents[1] / "src" / "gatepost"
ROOMS = ("smtp", "server", "relay", "plugin", "plugins", "policy")
"""Where replies are made. `cli` and `desk` speak to people."""
NO_SPEAKERS = {"plugin/template.py", "mail/reply.py"}
"""Text of a plugin that is yet to be written; the class itself."""
RAW = re.compile(rb"([2345]\d\d) (\d\.\d{1,3}\.\d{1,3}) ([ -~]+)\r\n")
GENERAL = {"Reject": (550, "5.7.1"), "Defer": (451, "4.7.1")}
"""What a verdict has that names no codes (gatepost.mail.verdict)."""


class Said(NamedTuple):
    """One reply."""

    code: int
    enhanced: str
    text: str
    where: str
    """File below src/gatepost, with the name of the constant where it has one."""


def replies() -> list[Said]:
    """Return all of them, sorted, each once."""
    files = [path for room in ROOMS for path in sorted((SOURCE / room).glob("*.py"))]
    found = {said for path in files if place(path) not in NO_SPEAKERS for said in replies_in(path)}
    return sorted(found)


def place(path: Path) -> str:
    """Return a file's path below src/gatepost."""
    return path.relative_to(SOURCE).as_posix()


def replies_in(path: Path) -> Iterator[Said]:
    """Yield the replies of one file."""
    tree = ast.parse(path.read_text("utf-8"))
    names = {
        id(node.value): target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    public = general_sentence(tree)
    for node in ast.walk(tree):
        where = place(path) + (f", {names[id(node)]}" if id(node) in names else "")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            said = call(node, node.func.id, public)
            if said is not None:
                yield Said(*said, where)
        elif isinstance(node, ast.Constant) and isinstance(node.value, bytes):
            match = RAW.fullmatch(node.value)
            if match:
                yield Said(int(match[1]), match[2].decode(), match[3].decode(), where)


def call(node: ast.Call, kind: str, public: str) -> tuple[int, str, str] | None:
    """Return code, enhanced code and text of a call that makes a reply, else None."""
    given: dict[str, ast.expr] = {k.arg: k.value for k in node.keywords if k.arg}
    order = {
        "Reply": ("code", "enhanced", "text"),
        "Result": ("kind", "code", "enhanced", "text"),
        "Reject": ("reason", "public", "code", "enhanced"),
        "Defer": ("reason", "public", "code", "enhanced"),
        "Outcome": ("fate", "plugin", "reason", "public", "code", "enhanced"),
        "deferred": ("enhanced", "text"),
        "unreachable": ("text", "where", "enhanced"),
    }.get(kind)
    if order is None:
        return None
    given |= dict(zip(order, node.args, strict=False))
    code: object = 451 if kind in ("deferred", "unreachable") else constant(given.get("code"))
    enhanced = constant(given.get("enhanced"))
    if kind == "unreachable" and enhanced is None:
        enhanced = "4.4.1"
    if kind in GENERAL and "code" not in given:
        code, enhanced = GENERAL[kind]
    if not isinstance(code, int) or not isinstance(enhanced, str):
        return None
    if code < (400 if kind == "Outcome" else 200):  # a mail that is let in says so by its Reply
        return None
    said = text(given.get("public" if kind in ("Reject", "Defer", "Outcome") else "text")) or public
    return code, enhanced, said


def general_sentence(tree: ast.Module) -> str:
    """Return the sentence of a plugin for refusals that have none of their own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == "public":
                    return text(node.value)
    return "Not accepted here"


def constant(node: ast.AST | None) -> object:
    """Return the value of a constant."""
    return node.value if isinstance(node, ast.Constant) else None


def text(node: ast.AST | None) -> str:
    """Return a text; what is put in at run time is `...`."""
    if node is None:
        return ""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "..." for part in node.values)
        return "".join(map(str, parts))
    return "..."
