"""The trace of a mail: ordered, bounded, read back equal."""

import json

from gatepost.telemetry.trace import MAX_DETAIL, MAX_STEPS, Trace, read_trace


def test_steps_come_back() -> None:
    """What was written down is what `explain` reads."""
    trace = Trace()
    trace.step("connect", "client", "192.0.2.1")
    trace.step("check", "dnsbl", "reject", 12.3456, "listed in bl.test: 127.0.0.2")

    text = trace.as_json()

    assert text.startswith(
        '[["connect","client","192.0.2.1",0.0,""],["check","dnsbl","reject",12.346,"listed'
    )
    assert [
        ("connect", "client", "192.0.2.1", 0.0, ""),
        ("check", "dnsbl", "reject", 12.346, "listed in bl.test: 127.0.0.2"),
    ] == read_trace(text)


def test_folded_trace_is_empty() -> None:
    """The trace of a folded refusal was not kept."""
    assert [] == read_trace("")


def test_trace_is_bounded() -> None:
    """Steps beyond the bound are counted, long details are cut."""
    trace = Trace()
    for n in range(MAX_STEPS + 3):
        trace.step("check", str(n), "none", 0.0, "x" * 10_000)

    rows = json.loads(trace.as_json())

    assert MAX_STEPS + 1 == len(rows)
    assert ["trace", "dropped", "3", 0.0, "more than 500 steps"] == rows[-1]
    assert MAX_DETAIL == len(rows[0][4])


def test_hostile_text_is_ascii() -> None:
    """What strangers wrote is escaped by JSON."""
    trace = Trace()
    trace.step("helo", "\u202e\n\udc80", "\u2028")

    assert trace.as_json().isascii()
    assert 1 == len(trace.as_json().splitlines())
