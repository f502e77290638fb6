"""T3.1: of what can be read in several ways each reading is seen, or the message is told to be ambiguous."""

from __future__ import annotations

import pytest

from gatepost.mail.form import Bounds, oddities, troubles
from gatepost.mail.message import MAX_LINES, Message, find_border
from gatepost.mail.structure import read_structure
from tests.mail.bombs import NOW

BOUNDS = Bounds(MAX_LINES, 2_000, 1e12, 1e12)
TOLD = {"ambiguous", "broken", "doubled", "several_from", "odd_from", "over_budget"}
"""Kinds of findings that a domain answers as it likes (check `headers`)."""
DISPOSITION, TYPE = "Content-Disposition: attachment; ", "Content-Type: application/x; "
NAMES = {
    "filename twice": DISPOSITION + "filename=a.txt; filename=b.exe",
    "filename and name": DISPOSITION + "filename=a.txt\r\n" + TYPE + "name=b.exe",
    "two Content-Dispositions": DISPOSITION + "filename=a.txt\r\n" + DISPOSITION + "filename=b.exe",
    "two Content-Types": TYPE + "name=a.txt\r\n" + TYPE + "name=b.exe",
    "pieces": DISPOSITION + "filename*0=b; filename*1=.e; filename*2=xe",
    "pieces in another order": DISPOSITION + "filename*2=xe; filename*0=b; filename*1=.e",
    "encoded pieces": DISPOSITION + "filename*0*=utf-8''b%2e; filename*1*=%65x; filename*2=e",
    "a piece twice": DISPOSITION + "filename*0=a.txt; filename*0=b.exe",
    "whole and in pieces": DISPOSITION + "filename*=utf-8''a.txt; filename*0=b.exe",
    "star and plain": DISPOSITION + "filename*=utf-8''a.txt; filename=b.exe",
    "plain and star": DISPOSITION + "filename=b.exe; filename*=utf-8''a.txt",
    "an encoded word": DISPOSITION + 'filename="=?utf-8?B?Yi5leGU=?="',
    "encoded words in pieces": DISPOSITION + 'filename="=?utf-8?Q?b=2E?= =?utf-8?Q?exe?="',
    "a character set that nobody knows": DISPOSITION + "filename*=x-unknown''b%2Eexe",
    "a comment behind it": DISPOSITION + "filename=b.exe(.txt)",
    "a comment behind quotes": DISPOSITION + 'filename="b.exe" (.txt)',
    "a comment before the name": DISPOSITION + "(a (nested) word) filename=b.exe",
    "a comment behind the name": DISPOSITION + "filename(x)=b.exe",
    "a comment behind the sign": DISPOSITION + "filename=(a.txt)b.exe",
    "no comment in quotes": DISPOSITION + 'filename="(b.exe"',
    "blanks around the sign": DISPOSITION + "filename = b.exe",
    "quotes that do not end": DISPOSITION + 'filename="a.txt; filename=b.exe',
    "backslashes": DISPOSITION + 'filename="b\\.\\exe"',
    "capitals": DISPOSITION.upper() + "FILENAME=b.exe",
    "on another line": DISPOSITION + "\r\n\tfilename=b.exe",
    "no semicolon": "Content-Disposition: attachment filename=b.exe",
    "no semicolon in the type": "Content-Type: application/x name=b.exe",
    "a blank before the colon": "Content-Disposition : attachment; filename=b.exe",
    "a line that is no field": "nothing\r\n" + DISPOSITION + "filename=b.exe",
    "a NUL": DISPOSITION + 'filename="b.exe\0.txt"',
}
"""How -> the header of a part whose file is called b.exe by some programs."""
WHOLE = {
    "two From": "From: a@good.example\r\nFrom: b@evil.example\r\n",
    "two Date": "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nDate: Tue, 14 Nov 2033 22:13:20 +0000\r\n",
    "two Subject": "Subject: a\r\nSubject: b\r\n",
    "two Content-Types": "Content-Type: text/plain\r\nContent-Type: text/html\r\n",
    "two encodings": "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n",
    "an encoding nobody knows": "Content-Transfer-Encoding: base-64\r\n",
    "two boundaries": "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n",
    "two boundaries, one in pieces": "Content-Type: multipart/mixed; boundary=a; boundary*0=b\r\n",
    "a boundary with a comment": "Content-Type: multipart/mixed; boundary=a(b)\r\n",
    "no boundary": "Content-Type: multipart/mixed\r\n",
    "a bare CR": "Subject: a\rContent-Type: text/html\r\n",
    "a blank line that is not empty": "Subject: a\r\n \r\nContent-Type: text/html\r\n",
}
"""How -> headers of a message that has more than one reading."""


def told(raw: bytes) -> set[str]:
    """Return the findings that say that there is more than one reading."""
    border = find_border(raw)
    message = Message(raw[:border], raw)
    found = read_structure(message)
    odd = [*oddities(message, NOW, BOUNDS), *troubles(message, found.troubles, found.parameters, 2_000)]
    return {one.kind for one in odd} & TOLD


def part(header: str) -> bytes:
    raw = f"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{header}\r\n\r\nx\r\n--b--\r\n"
    return raw.encode()


@pytest.mark.parametrize("how", NAMES)
def test_each_name_is_seen(how: str) -> None:
    """The name that a program may show is among the readings, or the message is ambiguous."""
    raw = part(NAMES[how])
    names = [
        name for one in read_structure(Message(raw[: find_border(raw)], raw)).parts for name in one.filenames
    ]
    assert any(name.endswith(("b.exe", "filename=b.exe")) for name in names) or told(raw), names


@pytest.mark.parametrize("how", WHOLE)
def test_several_readings_are_told(how: str) -> None:
    """Nothing is decided here: the domain says what becomes of it."""
    assert told(f"{WHOLE[how]}\r\n--a\r\n\r\nx\r\n--a--\r\n".encode())


def test_ordinary_mail_has_one() -> None:
    """Comments and blanks where programs do write them make nothing ambiguous."""
    ordinary = part(
        'Content-Type: text/plain; charset=us-ascii; name="a (copy).txt"\r\nContent-Disposition: inline'
    )
    assert set() == told(b"From: a@good.example\r\nSubject: x\r\n" + ordinary)
    (_, one) = read_structure(Message(ordinary[: find_border(ordinary)], ordinary)).parts
    assert ["a (copy).txt"] == one.filenames
