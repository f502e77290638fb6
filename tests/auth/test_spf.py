"""SPF over the house's resolver: limits, bounds and words (the published suites are in tests/conformance)."""

import pytest

from gatepost.auth.spf import MAX_RECORD, check, verify
from gatepost.dns.zone import Zone
from gatepost.mail.address import parse_address
from tests.auth.mails import run
from tests.cost import assert_cheap

ANN = parse_address("ann@example.net")


def judge(zone: str, client: str = "192.0.2.1", domain: str = "example.net"):  # type: ignore[no-untyped-def]
    """Return the fact and the zone."""
    dns = Zone(zone)
    return run(check(client, domain, "ann", "mail.example.net", dns)), dns


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "pass"),
        ("v=spf1 ip4:198.51.100.0/24 -all", "fail"),
        ("v=spf1 ip4:198.51.100.0/24 ~all", "softfail"),
        ("v=spf1 ?all", "neutral"),
        ("v=spf1", "neutral"),
        ("v=spf10 -all", "none"),
        ("hello", "none"),
        ("v=spf1 ip4:", "permerror"),
        ("V=SPF1 A:mail.example.net -ALL", "pass"),
    ],
)
def test_results(record: str, result: str) -> None:
    """Each result."""
    found, _ = judge(f"example.net TXT {record}\nmail.example.net A 192.0.2.1")
    assert result == found.result, found.why


def test_words() -> None:
    """A person reads which term of which record decided, and what was asked."""
    found, _ = judge(
        "example.net TXT v=spf1 include:_spf.example.net -all\n"
        "_spf.example.net TXT v=spf1 ip4:192.0.2.0/24 ~all"
    )
    assert (
        "include:_spf.example.net in the record of example.net (there ip4:192.0.2.0/24) decides" == found.why
    )
    assert "SPF pass: 192.0.2.1 may send for example.net: " + found.why == found.words()
    assert "v=spf1 include:_spf.example.net -all" == found.record
    assert ["example.net", "_spf.example.net"] == [a.name for a in found.asked]
    found, _ = judge("example.net TXT v=spf1 ip4:198.51.100.0/24")
    assert "no term of the record of example.net names the client" == found.why


def test_ten_look_ups() -> None:
    """Ten terms that ask DNS are taken, eleven are the domain's mistake (RFC 7208, 4.6.4)."""
    hosts = "".join(f"h{n}.example.net A 198.51.100.{n}\n" for n in range(12))
    for count, result in ((10, "fail"), (11, "permerror")):
        terms = " ".join(f"a:h{n}.example.net" for n in range(count))
        found, dns = judge(f"{hosts}example.net TXT v=spf1 {terms} -all")
        assert result == found.result, found.why
        assert len(dns.asked) <= 12


def test_two_void_look_ups() -> None:
    """Two names that do not exist are taken, three are the domain's mistake (4.6.4)."""
    for count, result in ((2, "fail"), (3, "permerror")):
        terms = " ".join(f"a:none{n}.example.net" for n in range(count))
        found, _ = judge(f"example.net TXT v=spf1 {terms} -all")
        assert result == found.result, found.why


def test_loop() -> None:
    """Records that include each other end at the tenth look-up."""
    found, dns = judge(
        "example.net TXT v=spf1 include:b.example -all\nb.example TXT v=spf1 include:example.net -all"
    )
    assert "permerror" == found.result
    assert len(dns.asked) <= 12


def test_silence() -> None:
    """No answer is temporary, at the record and in a term."""
    assert "temperror" == judge("example.net FAIL")[0].result
    found, _ = judge("example.net TXT v=spf1 a:silent.example.net -all\nsilent.example.net FAIL")
    assert "temperror" == found.result
    assert "silent.example.net" in found.why


def test_many_mx_hosts() -> None:
    """An mx term with a hundred hosts is the domain's mistake, not a hundred questions."""
    hosts = "".join(
        f"example.net MX {n} m{n}.example.net\nm{n}.example.net A 198.51.100.1\n" for n in range(90)
    )
    found, dns = judge(f"{hosts}example.net TXT v=spf1 mx -all")
    assert "permerror" == found.result
    assert len(dns.asked) <= 15


