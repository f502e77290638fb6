"""A domain's checks: the switch, the settings, the list of one check; each for whoever may."""

import re

import pytest

from gatepost.desk import domains, lists
from tests.console.house import House
from tests.console.seed import journal

CHECK = "/domains/ann.example/checks/dnsbl"


def value(house: House, key: str, domain: str = "ann.example") -> object:
    """Return a setting in force."""
    with house.desk() as desk:
        return domains.one_of(domains.get_values(desk, domain)[0], key).value


def test_switch(house: House) -> None:
    """The switch is turned, written down as that person's change, and said."""
    ann = house.browser("ann")
    for mode in ("watch", "on", "off"):
        answer = ann.post(f"{CHECK}/mode", {"mode": mode, "back": "list"})
        assert (303, "/domains/ann.example/checks") == (answer.status_code, answer.headers["location"])
        assert mode == value(house, "dnsbl.mode")
        assert "dnsbl" in ann.page("/domains/ann.example/checks")
    with house.desk() as desk:
        assert "ann" == desk.policy.changes(limit=1)[0].by


@pytest.mark.parametrize("name", ["rob", "eve", "nobody"])
def test_not_theirs_to_turn(house: House, name: str) -> None:
    """A reader sees the switch and cannot turn it; a foreign owner does not even see it."""
    browser = house.browser(name)

    assert 404 == browser.post(f"{CHECK}/mode", {"mode": "on"}).status_code
    assert 404 == browser.post(CHECK, {"set.zones": "x.test"}).status_code
    assert 404 == browser.post(f"{CHECK}/allow", {"entry": "x@y.example"}).status_code
    assert (200 if name == "rob" else 404) == browser.get(CHECK).status_code
    assert "off" == value(house, "dnsbl.mode")
    if name == "rob":
        assert "<button name=" not in browser.page(CHECK)


def test_settings(house: House) -> None:
    """What is typed is kept; what was left as it was stays a default."""
    ann = house.browser("ann")
    answer = ann.post(
        CHECK, {"set.zones": "zen.test\nbl.test*2", "set.threshold": "1", "action": "quarantine"}
    )

    assert 303 == answer.status_code
    with house.desk() as desk:
        own = domains.own_values(desk, "ann.example")
    assert {"dnsbl.zones": ["zen.test", "bl.test*2"], "dnsbl.action": "quarantine"} == {
        key: one for key, one in own.items() if key.startswith("dnsbl")
    }
    page = ann.page(CHECK)
    assert "zen.test\nbl.test*2</textarea>" in page
    assert 303 == ann.post(f"{CHECK}/reset").status_code
    assert "zen.test" not in ann.page(CHECK)


def test_faults_stand_beside_their_fields(house: House) -> None:
    """Nothing is kept where something is wrong; what was typed stays in the form."""
    ann = house.browser("ann")
    answer = ann.post(CHECK, {"set.zones": "not a zone!", "set.threshold": "many"})

    assert 422 == answer.status_code
    assert "not a zone!" in answer.text
    assert "many" in answer.text
    assert "is not a number" in answer.text
    assert "is not zone[=codes]" in answer.text
    assert () == value(house, "dnsbl.zones")


def test_somebody_was_faster(house: House) -> None:
    """A form that is older than another's change is not kept, and says who it was."""
    ann = house.browser("ann")
    with house.desk() as desk:
        seen = desk.policy.version()
    with house.desk("root") as desk:
        domains.set_values(desk, "ann.example", {"dnsbl.zones": ["first.test"]})
    answer = ann.post(CHECK, {"set.zones": "second.test", "set.threshold": "1", "version": str(seen)})

    assert 422 == answer.status_code
    assert "root" in answer.text
    assert "second.test" in answer.text
    assert "first.test" == str(value(house, "dnsbl.zones")[0].zone)  # type: ignore[index]


def test_allow_list_of_one_check(house: House) -> None:
    """An entry with expiry and note; a wrong one is told beside the field; it goes again."""
    ann = house.browser("ann")
    assert (
        303
        == ann.post(
            f"{CHECK}/allow", {"entry": "mia@partner.example", "expires": "30d", "note": "asked"}
        ).status_code
    )
    page = ann.page(CHECK)
    assert "mia@partner.example" in page
    assert "asked" in page
    assert "in 4 weeks" in page
    wrong = ann.post(f"{CHECK}/allow", {"entry": "10.0.0.1/8"})
    assert (422, True) == (wrong.status_code, "bits behind its prefix" in wrong.text)
    with house.desk() as desk:
        (listed,) = lists.show(desk, "ann.example")
    assert "dnsbl" == listed.entry.plugin
    assert 303 == ann.post(f"{CHECK}/allow/{listed.entry.id}/remove").status_code
    assert "Nobody is allowed" in ann.page(CHECK)


