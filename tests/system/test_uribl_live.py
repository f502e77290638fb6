"""Links to a domain on a real list, behind a real resolver: refused here, welcome there, in one mail."""

import re
from collections.abc import Callable

from tests.system.dns import Unbound
from tests.system.gateway import Gateway
from tests.system.process import wait_until
from tests.system.sink import Sink
from tests.system.test_backends import ID, hosting, letter


def test_listed_link(make_gateway: Callable[..., Gateway], unbound: Unbound, sink: Sink) -> None:
    """Two domains, one asks the list: its mail is refused whatever hides the link, and explained."""
    gateway = make_gateway(dns={"servers": [unbound.server]})
    for domain in ("example.org", "second.example"):
        hosting(gateway, sink.port, domain=domain)
    gateway.cli("domain", "set", "example.org", "uribl.mode=on", 'uribl.zones=["uri.test"]')
    evil = letter("offer", "Look: http://bank.example@shop.evil.example/x\r\n")
    wait_until(lambda: gateway.send(["ann@example.org"], evil)[0] == 550, "refused")
    code, text = gateway.send(["ann@example.org"], evil)
    assert (550, "5.7.1") == (code, text.split()[0])
    found = re.search(ID, text)
    assert found

    assert 250 == gateway.send(["ann@second.example"], evil)[0]
    assert 250 == gateway.send(["ann@example.org"], letter("kind", "Look: http://kind.example/\r\n"))[0]

    wait_until(lambda: gateway.cli("explain", found[0], check=False).returncode == 0, "explained")
    explained = gateway.cli("explain", found[0]).stdout
    assert "links to evil.example, which is listed by uri.test (127.0.1.2)" in " ".join(explained.split())
