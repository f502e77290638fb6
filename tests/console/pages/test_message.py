"""Why a mail fared as it did: each check, what would have let it in, and what to do now."""

import json
import re

import pytest

from gatepost.desk import lists
from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter
from tests.console.house import House

ID = "0DQ3N7V5K2F8T"
TRACE = [
    ["recipients", "rcpt", "", 0.1, ""],
    ["spf", "mail", "score", 12.4, "+3 SPF says fail"],
    ["dnsbl", "connect", "reject", 3.0, "zen.test knows the client"],
    ["dns", "", "answered", 0, "x.example TXT: v=spf1 -all"],
]


@pytest.fixture(autouse=True)
def mail(house: House) -> None:
    """Write a mail to both domains."""
    writer = JournalWriter(house.data, "w0")
    for domain, reason in (("ann.example", "zen.test knows the client"), ("eve.example", "eves secret")):
        writer.add(
            outcome_line(
                f"{ID}.1", domain, f"you@{domain}", "bob@x.example", "192.0.2.9", "rejected", "dnsbl", reason,
                550, trace=json.dumps(TRACE, separators=(",", ":")),
            )
        )  # fmt: skip
    writer.add(session_line(ID, "192.0.2.9", "client.x.example", "helo.x.example", "", "quit", 1))
    writer.close()


def test_why(house: House) -> None:
    """In plain words: the check, its reason, each answer with points and time, DNS, the connection."""
    page = house.browser("ann").page(f"/journal/{ID}")
    for text in ("The check dnsbl decided", "zen.test knows", "+3 SPF says fail", "12.4 ms", "v=spf1 -all",
                 "helo.x.example", "gives points", "entry for bob@x.example past dnsbl."):  # fmt: skip
        assert text in page, text
    assert "eves secret" not in page
    assert "you@eve.example" not in page


@pytest.mark.parametrize("typed", [ID.lower(), f"{ID}.1", ID.replace("0", "O")])
def test_as_it_is_told(house: House, typed: str) -> None:
    """The id may be typed as it was read out."""
    assert "The check dnsbl decided" in house.browser("ann").page(f"/journal/{typed}")


def test_not_theirs(house: House) -> None:
    """Whoever owns none of its domains gets what an id gets that never was; so does a form."""
    nobody = house.browser("nobody")
    foreign, unknown, odd = (nobody.get(f"/journal/{one}") for one in (ID, "0DQ3N7V5K2F8Z", "x"))
    assert (404, unknown.text, odd.text) == (foreign.status_code, foreign.text, foreign.text)
    assert "eves secret" in house.browser("root").page(f"/journal/{ID}")
    form = {"row": "1", "kind": "allow", "entry": "bob@x.example"}
    assert 404 == house.browser("nobody").post(f"/journal/{ID}/list", form).status_code
    assert 404 == house.browser("rob").post(f"/journal/{ID}/list", form).status_code
    form["row"] = "2"
    assert 404 == house.browser("ann").post(f"/journal/{ID}/list", form).status_code, "eve's copy"


def test_nobody_s_mail(house: House) -> None:
    """Mail for a domain that is not hosted is shown to administrators, without buttons."""
    writer = JournalWriter(house.data, "w1")
    writer.add(
        outcome_line(
            "0DQ3N7V5K2F8V.1", "", "x@no.example", "", "192.0.2.9", "rejected", "relaying", "no", 550
        )
    )
    writer.close()
    page = house.browser("root").page("/journal/0DQ3N7V5K2F8V")
    assert "The domain is not hosted here." in page
    assert "Always allow" not in page
    assert 404 == house.browser("ann").get("/journal/0DQ3N7V5K2F8V").status_code


def test_one_click(house: House) -> None:
    """Allow past the check, or refuse: the entry is on the domain's list, with where it came from."""
    ann = house.browser("ann")
    for kind, check in (("allow", "dnsbl"), ("deny", "")):
        form = {"row": "1", "kind": kind, "entry": "bob@x.example", "check": check}
        assert 303 == ann.post(f"/journal/{ID}/list", form).status_code
    with house.desk() as desk:
        entries = [one.entry for one in lists.show(desk, "ann.example")]
        assert [] == lists.show(desk, "eve.example")
    found = sorted((one.kind, one.text, one.plugin) for one in entries)
    assert [("allow", "bob@x.example", "dnsbl"), ("deny", "bob@x.example", "")] == found


def test_tried(house: House) -> None:
    """What an entry would change today is tried and told; one that is none is told, too."""
    ann = house.browser("ann")
    page = ann.page(f"/journal/{ID}")
    found = re.search(r'href="(\?row=1[^"]+)#tried"', page)
    assert found
    tried = ann.page(f"/journal/{ID}{found[1].replace('&amp;', '&')}")
    assert "With your allow entry bob@x.example:" in tried
    assert 200 == ann.get(f"/journal/{ID}?row=1&entry=no@@entry").status_code
    assert "With your allow entry" not in ann.page(f"/journal/{ID}?row=2&entry=bob@x.example")
