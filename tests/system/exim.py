"""A real Exim 4: Debian's exim4-daemon-light, unpacked beside Postfix (the packages conflict).

It hosts two domains, delivers to Maildirs and says 550 at RCPT to whom it does not know. It offers
PRDR, CHUNKING, SMTPUTF8 and STARTTLS. Deliveries run as Exim's own user (`deliver_drop_privilege`),
so nothing needs to belong to the local parts; their paths are fixed, since Exim refuses a path
made from what came over the network ("tainted").
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.system.maildir import Maildir
from tests.system.process import Child, free_port, greets, program

USERS = ("ann", "bob", "postmaster", "picky")
"""Who has a mailbox. `picky` is refused after the data where PRDR is used; `later` is deferred at RCPT."""
DOMAINS = ("example.org", "second.example")

CONFIG = """\
exim_path = {exim}
keep_environment =
primary_hostname = exim.test
spool_directory = {top}/spool
log_file_path = {top}/log/%slog
log_selector = +smtp_protocol_error +received_recipients
pid_file_path = {top}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
deliver_drop_privilege = true
prdr_enable = true
chunking_advertise_hosts = *
smtputf8_advertise_hosts = *
tls_advertise_hosts = {tls}
tls_certificate = {certificate}
tls_privatekey = {key}
smtp_accept_max = 200
smtp_accept_queue = 0
smtp_accept_queue_per_connection = 0
message_size_limit = {size}
accept_8bitmime = true
host_lookup =
rfc1413_hosts =
never_users =
domainlist local_domains = {domains}
acl_smtp_rcpt = at_rcpt
acl_smtp_data = at_data
acl_smtp_data_prdr = at_prdr

{authenticators}
begin acl
at_rcpt:
{demand}
  defer local_parts = later
        message = try again later
  deny  domains = !+local_domains
        message = relay not permitted
  require verify = recipient
  accept

at_prdr:
  deny  local_parts = picky
        message = picky does not want this
  accept

at_data:
  accept

begin routers
{routers}
begin transports
{transports}
begin retry
* * F,1h,1m
"""
ROUTER = """\
to_{user}:
  driver = accept
  domains = +local_domains
  local_parts = {user}
  transport = into_{user}
"""
TRANSPORT = """\
into_{user}:
  driver = appendfile
  maildir_format
  directory = {top}/mail/{user}
  delivery_date_add
  envelope_to_add
  return_path_add
"""


DEMAND = """\
  deny  !authenticated = *
        message = sign in first
"""
AUTHENTICATORS = """\
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}

"""
SMART_ROUTER = """\
away:
  driver = manualroute
  domains = !+local_domains
  transport = smart_host
  route_list = * 127.0.0.1
  self = send
  no_more
"""
SMART_TRANSPORT = """\
smart_host:
  driver = smtp
  port = {port}
"""


class Exim:
    """A running Exim with Maildirs for `USERS` of `DOMAINS`."""

    def __init__(
        self,
        top: Path,
        certificate: Path | None = None,
        key: Path | None = None,
        size: str = "50M",
        smart_host: int = 0,
        login: tuple[str, str] | None = None,
    ) -> None:
        """`smart_host`: the port of 127.0.0.1 for mail of other domains; `login`: who alone may send."""
        exim = program("exim4", "exim4")
        self.top = top
        self.port = free_port()
        for name in ("spool", "log", "mail"):
            (top / name).mkdir()
        config = top / "exim.conf"
        config.write_text(
            CONFIG.format(
                exim=exim,
                top=top,
                port=self.port,
                size=size,
                domains=" : ".join(DOMAINS),
                tls="*" if certificate else "",
                certificate=certificate or "",
                key=key or "",
                demand=DEMAND if login else "",
                authenticators=AUTHENTICATORS.format(user=login[0], password=login[1]) if login else "",
                routers=(SMART_ROUTER if smart_host else "")
                + "\n".join(ROUTER.format(user=user) for user in USERS),
                transports=SMART_TRANSPORT.format(port=smart_host)
                + "\n".join(TRANSPORT.format(user=user, top=top) for user in USERS),
            )
        )
        for path in (top, *(path for path in top.rglob("*") if path != config)):
            shutil.chown(path, "Debian-exim", "Debian-exim")
        self.child = Child("exim", [exim, "-C", str(config), "-bdf", "-q1m"], top)
        self.child.wait_for(lambda: greets(self.port))

    def maildir(self, user: str) -> Maildir:
        """Return the mailbox of a user (the same for each domain)."""
        return Maildir(self.top / "mail" / user)

    def submit(self, sender: str, recipient: str, text: bytes) -> None:
        """Send a mail as a program on its machine does."""
        command = [program("exim4", "exim4"), "-C", str(self.top / "exim.conf"), "-f", sender, recipient]
        subprocess.run(command, input=text, check=True, timeout=30)

    def log(self) -> str:
        """Return Exim's main log."""
        path = self.top / "log" / "mainlog"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def stop(self) -> None:
        """End it."""
        self.child.stop()
