"""`/digest`: shown to who may look, sent by who may change."""

from tests.console.api.program import Program
from tests.console.house import House
from tests.console.seed import keep

PATH = "/domains/ann.example/digest"


def test_digest(house: House, ann: Program, rob: Program) -> None:
    """The domain's, a mailbox's, since some time; sent to whom it is for; nobody's links are shown."""
    keep(house)
    whole = rob.get(PATH)
    assert (True, 2, "2 mails were kept for ann.example") == (
        whole["whole"],
        whole["number"],
        whole["subject"],
    )
    assert [True, False] == [one["held"] for one in whole["items"]]
    assert "/digest/" not in whole["text"]
    assert (False, "you@ann.example") == tuple(rob.get(PATH, to="you")[key] for key in ("whole", "reader"))
    assert 0 == rob.get(PATH, since="1s")["number"]
    rob.post(PATH, {"to": "you"}, status=404)
    ann.get(PATH, to="nobody", status=404)
    ann.post(PATH, {"to": "you@eve.example"}, status=422)
    ann.post(PATH, {}, status=422)
    assert [{"reader": "you@ann.example", "number": 2}] == ann.post(PATH, {"to": "you"}, status=202)
    own = f"{PATH}/mailboxes/you"
    assert [True, False, False] == [ann.put(own, {"on": on})["on"] for on in (True, False, None)]
    rob.put(own, {"on": True}, status=404)
    ann.put(f"{PATH}/mailboxes/you@eve.example", {"on": True}, status=422)
    with house.desk() as desk:
        assert ["you@ann.example"] == [one.recipients[0].address for one in desk.queue.list()]
