"""A form is made from a settings model, and what is typed becomes the values that JSON has."""

from typing import Any, Literal

import pytest
from pydantic import Field

from gatepost.console.forms import changed, fields_of, read, value_of, written
from gatepost.plugin.base import PluginSettings
from gatepost.plugin.registry import load
from gatepost.plugins.clamav import Settings as ClamavSettings
from gatepost.policy.settings import HIDDEN

Answer = Literal["refuse", "ignore"] | float


class Settings(PluginSettings):
    """What a check could have."""

    loud: bool = True
    """Say it."""
    count: int = Field(default=3, ge=1, le=9)
    """How often."""
    weight: float = Field(default=1.5, gt=0)
    names: tuple[str, ...] = ("a", "b")
    by: Literal["net", "host"] = "net"
    fail: Answer = "refuse"
    seal_key: str = ""
    title: str = "x"
    table: dict[str, int] = {}


DEFAULTS = {name: (value, "default") for name, value in Settings().model_dump(mode="json").items()}


def test_fields() -> None:
    """Each field has its kind, its text, its sentence, its bounds; a secret is never shown."""
    values = DEFAULTS | {"seal_key": ("hush", "domain"), "count": (5, "all")}
    found = {one.name: one for one in fields_of(Settings, values)}

    kinds = {name: one.kind for name, one in found.items()}
    assert {
        "loud": "flag", "count": "number", "weight": "number", "names": "lines", "by": "choice",
        "fail": "words", "seal_key": "secret", "title": "text", "table": "json",
    } == kinds  # fmt: skip
    assert ("on", "Say it.") == (found["loud"].text, found["loud"].sentence)
    assert ("5", "all", 1, 9, True) == (
        found["count"].text,
        found["count"].origin,
        found["count"].least,
        found["count"].most,
        found["count"].whole,
    )
    assert ("a\nb", 3) == (found["names"].text, found["names"].rows)
    assert ("net", "host") == found["by"].choices
    assert ("refuse", "ignore") == found["fail"].choices
    assert "" == found["seal_key"].text


def test_typed_stays_with_its_fault() -> None:
    """What was wrong stands in the form again, with its fault beside it."""
    found = {one.name: one for one in fields_of(Settings, DEFAULTS, {"count": "too many"}, {"count": "99"})}

    assert ("99", "too many") == (found["count"].text, found["count"].fault)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("flag", "on", True),
        ("flag", "", False),
        ("number", " 7 ", 7),
        ("number", "1.5", 1.5),
        ("words", "refuse", "refuse"),
        ("words", "2.5", 2.5),
        ("lines", "a\r\n\n b \n", ["a", "b"]),
        ("lines", '{"zone": "x.test"}', [{"zone": "x.test"}]),
        ("json", '{"a": 1}', {"a": 1}),
        ("json", "", None),
        ("text", " x ", "x"),
    ],
)
def test_values(kind: str, text: str, expected: Any) -> None:
    """The table of what a text means."""
    assert expected == value_of(kind, text)


@pytest.mark.parametrize(("kind", "text"), [("number", "x"), ("number", ""), ("json", "{"), ("lines", "{x")])
def test_unreadable(kind: str, text: str) -> None:
    """What cannot be read is a sentence, not a fault of ours."""
    with pytest.raises(ValueError, match="not"):
        value_of(kind, text)


def test_read() -> None:
    """All fields are read; an empty secret stays as it is; what is unreadable is told."""
    done = read(
        Settings,
        {"count": "x", "names": "c", "by": "host", "fail": "3", "title": "t", "table": "{}", "weight": "2"},
    )

    assert {"count"} == done.faults.keys()
    assert {
        "loud": False,
        "names": ["c"],
        "by": "host",
        "fail": 3,
        "title": "t",
        "table": {},
        "weight": 2,
    } == done.values


def test_every_check_comes_back() -> None:
    """The form of each shipped check, sent as it is shown, changes nothing."""
    for loaded in load(None):
        model = loaded.plugin.settings
        values = {name: (value, "default") for name, value in model().model_dump(mode="json").items()}
        form = {one.name: one.text for one in fields_of(model, values)}
        done = read(model, form)

        assert {} == done.faults, loaded.name
        assert {} == changed(values, done.values), loaded.name
        model.model_validate(done.values)


def test_changed() -> None:
    """Only what differs is kept: 1 is 1.0, and what is hidden was not typed."""
    before = {"a": (1.0, "default"), "b": (["x"], "all"), "c": (HIDDEN, "all")}

    assert {"b": ["y"]} == changed(before, {"a": 1, "b": ["y"], "c": HIDDEN})
    assert "1" == written("number", 1.0)


def test_what_only_an_administrator_sets() -> None:
    """An owner's form neither shows it nor reads it."""
    assert "addresses" in {one.name for one in fields_of(ClamavSettings, {})}
    assert "addresses" not in {one.name for one in fields_of(ClamavSettings, {}, admin=False)}
    assert "addresses" not in read(ClamavSettings, {"addresses": "127.0.0.1:1"}, admin=False).values
