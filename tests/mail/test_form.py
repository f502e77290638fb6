"""What is odd about headers: each finding, each bound at its limit and one above, and bombs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.mail import structure as structure_module
from gatepost.mail.form import BROKEN, BUDGETS, Bounds, count_addresses, is_empty, oddities, troubles
from gatepost.mail.message import MAX_HEAD, MAX_LINES, Message, find_border
from gatepost.mail.parameters import MAX_PARAMETERS
from gatepost.mail.structure import MAX_DEPTH, MAX_PARTS, read_structure
from tests.cost import assert_cheap

NOW = 1_795_600_000.0
"""Wed, 25 Nov 2026 09:46:40 +0000."""
BOUNDS = Bounds(MAX_LINES, 2_000, 86_400, 30 * 86_400)
GOOD = {
    "Date": "Wed, 25 Nov 2026 09:46:40 +0000",
    "From": "Ann <ann@example.net>",
    "To": "bob@example.org",
    "Message-ID": "<1@example.net>",
    "Subject": "hello",
}


def letter(more: bytes = b"", /, **changed: str | None) -> Message:
    """Return a message with these headers: `message_id=None` has none."""
    wanted = {**GOOD, **{name.replace("_", "-").title(): value for name, value in changed.items()}}
    if "Message-Id" in wanted:
        wanted["Message-ID"] = wanted.pop("Message-Id")
    head = "".join(f"{name}: {value}\r\n" for name, value in wanted.items() if value is not None)
    return Message(head.encode() + more + b"\r\n")


def found(message: Message, bounds: Bounds = BOUNDS) -> list[tuple[str, str]]:
    return [tuple(one) for one in oddities(message, NOW, bounds)]  # type: ignore[misc]


def test_good() -> None:
    """An ordinary letter has nothing odd."""
    assert [] == found(letter())


@pytest.mark.parametrize(
    ("changed", "kind", "text"),
    [
        ({"date": None}, "missing_date", "Missing header - Date:"),
        ({"date": ""}, "missing_date", "Missing header - Date:"),
        ({"date": "yesterday"}, "odd_date", "Date cannot be read: yesterday"),
        ({"date": "Fri, 27 Nov 2026 09:46:40 +0000"}, "future_date", "Date is 48 hours ahead: Fri, 27 Nov"),
        ({"date": "Thu, 26 Nov 2026 09:46:41 +0000"}, "future_date", "Date is 24 hours ahead"),
        ({"date": "Mon, 26 Oct 2026 09:46:39 +0000"}, "old_date", "Date is 30 days old"),
        ({"date": "Thu, 1 Jan 1970 00:00:00 +0000"}, "old_date", "days old"),
        ({"from": None}, "missing_from", "From: missing or empty."),
        ({"from": "  "}, "missing_from", "From: missing or empty."),
        ({"from": "-ann@example.net"}, "odd_from", "Bogus initial character From header : -ann@example.net"),
        ({"from": "Ann <|sh@example.net>"}, "odd_from", "Bogus initial character From header : Ann <|sh@"),
        ({"from": "a@b.example, _c@d.example"}, "odd_from", "Bogus initial character"),
        ({"from": "!bang@example.net"}, "odd_from", "Bogus initial character"),
        ({"from": "ann@@example.net"}, "odd_from", "From: contains two '@' signs : ann@@example.net"),
        ({"message_id": None}, "missing_message_id", "Missing header - Message-ID:"),
        ({"message_id": "12345"}, "odd_message_id", "Message-ID is none: 12345"),
        ({"message_id": "<a@b> <c@d>"}, "odd_message_id", "Message-ID is none"),
        ({"subject": "talk post from eve@x.example requires approval"}, "mailman",
         "mailman posts not accepted here"),
        ({"subject": "2 Logcheck-devel moderator request(s) waiting"}, "mailman", "mailman posts not"),
    ],
)  # fmt: skip
def test_each(changed: dict[str, str | None], kind: str, text: str) -> None:
    """One thing odd, one finding; reasons are those of the old systems where they had the check."""
    ((said, why),) = found(letter(**changed))
    assert kind == said
    assert why.startswith(text) or text in why


@pytest.mark.parametrize(
    "changed",
    [
        {"date": "Thu, 26 Nov 2026 09:46:40 +0000"},
        {"date": "Mon, 26 Oct 2026 09:46:40 +0000"},
        {"date": "25 Nov 26 09:46"},
        {"from": "Ann - the - boss <ann_b@example.net>"},
        {"from": '"x -y" <a-b@example.net>'},
        {"message_id": "<1@example.net> (added by the server)"},
        {"subject": "moderator request(s) waiting"},
        {"subject": "Your post requires approval"},
    ],
)
def test_good_enough(changed: dict[str, str | None]) -> None:
    """At the limit, and what only looks like it."""
    assert [] == found(letter(**changed))


@pytest.mark.parametrize("name", ["Date", "To", "Subject", "Message-ID", "Content-Type", "reply-to"])
def test_doubled(name: str) -> None:
    """Singletons that stand there twice are named; what may stand often may."""
    more = f"{name}: x\r\n{name}: x\r\n".encode()
    kinds = [kind for kind, _ in found(letter(more, date=GOOD["Date"]))]
    assert ["doubled"] == kinds
    assert [] == found(letter(b"Received: x\r\nReceived: y\r\nMIME-Version: 1.0\r\nMIME-Version: 1.0\r\n"))


def test_several_from() -> None:
    """Two From are a finding of their own."""
    said = found(letter(b"From: Eve <eve@example.com>\r\n"))
    assert [("several_from", "2 From: headers")] == said


def test_lines_at_the_limit() -> None:
    """T6.2: as many lines as a domain takes, and one more; the reader's own bound is the highest."""
    for most in (50, MAX_LINES):
        bounds = BOUNDS._replace(lines=most)
        usual = letter().head.count(b"\n")
        assert [] == found(letter(b"X: y\r\n" * (most - usual)), bounds)
        ((kind, text),) = found(letter(b"X: y\r\n" * (most + 1 - usual)), bounds)
        assert ("over_budget", f"over budget: {most + 1} lines of headers, more than {most}") == (kind, text)


