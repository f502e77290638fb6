"""The bench says "met" only when the medians say so, and keeps what it measured."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # bench is not installed with the package

from bench.load import read_outcome
from bench.profiling import read_stacks
from bench.report import Result, details, judge, keep, kept, page, summary
from bench.rounds import Sample, Series
from bench.workloads import Bar


def series(key: str, *figures: float) -> Series:
    return Series(key, key.title(), samples=[Sample(figure, user=figure) for figure in figures])


def result(*all_series: Series) -> Result:
    return Result("reject1", "1 Jan 2026", "a machine", 3, False, list(all_series))


def test_a_bar_is_judged_by_medians() -> None:
    """One bad round does not miss a bar, and one good round does not meet it."""
    peer = series("postfix", 0.3, 0.3, 0.9)
    assert judge(Bar(1 / 3, 1 / 5, "postfix"), series("g", 0.09, 0.09, 0.5), peer) == ("1/3.3", "met")
    assert judge(Bar(1 / 3, 1 / 5, "postfix"), series("g", 0.01, 0.2, 0.2), peer) == ("0.67", "**missed**")
    assert judge(Bar(1 / 3, 1 / 5, "postfix"), series("g", 0.03), peer) == ("1/10", "met, better still too")


def test_a_fixed_bound_needs_no_peer() -> None:
    """Memory a connection is held to a number of KiB."""
    assert judge(Bar(8, 3), series("g", 5.0), None) == ("5.000", "met")
    assert judge(Bar(8, 3), series("g", 9.0), None) == ("9.000", "**missed**")


def test_a_bound_on_what_it_costs_more() -> None:
    """Checks are held to what they add: the difference from the peer, in the unit, not the ratio."""
    bar = Bar(1.0, 0.5, "off", more=True)
    assert judge(bar, series("on", 1.2), series("off", 0.4)) == ("+0.800", "met")
    assert judge(bar, series("on", 1.5), series("off", 0.4)) == ("+1.100", "**missed**")
    assert judge(bar, series("on", 0.3), series("off", 0.4)) == ("-0.100", "met, better still too")


def test_what_did_not_run_is_never_met() -> None:
    """A server without samples, on either side, gives no verdict."""
    assert judge(Bar(1, 1, "postfix"), series("g"), series("postfix", 1.0)) == ("-", "not measured")
    assert judge(Bar(1, 1, "postfix"), series("g", 1.0), series("postfix")) == ("-", "not measured")
    assert judge(Bar(1, 1, "postfix"), series("g", 1.0), None) == ("-", "not measured")


def test_results_are_kept_whole(tmp_path: Path) -> None:
    """What was written is what is read, and the page is made from it."""
    one = result(series("gatepost", 0.1, 0.2, 0.3), series("postfix", 1.0))
    one.series[0].problem("it rained")
    keep(one, tmp_path)
    assert kept(tmp_path) == [one]
    assert json.loads((tmp_path / "reject1.json").read_text())["rounds"] == 3
    text = page(kept(tmp_path))
    assert "| 0.200 [0.100-0.300] |" in text
    assert "it rained" in text
    assert "a machine" in text
    assert "## Why" in page(kept(tmp_path), notes="## Why\n")


def test_a_contender_that_failed_is_shown() -> None:
    """A missing peer is a row that says so, not a gap."""
    lost = series("postfix")
    lost.problem("did not start")
    lines = details(result(series("gatepost", 0.1), lost))
    assert "| Postfix | not measured |" in lines
    assert any("did not start" in line for line in lines)
    assert any("not measured" in line for line in summary([result(series("gatepost", 0.1), lost)]))


def test_start_and_memory_have_bars() -> None:
    """With 100,000 domains the time to start and the dearest process are judged beside the cost."""
    large = series("gatepost-large/all", 0.1)
    large.started_in, large.worker_mib = 6.0, 100.0
    lines = details(Result("scale-reject", "1 Jan 2026", "a machine", 3, False, [large]))
    assert any(
        "started in 6.00 s (bar 5: **missed**); dearest process 105 MB (bar 150: met)" in x for x in lines
    )


def test_the_generators_line_is_read() -> None:
    """load.c's JSON, with its time limit told."""
    times = '{"p50":1.5,"p90":2,"p99":3,"max":4}'
    line = (
        f'{{"sessions":9,"errors":1,"timed_out":true,"accepted":0,"refused":9,"held":0,"seconds":2.0,'
        f'"message_ms":{times},"session_ms":{times},"cpu":0.1,"first_error":"RCPT: 250 ok"}}'
    )
    outcome = read_outcome(line)
    assert (outcome.sessions, outcome.errors, outcome.p50) == (9, 1, 1.5)
    assert outcome.first_error == "RCPT: 250 ok (time limit reached)"


def test_profile_counts_a_function_once_in_a_stack() -> None:
    """Recursion does not make more than the whole; lines of one function are one row."""
    text = read_stacks("main (a.py:1);work (b.py:2);work (b.py:3) 3\nmain (a.py:1) 1\n", 5)
    assert "4 samples" in text
    assert "  75.0%   75.0%  work (b.py)" in text
    assert "  25.0%  100.0%  main (a.py)" in text
