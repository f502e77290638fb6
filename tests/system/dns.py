"""Real DNS: rbldnsd serves block lists, unbound stands in front of it as everybody's resolver.

Zones: `bl.test` is a healthy list. `sick.test` lists everything, also 127.0.0.1, as a list does
whose domain was sold. `uri.test` lists domains (`evil.example`). `blocked.test` answers
127.255.255.254, as Spamhaus does to open resolvers.
"""

from __future__ import annotations

import ipaddress
import os
import signal
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

from tests.system.process import Child, free_port, program, wait_until

LISTED = ("127.0.0.2", "127.0.0.9", "192.0.2.99")
"""Addresses that `bl.test` lists from the start; 127.0.0.2 is the test point of every list (RFC 5782)."""
HEAD = "$SOA 5 ns.test. hostmaster.test. 0 5 5 5 5\n$NS 5 ns.test.\n"

UNBOUND = """\
server:
    interface: 127.0.0.1
    port: {port}
    do-daemonize: no
    username: ""
    chroot: ""
    directory: "{top}"
    pidfile: ""
    use-syslog: no
    logfile: ""
    num-threads: 1
    do-ip6: no
    do-not-query-localhost: no
    module-config: "iterator"
    cache-max-ttl: 0
    cache-max-negative-ttl: 0
    local-zone: "test." nodefault
    local-zone: "good.test." static
    local-data: "mail.good.test. 5 IN A 127.0.0.1"
    local-data: "good.test. 5 IN MX 10 mail.good.test."
    local-zone: "127.in-addr.arpa." transparent
    local-data-ptr: "127.0.0.5 5 mail.good.test"
{stubs}
remote-control:
    control-enable: no
"""
STUB = """\
stub-zone:
    name: "{zone}"
    stub-addr: 127.0.0.1@{port}
"""


class Rbldnsd:
    """A running rbldnsd with the zones of this module."""

    zones = ("bl.test", "sick.test", "blocked.test", "uri.test")

    def __init__(self, top: Path) -> None:
        self.top = top
        self.port = free_port()
        self.listed = list(LISTED)
        self._write()
        (top / "sick.zone").write_text(f"{HEAD}:127.0.0.2:listed, whatever you ask\n0.0.0.0/0\n")
        (top / "blocked.zone").write_text(
            f"{HEAD}:127.255.255.254:open resolver, see https://blocked.test\n0.0.0.0/0\n"
        )
        (top / "uri.zone").write_text(f"{HEAD}:127.0.1.2:spammed domain\ntest\n.evil.example\n")
        command = [
            program("rbldnsd", "rbldnsd"),
            "-n",
            "-b",
            f"127.0.0.1/{self.port}",
            "-w",
            str(top),
            "-c",
            "1s",
        ]
        if os.geteuid() == 0:
            command += ["-u", "rbldns"]  # it refuses to run as root
        command += ["bl.test:ip4set:bl4.zone", "bl.test:ip6trie:bl6.zone"]
        command += ["sick.test:ip4trie:sick.zone", "blocked.test:ip4trie:blocked.zone"]
        command += ["uri.test:dnset:uri.zone"]
        self.child = Child("rbldnsd", command, top)
        self.child.wait_for(lambda: answers(self.port, "2.0.0.127.bl.test"))

    def _write(self) -> None:
        value = ":127.0.0.2:Listed by bl.test, see https://bl.test/$\n"
        addresses = [ipaddress.ip_address(text) for text in self.listed]
        for version in (4, 6):
            lines = [f"{address}\n" for address in addresses if address.version == version]
            new = self.top / "new"
            new.write_text(HEAD + value + "".join(lines))
            new.chmod(0o644)
            new.rename(self.top / f"bl{version}.zone")

    def list(self, address: str) -> None:
        """Put an address on `bl.test`; returns when the list answers so."""
        self.listed.append(address)
        self._changed(address, wanted=True)

    def unlist(self, address: str) -> None:
        """Take an address off `bl.test`; returns when the list answers so."""
        self.listed.remove(address)
        self._changed(address, wanted=False)

    def _changed(self, address: str, *, wanted: bool) -> None:
        self._write()
        self.child.process.send_signal(signal.SIGHUP)
        name = f"{reversed_name(address)}.bl.test"
        wait_until(lambda: wanted is bool(answers(self.port, name)), f"rbldnsd: {address}")

    def stop(self) -> None:
        """End it."""
        self.child.stop()


class Unbound:
    """A running unbound that asks an rbldnsd for its zones and knows a few names of its own."""

    def __init__(self, top: Path, behind: Rbldnsd) -> None:
        self.port = free_port()
        self.server = f"127.0.0.1:{self.port}"
        """As `[dns] servers` wants it."""
        stubs = "".join(STUB.format(zone=zone, port=behind.port) for zone in behind.zones)
        config = top / "unbound.conf"
        config.write_text(UNBOUND.format(port=self.port, top=top, stubs=stubs))
        self.child = Child("unbound", [program("unbound", "unbound"), "-d", "-c", str(config)], top)
        self.child.wait_for(lambda: answers(self.port, "2.0.0.127.bl.test"))

    def ask(self, name: str, kind: str = "A") -> list[str]:
        """Return the answers as text; [] where there is none."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.port
        try:
            return [answer.to_text() for answer in resolver.resolve(name, kind, lifetime=5)]
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []

    def stop(self) -> None:
        """End it."""
        self.child.stop()


def reversed_name(address: str) -> str:
    """Return the address as DNS lists want it in front of their zone (RFC 5782, 2.1 and 2.4)."""
    return (
        ipaddress.ip_address(address).reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    )


def answers(port: int, name: str) -> bool:
    """Say whether the server has an A record of that name."""
    query = dns.message.make_query(name, dns.rdatatype.A)
    try:
        reply = dns.query.udp(query, "127.0.0.1", port=port, timeout=0.5)
    except (OSError, dns.exception.DNSException):
        return False
    return reply.rcode() == dns.rcode.NOERROR and bool(reply.answer)
