"""Read the configuration folder of qpsmtpd: one item a line, `#` comments, `$include`.

Only what lies in the folder is read. Nothing is judged here; each line knows where it stood.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gatepost.desk.errors import DeskError
from gatepost.desk.srv_tree import Tree

INCLUDE = "$include"


@dataclass(frozen=True, slots=True)
class Line:
    """One line that says something."""

    file: str
    number: int
    text: str

    @property
    def words(self) -> list[str]:
        """The line's words."""
        return self.text.split()


@dataclass(slots=True)
class Report:
    """What was taken over, as what; and what was not, and why. In the order of the files."""

    taken: list[tuple[Line, str]] = field(default_factory=list)
    left: list[tuple[Line, str]] = field(default_factory=list)

    def take(self, line: Line, what: str) -> None:
        """Note what a line has become."""
        self.taken.append((line, what))

    def leave(self, line: Line, why: str) -> None:
        """Note why a line is not taken over."""
        self.left.append((line, why))


class ConfigFolder:
    """The files of one folder."""

    def __init__(self, top: Path, report: Report) -> None:
        if not top.is_dir():
            raise DeskError(f"{top} is not a folder")
        self._tree = Tree(top)
        self._report = report
        found = list(self._tree.names(top))
        self.files = [name for name, _, is_folder in found if not is_folder]
        self.folders = [name for name, _, is_folder in found if is_folder]
        self.included: set[str] = set()
        """Files whose lines were read as part of another."""
        for problem in self._tree.problems:
            report.leave(Line(problem.path, 0, ""), problem.why)

    def lines(self, name: str) -> list[Line]:
        """Return the lines of a file and of what it includes; none if there is no such file."""
        return list(self._lines(self._tree.top / name, ()))

    def raw(self, name: str) -> bytes:
        """Return a file as it is."""
        return self._tree.text(self._tree.top / name).encode()

    def _lines(self, place: Path, above: tuple[Path, ...]) -> Iterator[Line]:
        name = str(place.relative_to(self._tree.top))
        told = len(self._tree.problems)
        text = self._tree.text(place)
        for problem in self._tree.problems[told:]:
            self._report.leave(Line(problem.path, 0, ""), problem.why)
        for number, raw in enumerate(text.splitlines(), 1):
            line = Line(name, number, raw.strip())
            if not line.text or line.text.startswith("#"):
                continue
            if not line.text.startswith(INCLUDE):
                yield line
                continue
            wanted = (place.parent / line.text.removeprefix(INCLUDE).strip()).resolve()
            if not wanted.is_relative_to(self._tree.real_top):
                self._report.leave(line, "it lies outside of this folder")
            elif wanted in above or wanted == place.resolve():
                self._report.leave(line, "it includes itself")
            else:
                inside = self._tree.top / wanted.relative_to(self._tree.real_top)
                found = sorted(inside.iterdir()) if inside.is_dir() else [inside]
                for one in found:
                    self.included.add(str(one.relative_to(self._tree.top)))
                    yield from self._lines(one, (*above, place.resolve()))
