# ruff: noqa: E501 - lines of the page stand here as long as they are
"""How good the classifier is, and what it costs: beside bogofilter and CRM114 on the same messages in one run.

    .venv/bin/python -m bench.classifier [--write] [--first N] [--without-peers]

Method (../shared/data/README.md): in the order of time, each message is classified, then its label is revealed and
trained; empty start, one pass. `modern-2019-2021` and `spamassassin` are read in place, nothing of them is kept.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.places import RESULTS
from bench.sections import write_page
from gatepost.learn.features import Features, features
from gatepost.learn.model import BASE_SLOTS, Model
from gatepost.mail.message import Message, find_border

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
KEPT = RESULTS / "classifier.json"
GRAPH = RESULTS / "classifier.svg"
CORPORA = ("modern-2019-2021", "spamassassin")
SEED = 12_345
DAY = 86_400
RESAMPLES = 300
LISTS = 8
"""Mailing lists that are looked at as domains: the largest with both kinds."""
OSB = "<osb unique microgroom>"

Rows = list[tuple[bool, float, str | None]]


class Mail(NamedTuple):
    """One message of a corpus, read."""

    spam: bool
    seen: Features
    day: float
    to: str


def _roc() -> Any:
    spec = importlib.util.spec_from_file_location("roc", DATA / "roc.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def index(corpus: str) -> list[tuple[bool, Path]]:
    """Return (spam, file) in the order of the corpus."""
    lines = (DATA / corpus / "index").read_text().splitlines()
    return [(line.split()[0] == "spam", DATA / corpus / line.split()[1]) for line in lines]


def message_of(raw: bytes) -> Message:
    """Return a message as it would have come over SMTP."""
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    border = find_border(raw)
    return Message(raw[:border] if border >= 0 else raw, raw)


def mails(corpus: str, first: int) -> list[Mail]:
    """Read a corpus; its features stay in memory."""
    days = {}
    envelope = DATA / corpus / "envelope.tsv"
    if envelope.exists():
        days = {
            row.split("\t")[0]: row.split("\t")[2]
            for row in envelope.read_text("utf-8", "replace").split("\n")[1:-1]
        }
    found = []
    for spam, path in index(corpus)[:first]:
        message = message_of(path.read_bytes())
        day = days.get(path.stem, "0")
        to = re.search(r"<([^<>]+)>", message.get("List-Id") or "")
        to = to or re.search(r"([\w.+-]+@[\w.-]+)", message.get("To") or "")
        found.append(Mail(spam, features(message, SEED), float(day) if day[:1].isdigit() else 0.0,
                          to[1].lower() if to else ""))  # fmt: skip
    return found


# -- filters ---------------------------------------------------------------------------------


def immediate(corpus: list[Mail], model: Model | None = None) -> Rows:
    """Classify, then train, one after the other."""
    model = model if model is not None else Model.empty()
    return [(mail.spam, model.train(mail.seen, spam=mail.spam).total, None) for mail in corpus]


def bogofilter(corpus: str, first: int) -> Rows:
    """Two processes a message, as it is run behind a mail server."""
    rows: Rows = []
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for spam, path in index(corpus)[:first]:
            raw = path.read_bytes()
            said = _run(["bogofilter", "-TT", "-d", folder], raw).split()
            rows.append((spam, float(said[0]) if said else 0.5, None))
            _run(["bogofilter", "-s" if spam else "-n", "-d", folder], raw)
    return rows


def crm114(corpus: str, first: int) -> Rows:
    """OSB, one process to classify and one to learn."""
    rows: Rows = []
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for name in ("ham", "spam"):
            subprocess.run(
                ["cssutil", "-b", "-r", f"{name}.css"], cwd=folder, capture_output=True, check=False
            )
        ask = "-{ isolate (:s:) {classify " + OSB + " (ham.css | spam.css) (:s:)} output /:*:s:/ }"
        for spam, path in index(corpus)[:first]:
            raw = path.read_bytes()
            found = re.search(rb"spam\.css\): .*pR: *(-?[0-9.]+)", _run(["crm", ask], raw, folder))
            rows.append((spam, float(found[1]) if found else 0.0, None))
            _run(["crm", "-{ learn " + OSB + f" ({'spam' if spam else 'ham'}.css) }}"], raw, folder)
    return rows


def _run(command: list[str], raw: bytes, folder: str | None = None) -> bytes:
    return subprocess.run(command, input=raw, capture_output=True, cwd=folder, timeout=60, check=False).stdout


# -- feedback that is not what one would like --------------------------------------------------


def delayed(corpus: list[Mail], seconds: float) -> Rows:
    """Labels come this much later."""
    model = Model.empty()
    rows: Rows = []
    waiting: list[Mail] = []
    for mail in corpus:
        while waiting and waiting[0].day <= mail.day - seconds:
            late = waiting.pop(0)
            model.train(late.seen, spam=late.spam)
        rows.append((mail.spam, model.score(mail.seen).total, None))
        waiting.append(mail)
    return rows


def wrong(corpus: list[Mail], share: float) -> Rows:
    """A share of the labels is wrong."""
    dice, model = random.Random(1), Model.empty()
    rows: Rows = []
    for mail in corpus:
        rows.append((mail.spam, model.score(mail.seen).total, None))
        model.train(mail.seen, spam=mail.spam != (dice.random() < share))
    return rows


def errors_and(corpus: list[Mail], share: float) -> Rows:
    """Only errors are told, and a random share of the rest."""
    dice, model = random.Random(1), Model.empty()
    rows: Rows = []
    for mail in corpus:
        score = model.score(mail.seen).total
        rows.append((mail.spam, score, None))
        if (score > 0) != mail.spam or dice.random() < share:
            model.train(mail.seen, spam=mail.spam)
    return rows


def with_base(corpus: list[Mail], to: str) -> tuple[Rows, Rows]:
    """One list as a domain of its own, alone and leaning on a live base of all others."""
    teacher = Model.empty(slots=BASE_SLOTS)
    alone, leaning = Model.empty(), Model.empty([table.weights for table in teacher.tables])
    rows: tuple[Rows, Rows] = ([], [])
    for mail in corpus:
        if mail.to != to:
            teacher.train(mail.seen, spam=mail.spam)
            continue
        for out, model in zip(rows, (alone, leaning), strict=True):
            out.append((mail.spam, model.train(mail.seen, spam=mail.spam).total, None))
    return rows


def interleaved(first: list[Mail], second: list[Mail]) -> bool:
    """Two domains in turn, with a frozen base: each one's scores are those of its solo run, to the last digit."""
    teacher = Model.empty(slots=BASE_SLOTS)
    immediate(second[:500], teacher)
    base = [table.weights.copy() for table in teacher.tables]
    solo = [immediate(corpus, Model.empty(base)) for corpus in (first, second)]
    models = [Model.empty(base), Model.empty(base)]
    both: list[Rows] = [[], []]
    for n in range(max(len(first), len(second))):
        for which, corpus in enumerate((first, second)):
            if n < len(corpus):
                both[which] += immediate([corpus[n]], models[which])
    return both == solo


