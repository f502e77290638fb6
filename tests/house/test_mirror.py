"""A test lives where its file lives: tests/smtp/test_data.py for smtp/data.py."""

import ast
from pathlib import Path

from tests.house.tree import SOURCE, TOP, name, parsed, sources

ELSEWHERE: dict[str, str] = {
    "src/gatepost/__main__.py": "one call of the command line",
    "src/gatepost/app/__init__.py": "puts the processes together: run as a whole by tests/system",
    "src/gatepost/app/worker.py": "puts one process together: run as a whole by tests/system",
    "src/gatepost/app/tools.py": "hands plugins what other rooms made: run as a whole by tests/system",
}
"""Files with code but without a test file of their own: where they are tested instead."""


FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
PROMISES = {"Protocol", "ABC"}


def has_code(path: Path) -> bool:
    """Say whether a file has something to test: a function, not only names, values and promises."""
    body = parsed(path).body
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    doing = [one for one in classes if not PROMISES & {ast.unparse(base).split("[")[0] for base in one.bases}]
    members = [member for one in doing for member in one.body]
    return any(isinstance(node, FUNCTIONS) for node in body + members)


def mirror(path: Path) -> Path:
    """Return where the test of a file belongs; that of a package is named for the package."""
    inside = path.relative_to(SOURCE)
    stem = inside.parent.name if inside.stem == "__init__" else inside.stem
    return TOP / "tests" / inside.parent / f"test_{stem.strip('_')}.py"


def test_each_file_has_its_test() -> None:
    """Each file with code has a mirrored test file, or is listed with a reason."""
    wanted = [path for path in sources() if has_code(path) and name(path) not in ELSEWHERE]
    missing = [f"{name(path)} has no {name(mirror(path))}" for path in wanted if not mirror(path).exists()]
    assert not missing, "\n".join(missing)


def test_the_list_is_not_stale() -> None:
    """What is listed exists, has no test file after all, and says why."""
    for listed, reason in ELSEWHERE.items():
        path = TOP / listed
        assert path.exists(), f"{listed} is listed and gone"
        assert not mirror(path).exists(), f"{name(mirror(path))} exists: take {listed} off the list"
        assert len(reason) > 10


def test_each_test_file_says_what_is_true() -> None:
    """The docstring of a test file is the sentence that it shows."""
    silent = [
        name(path) for path in (TOP / "tests").rglob("test_*.py") if not ast.get_docstring(parsed(path))
    ]
    assert not silent, silent
