"""Where the bench keeps things, and how it runs a helper command.

`.work` holds what is worth keeping between runs (Haraka, the compiled generator, profiles). What a
server writes while it is measured lies in memory where there is a /dev/shm, for every server alike:
spools on a disk would measure the disk, and would measure Postfix's more than ours.
"""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
WORK = BENCH / ".work"
RESULTS = BENCH / "results"
NOTES = RESULTS / "notes.md"
PYTHON = ROOT / ".venv" / "bin" / "python"

_SHM = Path("/dev/shm")
VOLATILE = _SHM / f"gatepost-bench-{os.getuid()}" if os.access(_SHM, os.W_OK) else WORK / "run"


class BenchError(Exception):
    """Something outside the measurement failed; the text is for a person."""


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def fresh(name: str) -> Path:
    """An empty folder for one server, readable for the users it drops to."""
    path = VOLATILE / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    path.chmod(0o755)
    return path


def call(
    *command: str | Path, timeout: float = 600, cwd: Path | None = None, stdin: str | None = None
) -> str:
    """Run a helper to its end; its output, or a BenchError that quotes the end of what it said."""
    words = [str(word) for word in command]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=cwd,
            input=stdin,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchError(f"{' '.join(words[:4])}: {error}") from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-600:]
        raise BenchError(f"{' '.join(words[:6])}: exit status {done.returncode}\n{said}")
    return done.stdout


SINK_PORT = 23100
"""Where the back end listens if it can: a filled store names it."""
_next_port = SINK_PORT


def free_port(first: int = 0) -> int:
    """A port that nobody listens on, below the ephemeral range, where clients of the load may sit."""
    global _next_port  # noqa: PLW0603 - one counter for one process
    if first and _is_free(first):
        return first
    while _next_port < 32000:
        _next_port += 1
        if _is_free(_next_port):
            return _next_port
    raise BenchError("no free port between 23100 and 32000")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