def test_huge_record() -> None:
    """A record beyond the bound is its owner's mistake, and costs no parsing."""
    terms = " ".join(f"ip4:198.51.100.{n % 256}" for n in range(MAX_RECORD // 10))
    record = f"example.net TXT v=spf1 {terms} -all"
    found, _ = judge(record)
    assert "permerror" == found.result
    assert_cheap(0.5, judge, record)


def test_large_record_is_linear() -> None:
    """The longest record that is read, included ten times, takes no second."""
    terms = " ".join(f"ip4:198.51.100.{n % 256}" for n in range(400))
    includes = " ".join(f"include:i{n}.example.net" for n in range(10))
    inner = "".join(f"i{n}.example.net TXT v=spf1 {terms} -all\n" for n in range(10))
    records = f"{inner}example.net TXT v=spf1 {includes} -all"
    found, _ = judge(records)
    assert "fail" == found.result
    assert_cheap(2, judge, records)


@pytest.mark.parametrize(
    "domain", ["", "localhost", "[192.0.2.1]", "a..b", "x" * 64 + ".example", "a b.example", "-x.example"]
)
def test_no_domain(domain: str) -> None:
    """What is no domain name is not asked about."""
    found, dns = judge("", domain=domain)
    assert ("none", []) == (found.result, dns.asked)


@pytest.mark.parametrize("client", ["", "unix", "2001:db8::1%eth0", "::ffff:192.0.2.1"])
def test_odd_clients(client: str) -> None:
    """A client without an address has no SPF; a mapped address is what it maps."""
    found, _ = judge("example.net TXT v=spf1 ip4:192.0.2.1 -all", client=client)
    wanted = {"::ffff:192.0.2.1": "pass", "2001:db8::1%eth0": "fail"}.get(client, "none")
    assert wanted == found.result


def test_explanation_is_one_clean_line() -> None:
    """What a domain says to those it refuses is bounded and printable."""
    zone = Zone("example.net TXT v=spf1 -all exp=why.example.net")
    zone.add("why.example.net", "TXT", "No %{i},\u2028 see https://example.net/%{d}")
    found = run(check("192.0.2.1", "example.net", "ann", "h.example.net", zone))
    assert "" == found.explanation  # not ASCII: RFC 7208, 6.2 says to leave it out
    zone = Zone(
        "example.net TXT v=spf1 -all exp=why.example.net\nwhy.example.net TXT Not from %{c}, ask %{d}"
    )
    found = run(check("192.0.2.1", "example.net", "ann", "h.example.net", zone))
    assert "Not from 192.0.2.1, ask example.net" == found.explanation


def test_mail_from_and_helo() -> None:
    """Both identities are evaluated; each has its own answer."""
    zone = Zone("example.net TXT v=spf1 ip4:192.0.2.1 -all\nmail.example.org TXT v=spf1 -all")
    found = run(verify("192.0.2.1", ANN, "mail.example.org", zone))
    assert ("pass", "mailfrom", "example.net", "ann@example.net") == (
        found.result, found.identity, found.domain, found.sender,
    )  # fmt: skip
    assert found.helo is not None
    assert ("fail", "helo", "mail.example.org") == (found.helo.result, found.helo.identity, found.helo.domain)


def test_null_sender() -> None:
    """The null sender has the HELO name for its identity (RFC 7208, 2.4)."""
    zone = Zone("mail.example.org TXT v=spf1 ip4:192.0.2.1 -all")
    found = run(verify("192.0.2.1", None, "mail.example.org", zone))
    assert ("pass", "helo", "mail.example.org", "", None) == (
        found.result, found.identity, found.domain, found.sender, found.helo,
    )  # fmt: skip
    found = run(verify("192.0.2.1", None, "[192.0.2.1]", zone))
    assert "none" == found.result


def test_quoted_local_part() -> None:
    """The macro of the local part has its value, not its quotes."""
    zone = Zone("example.net TXT v=spf1 exists:%{l}.ok.example.net -all\nann.ok.example.net A 127.0.0.2")
    assert "pass" == run(verify("192.0.2.1", parse_address('"ann"@example.net'), "x.example", zone)).result


def test_no_waiting_in_a_task() -> None:
    """With all answers cached the evaluation runs straight through: it never gives up the loop."""
    zone = Zone(
        "example.net TXT v=spf1 include:b.example a mx -all\nb.example TXT v=spf1 -all\n"
        "example.net MX 1 m.example.net"
    )
    coroutine = verify("192.0.2.1", ANN, "mail.example.org", zone)
    with pytest.raises(StopIteration):
        coroutine.send(None)
