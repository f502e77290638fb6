"""Signals wait in order to be read, and what was there before comes back."""

import os
import signal
import time

from gatepost.server.signals import Signals


def test_signals_are_read_in_order() -> None:
    """HUP, TERM, HUP: as they came, and nothing more."""
    before = signal.getsignal(signal.SIGTERM)
    with Signals([signal.SIGHUP, signal.SIGTERM]) as signals:
        assert signals.read() == []
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
            time.sleep(0.01)
        assert signals.read() == [signal.SIGHUP, signal.SIGTERM, signal.SIGHUP]
        assert signals.read() == []
        assert signals.fd in signals.fds
    assert signal.getsignal(signal.SIGTERM) == before
