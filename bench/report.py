"""What was measured, as JSON to keep and as Markdown to read; pure, but for keep() and kept().

`bench/results/NAME.json` is the last kept run of each workload; RESULTS.md is made from all of them.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.rounds import Sample, Series
from bench.workloads import WORKLOADS, Bar, Workload

UNITS = {"cpu": "CPU s per 1,000 sessions", "p50": "ms a message, median", "kib": "KiB a connection"}


@dataclass(slots=True)
class Result:
    """One workload on one machine."""

    workload: str
    date: str
    machine: str
    rounds: int
    quick: bool
    series: list[Series]

    def find(self, key: str) -> Series | None:
        return next((series for series in self.series if series.key == key), None)


def middle(series: Series) -> float:
    return median(sample.figure for sample in series.samples)


def spread(series: Series) -> str:
    figures = [sample.figure for sample in series.samples]
    if not figures:
        return "-"
    return f"{_number(median(figures))} [{_number(min(figures))}-{_number(max(figures))}]"


def _number(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def _share(value: float) -> str:
    """A share as people say it: 1/3.4 below one half, else a plain number."""
    return f"1/{1 / value:.2g}" if 0 < value <= 0.5 else f"{value:.2f}"


def _bound(bar: Bar, value: float) -> str:
    if bar.more:
        return f"{value:+g}"
    return _share(value) if bar.peer else f"{value:g}"


def judge(bar: Bar, subject: Series, peer: Series | None) -> tuple[str, str]:
    """(the ratio or the figure, "met" or "missed") of one bar."""
    if not subject.samples or (bar.peer and (peer is None or not peer.samples)):
        return "-", "not measured"
    if bar.peer:
        assert peer is not None
        value = middle(subject) - middle(peer) if bar.more else middle(subject) / middle(peer)
        said = f"{value:+.3f}" if bar.more else _share(value)
    else:
        value = middle(subject)
        said = _number(value)
    if value <= bar.better:
        return said, "met, better still too"
    return said, "met" if value <= bar.at_most else "**missed**"


def summary(results: list[Result]) -> list[str]:
    """The table of the bars."""
    lines = [
        "| workload | unit | Gatepost | median [min-max] | against | median [min-max] "
        "| ratio | bar | better still | verdict |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        workload = _workload(result.workload)
        for key in workload.subjects:
            subject = result.find(key)
            for bar in workload.bars if subject else ():
                assert subject is not None
                peer = result.find(bar.peer)
                said, verdict = judge(bar, subject, peer)
                against = peer.title if peer else bar.peer or "a fixed bound"
                lines.append(
                    f"| {workload.name}: {workload.title} | {UNITS[workload.figure]} | {subject.title} "
                    f"| {spread(subject)} | {against} | {spread(peer) if peer else '-'} | {said} "
                    f"| {_bound(bar, bar.at_most)} | {_bound(bar, bar.better)} | {verdict} |"
                )
    return lines


def details(result: Result, with_machine: bool = True) -> list[str]:
    """Everything about one workload."""
    workload = _workload(result.workload)
    lines = [f"## {workload.name}: {workload.title}", ""]
    rounds = f"{result.rounds} rounds{', quick: for a look only' if result.quick else ''}"
    lines += [f"{result.date}, {rounds}{', ' + result.machine if with_machine else ''}.", ""]
    if workload.figure == "kib":
        lines += ["| server | KiB a connection (Pss), median [min-max] | failed |", "|---|---|---|"]
    else:
        lines += [
            "| server | CPU s per 1,000 sessions | user | system | sessions/s "
            "| latency p50 / p99 ms | failed | others' CPU |",
            "|---|---|---|---|---|---|---|---|",
        ]
    for series in result.series:
        lines.append(_row(workload, series) if series.samples else f"| {series.title} | not measured |")
    lines.append("")
    for series in result.series:
        facts = _held_to(workload, series) if series.worker_mib else []
        facts += series.problems
        if facts:
            lines.append(
                f"* {series.title}: " + "; ".join(" ".join(fact.split())[:300] for fact in facts) + "."
            )
    versions = sorted({series.version for series in result.series if series.version})
    ways = sorted({series.how for series in result.series if series.how})
    if versions:
        lines.append(f"* {', '.join(versions)}; CPU time by {' and '.join(ways)}.")
    return [*lines, ""]


def _held_to(workload: Workload, series: Series) -> list[str]:
    """Start and memory of a Gatepost, with the verdict where the workload has a bar for them."""
    megabytes = series.worker_mib * (1 << 20) / 1e6
    facts = []
    for said, value, bar in (
        (f"started in {series.started_in:.2f} s", series.started_in, workload.start_seconds),
        (f"dearest process {megabytes:.0f} MB", megabytes, workload.process_mb),
    ):
        judged = f" (bar {bar:g}: {'met' if value <= bar else '**missed**'})" if bar else ""
        facts.append(said + judged)
    return facts


def _row(workload: Workload, series: Series) -> str:
    samples = series.samples
    failed = sum(sample.errors for sample in samples)
    if workload.figure == "kib":
        return f"| {series.title} | {spread(series)} | {failed} |"

    def mid(name: str) -> float:
        return float(median(getattr(sample, name) for sample in samples))

    totals = [sample.user + sample.system for sample in samples]
    cpu = f"{_number(median(totals))} [{_number(min(totals))}-{_number(max(totals))}]"
    return (
        f"| {series.title} | {cpu} | {_number(mid('user'))} | {_number(mid('system'))} | {mid('rate'):.0f} "
        f"| {mid('p50'):.2f} / {mid('p99'):.2f} | {failed} | {mid('foreign'):.0%} |"
    )


def _workload(name: str) -> Workload:
    return next(workload for workload in WORKLOADS if workload.name == name)


HEAD = """\
# Gatepost beside Postfix and Haraka

Made by `bench/run all --write`; do not edit. What is run and how the peers are set up (in their favour)
stands in [README.md](README.md). CPU seconds are user and system of the server's whole process tree,
dead children included, with its background work after the load; medians of interleaved rounds. A ratio
of 1/5 means: a fifth of the peer's.
"""


def page(results: list[Result], more: Sequence[str] = (), notes: str = "") -> str:
    """The whole page; `more` stands behind the workloads.

    `notes` is what people wrote about the figures: why a bar is missed, what was tried.
    """
    machines = sorted({result.machine for result in results})
    parts = [HEAD, *[f"Machine: {machine}.\n" for machine in machines], *summary(results), ""]
    if notes:
        parts.append(notes)
    for result in results:
        parts += details(result, len(machines) > 1)
    return "\n".join([*parts, *more]).rstrip() + "\n"


def keep(result: Result, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{result.workload}.json").write_text(json.dumps(asdict(result), indent=1) + "\n")


def kept(folder: Path) -> list[Result]:
    """The kept results, in the order of the table."""
    found = []
    for workload in WORKLOADS:
        path = folder / f"{workload.name}.json"
        if path.exists():
            found.append(read_result(json.loads(path.read_text())))
    return found


def read_result(data: dict[str, Any]) -> Result:
    series = [
        Series(**(item | {"samples": [Sample(**sample) for sample in item["samples"]]}))
        for item in data["series"]
    ]
    return Result(**(data | {"series": series}))
