"""The page of the machine's health."""

from gatepost.desk import alarm_book
from gatepost.desk.alarms import Alarm
from gatepost.spool.envelope import Envelope, Rcpt
from gatepost.telemetry.conditions import Conditions
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


def alarm_of(house: House) -> None:
    """Let a shared back end and the scanner be in trouble, and nobody be told."""
    with house.desk() as desk:
        now = desk.clock()
        names = ("ann.example", "eve.example")
        alarm_book.remember(
            desk, Alarm("backend", "10.0.0.5:25", "refused <b>", now - 90, now, domains=names)
        )
        alarm_book.remember(desk, Alarm("scanner", "127.0.0.1:3310", "no answer", now - 60, now))
        alarm_book.remember(desk, Alarm("disk", "data_dir", "little", now - 60, now, now - 5))
        alarm_book.way_fails(desk, "mail", "550 no relaying")
        seen = Conditions()
        seen.ill("scanner", "127.0.0.1:3310", "no answer", now)
        seen.well("list", "bl.example", now - 5)
        seen.well("list", "forgotten.example", now - 90_000)
        (desk.data_dir / "run").mkdir(exist_ok=True)
        seen.write(desk.data_dir / "run" / "conditions-w0.json", now)


def test_alarms(house: House) -> None:
    """What goes on, with the state of each list, scanner and back end, and that nobody is told."""
    page = house.browser("root").page("/health")
    assert "Nobody was asked yet." in page
    assert 'id="alarms"' not in page
    alarm_of(house)
    page = house.browser("root").page("/health")
    assert "refused &lt;b&gt;" in page
    assert "ann.example, eve.example" in page
    assert "little" not in page
    assert "No alarm gets out by mail: 550 no relaying" in page
    assert page.index("127.0.0.1:3310") < page.index("bl.example")
    assert "forgotten.example" not in page
    assert "Something here wants a person." in page


def test_first_screen(house: House) -> None:
    """Administrators see all; an owner the back end of his own domain, and nobody else's name."""
    alarm_of(house)
    root, ann, nobody = (house.browser(name).page("/") for name in ("root", "ann", "nobody"))
    assert "2 alarms" in root
    assert '<a href="/health">Health</a></h2>' in root
    assert "127.0.0.1:3310" in root
    assert "1 alarm" in ann
    assert "10.0.0.5:25" in ann
    assert "eve.example" not in ann
    assert "127.0.0.1:3310" not in ann
    assert 'id="alarms"' not in nobody
    assert "10.0.0.5:25" not in nobody
