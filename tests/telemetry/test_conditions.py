"""How those are whom we ask: the last word counts, what is ill stays known, everything is bounded."""

from __future__ import annotations

from pathlib import Path

from gatepost.telemetry import conditions
from gatepost.telemetry.conditions import Condition, Conditions, merge, written


def only(seen: Conditions) -> Condition:
    """Return the one that is known."""
    (one,) = seen.all()
    return one


def test_well_and_ill() -> None:
    """Since when it is so, and when it was seen last; trouble that goes on began once."""
    seen = Conditions()
    seen.well("scanner", "a:1", 10)
    seen.well("scanner", "a:1", 20)
    assert ("", 10, 20) == (only(seen).why, only(seen).since, only(seen).seen)
    seen.ill("scanner", "a:1", "refused", 30, "b.example")
    seen.ill("scanner", "a:1", "no answer", 40, "c.example")
    one = only(seen)
    assert ("no answer", 30, 40, ["b.example", "c.example"]) == (one.why, one.since, one.seen, one.domains)
    seen.well("scanner", "a:1", 50)
    assert ("", 50, []) == (only(seen).why, only(seen).since, only(seen).domains)


def test_failures_of_a_check() -> None:
    """Their moments are known, of the last ones."""
    seen = Conditions()
    for at in range(conditions.TIMES + 5):
        seen.failed("dnsbl", "ValueError", at)
    assert [float(at) for at in range(5, conditions.TIMES + 5)] == only(seen).times


def test_bounded() -> None:
    """Who is well is forgotten first; reasons and names of domains end somewhere."""
    seen = Conditions()
    seen.ill("list", "sick.example", "x" * 5000, 1)
    for n in range(conditions.MOST + 50):
        seen.well("backend", f"{n}:25", n)
        seen.ill("list", "sick.example", "x" * 5000, 1, f"{n}.example")
    found = seen.all()
    assert conditions.MOST == len(found)
    (sick,) = [one for one in found if one.why]
    assert (conditions.LONGEST, conditions.DOMAINS) == (len(sick.why), len(sick.domains))


def test_written(tmp_path: Path) -> None:
    """What every process saw, where there is news; half a file is left out; forgotten after a fork."""
    seen = Conditions()
    path = tmp_path / "conditions-w0.json"
    seen.ill("list", "bl.example", "lists everything", 5)
    seen.write(path, 5)
    assert [Condition("list", "bl.example", "lists everything", 5, 5)] == written(tmp_path)
    seen.ill("list", "bl.example", "lists everything", 6)
    seen.write(path, 6)
    assert 5 == written(tmp_path)[0].seen
    seen.write(path, 6 + conditions.WRITE_AGAIN)
    assert 6 == written(tmp_path)[0].seen
    (tmp_path / "conditions-w1.json").write_text('[["list"')
    (tmp_path / "conditions-w2.json").write_text("[[1, 2, 3, 4, 5, 6, 7, 8]]")
    assert 1 == len(written(tmp_path))
    seen.reset()
    seen.write(path, 7)
    assert [] == written(tmp_path)


def test_merge() -> None:
    """What was seen last counts; ill is since the first who saw it, not since before it was well."""
    ill = Condition("scanner", "a", "refused", 10, 30, ["x.example"])
    later = Condition("scanner", "a", "no answer", 20, 40, ["y.example"])
    well = Condition("scanner", "a", "", 5, 15)
    (one,) = merge([ill, later])
    assert ("no answer", 10, 40, ["x.example", "y.example"]) == (one.why, one.since, one.seen, one.domains)
    (one,) = merge([ill, later, well])
    assert ("no answer", 20) == (one.why, one.since)
    (one,) = merge([ill, later, Condition("scanner", "a", "", 50, 60)])
    assert ("", 50, 60, []) == (one.why, one.since, one.seen, one.domains)
