"""A name server that misbehaves as the world does, behind a real unbound: slow, silent, failing, huge.

It serves the zone `sick.test` and the names of loopback addresses from a table, over UDP and TCP. A
label says what happens: `slow` answers after a while, `silent` never, `fail` says SERVFAIL; others answer.
"""

from __future__ import annotations

import socketserver
import struct
import threading
import time
from ipaddress import ip_address
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.system.process import Child, free_port, program

TTL = 5
SLOW = 0.25
ZONE = "sick.test."

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
    # Asked again after a second at the earliest: a slow answer is no lost one, however busy the machine.
    infra-cache-min-rtt: 1000
    local-zone: "test." transparent
    local-zone: "127.in-addr.arpa." nodefault
    local-data: '_dmarc.test. 5 IN TXT "there is no policy here"'
stub-zone:
    name: "sick.test"
    stub-addr: 127.0.0.1@{behind}
stub-zone:
    # Zones of their own: unbound thinks ever less of the servers of a zone that were silent or failed.
    name: "silent.sick.test"
    stub-addr: 127.0.0.1@{behind}
stub-zone:
    name: "slow.sick.test"
    stub-addr: 127.0.0.1@{behind}
stub-zone:
    name: "fail.sick.test"
    stub-addr: 127.0.0.1@{behind}
stub-zone:
    name: "127.in-addr.arpa"
    stub-addr: 127.0.0.1@{behind}
remote-control:
    control-enable: no
"""


class Authority:
    """The misbehaving server, in threads."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.port = free_port()
        outer = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, peer = self.request
                answer = outer.answer(data, 1232)
                if answer:
                    peer.sendto(answer, self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                size = self.request.recv(2)
                if len(size) == 2:
                    answer = outer.answer(self.request.recv(struct.unpack("!H", size)[0]), 65_535)
                    if answer:
                        self.request.sendall(struct.pack("!H", len(answer)) + answer)

        socketserver.ThreadingUDPServer.daemon_threads = True
        self._servers = [
            socketserver.ThreadingUDPServer(("127.0.0.1", self.port), Udp),
            socketserver.ThreadingTCPServer(("127.0.0.1", self.port), Tcp),
        ]
        for server in self._servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def add(self, name: str, kind: str, *values: str) -> None:
        """Add records; a TXT value is written as in a zone file, with its quotes."""
        self.records.setdefault((f"{name}.{ZONE}", kind), []).extend(values)

    def reverse(self, address: str, kind: str, *values: str) -> None:
        """Add what stands under a loopback address: PTR, or a CNAME to a name that misbehaves."""
        self.records.setdefault((f"{ip_address(address).reverse_pointer}.", kind), []).extend(values)

    def answer(self, raw: bytes, most: int) -> bytes:
        """Return the answer to a question, b"" for none."""
        query = dns.message.from_wire(raw)
        question = query.question[0]
        name = question.name.to_text().lower()
        labels = name.split(".")
        if "silent" in labels:
            return b""
        if "slow" in labels:
            time.sleep(SLOW)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA
        if "fail" in labels:
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply.to_wire()
        for kind in (dns.rdatatype.to_text(question.rdtype), "CNAME"):
            values = self.records.get((name, kind))
            if values:
                reply.answer.append(dns.rrset.from_text(name, TTL, "IN", kind, *values))
                break
        else:
            if not any(known == name or known.endswith("." + name) for known, _ in self.records):
                reply.set_rcode(dns.rcode.NXDOMAIN)
        wire = reply.to_wire(max_size=65_535)
        if len(wire) > most:
            reply.answer = []
            reply.flags |= dns.flags.TC
            wire = reply.to_wire()
        return wire

    def stop(self) -> None:
        """End it."""
        for server in self._servers:
            server.shutdown()
            server.server_close()


class SickDns:
    """A real unbound in front of the misbehaving server."""

    def __init__(self, top: Path) -> None:
        self.authority = Authority()
        self.authority.add("ready", "A", "127.0.0.1")
        self.port = free_port()
        self.server = f"127.0.0.1:{self.port}"
        config = top / "unbound.conf"
        config.write_text(UNBOUND.format(port=self.port, top=top, behind=self.authority.port))
        self.child = Child("unbound", [program("unbound", "unbound"), "-d", "-c", str(config)], top)
        self.child.wait_for(self._answers)

    def _answers(self) -> bool:
        query = dns.message.make_query(f"ready.{ZONE}", "A")
        try:
            return bool(dns.query.udp(query, "127.0.0.1", port=self.port, timeout=0.5).answer)
        except (OSError, dns.exception.DNSException):
            return False

    def stop(self) -> None:
        """End both."""
        self.child.kill()
        self.authority.stop()


def text(value: str, piece: int = 255) -> str:
    """Return a TXT record as a zone file has it, in strings of `piece` characters."""
    return " ".join(f'"{value[n : n + piece]}"' for n in range(0, len(value), piece))
