"""The MIME messages of mime4j (and MIME::tools): our parts are those of another reader, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.mail.message import Message, find_border
from gatepost.mail.structure import Part, read_structure
from tests.conformance.suites import SUITES, suite

FOLDERS = ("testmsgs", "mimetools-testmsgs")
BLANKS = "the boundary ends with a blank, which RFC 2046 forbids: lines are compared without blanks behind"
DIFFERENT = {
    "very-long-boundary": BLANKS,
    "very-very-long-boundary": BLANKS,
    "weird-boundary": BLANKS,
    "frag": "base64 goes on behind its padding: we read on, as mail programs do",
    "multi-frag": "base64 goes on behind its padding: we read on, as mail programs do",
    "malformedHeaderStartsBody-nocrlfcrlf": "a line that is no field ends no header here; it is `ambiguous`",
    "malformedHeaderStartsBody-noheader": "a line that is no field ends no header here; it is `ambiguous`",
    "missing-inner-boundary": "a multipart without parts has no leaf here",
    "multipartemptypart": "a multipart without parts has no leaf here",
    "multipartnestedemptyparts": "inner and outer multipart have one boundary: read as the outer one's",
}
"""Why the bytes differ: there each mail program reads them in its own way."""


def messages() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (SUITES / "mime-mime4j" / folder).glob("*.msg"))


def parts_of(raw: bytes) -> list[Part]:
    """Return the parts that hold something themselves."""
    raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    border = find_border(raw)
    message = Message(raw[:border] if border >= 0 else raw, raw)
    return list(read_structure(message).leaves())


def expected(path: Path) -> list[bytes]:
    """Return the content of each leaf as the suite has it, in the order of the tree."""
    found = [p for p in path.parent.glob(f"{path.stem}_decoded_*") if p.suffix in (".txt", ".bin")]

    def place(one: Path) -> list[int]:
        return [int(n) for n in one.stem.removeprefix(f"{path.stem}_decoded_").split("_")]

    return [one.read_bytes() for one in sorted(found, key=place)]


def plain(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").rstrip(b"\n")


def test_the_suite_is_there() -> None:
    """Some hundred messages, or the runner has lost them."""
    suite("mime-mime4j", "testmsgs")
    assert len(messages()) > 60


@pytest.mark.parametrize("path", messages(), ids=lambda p: p.stem)
def test_parts(path: Path) -> None:
    """The same leaves with the same bytes, but where a reason is named why we read it in another way."""
    found = [
        plain(part.content(10_000_000))
        for part in parts_of(path.read_bytes())
        if part.type != "message/rfc822"
    ]
    wanted = [plain(one) for one in expected(path)]
    if path.stem in DIFFERENT:
        assert wanted != found, "no longer different: take it out of the list"
    else:
        assert wanted == found
