"""`/domains/{domain}/privacy`: for who may change the domain; never another's data."""

import io
import zipfile

import pytest

from gatepost.spool.index import Kept
from tests.console.api.program import Program
from tests.console.house import House

MIA = {"address": "mia@partner.example"}
BASE = "/domains/ann.example/privacy"


@pytest.fixture(autouse=True)
def kept(house: House) -> None:
    """Keep mail of mia's for two domains."""
    with house.desk() as desk:
        for name in ("ann.example", "eve.example"):
            item = Kept("ABCDEFGHJK.1", desk.clock(), MIA["address"], f"you@{name}", name, subject="hello")
            desk.archive.keep(item, [b"Subject: hello\r\n\r\nfor " + name.encode() + b"\r\n"])


def test_find_export_erase(ann: Program, house: House) -> None:
    """Counted, handed out, gone; eve's copy is eve's."""
    assert 1 == ann.post(f"{BASE}/find", MIA)["kept"]
    answer = ann.ask("POST", f"{BASE}/export", json=MIA)
    assert ("application/zip", "no-store") == (
        answer.headers["content-type"],
        answer.headers["cache-control"],
    )
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        (mail,) = [name for name in file.namelist() if name.startswith("kept/")]
        assert b"for ann.example" in file.read(mail)
    done = ann.post(f"{BASE}/erase", MIA)
    assert (1, {}) == (done["done"]["kept"], done["left"])
    assert 0 == ann.post(f"{BASE}/find", MIA)["kept"]
    with house.desk() as desk:
        assert ["eve.example"] == [one.domain for one in desk.archive.list()]


def test_who_may(rob: Program, house: House, ann: Program) -> None:
    """Not who only looks, nor another domain's owner; and an address has to be one."""
    eve = Program(house, "eve")
    for what in ("find", "export", "erase"):
        rob.post(f"{BASE}/{what}", MIA, status=404)
        eve.post(f"{BASE}/{what}", MIA, status=404)
        ann.post(f"{BASE}/{what}", {"address": "nobody"}, status=422)
    assert 1 == ann.post(f"{BASE}/find", MIA)["kept"]
