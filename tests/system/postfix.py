"""A real Postfix: Debian's package with a configuration, a queue and a log of its own.

It hosts two domains, delivers to Maildirs and says 550 at RCPT to whom it does not know. It takes
XCLIENT and XFORWARD from loopback, offers STARTTLS, and 8BITMIME, DSN, SMTPUTF8, CHUNKING as it is made.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
from pathlib import Path

from tests.system.maildir import Maildir
from tests.system.process import Child, free_port, greets, program

USERS = ("ann", "bob", "postmaster")
"""Who has a mailbox. `later` is deferred at RCPT."""
DOMAINS = ("example.org", "second.example")

MAIN = """\
compatibility_level = 3.6
queue_directory = {top}/queue
data_directory = {top}/data
maillog_file = {top}/maillog
maillog_file_prefixes = {top}
myhostname = postfix.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtputf8_enable = yes
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_authorized_xforward_hosts = 127.0.0.0/8
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access inline:{{ {later} }}, permit
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
smtpd_tls_security_level = {tls}
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
message_size_limit = 52428800
virtual_mailbox_limit = 0
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {top}/mail
virtual_mailbox_maps = inline:{{ {mailboxes} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
alias_maps =
alias_database =
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
virtual   unix - n n - - virtual
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A running Postfix with Maildirs for `USERS` of `DOMAINS`."""

    def __init__(
        self, top: Path, certificate: Path | None = None, key: Path | None = None, more: str = ""
    ) -> None:
        """`more`: further lines of main.cf, which go before what stands there."""
        postfix = program("postfix", "postfix")
        self.top = top
        self.port = free_port()
        nobody, owner = pwd.getpwnam("nobody"), pwd.getpwnam("postfix")
        for name, user in (("queue", None), ("data", owner), ("mail", nobody), ("etc", None)):
            (top / name).mkdir()
            if user is not None:
                os.chown(top / name, user.pw_uid, user.pw_gid)
        addresses = [(user, domain) for domain in DOMAINS for user in USERS]
        values = {
            "top": top,
            "port": self.port,
            "tls": "may" if certificate else "none",
            "certificate": certificate or "",
            "key": key or "",
            "domains": ", ".join(DOMAINS),
            "mailboxes": ", ".join(f"{{{user}@{domain} = {user}/}}" for user, domain in addresses),
            "later": ", ".join(f"{{later@{domain} = 451 4.2.1 try again later}}" for domain in DOMAINS),
            "uid": nobody.pw_uid,
            "gid": nobody.pw_gid,
        }
        (top / "etc" / "main.cf").write_text(MAIN.format(**values) + more)
        (top / "etc" / "master.cf").write_text(MASTER.format(**values))
        self.child = Child("postfix", [postfix, "-c", str(top / "etc"), "start-fg"], top)
        self.child.wait_for(lambda: greets(self.port))

    def maildir(self, user: str) -> Maildir:
        """Return the mailbox of a user (the same for each domain)."""
        return Maildir(self.top / "mail" / user)

    def log(self) -> str:
        """Return Postfix's log."""
        path = self.top / "maillog"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def stop(self) -> None:
        """End it. Its master made a session of its own, so it is killed by the number that it wrote down."""
        pid = self.top / "queue" / "pid" / "master.pid"
        if pid.exists():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(int(pid.read_text()), signal.SIGKILL)
        self.child.stop()
