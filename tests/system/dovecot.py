"""A real Dovecot with imapsieve, set up by the very files of docs/howto/training.md; only paths differ."""

from __future__ import annotations

import grp
import imaplib
import os
import pwd
import re
import subprocess
from pathlib import Path

from tests.house.tree import TOP
from tests.system.process import Child, free_port, program
from tests.system.scanners import listens

PAGE = TOP / "docs" / "howto" / "training.md"
FILES = re.compile(r"^`(/[^`]+)`[^\n]*:\n\n```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
"""A path, and the block that belongs into it."""
PASSWORD = "secret"
CONFIG = """\
base_dir = {top}/run
state_dir = {top}/run
log_path = {top}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_login_user = {user}
default_internal_user = {user}
default_internal_group = {group}
first_valid_uid = 1
mail_uid = {uid}
mail_gid = {gid}
mail_location = maildir:{top}/mail/%u
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={top}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Junk {{
    auto = create
  }}
  mailbox Trash {{
    auto = create
  }}
}}
"""


def page_files() -> dict[str, str]:
    """Return path -> text of each file that the page tells to write."""
    return dict(FILES.findall(PAGE.read_text("utf-8")))


class Dovecot:
    """A running Dovecot whose people sign in with any address and `PASSWORD`."""

    def __init__(self, top: Path, console: int, token: str) -> None:
        self.top = top
        self.port = free_port()
        top.chmod(0o755)
        texts = {"http://127.0.0.1:8025": f"http://127.0.0.1:{console}", "THE-TOKEN": token}
        texts |= {folder: f"{top}{folder}" for folder in ("/etc/", "/usr/local/lib/")}
        for path, text in page_files().items():
            for old, new in texts.items():
                text = text.replace(old, new)
            target = top / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            target.chmod(0o755 if path.endswith("gatepost-train") else 0o644)
        uid, gid = (pwd.getpwnam("nobody")[2:4]) if os.geteuid() == 0 else (os.getuid(), os.getgid())
        user, group = pwd.getpwuid(uid).pw_name, grp.getgrgid(gid).gr_name
        (top / "mail").mkdir()
        os.chown(top / "mail", uid, gid)
        config = top / "dovecot.conf"
        own = CONFIG.format(
            top=top, port=self.port, uid=uid, gid=gid, user=user, group=group, password=PASSWORD
        )
        config.write_text(own + f"!include {top}/etc/dovecot/conf.d/95-gatepost.conf\n")
        for script in (top / "etc/dovecot/gatepost").glob("*.sieve"):
            subprocess.run(
                [program("sievec", "dovecot-sieve"), "-c", str(config), str(script)], check=True, timeout=30
            )
        command = [program("dovecot", "dovecot-imapd"), "-F", "-c", str(config)]
        self.child = Child("dovecot", command, top)
        self.child.wait_for(lambda: listens(self.port))

    def sign_in(self, user: str) -> imaplib.IMAP4:
        """Return a mail program of somebody's."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=20)
        client.login(user, PASSWORD)
        return client

    def log(self) -> str:
        """Return what it wrote down."""
        return (self.top / "dovecot.log").read_text()

    def stop(self) -> None:
        """End it."""
        self.child.stop(10)
