"""A kept SPF result is the one that a new evaluation would give, for as long as DNS says the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from spftrace.trace import Result

from gatepost.auth import spf, spf_known
from gatepost.auth.facts import Spf
from gatepost.auth.spf_known import MOST, Evaluations, Question
from gatepost.dns.lookups import Records
from gatepost.dns.names import DnsError, DnsFailure, NxDomain, clean
from gatepost.dns.zone import Zone
from tests.auth.mails import run

PLAIN = (
    "example.net TXT v=spf1 include:_spf.example.net -all\n"
    "_spf.example.net TXT v=spf1 a:mail.example.net ~all"
)
HOSTS = "mail.example.net A 192.0.2.1\nother.example.net A 192.0.2.9"


class Cached(Zone):
    """A zone with a cache that never forgets by itself."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.cache: dict[tuple[str, str], Records | DnsError] = {}

    async def look(self, name: str, kind: str) -> Records:
        key = clean(name), kind
        if key not in self.cache:
            try:
                self.cache[key] = await super().look(name, kind)
            except DnsError as error:
                self.cache[key] = error
        found = self.cache[key]
        if isinstance(found, DnsError):
            raise type(found)(*found.args)
        return found

    def peek(self, name: str, kind: str) -> Records | DnsError | None:
        return self.cache.get((name, kind))


@pytest.fixture(autouse=True)
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nothing is known yet; gives the domain of each evaluation from now on."""
    monkeypatch.setattr(spf, "_KNOWN", Evaluations())
    domains: list[str] = []

    class Counted(spf._Evaluator):
        async def evaluate(self, ip: str, sender: str, helo: str = "") -> Result:
            domains.append(sender.partition("@")[2])
            return await super().evaluate(ip, sender, helo)

    monkeypatch.setattr(spf, "_Evaluator", Counted)
    return domains


def judge(dns: Zone, client: str = "192.0.2.1", local: str = "ann", identity: str = "mailfrom") -> Spf:
    return run(spf.check(client, "example.net", local, "mail.example.net", dns, identity=identity))


def test_kept(evaluated: list[str]) -> None:
    """The second mail of a client is not evaluated, and hears the same; another client's is."""
    dns = Cached(f"{PLAIN}\n{HOSTS}")
    first = judge(dns)
    assert "pass" == first.result
    assert first == judge(dns, local="bob")
    assert replace(first, identity="helo") == judge(dns, identity="helo")
    assert 1 == len(evaluated)
    assert "fail" == judge(dns, "192.0.2.77").result
    assert 2 == len(evaluated)


@pytest.mark.parametrize("name", ["example.net", "_spf.example.net", "mail.example.net"])
@pytest.mark.parametrize("change", ["forgotten", "new", "gone"])
def test_only_while_every_answer_stands(evaluated: list[str], name: str, change: str) -> None:
    """An answer that ran out, changed or vanished ends it, whichever of the three it is."""
    dns = Cached(f"{PLAIN}\n{HOSTS}")
    assert "pass" == judge(dns).result
    kind = "A" if name.startswith("mail") else "TXT"
    old = dns.cache.pop((name, kind))
    if change != "forgotten":
        dns.remove(name)
    if change == "new":
        dns.add(name, kind, "192.0.2.200" if kind == "A" else "v=spf1 ~all")
    found = judge(dns)
    assert ("pass" == found.result) is (change == "forgotten")
    assert 2 == len(evaluated) or (name, change) == ("example.net", "gone")
    dns.cache[name, kind] = old


def test_an_equal_answer_is_as_good(evaluated: list[str]) -> None:
    """DNS was asked anew and said the same."""
    dns = Cached(f"{PLAIN}\n{HOSTS}")
    judge(dns)
    dns.cache = {key: (*known,) for key, known in dns.cache.items() if isinstance(known, tuple)}
    judge(dns)
    assert 1 == len(evaluated)


def test_what_is_not_there_is_an_answer(evaluated: list[str]) -> None:
    """A host that does not exist, until it does."""
    dns = Cached("example.net TXT v=spf1 a:mail.example.net -all")
    assert ["fail", "fail"] == [judge(dns).result, judge(dns).result]
    assert 1 == len(evaluated)
    dns.cache["mail.example.net", "A"] = ("192.0.2.1",)
    assert "pass" == judge(dns).result


@pytest.mark.parametrize(
    "record",
    [
        "example.net TXT v=spf1 exists:%{l}.example.net -all\nann.example.net A 127.0.0.2",
        "example.net TXT v=spf1 include:_%{h}.net -all\n_mail.example.net.net TXT v=spf1 -all",
        "example.net TXT v=spf1 include:_spf.example.net -all\n"
        "_spf.example.net TXT v=spf1 exists:%{l}.example.net -all\nann.example.net A 127.0.0.2",
        "example.net TXT v=spf1 exp=why.example.net -all\nwhy.example.net TXT %{l} may not",
    ],
)
def test_macros(evaluated: list[str], record: str) -> None:
    """A record that looks at the sender or the HELO name says something else for each mail."""
    dns = Cached(record)
    judge(dns)
    judge(dns, local="bob")
    assert 2 == len(evaluated)


def test_failures_are_not_kept(evaluated: list[str]) -> None:
    """Nobody answered: the next mail asks again."""
    dns = Cached("example.net TXT v=spf1 a:mail.example.net -all\nmail.example.net FAIL")
    assert "temperror" == judge(dns).result
    judge(dns)
    assert 2 == len(evaluated)


def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest make room, and a domain with very long records is not kept."""
    monkeypatch.setattr(spf_known, "MOST", 3)
    known = Evaluations()
    dns = Cached("")
    for n in range(5):
        dns.cache[f"d{n}.example", "TXT"] = ("v=spf1 -all",)
        asked = [Question(f"d{n}.example", "TXT", ("v=spf1 -all",))]
        known.keep("192.0.2.1", f"d{n}.example", asked, Spf("fail", "mailfrom", f"d{n}.example", "192.0.2.1"))
    assert [2, 3, 4] == [n for n in range(5) if known.find("192.0.2.1", f"d{n}.example", dns)]
    assert MOST > 3
    long = ("v=spf1 " + "ip4:192.0.2.1 " * 300,)
    dns.cache["long.example", "TXT"] = long
    known.keep(
        "192.0.2.1", "long.example", [Question("long.example", "TXT", long)], Spf("fail", "mailfrom", "", "")
    )
    assert known.find("192.0.2.1", "long.example", dns) is None


def test_what_is_kept_rests_on_something() -> None:
    """No question, no result; a name that does not exist is an answer, a server that fails is none."""
    known = Evaluations()
    fact = Spf("fail", "mailfrom", "example.net", "192.0.2.1")
    dns = Cached("")
    known.keep("192.0.2.1", "example.net", [], fact)
    known.keep("192.0.2.1", "example.net", [Question("example.net", "TXT", DnsFailure)], fact)
    assert known.find("192.0.2.1", "example.net", dns) is None
    dns.cache["example.net", "TXT"] = NxDomain("no")
    known.keep("192.0.2.1", "example.net", [Question("example.net", "TXT", NxDomain)], fact)
    assert fact == known.find("192.0.2.1", "example.net", dns)
