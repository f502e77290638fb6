"""No name becomes a path unescaped, and every name comes back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.desk.srv_names import BadName, from_file, is_leftover, to_file

HOSTILE = {
    "../../checks/all": "%2E.%2F..%2Fchecks%2Fall",
    "/etc/passwd": "%2Fetc%2Fpasswd",
    ".": "%2E",
    "..": "%2E.",
    "_global_": "%5Fglobal_",
    "a\0b": "a%00b",
    "a\nb": "a%0Ab",
    "-rf": "-rf",
    "a b;c": "a%20b%3Bc",
    "50%2F": "50%252%46",
    "ann~": "ann%7E",
    "#ann#": "%23ann%23",
    "jos\xe9": "jos%C3%A9",
    "*": "*",
    "ann+news": "ann+news",
    "10.0.0.0/8": "10.0.0.0%2F8",
    "2001:db8::1": "2001:db8::1",
}


@pytest.mark.parametrize(("name", "file"), HOSTILE.items())
def test_hostile_names(name: str, file: str) -> None:
    """Slashes, dots in front, control characters and shells' words are written out."""
    assert file == to_file(name)
    assert name == from_file(to_file(name))


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_round_trip(name: str) -> None:
    """Whatever the name, its file lies in the folder, is not hidden, and stands for this name."""
    try:
        file = to_file(name)
    except BadName:
        assert 255 < 3 * len(name.encode())
        return
    assert name == from_file(file)
    assert Path("/top") / file == Path("/top", file)
    assert Path("/top") == (Path("/top") / file).parent
    assert file.isascii() and file.isprintable() and "/" not in file and not is_leftover(file)
    assert file not in (".", "..", "_global_")


@pytest.mark.parametrize("name", ["", "x" * 256, "\xe9" * 50])
def test_no_file_name(name: str) -> None:
    """What is empty or too long for a file system is told."""
    with pytest.raises(BadName):
        to_file(name)


def test_by_hand() -> None:
    """Names that people typed are read as they stand; what is not UTF-8 is refused, leftovers are known."""
    assert "100%" == from_file("100%")
    assert "Ann" == from_file("Ann")
    with pytest.raises(BadName):
        from_file("%FF")
    with pytest.raises(BadName):
        from_file(b"\xff".decode("utf-8", "surrogateescape"))
    assert [True, True, True, False] == [is_leftover(file) for file in (".git", "#ann#", "ann~", "ann")]
