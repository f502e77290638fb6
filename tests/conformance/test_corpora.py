"""Real mail of twenty years is read whole: spans hold, text decodes, bounds are not in its way.

The standard library's parser is the second opinion on types, names and decoded bytes; each message on
which the two differ is named below, with why.
"""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.errors import InvalidBase64LengthDefect
from email.header import decode_header, make_header
from email.message import Message as Theirs

import pytest

from gatepost.mail.form import BUDGETS
from gatepost.mail.message import Message, decode_words, find_border
from gatepost.mail.structure import Part, Structure, read_structure
from tests.conformance.corpora import NAMES, SHARES, STEP, mails, paths
from tests.mail.bombs import read_whole
from tests.mail.test_structure import check_spans

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.parametrize("corpus", NAMES),
    pytest.mark.parametrize("share", range(SHARES)),
]

OVER_BUDGET = {
    "spam-2/00471.df77fa930951f79466c195052ff56816.txt": "thousands of semicolons behind its Content-Type"
}
"""Where a bound is passed -> why it is right that it is."""
BEHIND, LENGTH, PADDING, CLOSED, BLANK = (
    "something stands behind the name of the encoding (a blank); we decode, they give the text as it is",
    "base64 of a length that cannot be; we decode what is there, they give the text as it is",
    "base64 goes on behind its padding; we read on, as mail programs do, they stop",
    "the closing boundary has something behind it; we take it for one, they do not",
    "the type has a blank in it (text/plain charset=...), which is none; we call it text/plain",
)
DIFFERENT = {
    **dict.fromkeys(
        [f"data/{n[:3]}/{n}.eml" for n in
         ("000612", "000848", "000912", "001335", "001523", "001530", "001885", "001997", "003155",
          "003208", "003620", "004035", "004060", "004397")],
        BEHIND,
    ),
    "spam-1/00260.c75ce8b8d8bfc55723426979d260bf61.txt": LENGTH,
    "spam-1/00307.7ed50c6d80c6e37c8cc1b132f4a19e4d.txt": LENGTH,
    "spam-1/00313.fab744bfd5a128fca39b69df9811c086.txt": LENGTH,
    "spam-2/00588.44b644374b89ba4885f91f0ed836e622.txt": PADDING,
    "spam-2/00853.ee1fe2f2d16e8b27be79a670b8597252.txt": PADDING,
    "spam-2/00960.ae114c0b717c866b821efe032780a8e5.txt": PADDING,
    "spam-2/01309.4da3e5f7445fe71bdb9a145b3c704cc3.txt": PADDING,
    "spam-1/00038.8d93819b95ff90bf2e2b141c2909bfc9.txt": CLOSED,
    "spam-2/00204.4cf15f97b8ea08bfafab7d5091b8fbe7.txt": BLANK,
}  # fmt: skip
"""23 of 15,514: message on which the standard library differs -> why."""


def read(raw: bytes) -> tuple[Message, Structure]:
    border = find_border(raw)
    message = Message(raw[:border] if border >= 0 else raw, raw)
    return message, read_structure(message)


def leaves(message: Theirs) -> Iterator[Theirs]:
    """Yield the parts that hold something themselves; they also take apart what is no message."""
    kind = message.get_content_type()
    if message.is_multipart() and (message.get_content_maintype() == "multipart" or kind == "message/rfc822"):
        for part in message.get_payload():
            assert isinstance(part, Theirs)
            yield from leaves(part)
    elif not kind.startswith(("message/", "multipart/")):
        yield message


def plain(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").rstrip(b"\n")


def name_of(part: Theirs) -> str | None:
    name = part.get_filename()
    return str(make_header(decode_header(name))) if name and "=?" in name else name or None


def difference(mine: list[Part], theirs: list[Theirs]) -> str:
    """Return why the two readers differ, "" where they do not, and what differs where nobody knows why."""
    if [part.type for part in mine] != [part.get_content_type() for part in theirs]:
        odd = any(" " in part.get_content_type() for part in theirs)
        return BLANK if odd else f"types: {[part.type for part in mine]}"
    for one, other in zip(mine, theirs, strict=True):
        if next(iter(one.filenames), None) != name_of(other):
            return f"names: {one.filenames} and {name_of(other)}"
        ours, found = plain(one.content(50 << 20)), other.get_payload(decode=True)
        assert isinstance(found, bytes)
        if ours == plain(found):
            continue
        if one.encoding != str(other.get("content-transfer-encoding", "")).lower():
            return BEHIND
        if any(isinstance(defect, InvalidBase64LengthDefect) for defect in other.defects):
            return LENGTH
        if one.encoding == "base64" and ours.startswith(plain(found)):
            return PADDING
        if plain(found).startswith(ours) and plain(found)[len(ours) :].lstrip().startswith(b"--"):
            return CLOSED
        return f"bytes of {one.type}: {len(ours)} and {len(found)}"
    return ""


def expected(table: dict[str, str], corpus: str, share: int) -> dict[str, str]:
    """Return the part of a table that a share of a corpus has."""
    return {path: table[path] for path in paths(corpus)[::STEP][share::SHARES] if path in table}


def test_each_message_is_read(corpus: str, share: int) -> None:
    """No exception; spans hold; text decodes; the header is one that can be read in one way."""
    count = 0
    for path, raw in mails(corpus, share):
        message, structure = read(raw)
        check_spans(structure)
        assert (False, False) == (message.ambiguous, message.over_budget), path
        for part in structure.leaves():
            part.text().encode("utf-8", "surrogatepass").decode("utf-8")
            assert len(part.content(100)) <= 100
        for header in message.headers:
            assert decode_words(header.value).isprintable(), path
        found = read_whole(raw)
        assert found["features"] > 100, path
        count += 1
    assert count > 180, "the corpus is there, or the runner has lost it"


def test_bounds_are_not_in_its_way(corpus: str, share: int) -> None:
    """No real mail is over budget; one spam is, and rightly."""
    over = {path for path, raw in mails(corpus, share) if BUDGETS & set(read(raw)[1].troubles)}
    assert expected(OVER_BUDGET, corpus, share).keys() == over


def test_another_reader_agrees(corpus: str, share: int) -> None:
    """Types, names and decoded bytes are those of the standard library, but where a reason is named."""
    found = {
        path: why
        for path, raw in mails(corpus, share)
        if (
            why := difference(
                [part for part in read(raw)[1].leaves() if not part.type.startswith("message/")],
                list(leaves(message_from_bytes(raw))),
            )
        )
    }
    assert expected(DIFFERENT, corpus, share) == found
