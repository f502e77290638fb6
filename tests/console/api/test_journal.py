"""`/journal`: pages without gap or double, of one's own domains alone."""

from typing import Any

import pytest

from tests.console import seed
from tests.console.api.program import Program
from tests.console.house import NOW, House


@pytest.fixture(autouse=True)
def mail(house: House) -> None:
    """Some mail for both domains."""
    seed.journal(house, NOW, days=1, each_day=20)


def pages(program: Program, path: str, **query: Any) -> list[Any]:
    """Return all rows, a few at a time."""
    found, after = [], None
    while True:
        told = program.get(path, limit=7, **query, **({"after": after} if after else {}))
        found += told["items"]
        after = told["next"]
        if after is None:
            return found


def test_pages(ann: Program, root: Program) -> None:
    """What comes in pages is what comes at once, newest first; an owner sees own mail."""
    mine = pages(ann, "/journal")
    assert mine == ann.get("/domains/ann.example/journal", limit=500)["items"]
    assert {"ann.example"} == {one["domain"] for one in mine}
    whole = pages(root, "/journal")
    assert {"ann.example", "eve.example"} == {one["domain"] for one in whole}
    assert len(whole) == len({one["id"] for one in whole})


def test_filters(ann: Program) -> None:
    """By fate, check, text, time."""
    assert {"rejected"} == {one["fate"] for one in ann.get("/journal", fate="rejected")["items"]}
    assert {"dnsbl"} == {one["plugin"] for one in ann.get("/journal", plugin="dnsbl")["items"]}
    assert {"mia@partner.example"} == {one["sender"] for one in ann.get("/journal", text="MIA@")["items"]}
    recent = ann.get("/journal", since="12h", limit=500)["items"]
    assert 0 < len(recent) < len(pages(ann, "/journal"))
    ann.get("/journal", 422, fate="eaten")
    ann.get("/journal", 422, since="soon")