def test_octets_at_the_limit() -> None:
    """T6.2: octets of the head."""
    room = MAX_HEAD - len(letter(b"X: \r\n").head)
    assert [] == found(letter(b"X: " + b"y" * room + b"\r\n"))
    ((kind, text),) = found(letter(b"X: " + b"y" * (room + 1) + b"\r\n"))
    assert ("over_budget", f"over budget: headers of more than {MAX_HEAD} octets") == (kind, text)


def test_addresses_at_the_limit() -> None:
    """T6.2: addresses of all fields together."""
    bounds = BOUNDS._replace(addresses=100)
    many = ", ".join(f"a{n}@x.example" for n in range(98))
    assert 100 == count_addresses(letter(to=many, cc="b@x.example"))
    assert [] == found(letter(to=many, cc="b@x.example"), bounds)
    ((kind, text),) = found(letter(to=many, cc="b@x.example, c@x.example"), bounds)
    assert ("over_budget", "over budget: 101 addresses, more than 100") == (kind, text)


def shape(raw: bytes, most: int = 2_000) -> list[str]:
    border = find_border(raw)
    message = Message(raw[:border], raw)
    structure = read_structure(message)
    return [one.kind for one in troubles(message, structure.troubles, structure.parameters, most)]


MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def parts(count: int, head: bytes = b"") -> bytes:
    return MIXED + (b"--b\r\n" + head + b"\r\nx\r\n") * count + b"--b--\r\n"


def nested(depth: int) -> bytes:
    opened = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%db\r\n\r\n--b%db\r\n" % (n, n) for n in range(depth)
    )
    return opened + b"\r\nx\r\n" + b"".join(b"--b%db--\r\n" % n for n in reversed(range(depth)))


