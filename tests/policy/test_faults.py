"""A wrong value is named with what would be right, in a person's words."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from gatepost.policy.faults import in_words


class Model(BaseModel):
    """One field of each kind."""

    zones: tuple[str, ...] = ()
    hours: list[int] = []
    number: int = Field(1, ge=1, le=9)
    share: float = Field(0.5, gt=0, lt=1)
    switch: bool = False
    word: str = ""
    way: Literal["bounces", "all"] = "all"
    other: Any = None

    @field_validator("other")
    @classmethod
    def _other(cls, value: object) -> object:
        if value:
            raise ValueError("a key is NUMBER:SECRET")
        return value


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("zones", "zen.example", """'zen.example' is not a list; write ["zen.example"]"""),
        ("hours", 7, "7 is not a list; write [7]"),
        ("zones", True, "True is not a list; write [true]"),
        ("zones", {"a": 1}, """{'a': 1} is not a list; write ["ENTRY"]"""),
        ("number", "abc", "'abc' is not a whole number"),
        ("number", 1.5, "1.5 is not a whole number"),
        ("number", 0, "0 is out of bounds; allowed: at least 1"),
        ("number", 10, "10 is out of bounds; allowed: at most 9"),
        ("share", 0, "0 is out of bounds; allowed: more than 0.0"),
        ("share", 1, "1 is out of bounds; allowed: less than 1.0"),
        ("share", [], "[] is not a number"),
        ("switch", "perhaps", "'perhaps' is not true or false"),
        ("word", 5, "5 is not text"),
        ("way", "most", "'most' is not one of its values; allowed: bounces, all"),
        ("other", 1, "a key is NUMBER:SECRET"),
    ],
)
def test_each_kind(field: str, value: object, said: str) -> None:
    """What was given, why not, and what would do."""
    with pytest.raises(ValidationError) as error:
        Model.model_validate({field: value})
    (fault,) = error.value.errors()
    assert said == in_words(fault)
    assert "'secret'" not in in_words({**fault, "input": "secret"}, secret=True)


def test_fields() -> None:
    """One that is wanted, and one that nobody knows."""

    class Strict(BaseModel, extra="forbid"):
        pattern: str

    with pytest.raises(ValidationError) as error:
        Strict.model_validate({"pattrn": "x"})
    assert ["is missing", "there is no such field"] == [in_words(fault) for fault in error.value.errors()]


def test_a_long_value_is_cut() -> None:
    """Nobody reads half a megabyte twice."""
    with pytest.raises(ValidationError) as error:
        Model.model_validate({"number": "x" * 10_000})
    assert len(in_words(error.value.errors()[0])) < 100
