"""Sockets in clear text, on an epoll set of our own beside the event loop.

asyncio's transports cost 12 to 15 microseconds a session more than the kernel needs
(docs/why.md): getpeername, getsockname, a transport and handle objects that an SMTP session of
five lines never uses. So clear-text connections live in one epoll set, and the event loop
watches that set as a single file. TLS and everything else go through asyncio as usual: a `Wire`
has the methods of an asyncio transport that a connection uses, so it cannot tell them apart.

Replies of one batch of events are sent together behind it: a send to a peer that sleeps wakes it,
which costs ten times the send; the replies behind the first find it awake (docs/why.md).

No policy and no SMTP here: bytes, readiness, back-pressure.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from typing import Protocol

READ_SIZE = 4_096
"""Bytes a read of commands asks for."""
BULK_SIZE = 262_144
"""Bytes a read of message data asks for."""
WRITE_LIMIT = 65_536
"""Unsent bytes at which the peer is read from no more until it takes some."""
LINGER = 5
"""Seconds that a closed peer's bytes are still thrown away: a reset would destroy our last reply."""

_IN = select.EPOLLIN | select.EPOLLRDHUP
_OUT = select.EPOLLOUT
_ACCEPT_BURST = 64
_MOST_LATE = 32
"""Replies that wait for each other: the first of them has waited for one to three milliseconds then."""


class Peer(Protocol):
    """What a wire tells its connection: the part of asyncio.Protocol that is used."""

    def data_received(self, data: bytes, /) -> None:
        """Bytes came in."""

    def eof_received(self) -> bool | None:
        """The peer will send no more; true keeps our side open until we close it."""

    def connection_lost(self, exc: Exception | None, /) -> None:
        """The connection is gone."""


class Hub:
    """The epoll set of one process, watched by its event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.now = time.monotonic()
        """Monotonic seconds at the start of the batch in hand."""
        self.after_batch: Callable[[], None] = _nothing
        """Called once behind each batch of events (the journal is flushed there)."""
        self.gathers = False
        """What is written now is sent behind the batch."""
        self.late: list[Wire] = []
        """Who has something to send then."""
        self._soon = False
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[int], None]] = {}
        loop.add_reader(self._epoll.fileno(), self._batch)

    def listen(
        self, sock: socket.socket, accept: Callable[[int, tuple[str, int]], None]
    ) -> Callable[[], None]:
        """Call `accept(fd, address)` for each new connection; returns a function that stops it."""
        fd = sock.fileno()
        take = sock._accept  # type: ignore[attr-defined]  # a bare descriptor: a socket object costs 2 us more

        def ready(_events: int) -> None:
            try:
                for _ in range(_ACCEPT_BURST):
                    new, address = take()
                    accept(new, address)
            except BlockingIOError:
                pass  # another worker, or nobody: the queue is empty
            except OSError:
                # Out of descriptors, or a client that left at once. The set reports again as
                # long as someone waits; a pause keeps a full table from becoming a busy loop.
                stop()
                self.loop.call_later(0.1, start)

        def start() -> None:
            self._ready[fd] = ready
            self._epoll.register(fd, select.EPOLLIN | select.EPOLLEXCLUSIVE)

        def stop() -> None:
            if self._ready.pop(fd, None) is not None:
                self._epoll.unregister(fd)

        start()
        return stop

    def add(self, fd: int, ready: Callable[[int], None]) -> None:
        """Watch a connection for reading."""
        self._ready[fd] = ready
        self._epoll.register(fd, _IN)

    def want(self, fd: int, events: int) -> None:
        """Change what a connection is watched for."""
        self._epoll.modify(fd, events)

    def remove(self, fd: int) -> None:
        """Watch a connection no more; closing the descriptor takes it out of the kernel's set."""
        self._ready.pop(fd, None)

    def release(self, fd: int) -> None:
        """Hand a living descriptor to somebody else."""
        self._ready.pop(fd, None)
        self._epoll.unregister(fd)

    def close(self) -> None:
        """Stop watching."""
        self._send_late()
        self.loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        self._ready.clear()

    def batch_soon(self) -> None:
        """Something happened outside of a batch (a task, TLS): have `after_batch` called behind it."""
        if not self._soon:
            self._soon = self.gathers = True
            self.loop.call_soon(self._batch_ended)

    def _batch_ended(self) -> None:
        self._soon = self.gathers = False
        self._send_late()
        self.after_batch()

    def _batch(self) -> None:
        self.now = time.monotonic()
        ready = self._ready
        self.gathers = True
        try:
            for fd, events in self._epoll.poll(0, 256):
                handler = ready.get(fd)
                if handler is not None:
                    handler(events)
                if len(self.late) >= _MOST_LATE:
                    self._send_late()
        finally:
            self.gathers = self._soon
            self._send_late()
        self.after_batch()

    def _send_late(self) -> None:
        late, self.late = self.late, []
        for wire in late:
            try:
                wire.send_late()
            except Exception as error:  # one session's fault: the others' replies go out all the same
                self.loop.call_exception_handler({"message": "sending a reply", "exception": error})


