"""`gatepost bypass`: a running gateway lets everything in for those who exist, and says that it did."""

import re
import uuid
from collections.abc import Callable
from functools import partial

from tests.system.dns import Unbound
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.sink import Sink
from tests.system.test_backends import ID, hosting, letter

LISTED, DENIED = "127.0.0.9", "127.0.0.77"


def test_row_7_6_switch_to_pure_exim4(
    make_gateway: Callable[..., Gateway], unbound: Unbound, sink: Sink
) -> None:
    """Refused before, delivered with a tag and a line in the journal meanwhile, refused again after."""
    gateway = make_gateway(dns={"servers": [unbound.server]})
    hosting(gateway, sink.port)
    gateway.cli("domain", "set", "example.org", "dnsbl.mode=on", 'dnsbl.zones=["bl.test"]', "refuse_at=rcpt")
    gateway.cli("list", "add", "example.org", "deny", DENIED)

    def says(code: int, source: str) -> bool:
        return gateway.rcpt("ann@example.org", source=source)[0] == code

    def written(number: str) -> bool:
        return gateway.cli("explain", number, check=False).returncode == 0

    for source in (LISTED, DENIED):
        wait_until(partial(says, 550, source), f"{source} refused before")

    gateway.cli("bypass", "on", "example.org")
    for source, plugin in ((LISTED, "dnsbl"), (DENIED, "deny_list")):
        wait_until(partial(says, 250, source), f"{source} let in")
        marker = uuid.uuid4().hex
        code, text = gateway.send(["ann@example.org"], letter(marker), source)
        assert 250 == code, text
        (arrived,) = (mail for mail in sink.messages() if marker.encode() in mail)
        assert re.search(rb"^X-Gatepost-Tags:.*\bbypass\b", arrived, re.MULTILINE)
        number = re.search(ID, text)
        assert number
        wait_until(partial(written, number[0]), "written")
        (outcome,) = gateway.json("explain", number[0])["outcomes"]
        assert ("accepted", plugin) == (outcome["outcome"], outcome["plugin"])
    code, text = gateway.rcpt("nobody@example.org", source=LISTED)
    assert (550, "5.1.1") == (code, text.split()[0])

    gateway.cli("bypass", "off", "example.org")
    for source in (LISTED, DENIED):
        wait_until(partial(says, 550, source), f"{source} refused again")
