"""The directory of a zip against its files: hidden ones, two names, shared bytes, and any bytes at all."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail.zipdir import Directory, read_directory
from tests.cost import assert_cheap
from tests.plugin.archive_bombs import many_entries, overlapping
from tests.plugin.archive_cases import by_libarchive, zipped

FILES = {"a.txt": b"one" * 100, "b/c.exe": b"two" * 100, "é.txt": b"three"}
GOOD = zipped(FILES)


def read(data: bytes, most: int = 1_000) -> Directory:
    found = read_directory(data, most)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "data",
    [
        GOOD,
        zipped(FILES, zipfile.ZIP_STORED),
        b"any program" * 100 + GOOD,
        GOOD + bytes(100),
        by_libarchive(FILES, "zip"),
        by_libarchive(FILES, "zip", options="zip:zip64"),
    ],
    ids=["deflated", "stored", "behind a program", "with bytes behind", "streamed", "zip64"],
)
def test_honest(data: bytes) -> None:
    """Whoever wrote it, however: its names, and nothing against it."""
    found = read(data)
    assert list(FILES) == found.names
    assert ([], "", False, False) == (found.hidden, found.lies, found.overlaps, found.encrypted)
    assert 605 == found.unpacked


def test_written_in_a_stream() -> None:
    """Sizes behind the files, as who cannot seek writes them."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    out = Pipe()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in FILES.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)
    found = read(out.getvalue())
    assert (list(FILES), "", []) == (found.names, found.lies, found.hidden)


def test_encrypted() -> None:
    """Flags of the files."""
    assert read(by_libarchive(FILES, "zip", options="zip:encryption=aes256", passphrase="x")).encrypted
    assert read(by_libarchive(FILES, "zip", options="zip:encryption=traditional", passphrase="x")).encrypted


def test_a_file_that_is_not_listed() -> None:
    """A program that reads from the front finds it, one that reads from the end does not."""
    one = zipped({"evil.exe": b"x"}).partition(b"PK\x01\x02")[0]
    found = read(one + GOOD)
    assert (["evil.exe"], "a file in it does not stand in its directory") == (found.hidden, found.lies)


def test_two_names_for_one_file() -> None:
    """Before the file `evil.exe`, in the directory `nice.txt`."""
    data = zipped({"evil.exe": b"x"})
    at = data.rfind(b"evil.exe")
    found = read(data[:at] + b"nice.txt" + data[at + 8 :])
    assert (["nice.txt"], ["evil.exe"], "a file has two names") == (found.names, found.hidden, found.lies)


def test_a_file_that_is_not_there() -> None:
    """A directory that points anywhere."""
    at = GOOD.find(b"PK\x01\x02") + 42
    found = read(GOOD[:at] + b"\x05" + GOOD[at + 1 :])
    assert "its directory names a file that is not there" == found.lies


def test_shared_bytes() -> None:
    """Of a bomb whose files lie on each other."""
    found = read(overlapping(), 5_000)
    assert (True, 4_000) == (found.overlaps, len(found.names))


def test_entries_at_the_limit() -> None:
    """T6.2: as many as are read, and one more."""
    assert not read(GOOD, 3).over_budget
    assert read(GOOD, 2).over_budget
    assert read(GOOD, 2).names == ["a.txt", "b/c.exe"]


@pytest.mark.parametrize(
    "data", [b"", b"PK\x05\x06", GOOD[:-30], GOOD[:50], b"PK\x05\x06" + b"\xff" * 18], ids=range(5)
)
def test_none(data: bytes) -> None:
    """What has no directory has none."""
    assert read_directory(data, 100) is None


def test_names_of_the_first_pc() -> None:
    """A name that is not UTF-8 is one of code page 437."""
    data = zipped({"aaaa.txt": b""}).replace(b"aaaa.txt", b"\x81\x84aa.txt")
    assert ["üäaa.txt"] == read(data).names


@pytest.mark.parametrize(
    "data",
    [many_entries(), b"PK\x03\x04" * 2_000_000 + GOOD, b"PK\x05\x06" * 2_000_000],
    ids=["entries", "files", "ends"],
)
def test_linear(data: bytes) -> None:
    """Megabytes of marks cost a moment."""
    assert_cheap(0.3, read_directory, data, 5_000)


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=8))
def test_anything(at: int, patch: bytes) -> None:
    """Whatever is changed: an answer and no error."""
    read_directory(GOOD[:at] + patch + GOOD[at + len(patch) :], 100)
