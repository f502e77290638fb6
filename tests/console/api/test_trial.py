"""`/check` and `/recheck`: asked without a trace, by who may change the domain, about that domain alone."""

from base64 import b64encode

import pytest

from gatepost.desk import lists
from gatepost.store.journal_lines import outcome_line, session_line
from gatepost.store.journal_writer import JournalWriter
from tests.console.api.program import Program
from tests.console.house import NOW, House

PATH = "/domains/ann.example"
MAIL = {"sender": "mia@partner.example", "to": ["you"], "client": "192.0.2.7"}
TEXT = "Subject: hello\r\n\r\nIt is me.\r\n"


def test_check(house: House, ann: Program, rob: Program) -> None:
    """An entry decides; what decides and every check's answer are told; nothing is written down."""
    with house.desk() as desk:
        lists.add(desk, "ann.example", "deny", "192.0.2.7")
    for message in ({}, {"message": TEXT}, {"base64": b64encode(TEXT.encode()).decode()}):
        (one,) = ann.post(f"{PATH}/check", MAIL | message)["items"]
        assert ("you@ann.example", "rejected", "deny_list") == (one["recipient"], one["fate"], one["plugin"])
        assert "deny_list" in [step["check"] for step in one["steps"]]
    assert [] == ann.get("/journal")["items"]
    rob.post(f"{PATH}/check", MAIL, 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": ["you@eve.example"]},
        {"to": []},
        {"to": ["a b"]},
        {"sender": "x y"},
        {"client": "nowhere"},
        {"base64": "%"},
    ],
)
def test_wrong_questions(ann: Program, wrong: dict[str, object]) -> None:
    """What cannot be asked is told, and another domain's recipient is not this one's."""
    ann.post(f"{PATH}/check", MAIL | wrong, 422)


def test_recheck(house: House, ann: Program, rob: Program) -> None:
    """What a draft alone would have changed; the draft is not set; a wrong one is told."""
    writer = JournalWriter(house.data, "w0", clock=lambda: NOW - 3_600)
    session = "3333333333333"
    writer.add(
        outcome_line(
            f"{session}.1", "ann.example", "you@ann.example", "mia@partner.example", "192.0.2.7", "accepted",
            "", "", 250,
        )
    )  # fmt: skip
    writer.add(session_line(session, "192.0.2.7", "", "bare", "", "quit", 1))
    writer.close()
    found = ann.post(f"{PATH}/recheck", {"values": {"helo_name.mode": "on"}, "since": "1d"})
    (one,) = found["changed"]
    assert ("accepted", "accepted", "rejected") == (one["then"], one["today"], one["draft"])
    assert (1, False, True) == (found["judged"], found["more"], bool(found["caveats"]))
    items = ann.get(f"{PATH}/settings")["items"]
    assert ["default"] == [item["origin"] for item in items if item["key"] == "helo_name.mode"]
    ann.post(f"{PATH}/recheck", {"values": {}}, 422)
    ann.post(f"{PATH}/recheck", {"values": {"helo_name.mode": "maybe"}}, 422)
    rob.post(f"{PATH}/recheck", {"values": {"helo_name.mode": "on"}}, 404)