def test_parts_depth_and_parameters_at_the_limit() -> None:
    """T6.2: parts, depth, parameters of one field and of all."""
    assert [] == shape(parts(MAX_PARTS - 2))
    assert "over_budget" in shape(parts(MAX_PARTS))
    assert [] == shape(nested(MAX_DEPTH))
    assert "over_budget" in shape(nested(MAX_DEPTH + 1))
    one = b"Content-Type: text/plain" + b"; a=b" * MAX_PARAMETERS
    assert [] == shape(parts(1, one + b"\r\n"))
    assert ["over_budget"] == shape(parts(1, one + b"; a=b\r\n"))
    some = parts(10, b"Content-Type: text/plain; a*0=b; a*1=c\r\n")
    assert [] == shape(some, 21)
    assert ["over_budget"] == shape(some, 20)


@pytest.mark.parametrize(
    ("raw", "kinds"),
    [
        (MIXED[:-4] + b"; boundary=c\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n", "ambiguous"),
        (b"Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx", "ambiguous"),
        (b"Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n\r\nx", "ambiguous"),
        (b"X: y\r\nno field\r\n\r\nx", "ambiguous"),
        (b"X: y\r\nA : b\r\n\r\nx", "ambiguous"),
        (b"X: y\0\r\n\r\nx", "ambiguous"),
        (MIXED + b"--b\r\n\r\nx", "broken"),
        (b"Content-Transfer-Encoding: rot13\r\n\r\nx", "broken"),
        (b"Subject: x\r\n\r\nx", ""),
    ],
)  # fmt: skip
def test_troubles(raw: bytes, kinds: str) -> None:
    """T3.1: what mail programs read in two ways is ambiguous; what was only cut or is unknown is broken."""
    assert [kinds] * bool(kinds) == shape(raw)


def test_each_trouble_has_its_place() -> None:
    """Every trouble that the reader names is a bound, broken or ambiguous; none is called twice."""
    source = Path(structure_module.__file__).read_text("utf-8")
    named = set(re.findall(r'trouble\("([^"]+)"\)', source))
    ambiguous = {"ambiguous header", "several boundaries", "a boundary twice", "several Content-Types",
                 "several encodings", "several Content-Dispositions", "unreadable Content-Disposition",
                 "ambiguous header of a part"}  # fmt: skip
    assert named == BUDGETS | BROKEN | ambiguous
    assert not BUDGETS & BROKEN


def test_a_cut_head_is_not_ambiguous_too() -> None:
    """Over budget says it; that the rest was cut off is our doing."""
    message = Message(b"X: y\r\n" * (MAX_LINES + 1) + b"\r\n", b"")
    assert message.ambiguous
    assert [] == list(troubles(message, ["ambiguous header"], 0, 10))


@pytest.mark.parametrize(
    ("body", "empty"), [(b"", True), (b"\r\n \t\r\n", True), (b"\r\n.\r\n", False), (b"x", False)]
)
def test_empty(body: bytes, empty: bool) -> None:
    """Blanks are nothing; a message of which only the headers are known is not called empty."""
    head = letter().head
    assert is_empty(Message(head, head + body)) is empty
    assert not is_empty(Message(head))


BOMBS = {
    "addresses": b"To: " + b"a@b," * 25_000 + b"\r\n",
    "commas": b"To: " + b"," * 100_000 + b"\r\n",
    "no address": b"From: " + b"-" * 100_000 + b"\r\n",
    "brackets": b"From: " + b"<-" * 50_000 + b"\r\n",
    "fields": b"From: -\r\n" * 11_000,
    "approvals": b"Subject: " + b"post from " * 10_000 + b"\r\n",
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 7_000 + b"\r\n",
    "an id": b"Message-ID: " + b" " * 50_000 + b"<" * 50_000 + b"\r\n",
    "a date": b"Date: " + b"1 " * 50_000 + b"\r\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    """The longest head that is read costs milliseconds, whatever it is made of."""
    assert_cheap(0.2, lambda: list(oddities(Message(BOMBS[name] + b"\r\n"), NOW, BOUNDS)))


@given(st.binary(max_size=300))
def test_anything(data: bytes) -> None:
    """Whatever comes, only oddities come out."""
    message = Message(b"From: " + data + b"\r\nDate: " + data + b"\r\n\r\n")
    assert all(one.kind and one.text.isprintable() for one in oddities(message, NOW, BOUNDS))
