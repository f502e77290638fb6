"""How the machine is: versions, counts of all processes, mail that waits, values that cannot be used."""

import json

import pytest

from gatepost.desk import domains, health
from gatepost.desk.desk import Desk
from gatepost.desk.health import Check, Disk, InForce, Waiting
from gatepost.spool.envelope import Envelope, Rcpt


def test_versions(desk: Desk) -> None:
    """A process that is behind is trouble; one that is not there is none."""
    before = desk.policy.version()
    domains.set_values(desk, "example.org", {"keep_days": 7})
    told = health.look(desk, [InForce("w0", before + 1), InForce("w1", before)])
    assert (before + 1, 1, False) == (told.version, told.current, told.good)
    assert health.look(desk, [InForce("w0", before + 1)]).good
    assert health.look(desk, []).good


def test_counts(desk: Desk) -> None:
    """Those of all processes together; a file that is half written is left out."""
    run = desk.data_dir / "run"
    run.mkdir()
    one = {
        "gatepost_plugin_failures_total": [[["dnsbl"], 2]],
        "gatepost_relay_attempts_total": [[["delivered"], 5], [["deferred"], 0]],
    }
    for name in ("w0", "w1"):
        (run / f"metrics-{name}.json").write_text(json.dumps(one))
    (run / "metrics-w2.json").write_text('{"half')
    told = health.look(desk, [])
    assert [Check("dnsbl", 4, "")] == told.checks
    assert ({"delivered": 10}, {}) == (told.relayed, told.dns)
    assert told.good


def test_a_check_that_did_not_load(desk: Desk) -> None:
    """Is named with the reason."""
    assert desk.plugin_folder is not None
    desk.plugin_folder.mkdir()
    (desk.plugin_folder / "broken.py").write_text("raise ValueError('no')\n")
    told = health.look(desk, [])
    (check,) = told.checks
    assert ("broken", True) == (check.name, "no" in check.error)
    assert not told.good


def test_waiting(desk: Desk) -> None:
    """Each domain once, the oldest first, with what its server said."""
    now = desk.clock()
    for number, (name, age, said) in enumerate(
        [("b.example", 60, ""), ("a.example", 7200, "451 later"), ("a.example", 30, "451 other")]
    ):
        rcpt = Rcpt(f"x@{name}", last=said)
        desk.queue.put(Envelope(f"q{number}", None, (rcpt,), now - age, now, domain=name), [b"x"])
    assert [
        Waiting("a.example", 2, now - 7200, "451 later"), Waiting("b.example", 1, now - 60, ""),
    ] == health.waiting(desk)  # fmt: skip


def test_a_stored_value_that_cannot_be(desk: Desk) -> None:
    """Is named: the default holds instead."""
    desk.policy.put("all", {"keep_days": "for ever"}, by="test")
    (fault,) = health.look(desk, []).faults
    assert fault.startswith("keep_days: ")


@pytest.mark.parametrize(("free", "little"), [(50, False), (49, True)])
def test_little_disk(free: int, little: bool) -> None:
    """Less than a twentieth is little."""
    assert little is Disk(free, 1000, 0, 0).little
