"""Gatepost with every check on that decides before the message is read, DNS answered from a resolver's cache.

What the bars of the first issue are held to with all of this at work; the peers stay as they are, without
such checks. A client has a name that confirms itself or not, the sender's domain has an MX, one list is
asked and knows nobody; the clients' network has come back once, so that greylisting lets it in.
"""

import contextlib
import smtplib
import time

from bench.gatepost import GatepostOne
from bench.places import BenchError
from bench.resolver import ADDRESS, LIST
from bench.server import DOMAIN

CHECKS = (
    *("early_talker", "rdns", "sender_domain", "greylist", "reputation", "deny_list", "helo_name"),
    *("localpart_rules", "bounce", "bounce_storm", "counted_address", "dnsbl", "spf"),
)
COUNTED = ("connections", "messages", "recipients", "unknown_recipients")
HIGH = 100_000_000
"""A limit that is counted and never reached."""
SETTINGS = (
    *("greylist.delay=1", "greylist.promote_after=1", "rdns.unconfirmed=ignore"),
    f'dnsbl.zones=["{LIST}=127.0.0.4"]',
    "refuse_at=rcpt",
)


class GatepostEverything(GatepostOne):
    """All of them, one worker."""

    name = "gatepost-everything"
    title = "Gatepost, 1 worker, every check before the message on"

    def prepare(self) -> None:
        super().prepare()
        with self.config.open("a") as config:
            config.write(f'[dns]\nservers = ["{ADDRESS}"]\n')

    def fill(self) -> None:
        super().fill()
        modes = [f"{check}.mode=on" for check in CHECKS]
        self.gatepost("domain", "set", self.domain, *modes, *SETTINGS)
        limits = [f"client_rate.{what}={HIGH}" for what in COUNTED]
        self.gatepost("domain", "set", "--all", "client_rate.mode=on", *limits)
        self.gatepost("rules", "add", self.domain, "^[a-z]{40}$", "--regex")
        self.gatepost("list", "add", self.domain, "deny", "192.0.2.0/24")
        self.gatepost("list", "add", self.domain, "deny", "spam.example")

    def start(self) -> None:
        super().start()
        if not self.sink_port:
            return
        if self._send() != 451:
            raise BenchError("greylisting did not put a stranger off")
        deadline = time.monotonic() + 20
        while self._send() != 250:
            if time.monotonic() > deadline:
                raise BenchError("greylisting does not let in who came again")
            time.sleep(0.5)

    def _send(self) -> int:
        """The code for one mail."""
        with smtplib.SMTP("127.0.0.1", self.port, "client.example.com", timeout=10) as client:
            client.ehlo()
            client.mail("sender@example.com")
            code, _ = client.rcpt(f"user1@{DOMAIN}")
            if code == 250:
                code, _ = client.data(b"From: <sender@example.com>\r\nSubject: first\r\n\r\nHello\r\n")
            with contextlib.suppress(smtplib.SMTPException):
                client.quit()
            return code
