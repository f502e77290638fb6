"""SPF, DKIM, ARC and DMARC in a running gateway, by its own command line and over real DNS."""

import re
from collections.abc import Callable, Iterator

import pytest

from tests.auth.mails import mail, rsa_record, sealed, signed
from tests.system.authority import SickDns, text
from tests.system.gateway import Gateway
from tests.system.process import free_port, open_directory, wait_until
from tests.system.sink import Sink
from tests.system.test_backends import ID, hosting

ANN = "ann@good.sick.test"
ELSEWHERE = "bounces@lists.sick.test"


@pytest.fixture(scope="module")
def sick_dns() -> Iterator[SickDns]:
    """Give real DNS in which good.sick.test publishes all there is to publish, and lists.sick.test seals."""
    with open_directory("senders") as top:
        server = SickDns(top)
        server.authority.add("good", "TXT", text("v=spf1 ip4:127.0.0.1 -all"))
        server.authority.add("s1._domainkey.good", "TXT", text(rsa_record()))
        server.authority.add("s1._domainkey.lists", "TXT", text(rsa_record()))
        server.authority.add("s1._domainkey.evil", "TXT", text(rsa_record()))
        server.authority.add("_dmarc.good", "TXT", text("v=DMARC1; p=reject"))
        yield server
        server.stop()


@pytest.fixture
def proving(make_gateway: Callable[..., Gateway], sick_dns: SickDns, sink: Sink) -> Gateway:
    """Give a gateway whose example.org has all four checks on."""
    gateway = make_gateway(dns={"servers": [sick_dns.server]})
    hosting(gateway, sink.port, domain="example.org")
    switches = [f"{name}.mode=on" for name in ("spf", "dkim", "arc", "dmarc")]
    gateway.cli("domain", "set", "example.org", *switches)
    wait_until(lambda: "5.7.23" in gateway.send(["ann@example.org"], mail(), "127.0.0.9", ANN)[1], "in force")
    return gateway


def test_who_is_let_in(proving: Gateway) -> None:
    """By SPF or by DKIM; nobody in another's name."""
    plain, sig = mail(f"Ann <{ANN}>"), signed(mail(f"Ann <{ANN}>"), "good.sick.test")
    assert 250 == proving.send(["ann@example.org"], plain, "127.0.0.1", ANN)[0]
    assert 250 == proving.send(["ann@example.org"], sig, "127.0.0.9", ELSEWHERE)[0]
    code, said = proving.send(["ann@example.org"], plain, "127.0.0.9", ANN)
    assert (550, "5.7.23") == (code, said.split()[0])
    for forged in (plain, sig.replace(b"noon", b"moon"), b"From: x@evil.sick.test\r\n" + sig):
        code, said = proving.send(["ann@example.org"], forged, "127.0.0.9", ELSEWHERE)
        assert (550, "5.7.26") == (code, said.split()[0])


def test_results_on_top(proving: Gateway, sink: Sink) -> None:
    """What was proved stands on top of the mail that is handed on, and a forged line in our name is gone."""
    forged = b"Authentication-Results: MX.gatepost.test (x); dmarc=pass header.from=bank.test\r\n"
    raw = forged + signed(mail(f"Ann <{ANN}>"), "good.sick.test")
    assert 250 == proving.send(["ann@example.org"], raw, "127.0.0.1", ANN)[0]
    got = sink.messages()[-1].decode()
    assert 1 == got.lower().count("authentication-results:")
    top, _, _ = got.partition("by mx.gatepost.test")
    for words in (
        "spf=pass smtp.mailfrom=ann@good",
        "dkim=pass header.d=good",
        "dmarc=pass",
        "Received-SPF: pass",
    ):
        assert words in top, got
    assert "bank.test" not in got


def test_forged_marks(proving: Gateway, sink: Sink) -> None:
    """Marks that mail programs sort by do not come from strangers, and the signature holds without them."""
    raw = signed(mail(f"Ann <{ANN}>"), "good.sick.test")
    marks = b"X-Spam-Status: No\r\nx-gatepost-release: v=1;\r\n id=x\r\nX-Spam-Flag: NO\r\n"
    assert 250 == proving.send(["ann@example.org"], marks + raw, "127.0.0.9", ELSEWHERE)[0]
    got = sink.messages()[-1]
    assert b"dkim=pass" in got
    assert got.replace(b"\r\n", b"\n").rstrip().endswith(raw.replace(b"\r\n", b"\n").rstrip())
    assert b"x-spam" not in got.lower()
    assert b"x-gatepost" not in got.lower()