# -- figures ------------------------------------------------------------------------------------


def errors(rows: Rows, first: int) -> int:
    """Return the errors among the first ones, at log-odds 0."""
    return sum((score > 0) != spam for spam, score, _ in rows[:first])


def area(scores: Any, labels: Any) -> float:
    """Return (1-ROCA)% by ranks, ties halved."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    _, inverse, counts = np.unique(scores[order], return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks[order] = (ends - (counts - 1) / 2)[inverse]
    spam = int(labels.sum())
    ham = len(labels) - spam
    if not spam or not ham:
        return 0.0
    return float(100 * (1 - (ranks[labels].sum() - spam * (spam + 1) / 2) / (spam * ham)))


def difference(ours: Rows, theirs: Rows) -> tuple[float, float]:
    """Return the middle 95 % of the difference of (1-ROCA)%, theirs less ours, over resampled messages."""
    labels = np.array([spam for spam, _, _ in ours])
    a, b = (np.array([score for _, score, _ in rows]) for rows in (ours, theirs))
    dice = np.random.default_rng(1)
    found = []
    for _ in range(RESAMPLES):
        chosen = dice.integers(0, len(labels), len(labels))
        found.append(area(b[chosen], labels[chosen]) - area(a[chosen], labels[chosen]))
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def costs(corpus: str, first: int) -> dict[str, float]:
    """Return milliseconds of CPU to classify (reading and parsing included) and to train, and bytes kept."""
    model, classify, train, kept = Model.empty(), 0.0, 0.0, 0
    chosen = index(corpus)[:first]
    for spam, path in chosen:
        raw = path.read_bytes()
        began = time.process_time()
        seen = features(message_of(raw), SEED)
        model.score(seen)
        middle = time.process_time()
        model.train(seen, spam=spam)
        train += time.process_time() - middle
        classify += middle - began
        kept += len(seen.pack())
    count = len(chosen)
    return {
        "classify_ms": classify / count * 1e3,
        "train_ms": train / count * 1e3,
        "features_bytes": kept / count,
    }


def measure(first: int, *, peers: bool) -> dict[str, Any]:
    """Run all of it."""
    roc = _roc()
    out: dict[str, Any] = {"when": time.strftime("%d %b %Y %H:%M UTC", time.gmtime()), "corpora": {}}
    jobs: list[tuple[str, str, Callable[[str, int], Rows]]] = []
    if peers:
        for name in ("bogofilter", "crm"):
            if shutil.which(name) is None:
                raise SystemExit(f"bench: {name} is missing: apt-get install bogofilter crm114")
        jobs = [(corpus, f.__name__, f) for corpus in CORPORA for f in (bogofilter, crm114)]
    with ThreadPoolExecutor(2) as pool:
        futures = [(corpus, name, pool.submit(run, corpus, first)) for corpus, name, run in jobs]
        read = {corpus: mails(corpus, first) for corpus in CORPORA}
        for corpus in CORPORA:
            print(f"{corpus}: {len(read[corpus])} messages", file=sys.stderr)
            ours = immediate(read[corpus])
            found = {"gatepost": _figures(roc, ours)}
            for name, future in [(name, f) for c, name, f in futures if c == corpus]:
                theirs = future.result()
                found[name] = _figures(roc, theirs, 0.5 if name == "bogofilter" else 0.0)
                found[name]["more_than_ours"] = difference(ours, theirs)
            out["corpora"][corpus] = found
    out["costs"] = costs(CORPORA[0], min(first, 3_000))
    modern = read[CORPORA[0]]
    runs = {
        "at once": immediate(modern),
        "a day late": delayed(modern, DAY),
        "1 % wrong": wrong(modern, 0.01),
        "5 % wrong": wrong(modern, 0.05),
        "errors and 10 %": errors_and(modern, 0.1),
    }
    out["feedback"] = {name: _figures(roc, rows) | {"first": [errors(rows, n) for n in (100, 500, 1_000)]}
                       for name, rows in runs.items()}  # fmt: skip
    out["curves"] = {name: _curve(rows) for name, rows in runs.items()}
    out["lists"] = list(_lists(modern))
    out["interleaved"] = interleaved(modern[:1_500], read[CORPORA[1]][:1_500])
    return out


def _figures(roc: Any, rows: Rows, threshold: float = 0.0) -> dict[str, Any]:
    found = roc.figures(rows, threshold)
    return {key: found.get(key) for key in ("roca", "lo", "hi", "hm", "sm", "ham", "spam", "sm_at_h1")}


def _curve(rows: Rows) -> list[int]:
    wrongs = np.cumsum([(score > 0) != spam for spam, score, _ in rows])
    return [int(wrongs[n]) for n in range(0, len(rows), max(1, len(rows) // 200))]


def _lists(modern: list[Mail]) -> Iterator[dict[str, Any]]:
    kinds: dict[str, Counter[bool]] = defaultdict(Counter)
    for mail in modern:
        kinds[mail.to][mail.spam] += 1
    both = [to for to, kind in kinds.items() if to and min(kind[True], kind[False]) >= 5]
    for to in sorted(both, key=lambda to: -sum(kinds[to].values()))[:LISTS]:
        alone, leaning = with_base(modern, to)
        yield {"name": to.partition("@")[0], "ham": kinds[to][False], "spam": kinds[to][True],
               "alone": errors(alone, 500), "leaning": errors(leaning, 500)}  # fmt: skip


# -- the page -------------------------------------------------------------------------------------


def lines(data: dict[str, Any]) -> list[str]:
    """Return the section of RESULTS.md."""
    out = ["## Classifier beside bogofilter and CRM114", "", f"{data['when']}; `python -m bench.classifier --write`. "
           "Immediate feedback, empty start, one pass; (1-ROCA)% with its 95 % interval; spam missed at 0.1 % ham lost.", "",
           "| corpus | filter | (1-ROCA)% | ham lost | spam missed | spam missed at 0.1 % | theirs less ours, 95 % of resamples |",
           "|---|---|---|---|---|---|---|"]  # fmt: skip
    for corpus, found in data["corpora"].items():
        for name, f in found.items():
            more = f.get("more_than_ours")
            pair = f"{more[0]:+.3f} to {more[1]:+.3f}" if more else ""
            out.append(f"| {corpus} | {name} | {f['roca']:.3f} ({f['lo']:.3f}-{f['hi']:.3f}) | {f['hm']} of {f['ham']} | "
                       f"{f['sm']} of {f['spam']} | {f['sm_at_h1']:.2f} % | {pair} |")  # fmt: skip
    cost = data["costs"]
    out += ["", f"CPU a message over `{CORPORA[0]}`: classify {cost['classify_ms']:.2f} ms with parsing (bar 1.5), train "
            f"{cost['train_ms']:.2f} ms (bar 0.8). A domain's model is 988,096 bytes (bar 1 MB), the base 7.8 MB (16); features kept of a "
            f"message {cost['features_bytes'] / 1024:.1f} KiB.", "",
            "| feedback on `modern-2019-2021` | (1-ROCA)% | ham lost | spam missed | errors in the first 100 / 500 / 1,000 |",
            "|---|---|---|---|---|"]  # fmt: skip
    for name, f in data["feedback"].items():
        out.append(
            f"| {name} | {f['roca']:.3f} | {f['hm']} | {f['sm']} | {' / '.join(map(str, f['first']))} |"
        )
    out += ["", "![errors so far](results/classifier.svg)", "",
            "| a list as a domain | ham / spam | errors in the first 500, alone | with a live base of the others |",
            "|---|---|---|---|"]  # fmt: skip
    out += [
        f"| {one['name']} | {one['ham']} / {one['spam']} | {one['alone']} | {one['leaning']} |"
        for one in data["lists"]
    ]
    alone, leaning = (sum(one[key] for one in data["lists"]) for key in ("alone", "leaning"))
    same = "equal to the last digit" if data["interleaved"] else "**different**"
    out += [f"| all | | {alone} | {leaning} |", "",
            f"Two domains interleaved over a frozen base: each one's scores and its solo run's are {same}.", ""]  # fmt: skip
    return out


def graph(curves: dict[str, list[int]]) -> str:
    """Return the errors so far as a picture."""
    colours = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd")
    most = max(max(curve) for curve in curves.values()) or 1
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 320" font-family="sans-serif" font-size="12">',
             '<rect width="720" height="320" fill="white"/>', f'<text x="8" y="16">errors so far (up to {most})</text>',
             '<text x="420" y="312">messages of modern-2019-2021 in order</text>']  # fmt: skip
    for n, (name, curve) in enumerate(curves.items()):
        points = " ".join(
            f"{40 + 500 * i / max(1, len(curve) - 1):.1f},{290 - 260 * y / most:.1f}"
            for i, y in enumerate(curve)
        )
        parts.append(
            f'<polyline fill="none" stroke="{colours[n % 5]}" stroke-width="1.5" points="{points}"/>'
        )
        parts.append(f'<text x="550" y="{40 + 18 * n}" fill="{colours[n % 5]}">{name}: {curve[-1]}</text>')
    return "\n".join([*parts, "</svg>", ""])


def section() -> list[str]:
    """What was kept, as lines of RESULTS.md; nothing where it was never run."""
    return lines(json.loads(KEPT.read_text())) if KEPT.exists() else []


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser("bench.classifier", description=__doc__)
    parser.add_argument("--first", type=int, default=1_000_000, help="only so many messages of each corpus")
    parser.add_argument("--without-peers", action="store_true", help="only Gatepost")
    parser.add_argument("--write", action="store_true", help="keep the figures and make RESULTS.md anew")
    arguments = parser.parse_args()
    data = measure(arguments.first, peers=not arguments.without_peers)
    print("\n".join(lines(data)))
    if arguments.write:
        curves = data.pop("curves")
        KEPT.write_text(json.dumps(data, indent=1) + "\n")
        GRAPH.write_text(graph(curves))
        write_page()
    return 0


if __name__ == "__main__":
    sys.exit(main())
