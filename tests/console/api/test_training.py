"""`/training`: a kept mail is taught, listed, taken back; a reader only looks."""

from gatepost.spool.index import Kept
from tests.console.api.program import Program
from tests.console.house import House

PATH = "/domains/ann.example/training"
MAIL = b"From: a@b.example\r\nSubject: cheap pills\r\n\r\nBuy cheap pills now.\r\n"


def test_training(house: House, ann: Program, rob: Program) -> None:
    """The whole way."""
    with house.desk() as desk:
        item = Kept("ABCDEFGHJK123.1", desk.clock(), "a@b.example", "you@ann.example", "ann.example")
        day, _, file = desk.archive.keep(item, [MAIL]).split("/")
    assert ([], 0, 0) == tuple(ann.get(PATH)[key] for key in ("items", "spam", "wanted"))
    at = f"/domains/ann.example/archive/{day}/{file}/train"
    rob.post(at, {"spam": True}, 404)
    assert {"learnt": 1, "already": 0, "troubles": []} == ann.post(at, {"spam": True})
    told = rob.get(PATH)
    (one,) = told["items"]
    assert (1, True, "ann", "api", "ABCDEFGHJK123.1") == (
        told["spam"], one["spam"], one["by"], one["how"], one["what"],
    )  # fmt: skip
    Program(house, "eve").delete(f"/domains/eve.example/training/{one['seq']}", 422)
    assert ann.delete(f"{PATH}/{one['seq']}")["items"]
    assert 0 == ann.get(PATH)["spam"]
    ann.delete(f"{PATH}/4711", 422)


def test_a_message(house: House, ann: Program, rob: Program) -> None:
    """Taught as it lies in a mailbox, once, in the name of whose mailbox it is; a day is taken back."""
    at = "/domains/ann.example/train"
    assert {"learnt": 1, "already": 0, "troubles": []} == ann.post(f"{at}?as=spam&by=You@ann.example", MAIL)
    assert 1 == ann.post(f"{at}?as=spam", MAIL)["already"]
    assert 1 == ann.post(f"{at}?as=ham", MAIL)["learnt"]
    for wrong in (f"{at}?as=junk", at, f"{at}?as=spam&by=x@eve.example", f"{at}?as=spam&by=x"):
        ann.post(wrong, MAIL, 422)
    ann.post(f"{at}?as=spam", b"", 422)
    rob.post(f"{at}?as=spam", MAIL, 404)
    Program(house, "eve").post(f"{at}?as=spam", MAIL, 404)
    told = ann.get(PATH, limit=1)
    assert (["ann"], 1, 1) == ([one["by"] for one in told["items"]], told["spam"], told["wanted"])
    older = ann.get(PATH, limit=1, after=told["next"])
    assert (["you@ann.example"], None) == ([one["by"] for one in older["items"]], older["next"])

    ann.delete(f"{PATH}?by=", 422)
    rob.delete(f"{PATH}?by=ann", 404)
    assert [] == ann.delete(f"{PATH}?by=ann&day=2001-01-01")["items"]
    assert 1 == len(ann.delete(f"{PATH}?by=you@ann.example")["items"])
    assert (0, 1) == tuple(ann.get(PATH)[key] for key in ("spam", "wanted"))
