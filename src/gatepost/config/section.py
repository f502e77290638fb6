"""A section of the configuration: a frozen value whose class is the table of its keys.

Written by hand instead of with dataclasses: eighteen of those take 25 ms to make, and every command
pays for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, TypeVar, cast

from gatepost.config.values import Kind

T = TypeVar("T")


class Key:
    """One key: how it is read, its default as written in the file, a sentence on what it is for."""

    __slots__ = ("default", "kind", "sentence")

    def __init__(self, kind: Kind[Any], default: Any, sentence: str) -> None:
        self.kind = kind
        self.default = default
        self.sentence = sentence

    def make(self) -> Any:
        """Return the default value."""
        return self.kind.read(self.default)


def key(kind: Kind[T], default: Any, sentence: str) -> T:
    """Declare a key; for the type checker it is its value, which it is in every instance."""
    return cast("T", Key(kind, default, sentence))


class Section:
    """Base of the sections; `Smtp(workers=2)` takes read values, the rest are defaults."""

    KEYS: ClassVar[dict[str, Key]] = {}
    SECTIONS: ClassVar[dict[str, type[Section]]] = {}

    def __init_subclass__(cls) -> None:
        cls.KEYS = {name: declared for name, declared in vars(cls).items() if isinstance(declared, Key)}
        cls.SECTIONS = {
            name: inner
            for name, inner in vars(cls).items()
            if isinstance(inner, type) and issubclass(inner, Section)
        }

    def __init__(self, **given: Any) -> None:
        if unknown := given.keys() - self.KEYS.keys() - self.SECTIONS.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        values = vars(self)
        for name, declared in self.KEYS.items():
            values[name] = given[name] if name in given else declared.make()
        for name, inner in self.SECTIONS.items():
            values[name] = given[name] if name in given else inner()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: the configuration does not change; load it again")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{name}: the configuration does not change; load it again")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({inside})"


def section(of: type[T]) -> T:
    """Declare a section inside a section; for the type checker it is an instance."""
    return cast("T", of)


def walk(of: type[Section], prefix: str = "") -> Iterator[tuple[str, Key]]:
    """Go through all keys in the order of the file, by full name."""
    for name, declared in of.KEYS.items():
        yield prefix + name, declared
    for name, inner in of.SECTIONS.items():
        yield from walk(inner, f"{prefix}{name}.")
