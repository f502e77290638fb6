"""Who checks who sent a mail: Gatepost with `spf`, `dkim`, `arc` and `dmarc` on, and Postfix with milters.

Both ask the same unbound, but for OpenDKIM: its libunbound asks nobody on this machine, so it
gets its key from a file. Postfix runs no milter on a body where smtpd_proxy_filter hands it on, so it
relays through its queue (in memory) here, with the milters and without. OpenDMARC's libspf2 lets
127.0.0.0/8 pass without asking anybody: that peer is spared SPF.
"""

import shutil

from bench.gatepost import GatepostOne
from bench.places import BenchError, free_port
from bench.postfix import Postfix
from bench.resolver import ADDRESS, KEYS

CHECKS = ("spf", "dkim", "arc", "dmarc")


class GatepostUnchecked(GatepostOne):
    """The four checks off, as shipped."""

    name = "gatepost-unchecked"
    title = "Gatepost, 1 worker, checks off"
    checks: tuple[str, ...] = ()

    def prepare(self) -> None:
        super().prepare()
        with self.config.open("a") as config:
            config.write(f'[dns]\nservers = ["{ADDRESS}"]\n')

    def fill(self) -> None:
        super().fill()
        for check in self.checks:
            self.gatepost("domain", "set", self.domain, f"{check}.mode=on")


class GatepostChecked(GatepostUnchecked):
    """All four on, with their usual settings."""

    name = "gatepost-checked"
    title = "Gatepost, 1 worker, spf, dkim, arc and dmarc on"
    checks = CHECKS


class PostfixQueue(Postfix):
    """Takes a message into its queue and delivers it from there."""

    name = "postfix-queue"
    title = "Postfix, queue and smtp"

    def prepare(self) -> None:
        super().prepare()
        with (self.folder / "main.cf").open("a") as main:
            main.write(self.more())
        with (self.folder / "master.cf").open("a") as master:
            master.write("smtp unix - - n - 200 smtp\n")

    def relay(self) -> str:
        return f"smtp:[127.0.0.1]:{self.sink_port}"

    def more(self) -> str:
        """Further lines of main.cf."""
        return ""


OPENDKIM = """\
Syslog no
Background no
Mode v
Socket inet:{port}@127.0.0.1
PidFile {folder}/opendkim.pid
InternalHosts 192.0.2.1
AuthservID mx.bench.example
TestPublicKeys {keys}
"""
OPENDMARC = """\
Syslog false
Socket inet:{port}@127.0.0.1
PidFile {folder}/opendmarc.pid
IgnoreHosts {folder}/nobody
AuthservID mx.bench.example
TrustedAuthservIDs mx.bench.example
SPFIgnoreResults true
SPFSelfValidate true
RejectFailures true
"""
START = """\
mount --bind "$0/resolv.conf" /etc/resolv.conf || exit 1
opendkim -f -x "$0/opendkim.conf" &
opendmarc -f -c "$0/opendmarc.conf" &
exec postfix -c "$0" start-fg
"""
"""In a mount namespace of its own, since OpenDMARC takes its name server from /etc/resolv.conf alone."""


class PostfixMilters(PostfixQueue):
    """OpenDKIM verifies, OpenDMARC checks SPF and judges; both belong to what is measured."""

    name = "postfix-milters"
    title = "Postfix, queue and smtp, OpenDKIM and OpenDMARC"

    def prepare(self) -> None:
        for program in ("opendkim", "opendmarc", "unshare"):
            if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
                raise BenchError(f"{program} is not installed")
        self.ports = free_port(), free_port()
        super().prepare()
        for name, text, port in zip(
            ("opendkim", "opendmarc"), (OPENDKIM, OPENDMARC), self.ports, strict=True
        ):
            (self.folder / f"{name}.conf").write_text(text.format(port=port, folder=self.folder, keys=KEYS))
        (self.folder / "nobody").write_text("192.0.2.1\n")
        (self.folder / "resolv.conf").write_text(f"nameserver {ADDRESS}\n")

    def more(self) -> str:
        milters = ", ".join(f"inet:127.0.0.1:{port}" for port in self.ports)
        return f"smtpd_milters = {milters}\nmilter_default_action = tempfail\n"

    def command(self) -> list[str]:
        return ["unshare", "--mount", "/bin/sh", "-c", START, str(self.folder)]