def test_foreign_entry_is_not_removed(house: House) -> None:
    """The number of another domain's entry does nothing."""
    with house.desk() as desk:
        entry = lists.add(desk, "eve.example", "allow", "x@y.example", plugin="dnsbl")

    assert 404 == house.browser("ann").post(f"{CHECK}/allow/{entry.id}/remove").status_code
    with house.desk() as desk:
        assert 1 == len(lists.show(desk, "eve.example"))


def test_what_it_did(house: House) -> None:
    """The list says what each check refused this week, and what one on watch would have refused."""
    journal(house, house.clock(), days=2)
    page = house.browser("ann").page("/domains/ann.example/checks")

    assert "mails refused" in page
    assert "would have refused" in page
    assert "of them got in" in page


def test_all_domains(house: House) -> None:
    """Administrators set a check for all domains, and see the machine's own checks there alone."""
    root = house.browser("root")
    assert "client_rate" in root.page("/checks")
    assert "client_rate" not in root.page("/domains/ann.example/checks")
    root.post("/checks/helo_name/mode", {"mode": "watch"})
    assert "watch" == value(house, "helo_name.mode")
    root.post("/checks/helo_name/allow", {"entry": "10.0.0.1"})
    assert "10.0.0.1" in root.page("/checks/helo_name")
    assert 404 == house.browser("ann").get("/checks").status_code
    assert 404 == house.browser("ann").post("/checks/helo_name/mode", {"mode": "off"}).status_code
    assert 404 == root.get("/checks/no_such").status_code


def test_a_mailbox(house: House) -> None:
    """Its own switch and settings stand before the domain's, are seen as such, and are forgotten again."""
    path = "/domains/ann.example/mailboxes/you/checks"
    ann = house.browser("ann")
    assert 303 == ann.post(f"{path}/helo_name/mode", {"mode": "watch", "back": "list"}).status_code
    with house.desk() as desk:
        assert {"helo_name.mode": "watch"} == domains.own_values(desk, "you@ann.example")
        assert "helo_name.mode" not in domains.own_values(desk, "ann.example")
    assert "you@ann.example" in ann.page(path)
    assert "set here" in ann.page(f"{path}/helo_name")
    assert "from the domain" not in ann.page(f"{path}/helo_name")
    ann.post("/domains/ann.example/checks/rdns/mode", {"mode": "off"})
    assert "from the domain" in ann.page(f"{path}/rdns")
    assert 303 == ann.post(f"{path}/helo_name/reset").status_code
    with house.desk() as desk:
        assert {} == domains.own_values(desk, "you@ann.example")
    assert 404 == ann.get(f"{path}/nothing").status_code
    assert 400 == ann.get("/domains/ann.example/mailboxes/a%20b/checks").status_code
    assert 404 == house.browser("eve").get(path).status_code
    assert 404 == house.browser("rob").post(f"{path}/helo_name/mode", {"mode": "off"}).status_code


def test_groups_of_the_list(house: House) -> None:
    """On first, then what watches, then what is off, each below its heading; what is set is marked."""
    with house.desk() as desk:
        domains.set_values(desk, "ann.example", {"uribl.mode": "on", "dnsbl.zones": ["zen.test"]})
    page = house.browser("ann").page("/domains/ann.example/checks")
    assert ["on", "watch", "off"] == re.findall(r'<h2 id="(\w+)">', page)
    on, _, off = re.split(r'<h2 id="\w+">', page)[1:]
    assert "/checks/uribl" in on
    assert '<span class="mark">set here</span>' in on
    assert "/checks/dnsbl" in off
    assert '<span class="mark">1 setting set here</span>' in off


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("/domains/ann.example/mailboxes/you/checks", "Otherwise: b.test."),
        ("/domains/ann.example/checks", "Otherwise: a.test."),
        ("/checks", "Otherwise: nothing."),
    ],
)
def test_what_would_hold_otherwise(house: House, base: str, expected: str) -> None:
    """Beside what is set here stands what the farther level, or the check itself, would say."""
    with house.desk() as desk:
        for word, zone in ((None, "a.test"), ("ann.example", "b.test"), ("you@ann.example", "c.test")):
            domains.set_values(desk, word, {"dnsbl.zones": [zone]})
    page = house.browser("root").page(f"{base}/dnsbl")
    assert expected in page
    assert 1 == page.count("Otherwise:")
