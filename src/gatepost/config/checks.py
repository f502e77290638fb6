"""`gatepost config check`: does this configuration fit this machine?

`load` finds what is wrong in itself; here we look at files, folders, names and limits. Nothing is
changed and nothing is asked over the network.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gatepost.config import password_file
from gatepost.config.keys import Config
from gatepost.config.problems import Problem

RESERVED_FILES = 1000
"""Open files beside the clients' connections: databases, back ends, archive."""


def check(config: Config) -> list[Problem]:
    """Return what is wrong or doubtful on this machine; a fatal problem keeps `serve` from starting."""
    return [
        *_names(config),
        *_data_folder(config),
        *_certificate(config),
        *_plugin_folder(config),
        *_followed_tree(config),
        *_limits(config),
        *_outgoing(config),
        *_alarms(config),
    ]


def _fault(config: Config, key: str, reason: str, *, fatal: bool = True) -> Problem:
    return Problem(config.origin(key), key, reason, fatal=fatal)


def _names(config: Config) -> Iterator[Problem]:
    if "." not in config.hostname:
        reason = f"{config.hostname!r} is not a full name: other servers may distrust our greeting"
        yield _fault(config, "hostname", reason, fatal=False)


def _data_folder(config: Config) -> Iterator[Problem]:
    folder = config.data_dir
    existing = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    if not existing.is_dir():
        yield _fault(config, "data_dir", f"{existing} is not a folder")
    elif not os.access(existing, os.W_OK | os.X_OK):
        what = (
            "may not be written"
            if existing == folder
            else f"does not exist, and {existing} may not be written"
        )
        yield _fault(config, "data_dir", f"{folder} {what} by this user")
    elif existing == folder and folder.stat().st_mode & 0o007:
        yield _fault(
            config, "data_dir", f"{folder} is open to every user of this machine (chmod o=)", fatal=False
        )


def _certificate(config: Config) -> Iterator[Problem]:
    if config.smtp.tls_certificate is None:
        return
    # ssl is slow to import, and most commands never come here.
    from gatepost.server.tls import TlsError, server_context

    try:
        server_context(
            str(config.smtp.tls_certificate), str(config.smtp.tls_key or config.smtp.tls_certificate)
        )
    except TlsError as error:
        yield _fault(config, "smtp.tls_certificate", str(error))


def _plugin_folder(config: Config) -> Iterator[Problem]:
    folder = config.plugins.folder
    if folder is None or not folder.exists():
        if folder is not None and "plugins.folder" in config.origins:
            yield _fault(config, "plugins.folder", f"{folder} does not exist", fatal=False)
        return
    if not folder.is_dir():
        yield _fault(config, "plugins.folder", f"{folder} is not a folder")
    elif os.geteuid() and os.access(folder, os.W_OK):
        reason = f"{folder} may be written by the service: whoever breaks in could leave a plugin there"
        yield _fault(config, "plugins.folder", reason, fatal=False)


def _followed_tree(config: Config) -> Iterator[Problem]:
    tree = config.files.srv
    if tree is not None and not tree.is_dir():
        # Not fatal: a disk that is not mounted must not keep mail out. What the tree said before holds.
        yield _fault(config, "files.srv", f"{tree} is not a folder", fatal=False)
    if config.files.route:
        from gatepost.relay.routes import RouteError, parse_route

        try:
            parse_route(config.files.route)
        except RouteError as error:
            yield _fault(config, "files.route", str(error))


def _outgoing(config: Config) -> Iterator[Problem]:
    outgoing = config.smtp.outgoing
    if outgoing.listen and not outgoing.networks:
        reason = "nobody may send: name each domain's servers in smtp.outgoing.networks"
        yield _fault(config, "smtp.outgoing.networks", reason, fatal=False)


def _limits(config: Config) -> Iterator[Problem]:
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    # One worker may by chance get nearly all of the connections.
    wanted = config.smtp.max_connections + RESERVED_FILES
    if hard != resource.RLIM_INFINITY and hard < wanted:
        reason = f"needs {wanted} open files, and this user may have {hard} (LimitNOFILE=)"
        yield _fault(config, "smtp.max_connections", reason, fatal=False)


def _alarms(config: Config) -> Iterator[Problem]:
    alarms = config.alarms
    if bool(alarms.mail_to) != bool(alarms.mail_through):
        missing = "mail_through" if alarms.mail_to else "mail_to"
        yield _fault(config, f"alarms.{missing}", "no alarm goes out by mail without it", fatal=False)
    if bool(alarms.mail_user) != bool(alarms.mail_password_file):
        missing = "mail_password_file" if alarms.mail_user else "mail_user"
        yield _fault(config, f"alarms.{missing}", "nobody signs in without it", fatal=False)
    if alarms.mail_user and "tls=off" in alarms.mail_through:
        reason = "a password is never sent in clear text: leave tls=off away, or alarms.mail_user"
        yield _fault(config, "alarms.mail_through", reason, fatal=False)
    if alarms.mail_user and alarms.mail_through.lower().startswith("smtp+mx:"):
        reason = (
            "nobody signs in at a host that DNS names (smtp+mx): name the host itself, as smtp://host:587"
        )
        yield _fault(config, "alarms.mail_through", reason, fatal=False)
    if alarms.mail_password_file is not None:
        yield from _password_file(config, "alarms.mail_password_file", alarms.mail_password_file)


def _password_file(config: Config, key: str, path: Path) -> Iterator[Problem]:
    try:
        password_file.read(path)
    except password_file.BadPasswordFile as error:
        yield _fault(config, key, str(error), fatal=False)
    if password_file.is_open(path):
        reason = f"{path} is open to every user of this machine (chmod o=)"
        yield _fault(config, key, reason, fatal=False)
