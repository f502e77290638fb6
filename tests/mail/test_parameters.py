"""Structured MIME fields: each odd form has its reading, all readings are kept, and nothing is dear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.parameters import MAX_PARAMETERS, MAX_VALUE, read_value
from tests.cost import assert_cheap

CASES = [
    ("text/plain", "text/plain", {}),
    ("TEXT/HTML; Charset=UTF-8", "text/html", {"charset": ["UTF-8"]}),
    (
        'text/plain; charset="us-ascii"; format=flowed',
        "text/plain",
        {"charset": ["us-ascii"], "format": ["flowed"]},
    ),
    ('multipart/mixed; boundary="a;b=\\"c\\""', "multipart/mixed", {"boundary": ['a;b="c"']}),
    ("text/plain (a comment); charset=x", "text/plain", {"charset": ["x"]}),
    ("attachment; filename=two words.txt", "attachment", {"filename": ["two words.txt"]}),
    ("attachment; filename*=UTF-8''na%C3%AFve.txt", "attachment", {"filename": ["naïve.txt"]}),
    (
        "attachment; filename*0*=UTF-8'en'na%C3%AF; filename*1=\"ve.t\"; filename*2*=xt",
        "attachment",
        {"filename": ["naïve.txt"]},
    ),
    (
        "attachment; filename=\"=?utf-8?Q?n=C3=A4me?=\"; filename*=iso-8859-1''n%E4me",
        "attachment",
        {"filename": ["näme"]},
    ),
    ("x; a=1; a=2; A=3", "x", {"a": ["1", "2", "3"]}),
    ('x; a="never closed', "x", {"a": ["never closed"]}),
    ("x; ; ;; b = 2 ;", "x", {"b": ["2"]}),
    ("attachment; filename*=no-such-charset'x'%ff.txt", "attachment", {"filename": ["ÿ.txt"]}),
    ("", "", {}),
]


@pytest.mark.parametrize(("raw", "word", "parameters"), CASES)
def test_cases(raw: str, word: str, parameters: dict[str, list[str]]) -> None:
    """Name by name, with all readings, the likeliest first."""
    value = read_value(raw)
    assert (word, parameters) == (value.word, value.parameters)
    assert not value.over_budget
    for name, readings in parameters.items():
        assert readings[0] == value.get(name)
    assert value.get("nothing") == ""


def test_bounds() -> None:
    """At the limit all is read; one more is told."""
    many = "x" + "".join(f";p{n}=1" for n in range(MAX_PARAMETERS))
    assert (MAX_PARAMETERS, False) == (len(read_value(many).parameters), read_value(many).over_budget)
    more = read_value(many + ";q=1")
    assert (MAX_PARAMETERS, True) == (len(more.parameters), more.over_budget)
    assert read_value("x" * MAX_VALUE).over_budget is False
    assert read_value("x" * (MAX_VALUE + 1)).over_budget


@pytest.mark.parametrize(
    "raw",
    [
        "x" + "; name*%d=abc" * 50_000,
        "x" + ";" * 500_000,
        "x;" + " " * 500_000,
        "x" + '; a="' * 100_000,
        "x; a=" + "\\" * 500_000,
        "x; filename*0*=" + "%41" * 200_000,
    ],
    ids=["sections", "semicolons", "blanks", "quotes", "backslashes", "percents"],
)
def test_bombs(raw: str) -> None:
    """What takes other readers minutes (reference/peers.md, 4.6) is over in a moment."""
    assert_cheap(0.5, read_value, raw)


@given(st.text(max_size=300))
def test_anything(raw: str) -> None:
    """Whatever comes, there is a value."""
    value = read_value(raw)
    assert all(readings for readings in value.parameters.values())


def test_marks_that_hide() -> None:
    """Letters that are turned around are told, a NUL gives a second reading; what is left is printable."""
    for raw in ("x; name=a\u202efdp.exe", "x; name*=utf-8''a%E2%80%AEfdp.exe"):
        value = read_value(raw)
        assert (True, ["a fdp.exe"]) == (value.turns, value.parameters["name"])
    value = read_value("x; name*=utf-8''a.exe%00.txt; count=1")
    assert (False, ["a.exe .txt", "a.exe"], 2) == (value.turns, value.parameters["name"], value.count)
