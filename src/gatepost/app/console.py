"""The console's process: uvicorn in a child of its own, so that no mail waits for a page.

It listens on `[console] listen`, is started again when it dies, and ends when the drain begins. What it
lacks (a package, the port) is said and stops nothing else.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from gatepost.app.first_admin import first_step
from gatepost.app.tools import make_log
from gatepost.config import Config
from gatepost.config.desks import desk_from
from gatepost.server.board import Board
from gatepost.server.sockets import parse_host_port

if TYPE_CHECKING:
    from gatepost.console.live import Live
    from gatepost.console.site import Process, Site, Visit
    from gatepost.desk.desk import Desk

PACKAGES = ("fastapi", "uvicorn", "jinja2", "multipart", "babel", "argon2")
"""What the extra `console` brings; without one of them there is no console."""
RETRY = 5.0
"""Seconds until the port is tried again that somebody else has."""
GRACE = 2
"""Seconds that open answers (a live journal never ends by itself) are waited for at the end."""


def missing() -> list[str]:
    """Return the packages that a console needs and that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def run_console(config: Config, board: Board) -> None:
    """Be the console until told to stop."""
    asyncio.run(Console(config, board).run())


class Console:
    """The parts of the console's process."""

    def __init__(self, config: Config, board: Board) -> None:
        self._config = config
        self._board = board
        self._log = make_log(config)
        self._stopping = asyncio.Event()
        self._server: Any = None
        self._live: Live | None = None

    async def run(self) -> None:
        """Serve until told to stop."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        lacking = missing()
        if lacking:
            why = f"{', '.join(lacking)} missing: pip install 'gatepost[console]'"
            self._log.event("console", "error", why=why)
            await self._stopping.wait()
            return
        sock = await self._listen()
        if sock is not None:
            await self._serve(sock)

    def _stop(self) -> None:
        self._stopping.set()
        if self._live is not None:
            self._live.close()
        if self._server is not None:
            self._server.should_exit = True

    async def _listen(self) -> socket.socket | None:
        """Return the listening socket; None where the end came first."""
        listen = self._config.console.listen
        host, port = parse_host_port(listen)
        if in_the_clear(host, self._config.console.public_url):
            why = "passwords cross the network in the clear: put a TLS proxy before it and set public_url"
            self._log.event("console_without_tls", "warning", listen=listen, why=why)
        said = False
        while not self._stopping.is_set():
            try:
                return open_socket(host, port)
            except OSError as error:
                if not said:
                    self._log.event("console", "error", listen=listen, why=error.strerror or str(error))
                said = True
            try:
                await asyncio.wait_for(self._stopping.wait(), RETRY)
            except TimeoutError:
                continue
        return None

    async def _serve(self, sock: socket.socket) -> None:
        import uvicorn

        from gatepost.console.app import make_app

        class Server(uvicorn.Server):
            """Leaves signals to us: the parent's TERM is our only one."""

            @contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield

        app = make_app(make_site(self._config, self._board), self._report)
        self._live = app.state.live
        self._server = Server(
            uvicorn.Config(
                app,
                access_log=False,
                log_config=None,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=GRACE,
                h11_max_incomplete_event_size=65_536,
            )
        )
        self._log.event("console", listen=sock.getsockname()[:2])
        if not self._stopping.is_set():
            await self._server.serve([sock])

    def _report(self, event: str, path: str, error: BaseException) -> None:
        """Write down a fault of ours; the page says only that there was one."""
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place is not None else ""
        self._log.event(event, "error", path=path, why=f"{type(error).__name__}: {error}", where=where)


def make_site(config: Config, board: Board) -> Site:
    """Return the console of this installation."""
    from gatepost.console.site import Site
    from gatepost.desk import sessions
    from gatepost.plugin import registry as plugins

    registry = plugins.load(config.plugins.folder)

    def desk_for(by: str, admin: bool) -> Desk:
        return desk_from(config, by, admin=admin, registry=registry)

    return Site(
        desk_for,
        sessions,
        config.hostname,
        config.console.public_url,
        bearer=bearer(),
        processes=lambda: processes(board),
        first_step=first_step(config),
    )


def first_administrator(config: Config) -> tuple[str, str] | None:
    """Make the first administrator of an installation without people; returns the name and the password."""
    if missing():
        return None
    from gatepost.desk import users

    with desk_from(config, "first start") as desk:
        return users.first_admin(desk)


def bearer() -> Callable[[Desk, str], Visit | None]:
    """Return who knows the tokens of programs; where nobody does, none is good."""
    from gatepost.console.site import no_bearer

    if importlib.util.find_spec("gatepost.desk.tokens") is None:
        return no_bearer
    return cast(
        "Callable[[Desk, str], Visit | None]", importlib.import_module("gatepost.desk.tokens").who_bears
    )


def processes(board: Board) -> list[Process]:
    """Return the processes that use the policy, with the version that each has in force."""
    from gatepost.console.site import Process

    names = [*(f"w{n}" for n in range(board.workers)), "keeper"]
    return [
        Process(name, board.pid(column), board.version(column))
        for column, name in enumerate(names)
        if board.pid(column)
    ]


def open_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket; OSError where there can be none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off only where the socket says that it is TCP: else an answer of two
    # pieces waits 40 ms for the browser's acknowledgement of the first.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)
    except BaseException:
        sock.close()
        raise
    return sock


def in_the_clear(host: str, public_url: str) -> bool:
    """Return whether others can reach the console without TLS, as far as the configuration tells."""
    return not loopback(host) and not public_url.startswith("https://")


def loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
