"""What the tests of the house look at: the files of the repository, read once."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SOURCE = TOP / "src" / "gatepost"


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files that git knows or would take, without those that are ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=TOP,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
        return tuple(path for name in sorted(names) if (path := TOP / name).is_file())
    # Not a clone (an unpacked archive): everything but what is made.
    made = {".venv", ".cache", "var", ".git", "__pycache__", ".work"}
    return tuple(
        sorted(p for p in TOP.rglob("*") if p.is_file() and not made & set(p.relative_to(TOP).parts))
    )


def sources() -> list[Path]:
    """Return the product's Python files."""
    return [path for path in tracked() if path.suffix == ".py" and SOURCE in path.parents]


def name(path: Path) -> str:
    """Return the path as people write it."""
    return str(path.relative_to(TOP))


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def pages() -> list[Path]:
    """Return the pages for people."""
    return [path for path in tracked() if path.suffix == ".md"]
