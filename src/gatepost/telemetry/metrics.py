"""Every metric of the product, each with its sentence, and their Prometheus text form.

A metric is a dictionary in this process; counting is one addition. The processes hand `snapshot()`
to the keeper, which shows `render(merge(snapshots))` at /metrics. Labels are few and bounded: a
plugin's name, a fate, a result; never a domain, an address or anything else that a sender chooses.
What would go over `LABEL_LIMIT` is counted under `other`.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

from gatepost import __version__

LABEL_LIMIT = 200
"""Label values of one metric in one process."""
SECONDS = (0.0001, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0)

Snapshot = dict[str, list[list[Any]]]
"""name -> rows of [labels, value]; plain lists, so that it can be sent as JSON."""

METRICS: dict[str, Metric] = {}


class Metric:
    """What all kinds share: a name, a sentence, label names, and values by label values."""

    kind: ClassVar[str] = "untyped"
    __slots__ = ("fold", "labels", "name", "sentence", "values")

    def __init__(
        self,
        name: str,
        sentence: str,
        labels: tuple[str, ...] = (),
        fold: Literal["sum", "max", "min"] = "sum",
    ) -> None:
        if name in METRICS:
            raise ValueError(f"metric {name} is declared twice")
        self.name = name
        self.sentence = sentence
        self.labels = labels
        self.fold = fold
        """How the values of several processes become one."""
        self.values: dict[tuple[str, ...], Any] = {}
        METRICS[name] = self

    def room(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        """Return the labels under which a value that is not yet there may be kept."""
        if len(labels) != len(self.labels):
            raise ValueError(f"{self.name} has the labels {self.labels}, got {labels}")
        if len(self.values) >= LABEL_LIMIT:
            return ("other",) * len(self.labels)
        return labels

    def rows(self) -> list[list[Any]]:
        """Return the values as plain lists."""
        return [[list(labels), value] for labels, value in self.values.items()]


class Counter(Metric):
    """Only goes up."""

    kind = "counter"
    __slots__ = ()
    values: dict[tuple[str, ...], float]

    def inc(self, n: float = 1, *labels: str) -> None:
        """Count `n` more."""
        values = self.values
        if labels not in values:
            labels = self.room(labels)
            values.setdefault(labels, 0)
        values[labels] += n


class Gauge(Metric):
    """Goes up and down."""

    kind = "gauge"
    __slots__ = ()
    values: dict[tuple[str, ...], float]

    def set(self, value: float, *labels: str) -> None:
        """Say what it is now."""
        if labels not in self.values:
            labels = self.room(labels)
        self.values[labels] = value

    def inc(self, n: float = 1, *labels: str) -> None:
        """Add `n` (which may be negative)."""
        if labels not in self.values:
            labels = self.room(labels)
        self.values[labels] = self.values.get(labels, 0) + n


class Histogram(Metric):
    """How often a value fell into which bucket, and the sum of all values."""

    kind = "histogram"
    __slots__ = ("buckets",)
    values: dict[tuple[str, ...], list[float]]

    def __init__(
        self, name: str, sentence: str, labels: tuple[str, ...] = (), buckets: tuple[float, ...] = SECONDS
    ) -> None:
        super().__init__(name, sentence, labels)
        self.buckets = buckets

    def observe(self, value: float, *labels: str) -> None:
        """Count one value."""
        row = self.values.get(labels)
        if row is None:
            labels = self.room(labels)
            row = self.values.setdefault(labels, [0.0] * (len(self.buckets) + 2))
        row[bisect_left(self.buckets, value)] += 1
        row[-1] += value

    def rows(self) -> list[list[Any]]:
        """Return counts per bucket, the count above all buckets, and the sum, as plain lists."""
        return [[list(labels), list(row)] for labels, row in self.values.items()]


def snapshot() -> Snapshot:
    """Return the values of this process."""
    return {name: metric.rows() for name, metric in METRICS.items() if metric.values}


def reset() -> None:
    """Forget all values. A process calls it after fork, so that it counts only its own deeds."""
    for metric in METRICS.values():
        metric.values.clear()
    BUILD_INFO.set(1, __version__)


def merge(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Return one snapshot of many processes: sums, or the greatest or least where the metric says so."""
    merged: dict[str, dict[tuple[str, ...], Any]] = {}
    for one in snapshots:
        for name, rows in one.items():
            fold = METRICS[name].fold if name in METRICS else "sum"
            into = merged.setdefault(name, {})
            for labels, value in rows:
                key = tuple(labels)
                into[key] = _folded(fold, into[key], value) if key in into else value
    return {name: [[list(key), value] for key, value in rows.items()] for name, rows in merged.items()}


def written(folder: Path) -> list[Snapshot]:
    """Return what each process wrote of its own into a folder, as it stood last."""
    found = []
    for path in sorted(folder.glob("metrics-*.json")):
        try:
            found.append(json.loads(path.read_text()))
        except (OSError, ValueError):
            continue  # being replaced, or of a process that is gone: counted the next time
    return found


