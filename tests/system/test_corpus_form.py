"""Both corpora through `headers` and `attachments`: what they would do to real mail by their defaults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from gatepost.auth.author import authors
from gatepost.mail.dates import parse_date
from gatepost.mail.form import oddities, troubles
from gatepost.mail.message import Message, find_border
from gatepost.mail.structure import read_structure
from gatepost.plugin.contents import look, unpacked
from gatepost.plugin.files import held_against
from gatepost.plugins import attachments, headers
from tests.system.corpus import ENVELOPES

pytestmark = pytest.mark.corpus

CORPORA = ("modern-2019-2021", "spamassassin")
HEADERS, ATTACHMENTS = headers.Settings(), attachments.Settings()


class Found(NamedTuple):
    """One finding about one message."""

    label: str
    path: str
    kind: str
    text: str
    answer: str | float


def messages(corpus: str) -> Iterator[tuple[str, str, Message]]:
    """Yield label, path and message, in the order of the index."""
    top = ENVELOPES.parents[1] / corpus
    for line in (top / "index").read_text("ascii").splitlines():
        label, path = line.split()[:2]
        raw = (top / path).read_bytes()
        if raw.startswith(b"From "):
            raw = raw.partition(b"\n")[2]
        raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        border = find_border(raw)
        yield label, path, Message(raw if border < 0 else raw[:border], raw)


@cache
def findings(corpus: str) -> list[Found]:
    """Return all that is found, with the answer that it has by default."""
    found: list[Found] = []
    for label, path, message in messages(corpus):
        came = message.get("Received") or ""
        now = parse_date(came[came.rfind(";") :]) or parse_date(message.get("Date") or "") or 0.0
        structure = read_structure(message)
        form = [*oddities(message, now, HEADERS.bounds)]
        form += troubles(message, structure.troubles, structure.parameters, HEADERS.most_parameters)
        found += [Found(label, path, one.kind, one.text, getattr(HEADERS, one.kind)) for one in form]
        if authors(message).ambiguous:
            found.append(Found(label, path, "odd_from", "", HEADERS.odd_from))
        assert message.body is not None
        for one in held_against(unpacked(look(message.head, message.body)), ATTACHMENTS.rules):
            found.append(Found(label, path, one.kind, one.text, getattr(ATTACHMENTS, one.kind)))
    return found


@pytest.mark.parametrize(
    ("corpus", "lost"),
    [("modern-2019-2021", []), ("spamassassin", ["Liberalism in America.url ends in .url"])],
)
def test_no_wanted_mail_is_lost(corpus: str, lost: list[str]) -> None:
    """Of 12,417 wanted messages one is refused or held by default: it has a link of Windows attached."""
    assert lost == [one.text for one in findings(corpus) if one.label == "ham" and isinstance(one.answer, str)
                    and one.answer != "ignore"]  # fmt: skip


@pytest.mark.parametrize("corpus", CORPORA)
def test_no_wanted_mail_gets_many_points(corpus: str) -> None:
    """What is found adds up to less than what tags a mail."""
    points: Counter[str] = Counter()
    for one in findings(corpus):
        if one.label == "ham" and not isinstance(one.answer, str):
            points[one.path] += one.answer  # type: ignore[assignment]
    assert not {path: total for path, total in points.items() if total >= 3}
    assert sum(total >= 1 for total in points.values()) < 100


def test_malware_is_refused() -> None:
    """Programs in real archives of spam are found by both their name and their bytes."""
    found = {one.path: set[str]() for one in findings("modern-2019-2021") if one.kind.startswith("denied")}
    for one in findings("modern-2019-2021"):
        if one.path in found:
            found[one.path].add(one.kind)
    assert [{"denied_name_inside", "denied_type"}] * 3 == list(found.values())
