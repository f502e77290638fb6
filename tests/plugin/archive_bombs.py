"""Archives that unpack to far more than they are, and what it costs to look at them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from backports import zstd

from gatepost.mail.message import find_border
from gatepost.plugin.contents import Inventory, look, unpacked
from tests.plugin.archive_cases import by_libarchive, tarred, zipped

ZEROS = bytes(10 << 20)


def flat() -> bytes:
    """One file of 300 MB of zeros, in 300 kB."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w", force_zip64=True) as file,
    ):
        for _ in range(30):
            file.write(ZEROS)
    return out.getvalue()


def forty_two() -> bytes:
    """As 42.zip is made: sixteen zips in each, five deep, and large files in the last."""
    inner = zipped({f"page{n}": ZEROS for n in range(2)})
    for level in range(5):
        inner = zipped({f"lib {level} {n}.zip": inner for n in range(16)})
    return inner


def deep() -> bytes:
    """A zip in a zip in a zip, as a zip that holds itself would go on for ever."""
    inner = zipped({"end.txt": b"x"})
    for _ in range(60):
        inner = zipped({"again.zip": inner})
    return inner


def deep_tar() -> bytes:
    """The same with tar and gzip."""
    inner = b"x"
    for _ in range(40):
        inner = tarred({"again.tar.gz": inner}, "w:gz")
    return inner


def gzips() -> bytes:
    """gzip in gzip, fifty times."""
    inner = ZEROS
    for _ in range(50):
        inner = gzip.compress(inner)
    return inner


def overlapping() -> bytes:
    """All entries of the directory are one and the same file: each unpacks to 10 MB."""
    single = zipped({"a": ZEROS})
    end = single.rfind(b"PK\x05\x06")
    at = single.find(b"PK\x01\x02")
    entry = single[at:end]
    many = entry * 4_000
    tail = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 4_000, 4_000, len(many), at, 0)
    return single[:at] + many + tail


def many_entries() -> bytes:
    """65,000 empty files."""
    local, central = io.BytesIO(), io.BytesIO()
    for n in range(65_000):
        name = b"%06d" % n
        central.write(
            struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, local.tell())
        )
        central.write(name)
        local.write(struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 6, 0) + name)
    listed = central.getvalue()
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65_000, 65_000, len(listed), local.tell(), 0)
    return local.getvalue() + listed + end


def long_names() -> bytes:
    """Names of 100 kB, which climb out of the folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        for n in range(100):
            archive.addfile(tarfile.TarInfo("../" * 33_000 + f"etc/{n}.exe"))
    return out.getvalue()


def many_archives() -> bytes:
    """4,000 small zips in one."""
    return zipped({f"{n}.zip": zipped({"a": b"x"}) for n in range(4_000)})


def tar_of_zeros() -> bytes:
    """1 GB of zeros in tar, gzip twice."""
    inner = tarfile.TarInfo("zeros")
    inner.size = 1 << 30
    part = gzip.compress(bytes(inner.tobuf()))
    return gzip.compress(part + gzip.compress(ZEROS) * 103)


BOMBS: dict[str, Callable[[], bytes]] = {
    "flat": flat,
    "forty-two": forty_two,
    "deep": deep,
    "deep tar.gz": deep_tar,
    "gzip in gzip": gzips,
    "overlapping": overlapping,
    "many entries": many_entries,
    "long names": long_names,
    "many archives": many_archives,
    "tar of zeros": tar_of_zeros,
    "gzip": lambda: gzip.compress(ZEROS) * 100,
    "bzip2": lambda: bz2.compress(ZEROS) * 100,
    "xz": lambda: lzma.compress(ZEROS) * 100,
    "zstd": lambda: zstd.compress(ZEROS) * 100,
    "7z": lambda: by_libarchive(
        {f"{n}": ZEROS for n in range(20)}, "7zip", options="7zip:compression=deflate"
    ),
    "7z by lzma": lambda: by_libarchive({f"{n}": ZEROS for n in range(20)}, "7zip"),
    "iso": lambda: by_libarchive({"a.zip": flat()}, "iso9660"),
}


def measure(raw: bytes) -> tuple[float, int, Inventory]:
    """Return seconds of CPU, bytes of memory beyond what was there, and what was found."""
    look(b"Subject: x\r\n\r\n", b"Subject: x\r\n\r\n")  # the code itself is not the mail's
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak so far was not the mail's either
    before = peak()
    started = time.process_time()
    found = unpacked(look(raw[: find_border(raw)], raw))
    seconds = time.process_time() - started
    return seconds, peak() - before, found


def peak() -> int:
    """Return the most memory that this process has had since the mark was set (proc(5), VmHWM)."""
    (line,) = (x for x in Path("/proc/self/status").read_text("ascii").splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    seconds, memory, found = measure(Path(sys.argv[1]).read_bytes())
    sys.stdout.write(f"{seconds:.3f} {memory} {found.problems!r}\n")
