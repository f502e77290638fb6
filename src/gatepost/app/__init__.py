"""Builds the house: the only room that knows every other.

`serve` is what `gatepost serve` runs: the parent opens sockets and files, forks the workers, the
keeper and the console, and supervises. Nothing here decides anything about a mail.
"""

from __future__ import annotations

import datetime
import os
import sys
import time
from pathlib import Path
from typing import Any

from gatepost import __version__
from gatepost.app import demo as demonstration
from gatepost.app import first_admin
from gatepost.app.blocked import blame, put_away
from gatepost.app.console import first_administrator, missing, run_console
from gatepost.app.keeper import run_keeper
from gatepost.app.tools import make_log
from gatepost.app.worker import Parts, run_worker
from gatepost.config import Config
from gatepost.desk import troubles
from gatepost.plugin import registry as plugins
from gatepost.server.board import Board
from gatepost.server.overload import raise_open_files
from gatepost.server.sockets import ListenError, open_listeners
from gatepost.server.systemd import Notifier, listen_sockets
from gatepost.server.tls import TlsError, open_certificate
from gatepost.server.workers import Supervisor
from gatepost.store.base import StoreDamaged, StoreError
from gatepost.store.policy_db import PolicyStore
from gatepost.store.policy_write import LAST_GOOD, is_there
from gatepost.telemetry.log import Level, Log

BAD_EVENTS = frozenset({"process_died", "worker_blocked", "cannot_start", "cannot_fork", "trouble"})


def serve(config: Config, *, demo: bool = False) -> int:
    """Run everything on one machine until told to stop; returns the exit status."""
    log = make_log(config)
    data = config.data_dir
    try:
        prepare(data)
        if demo:
            demonstration.make(data)
        certificate = open_certificate(
            str(config.smtp.tls_certificate or ""),
            str(config.smtp.tls_key or ""),
            data,
            config.hostname,
            datetime.datetime.now(datetime.UTC),
        )
        inherited = listen_sockets(os.environ, os.getpid())
        socks = open_listeners(
            config.smtp.listen,
            inherited=inherited,
            warn=lambda text: log.event("listen", "warning", why=text),
        )
        outgoing = open_listeners(
            config.smtp.outgoing.listen,
            name="outgoing",
            inherited=[one for one in inherited if one.name == "outgoing"],
            warn=lambda text: log.event("listen", "warning", why=text),
        )
    except (ListenError, TlsError, StoreError, OSError) as error:
        sys.stderr.write(f"gatepost: {error}\n")
        return 1
    workers = config.smtp.worker_processes
    raise_open_files(config.smtp.max_connections // workers + 4096)
    parts = Parts(config, socks, outgoing, certificate)
    board = Board.create(None, workers, config.smtp.max_connections)
    names = plugins.load(config.plugins.folder)
    for name, why in names.errors().items():
        log.event("plugin_failed", "error", plugin=name, why=why)
    for problem in names.problems:
        log.event("plugins_not_read", "error", why=problem)

    def on_event(name: str, fields: dict[str, Any]) -> None:
        level: Level = "error" if name in BAD_EVENTS else "info"
        log.event(name, level, **fields)
        if name == "process_died":
            troubles.died(data, str(fields["process"]), f"with status {fields['status']}", time.time())

    def on_blocked(plugin: str, times: int) -> None:
        """A plugin that blocked the loop more than once is weakened everywhere."""
        known = names.defaults().get(plugin)
        mode = put_away(data, plugin, times, known.mode if known is not None else "on")
        log.event("plugin_put_away", "error", plugin=plugin, mode=mode, times=times)

    def on_suspects(plugin: str, messages: list[bytes], why: str) -> None:
        """Who dies twice over one message makes it poison (gatepost.plugin.deadly)."""
        for message, times in blame(data, plugin, messages, why, time.time()):
            log.event("suspect", "error", message=message, plugin=plugin, times=times, why=why)

    log.event(
        "start",
        version=__version__,
        listen=[sock.getsockname()[:2] for sock in socks],
        workers=workers,
        data=str(data),
    )
    if demo:
        host, port = socks[0].getsockname()[:2]
        administrator = first_administrator(config) if config.console.listen else None
        sys.stdout.write(demonstration.text(host, port, data, config.console.listen, administrator))
        sys.stdout.flush()
    elif config.console.listen and not missing() and first_admin.is_missing(config):
        why = "nobody may sign in to the console as administrator yet; type: " + first_admin.command(config)
        log.event("no_administrator", "warning", why=why)
    supervisor = Supervisor(
        lambda n, board, fd: run_worker(parts, n, board, fd),
        lambda board: run_keeper(parts, board),
        workers,
        board,
        on_event,
        helpers={"console": lambda: run_console(config, board)} if config.console.listen else {},
        plugin_name=names.by_index,
        on_plugin_blocked=on_blocked,
        on_suspects=on_suspects,
        on_reload=lambda: _reload(certificate, log),
        notifier=Notifier(os.environ, os.getpid()),
    )
    return supervisor.run()


def _reload(certificate: Any, log: Log) -> None:
    try:
        certificate.reload()
    except TlsError as error:
        log.event("certificate", "error", why=str(error))


def prepare(data: Path) -> None:
    """Make the folders and databases that are not there yet."""
    data.mkdir(parents=True, exist_ok=True, mode=0o750)
    scratch = data / "scratch"
    scratch.mkdir(exist_ok=True, mode=0o700)
    for left in scratch.iterdir():  # of a process that was killed: nobody was told 250 for it
        left.unlink(missing_ok=True)
    for left in (data / "run").glob("conditions-*.json"):  # of processes that are gone
        left.unlink(missing_ok=True)
    secret = data / "secret"
    if not secret.exists():
        fd = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(fd, os.urandom(32))
        os.fsync(fd)
        os.close(fd)
    open_stores(data)


def open_stores(data: Path) -> None:
    """Open each database once, so that its schema is there before anybody forks."""
    from gatepost.store.accounts_db import AccountsStore
    from gatepost.store.journal_db import JournalStore
    from gatepost.store.records_db import RecordsStore
    from gatepost.store.state_db import StateStore

    try:
        PolicyStore(data / "policy.db").close()
    except StoreDamaged:
        if not is_there(data / LAST_GOOD):
            raise
        # Mail goes on with that copy, and who follows the policy says so.
    JournalStore(data / "journal.db").close()
    RecordsStore(data / "records.db").close()
    AccountsStore(data / "accounts.db").close()
    StateStore(data / "state.db").close()
