"""Members of archives of each format, as streams; names of any kind; no program, no stranger's error."""

from __future__ import annotations

import ctypes
import random
from base64 import b64decode
from collections.abc import Iterator

import pytest

from gatepost.plugin import archives
from gatepost.plugin.archives import FORMATS, PACKED, Broken, Member, Missing, opened
from tests.plugin.archive_cases import PLAIN, by_libarchive, rar4, rar5, tarred, zipped

SEVEN_ENCRYPTED = b64decode(
    "N3q8ryccAASBgsfNEAAAAAAAAABiAAAAAAAAAK+dMsU2dcK4V8gq35NDr8LzwoqsAQQGAAEJEAAHCwEAAiQG8QcBElMPAIvHxKTw"
    "0vLf2Ah9Y0T1UiEhAQABAAwGAgAICgFdm7CPAAAFARkBABENAHMALgBlAHgAZQAAABQKAQCCzaCfOoDdARUGAQAggKSBAAA="
)
"""Made by 7zz 26.01: `s.exe` with a password."""
SEVEN_HIDDEN = b64decode(
    "N3q8ryccAARYhDPrgAAAAAAAAAAuAAAAAAAAAHGhbLE/AMR4rMPP9904Dt6uEmadgpTHbd3FfkART8UdkoFEN1Q2B0WN88fMKmDG"
    "XiuabN8wiOVHkrzQw/f/71lUb6XsKnL17wXpUDTXW1BZ6OI9A6aN8zc+u/r+vuJoHxhL2/NCyCu5nRsMOwI5mhEnnHLPtoCZ/6z9"
    "fEiaVi85DDq+1hcGEAEJcAAHCwEAASQG8QcBElMPSt8EwkIiJ8yNUrAPpBx+NAxiCgGu9RKTAAA="
)
"""The same with an encrypted list."""
BY_TYPE = {
    "zip": zipped(PLAIN),
    "rar": rar5(PLAIN),
    "7z": by_libarchive(PLAIN, "7zip"),
    "tar": tarred(PLAIN),
    "cpio": by_libarchive(PLAIN, "cpio_newc"),
    "iso": by_libarchive(PLAIN, "iso9660"),
}


def read(data: bytes, kind: str, inner: str = archives.RAW) -> Iterator[tuple[Member, bytes]]:
    """Yield all members with what is in them."""
    with opened(data, kind, inner) as archive:
        for member in archive.members():
            yield member, b"".join(ctypes.string_at(*piece) for piece in archive.pieces())


@pytest.mark.parametrize("kind", BY_TYPE)
def test_each_format(kind: str) -> None:
    """Names and bytes as they were packed."""
    found = {member.name: data for member, data in read(BY_TYPE[kind], kind) if member.file}
    assert found == PLAIN


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz"])
def test_packed(packing: str) -> None:
    """What is packed is one file, or an archive where the caller knows that."""
    data, kind = tarred(PLAIN, f"w:{packing}"), {"gz": "gzip", "bz2": "bzip2"}.get(packing, packing)
    ((member, raw),) = read(data, kind)
    assert ("data", tarred(PLAIN)) == (member.name, raw)
    assert PLAIN == {member.name: raw for member, raw in read(data, kind, "tar")}


@pytest.mark.parametrize(
    "data",
    [SEVEN_ENCRYPTED, SEVEN_HIDDEN, rar4(PLAIN, True), rar4(PLAIN, hidden=True)],
    ids=["7z", "7z's list", "rar", "rar's list"],
)
def test_encrypted(data: bytes) -> None:
    """Encrypted files are told, and so is an encrypted list."""
    with opened(data, "7z" if data.startswith(b"7z") else "rar") as archive:
        try:
            members = list(archive.members())
        except Broken as error:
            members = []
            assert "crypt" in str(error).lower()
        assert archive.encrypted or any(member.encrypted for member in members)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/abs/x", "C:\\x", "ü/ñ.txt", "日本.exe", "x" * 255, "a\u202eb"]
)
def test_names(name: str) -> None:
    """Names come as they stand there: they are looked at and never used."""
    for data, kind in ((tarred({name: b"x"}), "tar"), (by_libarchive({name: b"x"}, "7zip"), "7z")):
        ((member, _),) = read(data, kind)
        assert name == member.name


def test_links_are_no_files() -> None:
    """A link is not followed, a folder holds nothing."""
    import io
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo("x")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert [False] * 4 == [member.file for member, _ in read(out.getvalue(), "tar")]


def test_no_program_is_started() -> None:
    """libarchive starts programs for these filters; and it must not write: there is no writer here."""
    assert not {"lzop", "lrzip", "grzip", "program", "all", "uu"} & (PACKED | set(FORMATS))
    assert all("all" not in formats for formats in FORMATS.values())


@pytest.mark.parametrize("kind", BY_TYPE)
def test_broken(kind: str) -> None:
    """Cut anywhere, or with bytes changed: members or `Broken`, nothing else."""
    good, dice = BY_TYPE[kind], random.Random(7)
    for _ in range(150):
        data = bytearray(good[: dice.randrange(len(good))] if dice.random() < 0.3 else good)
        for _ in range(dice.randrange(6)):
            if data:
                data[dice.randrange(min(len(data), 60_000))] = dice.randrange(256)
        try:
            for member, raw in read(bytes(data), kind):
                assert len(member.name) <= archives.MAX_NAME
                assert len(raw) < 1 << 20
        except Broken as error:
            assert str(error).isprintable()


def test_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libarchive it says what to install."""
    import sys

    archives.library.cache_clear()
    monkeypatch.setitem(sys.modules, "libarchive", None)
    with pytest.raises(Missing, match="extra `attachments`"), opened(b"", "zip"):
        raise AssertionError
    archives.library.cache_clear()
