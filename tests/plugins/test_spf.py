"""SPF results become what the domain set for each; trusted forwarders are spared."""

import pytest

from gatepost.plugins.spf import Settings, Spf
from tests.auth.mails import mail, sealed, signed
from tests.plugins.senders import World

PASS = "example.net TXT v=spf1 ip4:192.0.2.1 -all"
FAIL = "example.net TXT v=spf1 ip4:198.51.100.1 -all"


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (PASS, "score 0"),
        (FAIL, "reject 5.7.23"),
        ("example.net TXT v=spf1 ~all", "score 2"),
        ("example.net TXT v=spf1 ?all", "score 0"),
        ("example.net A 192.0.2.9", "score 0"),
        ("example.net TXT v=spf1 what", "score 1"),
        ("example.net FAIL", "score 0"),
    ],
)
def test_defaults(record: str, said: str) -> None:
    """What each result becomes where nobody set anything."""
    judged = World((record,), {"spf": {}}).judge()
    assert [said] == judged.said("spf")
    assert "SPF " in judged.reasons("spf")


@pytest.mark.parametrize(
    ("record", "setting", "said"),
    [
        (FAIL, {"fail": 4}, "score 4"),
        (FAIL, {"fail": "ignore"}, "score 0"),
        ("example.net TXT v=spf1 ~all", {"softfail": "refuse"}, "reject 5.7.23"),
        ("example.net TXT v=spf1 what", {"permerror": "refuse"}, "reject 5.7.24"),
        ("example.net FAIL", {"temperror": "defer"}, "defer 4.4.3"),
        ("example.net A 192.0.2.9", {"none": 1.5}, "score 1.5"),
        ("example.net TXT v=spf1 ?all", {"neutral": 1}, "score 1"),
    ],
)
def test_settings(record: str, setting: dict[str, object], said: str) -> None:
    """Each result has its own setting."""
    assert [said] == World((record,), {"spf": setting}).judge().said("spf")


def test_reply() -> None:
    """The sender reads a general sentence with the code of RFC 7372; the owner the term that decided."""
    outcome = World((FAIL,), {"spf": {}}).judge().outcome
    assert (550, "5.7.23", Spf.public) == (outcome.code, outcome.enhanced, outcome.public)
    assert "-all in the record of example.net decides" in outcome.reason


def test_null_sender_and_helo() -> None:
    """The null sender is judged by its HELO name; a forged HELO name costs points."""
    forged = "mail.example.net TXT v=spf1 -all"
    assert ["reject 5.7.23"] == World((forged,), {"spf": {}}, sender="").judge().said("spf")
    assert ["score 2"] == World((forged, "example.net A 192.0.2.9"), {"spf": {}}).judge().said("spf")
    assert ["score 0"] == World((forged, PASS), {"spf": {}}).judge().said("spf")
    assert ["score 0"] == World(
        ("x.example A 192.0.2.9",), {"spf": {}}, sender="", helo="[192.0.2.1]"
    ).judge().said("spf")


def test_trusted_forwarder_by_address_and_name() -> None:
    """Who is on `arc.forwarders` may forward what it may not send."""
    by_net = World((FAIL,), {"spf": {}, "arc": {"forwarders": ["192.0.2.0/24"]}}).judge()
    assert ["score 0"] == by_net.said("spf")
    assert "but the client is in 192.0.2.0/24" in by_net.reasons("spf")
    host = "1.2.0.192.in-addr.arpa PTR out.lists.example.org\nout.lists.example.org A 192.0.2.1"
    by_name = World((FAIL, host), {"spf": {}, "arc": {"forwarders": ["lists.example.org"]}}).judge()
    assert ["score 0"] == by_name.said("spf")
    forged = "1.2.0.192.in-addr.arpa PTR out.lists.example.org\nout.lists.example.org A 192.0.2.77"
    other = World((FAIL, forged), {"spf": {}, "arc": {"forwarders": ["lists.example.org"]}}).judge(mail())
    assert "reject 5.7.23" in other.said("spf")


def test_refusal_waits_for_seals() -> None:
    """Where seals are trusted a failure is no refusal at RCPT; the message decides."""
    world = World((FAIL,), {"spf": {}, "arc": {"forwarders": ["lists.example.com"]}})
    judged = world.judge(signed())
    assert ["score 0", "reject 5.7.23"] == judged.said("spf")
    assert "waits for the seals" in judged.reasons("spf")
    world.dns = None
    world.records += (key_of_lists(),)
    saw = "mx; dmarc=pass header.from=example.net"
    assert ["score 0", "score 0"] == world.judge(sealed(mail(), saw)).said("spf")


def key_of_lists() -> str:
    """Return the record of the sealer's key."""
    from tests.auth.mails import rsa_record

    return f"s1._domainkey.lists.example.com TXT {rsa_record()}"


def test_no_seals_no_waiting() -> None:
    """Without trusted sealers nothing is asked at the message; on watch they are not trusted either."""
    judged = World((FAIL,), {"spf": {}, "arc": {"forwarders": ["192.0.2.99/32"]}}).judge(mail())
    assert ["reject 5.7.23"] == judged.said("spf")
    watched = World((FAIL,), {"spf": {}, "arc": {"mode": "watch", "forwarders": ["192.0.2.0/24"]}})
    assert ["reject 5.7.23"] == watched.judge(mail()).said("spf")


def test_work() -> None:
    """The hook `message` is planned only where somebody looks at seals."""
    plugin = Spf()
    assert plugin.has_work("mail", Settings(), None)
    assert plugin.has_work("message", Settings(), None)