def _folded(fold: str, a: Any, b: Any) -> Any:
    if isinstance(a, list):
        return [x + y for x, y in zip(a, b, strict=True)]
    return a + b if fold == "sum" else max(a, b) if fold == "max" else min(a, b)


def render(values: Snapshot) -> str:
    """Return the Prometheus text form (version 0.0.4): every declared metric, also those without a value."""
    out: list[str] = []
    for name, metric in sorted(METRICS.items()):
        out.append(f"# HELP {name} {_quoted(metric.sentence)}")
        out.append(f"# TYPE {name} {metric.kind}")
        rows = values.get(name, [])
        if not rows and not metric.labels and not isinstance(metric, Histogram):
            rows = [[[], 0]]
        for labels, value in sorted(rows, key=lambda row: row[0]):
            pairs = list(zip(metric.labels, labels, strict=False))
            if isinstance(metric, Histogram):
                out.extend(_histogram(metric, pairs, value))
            else:
                out.append(f"{name}{_labels(pairs)} {_number(value)}")
    return "\n".join(out) + "\n"


def _histogram(metric: Histogram, pairs: list[tuple[str, str]], row: list[float]) -> list[str]:
    out = []
    total = 0.0
    for bound, count in zip([*map(_number, metric.buckets), "+Inf"], row[:-1], strict=True):
        total += count
        le = ("le", bound)
        out.append(f"{metric.name}_bucket{_labels([*pairs, le])} {_number(total)}")
    out.append(f"{metric.name}_sum{_labels(pairs)} {_number(row[-1])}")
    out.append(f"{metric.name}_count{_labels(pairs)} {_number(total)}")
    return out


def _labels(pairs: list[tuple[str, str]]) -> str:
    if not pairs:
        return ""
    return "{" + ",".join(f'{name}="{_quoted(value)}"' for name, value in pairs) + "}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 9))


SESSIONS = Counter(
    "gatepost_sessions_total", "SMTP sessions that ended, those sent away before the dialogue among them."
)
CONNECTIONS_OPEN = Gauge("gatepost_connections_open", "SMTP connections that are open now.")
CONNECTIONS_REFUSED = Counter(
    "gatepost_connections_refused_total",
    "Connections answered with 421 or 554 and closed, by cause.",
    ("cause",),
)
OUTCOMES = Counter("gatepost_outcomes_total", "What became of a recipient's copy of a mail.", ("fate",))
REFUSALS = Counter(
    "gatepost_refusals_total", "Refusals and deferrals, by the check that decided.", ("plugin",)
)
MESSAGE_BYTES = Counter("gatepost_message_bytes_total", "Bytes of messages received.")
DECISION_SECONDS = Histogram("gatepost_decision_seconds", "From the end of the data to our reply.")
PLUGIN_SECONDS = Counter(
    "gatepost_plugin_seconds_total", "Seconds that a check took, waiting included.", ("plugin",)
)
PLUGIN_FAILURES = Counter(
    "gatepost_plugin_failures_total",
    "Checks that could not answer: time-out, exception, nonsense.",
    ("plugin",),
)
ALERTS = Counter("gatepost_alerts_total", "What checks told the administrator, by check.", ("plugin",))
DNS_QUERIES = Counter("gatepost_dns_queries_total", "DNS questions that went out, by result.", ("result",))
RELAY_ATTEMPTS = Counter(
    "gatepost_relay_attempts_total",
    "Copies handed to the domains' own servers, by what those said.",
    ("result",),
)
ARCHIVE_KEPT = Counter("gatepost_archive_kept_total", "Messages put into the archive.")
ARCHIVE_DROPPED = Counter("gatepost_archive_dropped_total", "Refused messages that could not be kept.")
SPOOL_MESSAGES = Gauge("gatepost_spool_messages", "Messages that wait in the spool.", fold="max")
POLICY_VERSION = Gauge(
    "gatepost_policy_version", "Version of the policy in force; the oldest of all processes.", fold="min"
)
JOURNAL_LAG = Gauge(
    "gatepost_journal_lag_seconds", "Age of the oldest journal line not yet collected.", fold="max"
)
EARLY_TALKERS = Counter("gatepost_early_talkers_total", "Clients that talked before the greeting.")
STARTTLS_INJECTIONS = Counter(
    "gatepost_starttls_injections_total", "Sessions with bytes pipelined behind STARTTLS."
)
ALARMS_OPEN = Gauge("gatepost_alarms_open", "Alarms that go on.", fold="max")
WORKERS_RESTARTED = Counter(
    "gatepost_workers_restarted_total", "Workers that died or stood still and were replaced."
)
LOG_LINES_LOST = Counter("gatepost_log_lines_lost_total", "Log lines that could not be written.")
BUILD_INFO = Gauge("gatepost_build_info", "1, with the version as label.", ("version",), fold="max")
BUILD_INFO.set(1, __version__)
