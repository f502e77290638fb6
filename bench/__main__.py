"""`python -m bench WORKLOAD|all`: install the peers, run the rounds, say and keep what came out."""

import argparse
import fcntl
import os
import resource
import sys
from datetime import UTC, datetime

from bench.haraka import Haraka
from bench.install import install
from bench.machine import describe
from bench.places import RESULTS, WORK, BenchError, progress
from bench.profiling import profile
from bench.report import Result, details, keep, summary
from bench.rounds import Runner
from bench.sections import write_page
from bench.workloads import WORKLOADS, Contender, Workload


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench", description=__doc__)
    names = [workload.name for workload in WORKLOADS]
    parser.add_argument(
        "workload", nargs="+", choices=[*names, "all"], metavar="WORKLOAD", help=", ".join([*names, "all"])
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--quick", action="store_true", help="one round of a fifth of the sessions: does it work?"
    )
    parser.add_argument("--write", action="store_true", help="keep the results and make RESULTS.md anew")
    parser.add_argument("--only", default="", help="contenders whose name contains one of these words (a,b)")
    parser.add_argument(
        "--nice", type=int, default=0, help="priority of servers and load; -10 on a machine with others"
    )
    parser.add_argument(
        "--profile", nargs="?", const="py-spy", choices=["py-spy", "perf"], help="profile a worker instead"
    )
    parser.add_argument("--seconds", type=float, default=10, help="of profiling")
    parser.add_argument("--top", type=int, default=35, help="functions in a profile")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    WORK.mkdir(exist_ok=True)
    chosen = [w for w in WORKLOADS if w.name in arguments.workload or "all" in arguments.workload]
    with (WORK / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("bench: another bench is running here", file=sys.stderr)
            return 1
        try:
            return _run(arguments, chosen)
        except BenchError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1


def _run(arguments: argparse.Namespace, chosen: list[Workload]) -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if arguments.nice:
        os.nice(arguments.nice)
    contenders = [contender for workload in chosen for contender in _contenders(workload, arguments.only)]
    haraka = any(isinstance(c.make, type) and issubclass(c.make, Haraka) for c in contenders)
    senders = any(workload.resolver for workload in chosen)
    for missing in install(haraka=haraka and not arguments.profile, postfix=True, senders=senders):
        progress(f"bench: {missing}")
    if arguments.profile:
        for workload in chosen:
            print(f"== {workload.name}")
            print(profile(workload, arguments.profile, arguments.seconds, arguments.top))
        return 0
    results = []
    for workload in chosen:
        progress(f"{workload.name}: {workload.title}")
        results.append(_measure(workload, arguments))
        if arguments.write:
            keep(results[-1], RESULTS)
            write_page()
    for number, result in enumerate(results):
        print("\n".join(details(result, number == 0)))
    print("\n".join(summary(results)))
    return 0 if all(series.samples for result in results for series in result.series) else 1


def _contenders(workload: Workload, only: str) -> tuple[Contender, ...]:
    words = [word for word in only.split(",") if word]
    return tuple(
        contender
        for contender in workload.contenders
        if not words or any(word in getattr(contender.make, "name", "") for word in words)
    )


def _measure(workload: Workload, arguments: argparse.Namespace) -> Result:
    machine = describe()
    rounds = 1 if arguments.quick else arguments.rounds
    runner = Runner(workload, _contenders(workload, arguments.only), rounds, 0.2 if arguments.quick else 1.0)
    series = runner.run()
    date = datetime.now(UTC).strftime("%d %b %Y %H:%M UTC")
    return Result(workload.name, date, machine, rounds, arguments.quick, series)


if __name__ == "__main__":
    sys.exit(main())
