"""What answers have in common: times, pages, versions."""

import pytest
from fastapi import HTTPException

from gatepost.console.api.answers import as_seen, expected, iso, page
from gatepost.desk.errors import Conflict, DeskError


def test_iso() -> None:
    """In UTC, to the second."""
    assert "2027-01-15T08:00:00+00:00" == iso(1_800_000_000.4)


@pytest.mark.parametrize(
    ("sent", "version"), [(None, None), ("*", None), ('"17"', 17), (' "17" ', 17), ('W/"17"', 17)]
)
def test_expected(sent: str | None, version: int | None) -> None:
    """An ETag of ours is a version; nothing and * are any."""
    assert version == expected(sent)


@pytest.mark.parametrize("sent", ["17", '"x"', '"17", "18"', ""])
def test_no_etag_of_ours(sent: str) -> None:
    """Then nothing is changed: 412."""
    with pytest.raises(HTTPException) as error:
        expected(sent)
    assert 412 == error.value.status_code


def test_as_seen() -> None:
    """Somebody who was faster is 412, with who it was; other faults are not ours to change."""
    with pytest.raises(HTTPException) as error, as_seen():
        raise Conflict("changed meanwhile by ann")
    assert (412, "changed meanwhile by ann") == (error.value.status_code, error.value.detail)
    with pytest.raises(DeskError), as_seen():
        raise DeskError("x")


def test_page() -> None:
    """There is a next page only where one more item was found."""
    assert ([1, 2], "2") == (page([1, 2, 3], 2, "2").items, page([1, 2, 3], 2, "2").next)
    assert ([1, 2], None) == (page([1, 2], 2, "2").items, page([1, 2], 2, "2").next)
