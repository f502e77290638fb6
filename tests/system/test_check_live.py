"""`gatepost check --interactive` over a pipe, beside a running gateway."""

from tests.system.gateway import Gateway
from tests.system.sink import Sink
from tests.system.test_backends import hosting

DENIED = "127.0.0.77"


def test_the_dialogue_says_what_port_25_does(gateway: Gateway, sink: Sink) -> None:
    """The decision is that of the running gateway; nothing is delivered or written down by asking."""
    hosting(gateway, sink.port)
    gateway.cli("list", "add", "example.org", "deny", DENIED, "--note", "since May")
    gateway.cli("domain", "set", "example.org", "refuse_at=rcpt")
    before = gateway.cli("journal").stdout
    rest = "\nclient.example\nme@client.example\nann@example.org\n\nSubject: x\n\nhello\n.\n"

    refused = gateway.cli("check", "--interactive", stdin=DENIED + rest)
    welcome = gateway.cli("check", "--interactive", stdin="127.0.0.1" + rest)

    assert "rejected by deny_list" in refused.stdout
    assert "since May" in refused.stdout
    assert "that of the domain's server" in welcome.stdout
    assert [] == sink.messages()
    assert before == gateway.cli("journal").stdout
    assert (550, 250) == (
        gateway.rcpt("ann@example.org", source=DENIED)[0],
        gateway.rcpt("ann@example.org")[0],
    )
