"""smtp-sink and swaks: the quick back end and the foreign client of the tests."""

import subprocess

from tests.system.process import wait_until
from tests.system.sink import Sink


def test_sink_keeps_what_swaks_sends(sink: Sink, swaks: str) -> None:
    """A mail that swaks sends is a file with envelope and body."""
    done = subprocess.run(
        [swaks, "--server", f"127.0.0.1:{sink.port}", "--from", "a@b.example", "--to", "c@d.example",
         "--body", "Hello there"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout + done.stderr
    wait_until(lambda: len(sink.messages()) == 1, "one message")
    (message,) = sink.messages()
    assert b"X-Mail-Args: <a@b.example>" in message
    assert b"X-Rcpt-Args: <c@d.example>" in message
    assert b"Hello there" in message
