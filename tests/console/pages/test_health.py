"""The page of the machine's health."""

from gatepost.spool.envelope import Envelope, Rcpt
from tests.console.house import House


def test_health(house: House) -> None:
    """Says in how many processes the version is in force, which is behind, whose mail waits and why."""
    with house.desk() as desk:
        version, now = desk.policy.version(), desk.clock()
        rcpt = Rcpt("you@ann.example", last="451 <b>later</b>")
        desk.queue.put(Envelope("q1", None, (rcpt,), now - 90, now, domain="ann.example"), [b"x"])
    page = house.browser("root").page("/health")
    assert f"Version {version}: in force in 1 of 2 processes." in page
    assert "(behind)" in page
    assert "Something here wants a person." in page
    assert "451 &lt;b&gt;later&lt;/b&gt;" in page
    assert "None: every check answers." in page


def test_administrators_alone(house: House) -> None:
    """For others there is no such page."""
    assert 404 == house.browser("ann").get("/health").status_code
