"""Metrics: counting, joining the counts of processes, and the text that Prometheus reads."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost import __version__
from gatepost.telemetry import metrics
from gatepost.telemetry.metrics import METRICS, Counter, Gauge, Histogram, merge, render, snapshot


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Begin and end with nothing counted, and with the metrics that are declared."""
    declared = dict(METRICS)
    metrics.reset()
    yield
    METRICS.clear()
    METRICS.update(declared)
    metrics.reset()


def test_names_and_sentences() -> None:
    """Each metric has our prefix, base units and a sentence; counters end in _total."""
    for name, metric in METRICS.items():
        assert re.fullmatch(r"gatepost_[a-z_]+", name)
        assert metric.sentence.endswith(".") or metric.sentence.endswith("label.")
        assert isinstance(metric, Counter) == name.endswith("_total")
        assert not re.search(r"(_ms|_millis|_kb|_minutes)", name)


def test_a_name_is_declared_once() -> None:
    """Two metrics of one name are a mistake that shows at import."""
    with pytest.raises(ValueError, match="twice"):
        Counter("gatepost_sessions_total", "Again.")


def test_wrong_labels_are_an_error() -> None:
    """The number of labels is checked when a value is first seen."""
    with pytest.raises(ValueError, match="labels"):
        metrics.OUTCOMES.inc(1)


def test_labels_are_bounded() -> None:
    """A label that a stranger could choose would not fill the memory."""
    for n in range(1000):
        metrics.REFUSALS.inc(1, f"plugin{n}")

    assert 201 == len(metrics.REFUSALS.values)
    assert 800 == metrics.REFUSALS.values[("other",)]


def test_merge_sums_counters_and_takes_the_oldest_policy() -> None:
    """Snapshots of two workers become one; they may have travelled as JSON."""
    metrics.SESSIONS.inc()
    metrics.OUTCOMES.inc(2, "accept")
    metrics.POLICY_VERSION.set(7)
    metrics.JOURNAL_LAG.set(0.5)
    metrics.DECISION_SECONDS.observe(0.003)
    first = json.loads(json.dumps(snapshot()))
    metrics.reset()
    metrics.SESSIONS.inc(3)
    metrics.OUTCOMES.inc(1, "reject")
    metrics.POLICY_VERSION.set(6)
    metrics.JOURNAL_LAG.set(0.25)
    metrics.DECISION_SECONDS.observe(20)

    both = merge([first, snapshot()])

    assert [[[], 4]] == both["gatepost_sessions_total"]
    assert [[["accept"], 2], [["reject"], 1]] == both["gatepost_outcomes_total"]
    assert [[[], 6]] == both["gatepost_policy_version"]
    assert [[[], 0.5]] == both["gatepost_journal_lag_seconds"]
    assert [[[__version__], 1]] == both["gatepost_build_info"]
    text = render(both)
    assert 'gatepost_decision_seconds_bucket{le="0.001"} 0' in text
    assert 'gatepost_decision_seconds_bucket{le="0.005"} 1' in text
    assert 'gatepost_decision_seconds_bucket{le="10"} 1' in text
    assert 'gatepost_decision_seconds_bucket{le="+Inf"} 2' in text
    assert "gatepost_decision_seconds_sum 20.003" in text
    assert "gatepost_decision_seconds_count 2" in text


def test_every_metric_is_shown_from_the_start() -> None:
    """A graph needs the zero before the first event."""
    text = render(snapshot())

    assert "# TYPE gatepost_sessions_total counter\ngatepost_sessions_total 0\n" in text
    assert f'gatepost_build_info{{version="{__version__}"}} 1' in text
    for name in METRICS:
        assert f"# HELP {name} " in text


def test_histogram_with_labels() -> None:
    """The bucket's bound stands beside the other labels."""
    took = Histogram("gatepost_test_took_seconds", "Some time.", ("plugin",), buckets=(0.1, 1.0))
    took.observe(0.5, "dnsbl")

    text = render(snapshot())
    assert 'gatepost_test_took_seconds_bucket{plugin="dnsbl",le="0.1"} 0' in text
    assert 'gatepost_test_took_seconds_bucket{plugin="dnsbl",le="1"} 1' in text
    assert 'gatepost_test_took_seconds_count{plugin="dnsbl"} 1' in text


def test_text_is_well_formed() -> None:
    """Each line is a comment or a sample, also with odd characters in labels."""
    metrics.REFUSALS.inc(1, 'we"ird\\pl\nugin')
    Gauge("gatepost_test_value", "A sentence with a \\ and\na line end.").set(0.1)
    Histogram("gatepost_test_seconds", "Some time.").observe(1e-7)

    sample = re.compile(r'[a-z_]+(\{[a-z]+="([^"\\\n]|\\.)*"(,[a-z]+="([^"\\\n]|\\.)*")*\})? [0-9.e+-]+')
    for line in render(snapshot()).splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or sample.fullmatch(line), line


def test_gauge_goes_down() -> None:
    """Open connections are counted up and down."""
    metrics.CONNECTIONS_OPEN.inc()
    metrics.CONNECTIONS_OPEN.inc()
    metrics.CONNECTIONS_OPEN.inc(-1)

    assert "gatepost_connections_open 1\n" in render(snapshot())


def test_numbers_from_an_unknown_process_are_kept_apart() -> None:
    """A snapshot of another version with a metric that we do not know is summed and not shown."""
    both = merge([{"gatepost_future_total": [[[], 1]]}, {"gatepost_future_total": [[[], 1]]}])

    assert [[[], 2]] == both["gatepost_future_total"]
    assert "future" not in render(both)


def test_written(tmp_path: Path) -> None:
    """What each process wrote is read; half a file and other files are not."""
    for name, text in (("metrics-w0.json", '{"a": []}'), ("metrics-w1.json", "{"), ("other.json", "{}")):
        (tmp_path / name).write_text(text)
    assert [{"a": []}] == metrics.written(tmp_path)
    assert [] == metrics.written(tmp_path / "nowhere")
