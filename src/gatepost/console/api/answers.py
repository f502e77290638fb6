"""What answers of the API have in common: times as text, pages with a cursor, versions as ETag, problems.

A list is `{"items": [...], "next": ...}`; whoever wants more asks again with `after` set to `next`, and
null is the end. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from fastapi import Depends, Header, HTTPException, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, WithJsonSchema

from gatepost.console.errors import PROBLEM, NotHere
from gatepost.desk.desk import Desk
from gatepost.desk.errors import Conflict, DeskError
from gatepost.desk.spans import since as moment

T = TypeVar("T")
MOST = 500
"""Items of one page."""
_ETAG = re.compile(r'(?:W/)?"(\d{1,15})"')


def iso(at: float) -> str:
    """Return a moment (seconds since 1970) for programs."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _clean(text: str) -> str:
    """Refuse what no store keeps and no mail has: NUL, and halves of characters."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("a text holds no NUL and no half characters")
    return text


Time = Annotated[
    float, PlainSerializer(iso, return_type=str), WithJsonSchema({"type": "string", "format": "date-time"})
]
Text = Annotated[str, AfterValidator(_clean)]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Items of this page.")]
After = Annotated[Text, Query(max_length=400, description="`next` of the page before.")]
Number = Annotated[int | None, Query(ge=0, le=(1 << 62), description="`next` of the page before.")]
Since = Annotated[Text | None, Query(max_length=40, description="A span (7d, 12h) or a date.")]
Id = Annotated[int, Path(ge=0, le=(1 << 62))]
Word = Annotated[Text | None, Query(max_length=400)]


class Answer(BaseModel):
    """Something that the API tells."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    @classmethod
    def of(cls, thing: object) -> Self:
        """Return the answer for a value of the desk, whose fields have the same names."""
        return cls.model_validate(thing)


class Body(BaseModel):
    """Something that the API is told; a field that there is not is a fault."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Page(Answer, Generic[T]):
    """A piece of a list."""

    items: list[T]
    next: str | None = None
    """What `after` has to be for the items behind these; null: there are no more."""


class Problem(Answer):
    """What is wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[dict[str, str]] = []


def _problem(why: str) -> dict[str, Any]:
    return {"description": why, "content": {PROBLEM: {"schema": Problem.model_json_schema()}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _problem("The request could not be read."),
    401: _problem("Nobody is signed in and no good token was sent."),
    403: _problem("The form's secret is missing, or this needs a session."),
    404: _problem("It does not exist, or it is not yours to see."),
    409: _problem("Somebody else was faster, or it is there already."),
    412: _problem("It was changed since the version in If-Match; says by whom."),
    422: _problem("Something in the request is missing or wrong."),
    503: _problem("The store does not answer now."),
}


def page(items: Sequence[T], limit: int, cursor: str | None) -> Page[T]:
    """Return a page; `items` was asked for with one more than `limit`, which tells that there are more."""
    return Page(items=list(items[:limit]), next=cursor if len(items) > limit else None)


def etag(response: Response, version: int) -> None:
    """Say of which version an answer is."""
    response.headers["ETag"] = f'"{version}"'


def expected(
    if_match: Annotated[str | None, Header(description="The ETag of what was read.")] = None,
) -> int | None:
    """Return the version that the caller saw; None where any is good."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise HTTPException(412, "If-Match is no ETag of ours")
    return int(found[1])


Expected = Annotated[int | None, Depends(expected)]


@contextmanager
def as_seen() -> Iterator[None]:
    """Answer 412 where somebody else was faster than what If-Match says."""
    try:
        yield
    except Conflict as error:
        raise HTTPException(412, str(error)) from error


def beginning(desk: Desk, since: str | None) -> float | None:
    """Return the moment that `since` means."""
    if since is None:
        return None
    at = moment(since, desk.clock())
    if not 0 <= at < 1e11:
        raise DeskError(f"{since!r} is no time that a mail could have")
    return at


def require(found: bool) -> None:
    """Answer 404 unless it is there and theirs."""
    if not found:
        raise NotHere
