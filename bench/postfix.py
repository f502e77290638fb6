"""Postfix, set up as kindly as its documentation allows.

Its queue lies in memory, nothing is looked up in DNS, no TLS, no limits, no delays for errors, no
rewriting of addresses, long-lived processes; 10,000 known recipients in a hash table. Three roles, each
an instance of its own (so that each has a CPU account of its own) that never touches /etc/postfix.
"""

import shutil

from bench.places import BenchError, call
from bench.server import DOMAIN, KNOWN_USERS, Server

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.bench.example
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relay_domains = {domain}
relay_recipient_maps = hash:{folder}/recipients
relay_transport = {relay}
local_recipient_maps =
alias_maps =
alias_database =
canonical_maps =
virtual_alias_maps =
virtual_alias_domains =
local_header_rewrite_clients =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtpd_tls_security_level = none
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 100000
smtpd_hard_error_limit = 100000
smtpd_junk_command_limit = 100000
smtpd_recipient_overshoot_limit = 100000
smtpd_client_connection_count_limit = 0
default_process_limit = 200
max_use = 10000
max_idle = 3600
in_flow_delay = 0
message_size_limit = 52428800
biff = no
strict_rfc821_envelopes = no
postscreen_access_list = cidr:{folder}/clients
postscreen_denylist_action = {denied}
postscreen_greet_wait = 1
postscreen_greet_banner =
postscreen_greet_action = ignore
postscreen_dnsbl_sites =
postscreen_cache_map =
postscreen_client_connection_count_limit = 20000
postscreen_pre_queue_limit = 20000
postscreen_post_queue_limit = 20000
postscreen_command_count_limit = 1000
"""

MASTER = """\
rewrite   unix  -       -       n       -       -       trivial-rewrite
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
proxymap  unix  -       -       n       -       -       proxymap
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
anvil     unix  -       -       n       -       1       anvil
tlsmgr    unix  -       -       n       1000?   1       tlsmgr
postlog   unix-dgram n  -       n       -       1       postlogd
"""


class Postfix(Server):
    """smtpd by itself: knows the recipients, answers 550."""

    name = "postfix"
    title = "Postfix smtpd"
    denied = "enforce"
    clients = ""

    def service(self) -> str:
        return f"127.0.0.1:{self.port} inet n - n - 200 smtpd\n"

    def relay(self) -> str:
        """What becomes of a message in the queue."""
        return "discard"

    def version(self) -> str:
        return "Postfix " + call("postconf", "-h", "mail_version").strip()

    def prepare(self) -> None:
        if shutil.which("postfix") is None:
            raise BenchError("postfix is not installed")
        queue, data = self.folder / "queue", self.folder / "data"
        queue.mkdir()
        data.mkdir()
        shutil.chown(data, "postfix")
        (self.folder / "main.cf").write_text(
            MAIN.format(folder=self.folder, domain=DOMAIN, denied=self.denied, relay=self.relay())
        )
        (self.folder / "master.cf").write_text(self.service() + MASTER)
        (self.folder / "clients").write_text(self.clients)
        names = "".join(f"user{number}@{DOMAIN} x\n" for number in range(KNOWN_USERS))
        (self.folder / "recipients").write_text(names)
        call("postmap", "-c", self.folder, f"hash:{self.folder}/recipients")

    def command(self) -> list[str]:
        return ["postfix", "-c", str(self.folder), "start-fg"]


class PostfixProxy(Postfix):
    """smtpd_proxy_filter: relays each message inside the dialogue, as Gatepost does; nothing is queued."""

    name = "postfix-proxy"
    title = "Postfix smtpd_proxy_filter"

    def service(self) -> str:
        return super().service() + f"  -o smtpd_proxy_filter=127.0.0.1:{self.sink_port}\n"


class Postscreen(Postfix):
    """postscreen with every client denylisted: it speaks the dialogue itself and answers RCPT 550."""

    name = "postscreen"
    title = "postscreen, denylisted client"
    clients = "127.0.0.0/8 reject\n"

    def service(self) -> str:
        return f"127.0.0.1:{self.port} inet n - n - 1 postscreen\nsmtpd pass - - n - 200 smtpd\n"


class PostscreenIdle(Postscreen):
    """postscreen holding clients in its own engine: the least memory that Postfix can do with."""

    name = "postscreen-idle"
    title = "postscreen"
