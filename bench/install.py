"""Fetches what the workloads compare with, where it is missing: Postfix from Debian, Haraka from npm.

A package is installed only when apt would remove nothing for it (Postfix and Exim push one another out),
and no service is started: the bench runs its own instances from its own folders.
"""

import os
import shutil
from pathlib import Path

from bench.haraka import HOME, Haraka
from bench.load import generator
from bench.places import PYTHON, VOLATILE, WORK, BenchError, call

HARAKA = "Haraka@~3.3.0"
HARAKA_NODE = 20
NODE = "node@22"
"""npm's package of the Node binary, for machines whose own Node is too old (Debian 12 has 18)."""


def install(*, haraka: bool, postfix: bool, senders: bool) -> list[str]:
    """Make everything ready; what could not be had, as sentences."""
    WORK.mkdir(exist_ok=True)
    VOLATILE.mkdir(parents=True, exist_ok=True)
    VOLATILE.chmod(0o755)
    missing = []
    steps = [(_postfix, postfix), (_generator, True), (_haraka, haraka), (_checkers, senders)]
    for step, wanted in steps:
        try:
            if wanted:
                step()
        except BenchError as error:
            missing.append(str(error))
    return missing


def _postfix() -> None:
    if shutil.which("postfix") and shutil.which("smtp-sink"):
        return
    if shutil.which("debconf-set-selections"):
        call("debconf-set-selections", stdin="postfix postfix/main_mailer_type select No configuration\n")
    _apt("postfix")


def _checkers() -> None:
    for package in ("unbound", "opendkim", "opendmarc"):
        if shutil.which(package, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            _apt(package)


def _generator() -> None:
    if shutil.which("gcc") is None and shutil.which("cc") is None:
        try:
            _apt("gcc", "libc6-dev")
        except BenchError:
            return  # smtp-source stands in
    generator()


def _haraka() -> None:
    if (HOME / "node_modules" / "Haraka").is_dir():
        return
    if shutil.which("npm") is None:
        _apt("npm")
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / "package.json").write_text('{"private": true}\n')
    wanted = [HARAKA]
    if shutil.which("node") is None or int(call("node", "--version").lstrip("v").split(".")[0]) < HARAKA_NODE:
        wanted.append(NODE)
    call("npm", "install", "--no-audit", "--no-fund", "--omit=optional", *wanted, cwd=HOME)
    Haraka.node()


def _apt(*packages: str) -> None:
    if os.getuid() != 0:
        raise BenchError(f"not installed, and only root can: apt-get install {' '.join(packages)}")
    plan = call("apt-get", "install", "--no-install-recommends", "--simulate", *packages)
    removed = [line.split()[1] for line in plan.splitlines() if line.startswith("Remv ")]
    if removed:
        raise BenchError(f"installing {' '.join(packages)} would remove {' '.join(removed)}; do it by hand")
    policy = Path("/usr/sbin/policy-rc.d")
    made = not policy.exists()
    if made:  # Debian's way to say: install, but start nothing
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        call("apt-get", "install", "-y", "--no-install-recommends", *packages)
    finally:
        if made:
            policy.unlink()


def py_spy() -> str:
    """The profiler, from PyPI into the bench's own folder."""
    tools = WORK / "tools"
    binary = tools / "bin" / "py-spy"
    if not binary.exists():
        call(PYTHON, "-m", "pip", "install", "--quiet", "--target", tools, "py-spy")
    return str(binary)
