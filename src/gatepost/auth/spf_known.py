"""SPF results that still hold: the same client, the same domain, the same answers of DNS.

Most mail comes from few servers, and an evaluation is a function of client, domain and what DNS says (RFC
7208, 4), unless a macro puts the sender or the HELO name into it. So a result is kept with each answer
that it rests on, and holds while the resolver still has these answers: never longer than their TTL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gatepost.auth.asks import Dns
from gatepost.auth.facts import Spf
from gatepost.dns.lookups import Records
from gatepost.dns.names import DnsError, DnsFailure

MOST = 2_000
MAX_TEXT = 4_000
"""Characters of all answers of one evaluation that is kept: two thousand of these are 8 MB."""

Answer = Records | type[DnsError]


class Question(NamedTuple):
    """What an evaluation asked, and what it got."""

    name: str
    kind: str
    answer: Answer


class Evaluations:
    """Those of one process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[tuple[Question, ...], Spf]] = {}

    def find(self, client: str, domain: str, dns: Dns) -> Spf | None:
        """Return the result for this client and domain if all that it rests on is still known to be so."""
        kept = self._kept.get((client, domain))
        if kept is None:
            return None
        for name, kind, answer in kept[0]:
            now = dns.peek(name, kind)
            if now is not answer and now != answer and type(now) is not answer:
                del self._kept[client, domain]
                return None
        return kept[1]

    def keep(self, client: str, domain: str, asked: Sequence[Question], found: Spf) -> None:
        """Keep a result, unless it hangs on more than the answers."""
        if found.result == "temperror" or not asked or not all(_lasting(question) for question in asked):
            return
        if sum(len(text) for one in asked if isinstance(one.answer, tuple) for text in one.answer) > MAX_TEXT:
            return
        if len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[client, domain] = tuple(asked), found


def _lasting(question: Question) -> bool:
    """A record with a macro means something else for each mail, and no answer is no fact."""
    answer = question.answer
    if isinstance(answer, tuple):
        return question.kind != "TXT" or not any("%" in text for text in answer)
    return not issubclass(answer, DnsFailure)
