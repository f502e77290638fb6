"""What machine this is, in one line: a figure without it says nothing."""

import os
import platform
from importlib.metadata import version
from pathlib import Path


def describe() -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // (1 << 20)
    release = "Linux"
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            release = line.partition("=")[2].strip('"')
    return (
        f"{os.cpu_count()} x {cpu}, {memory} GiB, {release}, kernel {platform.release()}, "
        f"Python {platform.python_version()}, uvloop {version('uvloop')}"
    )
