"""What would happen to a mail, or to last week's under a draft: asked by its owner, without a trace."""

from __future__ import annotations

import pytest

from gatepost.desk import domains, lists
from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter
from tests.console.house import NOW, House

PAGE = "/domains/ann.example/trial"
MAIL = {"sender": "mia@partner.example", "to": "you", "client": "192.0.2.7"}


def past(house: House, session: str = "3333333333333") -> None:
    """Write down a mail of an hour ago whose HELO name was bare."""
    writer = JournalWriter(house.data, "w0", clock=lambda: NOW - 3_600)
    you, mia = "you@ann.example", "mia@partner.example"
    writer.add(outcome_line(f"{session}.1", "ann.example", you, mia, "192.0.2.7", "accepted", "", "", 250))
    writer.add(session_line(session, "192.0.2.7", "", "bare", "", "quit", 1))
    writer.close()


def test_a_mail(house: House) -> None:
    """With and without its message, also from a file; every check's answer is told, nothing is kept."""
    with house.desk() as desk:
        lists.add(desk, "ann.example", "deny", "192.0.2.7", note="noise")
    ann = house.browser("ann")
    sent = [
        ann.post(f"{PAGE}/check", MAIL),
        ann.post(f"{PAGE}/check", MAIL | {"message": "Subject: <b>x\n\nhello\n"}),
        ann.post(f"{PAGE}/check", MAIL, files={"file": ("a.eml", b"Subject: x\r\n\r\nhello\r\n")}),
    ]
    for answer in sent:
        assert 200 == answer.status_code
        assert "192.0.2.7 is on the deny list: noise" in answer.text
    assert "Subject: &lt;b&gt;x" in sent[1].text
    assert "mia@partner.example" not in ann.page("/journal")


@pytest.mark.parametrize(
    "wrong", [{"to": ""}, {"to": "x@eve.example"}, {"client": "nowhere"}, {"sender": "x y"}]
)
def test_wrong_mail(house: House, wrong: dict[str, str]) -> None:
    """What cannot be asked is told, and stays typed."""
    answer = house.browser("ann").post(f"{PAGE}/check", MAIL | wrong)
    assert (422, True) == (answer.status_code, 'role="alert"' in answer.text)
    assert f'value="{wrong.get("sender", "mia@partner.example")}"' in answer.text


def test_a_draft(house: House) -> None:
    """What the draft alone would have changed; it is not set; a wrong one is told."""
    past(house)
    ann = house.browser("ann")
    answer = ann.post(f"{PAGE}/recheck", {"check": "helo_name", "mode": "on", "since": "1d"})
    assert "1 mail judged again" in answer.text
    assert "/journal/3333333333333" in answer.text
    assert "not fully qualified" in answer.text
    answer = ann.post(
        f"{PAGE}/recheck", {"draft": "helo_name.mode=on\n\nhelo_name.action=tag", "since": "1d"}
    )
    assert "1 would have fared otherwise" in answer.text
    with house.desk() as desk:
        assert [] == [key for key in domains.own_values(desk, "ann.example") if key.startswith("helo_name")]
    for draft in ("", "helo_name", "no.such=1"):
        assert 422 == ann.post(f"{PAGE}/recheck", {"draft": draft}).status_code


@pytest.mark.parametrize("name", ["rob", "eve"])
def test_not_theirs(house: House, name: str) -> None:
    """A reader and a foreign owner ask nothing of other people's servers."""
    browser = house.browser(name)
    assert 404 == browser.post(f"{PAGE}/check", MAIL).status_code
    assert 404 == browser.post(f"{PAGE}/recheck", {"check": "helo_name"}).status_code
    assert "Only who may change" in house.browser("rob").page(PAGE)
