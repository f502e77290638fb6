"""The lists of a domain and of all domains: added, changed, found, explained; nobody else's."""

import pytest

from gatepost.desk import lists
from tests.console.house import House

PAGE = "/domains/ann.example/lists"
NEW = {"kind": "allow", "entry": "mia@partner.example", "check": "dnsbl", "expires": "30d", "note": "asked"}


def entries(house: House, word: str | None = "ann.example") -> list[tuple[str, str, str]]:
    """Return (scope, kind, entry) of what is listed."""
    with house.desk() as desk:
        return [(one.scope, one.entry.kind, one.entry.text) for one in lists.show(desk, word)]


def test_add_change_remove(house: House) -> None:
    """The whole way of an entry, with expiry, note and proof."""
    ann = house.browser("ann")
    assert 303 == ann.post(PAGE, NEW).status_code
    page = ann.page(PAGE)
    assert "mia@partner.example" in page
    assert "dnsbl alone" in page
    assert "asked" in page
    assert 'value="2027-02-14 09:00"' in ann.page(f"{PAGE}/1")
    changed = NEW | {"note": "on the phone", "expires": "", "verified": "on"}
    assert 303 == ann.post(f"{PAGE}/1", changed).status_code
    page = ann.page(PAGE)
    assert "on the phone" in page
    assert "only when SPF or DKIM agrees" in page
    assert "for good" in page
    assert 303 == ann.post(f"{PAGE}/1/remove").status_code
    assert [] == entries(house)
    assert "Nobody is on the lists" in ann.page(PAGE)
    assert 404 == ann.get(f"{PAGE}/1").status_code


def test_a_mailbox(house: House) -> None:
    """Only for one mailbox of this domain."""
    ann = house.browser("ann")
    ann.post(PAGE, {"kind": "deny", "entry": "bulk.example", "mailbox": "you@ann.example"})
    assert [("mailbox:you@ann.example", "deny", "bulk.example")] == entries(house)
    assert "you@ann.example" in ann.page(PAGE)
    answer = ann.post(PAGE, {"kind": "deny", "entry": "bulk.example", "mailbox": "you@eve.example"})
    assert (422, []) == (answer.status_code, entries(house, "eve.example"))


def test_faults(house: House) -> None:
    """What cannot be is said beside the field, and what was typed stays there."""
    ann = house.browser("ann")
    for values, said in (
        (NEW | {"entry": "10.0.0.1/8"}, "did you mean 10.0.0.0/8"),
        (NEW | {"kind": "deny", "verified": "on"}, "for allow entries of a sender"),
        (NEW | {"expires": "2001-01-01"}, "over already"),
    ):
        answer = ann.post(PAGE, values)
        assert (422, True, True) == (
            answer.status_code,
            said in answer.text,
            f'value="{values["entry"]}"' in answer.text,
        )
    ann.post(PAGE, NEW)
    assert 422 == ann.post(f"{PAGE}/1", NEW | {"entry": "?"}).status_code


def test_search_and_pages(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by text, kind and check; a page leads to the next."""
    monkeypatch.setattr("gatepost.console.pages.lists.PAGE", 2)
    with house.desk() as desk:
        for n in range(3):
            lists.add(desk, "ann.example", "deny", f"n{n}.example", plugin="" if n else "dnsbl")
    ann = house.browser("ann")
    first = ann.page(PAGE)
    assert (False, True) == ("n0.example" in first, "after=2" in first)
    assert "n0.example" in ann.page(f"{PAGE}?after=2")
    assert "n0.example" in ann.page(f"{PAGE}?check=dnsbl")
    assert "No entry is like that" in ann.page(f"{PAGE}?kind=allow")
    assert 422 == ann.get(f"{PAGE}?after=x").status_code


def test_which_decides(house: House) -> None:
    """Told with its level and with what loses; an owner does not see an administrator's note."""
    with house.desk() as desk:
        lists.add(desk, None, "deny", "192.0.2.0/24", note="secret of the machine")
        lists.add(desk, "ann.example", "allow", "mia@partner.example", verified=True)
    ann, root = house.browser("ann"), house.browser("root")
    page = ann.page(f"{PAGE}?client=192.0.2.7")
    assert ("192.0.2.0/24", "for all domains") == tuple(
        one for one in ("192.0.2.0/24", "for all domains") if one in page
    )
    assert "secret of the machine" not in page
    assert "secret of the machine" in root.page(f"{PAGE}?client=192.0.2.7")
    assert "the checks decide" in ann.page(f"{PAGE}?sender=mia@partner.example")
    assert "the checks decide" not in ann.page(f"{PAGE}?sender=mia@partner.example&proven=on")
    assert "not an IP address" in ann.page(f"{PAGE}?client=x")


def test_locked(house: House) -> None:
    """What an administrator locks, an owner sees and cannot change; an owner cannot lock."""
    root, ann = house.browser("root"), house.browser("ann")
    root.post(PAGE, NEW | {"locked": "on"})
    assert "An administrator has locked" in ann.page(f"{PAGE}/1")
    assert 422 == ann.post(f"{PAGE}/1", NEW).status_code
    assert 400 == ann.post(f"{PAGE}/1/remove").status_code
    ann.post(PAGE, NEW | {"entry": "tom@partner.example", "locked": "on"})
    with house.desk() as desk:
        assert [True, False] == [one.entry.locked for one in lists.show(desk, "ann.example")]


def test_all_domains(house: House) -> None:
    """An administrator's page; for others it does not exist."""
    root = house.browser("root")
    assert 303 == root.post("/lists", {"kind": "deny", "entry": ".example"}).status_code
    assert ".example" in root.page("/lists")
    assert 303 == root.post("/lists/1", {"kind": "deny", "entry": ".example", "note": "x"}).status_code
    assert 404 == house.browser("ann").get("/lists").status_code
    assert 404 == house.browser("ann").post("/lists/1/remove").status_code
    assert 404 == house.browser("ann").get(f"{PAGE}/1").status_code
    root.post("/lists/1/remove")
    assert [] == entries(house, None)


@pytest.mark.parametrize("name", ["rob", "eve"])
def test_not_theirs(house: House, name: str) -> None:
    """A reader and a foreign owner change nothing, also by the way of their own domain."""
    house.browser("ann").post(PAGE, NEW)
    browser = house.browser(name)
    for path in (PAGE, f"{PAGE}/1", f"{PAGE}/1/remove", "/domains/eve.example/lists/1/remove"):
        assert 404 == browser.post(path, NEW).status_code
    assert 1 == len(entries(house))