def test_each_domain_its_own_results(proving: Gateway, sink: Sink) -> None:
    """One mail for two domains: each copy says what its own domain asked, and no more."""
    hosting(proving, sink.port, domain="other.example")
    proving.cli("domain", "set", "other.example", "spf.mode=on", "spf.fail=ignore")
    raw, both = signed(mail(f"Ann <{ANN}>"), "good.sick.test"), ["ann@example.org", "ann@other.example"]
    got: dict[str, str] = {}

    def in_force() -> bool:
        before = len(sink.messages())
        assert 250 == proving.send(both, raw, "127.0.0.1", ANN)[0]
        for one in sink.messages()[before:]:
            for to in both:
                if f"<{to}>".encode() in one.partition(b"Authentication-Results:")[0]:
                    got[to] = one.decode()
        return set(both) == set(got)

    wait_until(in_force, "each its own copy")
    here, there = (got[to].partition("by mx.gatepost.test")[0] for to in both)
    assert "dmarc=pass" in here
    assert "spf=pass" in there
    assert "dmarc=" not in there
    assert "dkim=" not in there


def test_results_in_the_spool(proving: Gateway) -> None:
    """A copy that waits for its server has the results on top, too, and nothing forged."""
    closed = free_port()
    proving.cli("domain", "set", "example.org", f"route=smtp://127.0.0.1:{closed}", "on_backend_down=spool")
    raw = b"X-Spam-Flag: NO\r\n" + signed(mail(f"Ann <{ANN}>"), "good.sick.test")
    spool = proving.data / "spool"

    def spooled() -> bool:
        proving.send(["ann@example.org"], raw, "127.0.0.1", ANN)
        return any(spool.rglob("*.eml"))

    wait_until(spooled, "a copy in the spool")
    text = next(spool.rglob("*.eml")).read_bytes()
    assert text.startswith(b"Authentication-Results: mx.gatepost.test;")
    assert b"dmarc=pass" in text.partition(b"by mx.gatepost.test")[0]
    assert b"X-Spam-Flag" not in text


def test_forwarders(proving: Gateway) -> None:
    """A list that changed the subject is let in from the moment its name is trusted."""
    saw = "mx.lists.sick.test; dkim=pass header.d=good.sick.test; dmarc=pass header.from=good.sick.test"
    listed = sealed(signed(mail(f"Ann <{ANN}>"), "good.sick.test").replace(b": Noon", b": [list] Noon"), saw,
                    domain="lists.sick.test")  # fmt: skip
    assert 550 == proving.send(["ann@example.org"], listed, "127.0.0.9", ELSEWHERE)[0]
    proving.cli("domain", "set", "example.org", 'arc.forwarders=["lists.sick.test"]')
    wait_until(lambda: 250 == proving.send(["ann@example.org"], listed, "127.0.0.9", ELSEWHERE)[0], "trusted")
    other = sealed(signed(mail(f"Ann <{ANN}>"), "good.sick.test").replace(b": Noon", b": [list] Noon"),
                   saw.replace("lists", "evil"), domain="evil.sick.test")  # fmt: skip
    for untrusted in (listed.replace(b"noon", b"moon"), other):
        code, said = proving.send(["ann@example.org"], untrusted, "127.0.0.9", ELSEWHERE)
        assert (550, "5.7.26") == (code, said.split()[0])


def test_explain(proving: Gateway) -> None:
    """`explain ID` says in plain words who was proved and by which record."""
    _, said = proving.send(["ann@example.org"], mail(f"Ann <{ANN}>"), "127.0.0.9", ANN)
    found = re.search(ID, said)
    assert found
    wait_until(lambda: proving.cli("explain", found[0], check=False).returncode == 0, "explained")
    explained = " ".join(proving.cli("explain", found[0]).stdout.split())
    assert "SPF fail: good.sick.test: -all in the record of good.sick.test decides" in explained
    assert "good.sick.test TXT: v=spf1 ip4:127.0.0.1 -all" in explained


def test_settings_by_command_line(proving: Gateway) -> None:
    """Points and words are settings; what is neither is an error with the key in it."""
    proving.cli("domain", "set", "example.org", "spf.fail=2.5", "dmarc.reject=ignore", "dkim.brands=[]")
    assert "2.5" in proving.cli("domain", "get", "example.org", "spf.fail").stdout
    failed = proving.cli("domain", "set", "example.org", "spf.fail=perhaps", check=False)
    assert 0 != failed.returncode
    assert "spf.fail" in failed.stdout + failed.stderr


def test_explain_at_rcpt(proving: Gateway) -> None:
    """So it does where the refusal came at RCPT and no message was ever seen."""
    proving.cli("domain", "set", "example.org", "refuse_at=rcpt")
    told: list[str] = []

    def refused() -> bool:
        code, said = proving.rcpt("ann@example.org", source="127.0.0.9", sender=ANN)
        told[:] = [one[0] for one in re.finditer(ID, said)]
        return code == 550

    wait_until(refused, "refused at RCPT")
    wait_until(lambda: proving.cli("explain", told[0], check=False).returncode == 0, "explained")
    explained = " ".join(proving.cli("explain", told[0]).stdout.split())
    assert "good.sick.test TXT: v=spf1 ip4:127.0.0.1 -all" in explained