class Wire:
    """One clear-text connection. Methods as of asyncio's transport."""

    __slots__ = (
        "_closing",
        "_fd",
        "_finishing",
        "_hub",
        "_late",
        "_out",
        "_paused",
        "_throttled",
        "peer",
        "read_size",
    )

    def __init__(self, hub: Hub, fd: int, peer: Peer) -> None:
        self._hub = hub
        self._fd = fd
        self.peer: Peer | None = peer
        self.read_size = READ_SIZE
        self._out = b""
        """What the socket did not take."""
        self._late = b""
        """What nobody tried to send yet: it waits for the end of the batch."""
        self._closing = False
        self._finishing = False
        self._paused = False
        self._throttled = False
        os.set_blocking(fd, False)
        hub.add(fd, self._ready)

    def write(self, data: bytes) -> None:
        """Send what the socket takes, now or behind the batch, and the rest when it takes more."""
        if self._closing:
            return
        hub = self._hub
        if self._late:
            self._late += data
        elif hub.gathers:
            self._late = data
            hub.late.append(self)
        else:
            self._send(data)

    def send_late(self) -> None:
        """The batch is over: send what waited for it."""
        data, self._late = self._late, b""
        if not data or self._fd < 0:
            return
        self._send(data)
        if self._closing and not self._out and self._fd >= 0:
            self._end()

    def _send(self, data: bytes) -> None:
        if not self._out:
            try:
                sent = os.write(self._fd, data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._lost(error)
                return
            if sent == len(data):
                return
            data = data[sent:]
        self._out += data
        self._throttled = len(self._out) > WRITE_LIMIT
        self._watch()

    def close(self) -> None:
        """Send what is left, then close; the peer's unread bytes do not destroy our last reply."""
        if self._closing:
            return
        self._closing = True
        if self._out:
            self._watch()
        elif not self._late:
            self._end()

    def finish(self) -> None:
        """Close at once when nothing is left to send (the peer said QUIT and waits for nothing)."""
        self._finishing = not self._out
        self.close()

    def _end(self) -> None:
        """All is sent of a wire that is to be closed."""
        if self._finishing:
            self._lost(None)
        else:
            self._linger()

    def abort(self) -> None:
        """Close at once."""
        self._lost(None)

    def is_closing(self) -> bool:
        """Return whether close was called or the peer is gone."""
        return self._closing or self._fd < 0

    def pause_reading(self) -> None:
        """Read no more until `resume_reading`."""
        if not self._paused:
            self._paused = True
            self._watch()

    def resume_reading(self) -> None:
        """Read again."""
        if self._paused:
            self._paused = False
            self._watch()

    def detach(self) -> socket.socket:
        """Give the socket away (to asyncio, for TLS); this wire is dead afterwards."""
        self.send_late()
        fd, self._fd = self._fd, -1
        self._hub.release(fd)
        self.peer = None
        return socket.socket(fileno=fd)

    def name(self) -> str:
        """Return our own end as `address:port`, "" when the peer is gone."""
        try:
            with socket.socket(fileno=os.dup(self._fd)) as sock:
                host, port = sock.getsockname()[:2]
        except OSError:
            return ""
        return f"{host}:{port}"

    def _watch(self) -> None:
        if self._fd < 0:
            return
        events = 0 if self._paused or self._throttled or self._closing else _IN
        self._hub.want(self._fd, events | (_OUT if self._out else 0))

    def _ready(self, events: int) -> None:
        if events & _OUT and self._out:
            self._send_rest()
            if self._fd < 0:
                return
        if events & ~_OUT:
            if self._closing:
                if not self._out:
                    self._throw_away()
                elif events & (select.EPOLLHUP | select.EPOLLERR):
                    self._lost(None)
                return
            if self._paused or self._throttled:
                # A peer that hung up while we do not read: only that can be reported here.
                if events & (select.EPOLLHUP | select.EPOLLERR):
                    self._lost(None)
                return
            try:
                data = os.read(self._fd, self.read_size)
            except BlockingIOError:
                return
            except OSError as error:
                self._lost(error)
                return
            if self.peer is None:
                return
            if data:
                self.peer.data_received(data)
            elif self.peer.eof_received():
                self.pause_reading()
            else:
                self._lost(None)

    def _send_rest(self) -> None:
        try:
            sent = os.write(self._fd, self._out)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(error)
            return
        self._out = self._out[sent:]
        if self._throttled and len(self._out) <= WRITE_LIMIT // 2:
            self._throttled = False
        if self._closing and not self._out:
            self._end()
        else:
            self._watch()

    def _linger(self) -> None:
        """Say that we are done and throw away what still comes, for a few seconds."""
        try:
            with socket.socket(fileno=os.dup(self._fd)) as sock:
                sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            self._lost(error)
            return
        self._hub.want(self._fd, _IN)
        self._hub.loop.call_later(LINGER, self.abort)

    def _throw_away(self) -> None:
        try:
            data = os.read(self._fd, BULK_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost(None)

    def _lost(self, error: Exception | None) -> None:
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        self._closing = True
        self._hub.remove(fd)
        if self._late and error is None and not self._out:
            with contextlib.suppress(OSError):
                os.write(fd, self._late)
        os.close(fd)
        self._out = self._late = b""
        peer, self.peer = self.peer, None  # breaks the circle: nothing waits for the collector
        if peer is not None:
            peer.connection_lost(error)


def _nothing() -> None:
    return None
