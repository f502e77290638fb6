"""What became of a client's earlier mail, in a running gateway with two workers: points, and what they do."""

from __future__ import annotations

from collections.abc import Callable

from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter

GUESSER, FRIEND, NEWCOMER = "127.5.5.1", "127.5.5.2", "127.5.5.3"
ANN = "ann@example.org"


def test_reputation(make_gateway: Callable[..., Gateway], sink: Sink) -> None:
    """Who guessed names is refused by points, who was welcome stays so, and a second domain never heard."""
    gateway = make_gateway(smtp={"workers": 2})
    hosting(gateway, sink.port)
    hosting(gateway, sink.port, domain="second.example")
    wanted = ["least=3", "worst=20", "domains=false", "mode=on"]
    gateway.cli("domain", "set", "example.org", *(f"reputation.{one}" for one in wanted))

    def guess() -> bool:
        gateway.rcpt(*(f"guess{n}@example.org" for n in range(15)), source=GUESSER)
        return gateway.send([ANN], letter("spam"), source=GUESSER)[0] == 550

    wait_until(guess, "refused by its past")
    for _ in range(5):
        assert 250 == gateway.send([ANN], letter("hello"), source=FRIEND)[0]
    assert 250 == gateway.send([ANN], letter("first time"), source=NEWCOMER)[0]
    assert 250 == gateway.send(["ann@second.example"], letter("elsewhere"), source=GUESSER)[0]

    def refused() -> list[dict[str, str]]:
        rows = gateway.json("journal", "--domain", "example.org", "--outcome", "rejected")
        return [row for row in rows if row["plugin"] == "score"]

    wait_until(refused, "the refusal in the journal")
    explained = str(gateway.json("explain", refused()[0]["id"]))
    assert f"host {GUESSER}: " in explained
    assert " unwanted (+" in explained
