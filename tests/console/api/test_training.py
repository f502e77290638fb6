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
    assert {"learnt": 1, "already": 0} == ann.post(at, {"spam": True})
    told = rob.get(PATH)
    (one,) = told["items"]
    assert (1, True, "ann", "api", "ABCDEFGHJK123.1") == (
        told["spam"], one["spam"], one["by"], one["how"], one["what"],
    )  # fmt: skip
    Program(house, "eve").delete(f"/domains/eve.example/training/{one['seq']}", 422)
    assert ann.delete(f"{PATH}/{one['seq']}")["items"]
    assert 0 == ann.get(PATH)["spam"]
    ann.delete(f"{PATH}/4711", 422)
