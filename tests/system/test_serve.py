"""The running program: the demo, signals, metrics, and mail that survives a killed process."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path

from tests.system.gateway import GATEPOST, Gateway
from tests.system.maildir import Maildir
from tests.system.process import Child, free_port, greets, open_directory, wait_until
from tests.system.running import host
from tests.system.sink import Sink
from tests.system.test_backends import hosting, letter


def clean_environment() -> dict[str, str]:
    """Return the environment without settings of ours."""
    return {key: value for key, value in os.environ.items() if not key.startswith("GATEPOST_")}


def test_the_demo_and_its_line_to_paste() -> None:
    """What ./run starts: a domain that delivers to a Maildir, and a line to paste that sends a mail there."""
    with open_directory("demo") as top:
        port, metrics = free_port(), free_port()
        child = Child(
            "demo", [GATEPOST, "serve", "--demo"], top, GATEPOST_DATA_DIR=str(top / "var"),
            GATEPOST_SMTP__LISTEN=f"127.0.0.1:{port}", GATEPOST_METRICS__LISTEN=f"127.0.0.1:{metrics}",
        )  # fmt: skip
        try:
            child.wait_for(lambda: greets(port), 30)
            wait_until(lambda: "Paste this line" in child.said(), "the line to paste")
            line = re.search(r"^ +(python3 .*)$", child.said(), re.MULTILINE)
            assert line, child.said()
            subprocess.run(["sh", "-c", line[1]], check=True, timeout=30)
            (box,) = [path for path in (top / "var" / "mail").iterdir() if path.is_dir()]
            wait_until(lambda: Maildir(box).messages(), "the demo's mail")
            (message,) = Maildir(box).messages()
            assert message.startswith(b"Return-Path") or b"Received: from" in message
            assert re.search(rb"id [0-9A-Z]{13}", message)
            assert 0 == child.stop(20)
        finally:
            child.kill()


def test_term_drains(gateway: Gateway) -> None:
    """TERM lets go of clients that wait, and the program ends with status 0."""
    with gateway.smtp() as client:
        client.ehlo()
        assert 0 == gateway.stop()
        client.close()
    assert not greets(gateway.port)


def page(gateway: Gateway, name: str) -> str:
    """Return a page of the metrics port; "" where it does not answer (yet)."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{gateway.metrics_port}/{name}", timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def test_metrics_and_health(gateway: Gateway) -> None:
    """Prometheus text and the health pages answer, and count what happened."""
    gateway.rcpt("nobody@nowhere.example")

    counted = re.compile(r"^gatepost_sessions_total [1-9]", re.MULTILINE)
    wait_until(lambda: counted.search(page(gateway, "metrics")), "a session in /metrics")
    assert page(gateway, "healthz")
    assert page(gateway, "readyz")


def test_a_change_is_in_force_within_a_second(gateway: Gateway) -> None:
    """CONTRACT 5; several changes, since the machine may have been another's for a moment."""
    took: list[float] = []
    while not took or (took[-1] >= 1 and len(took) < 5):
        host(gateway, f"new{len(took)}.example", "smtp://127.0.0.1:9")
        began = time.monotonic()
        while not gateway.current():
            time.sleep(0.02)
        took.append(time.monotonic() - began)
    assert took[-1] < 1, took
    assert 250 == gateway.rcpt(f"ann@new{len(took) - 1}.example")[0]


def test_who_begins_with_the_newest_policy_says_so(make_gateway: Callable[..., Gateway]) -> None:
    """Processes that start when nothing changes any more are not called behind (health page, /readyz)."""
    gateway = make_gateway(smtp={"workers": 2})
    host(gateway, "example.org", "smtp://127.0.0.1:9")
    gateway.stop()
    gateway.start()
    wait_until(gateway.current, "each process has the stored policy in force")


def test_a_dead_worker_is_replaced(gateway: Gateway) -> None:
    """A worker that is killed comes back, and mail goes on."""
    assert gateway.child is not None
    children = (
        Path(f"/proc/{gateway.child.process.pid}/task/{gateway.child.process.pid}/children")
        .read_text()
        .split()
    )
    assert len(children) >= 2  # a worker and the keeper
    for child in children:
        os.kill(int(child), signal.SIGKILL)

    wait_until(lambda: greets(gateway.port), "a new worker")


def test_bytes_behind_starttls_are_never_run(gateway: Gateway) -> None:
    """A command pipelined behind STARTTLS gets no answer of its own (T2.1)."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as client:
        client.recv(500)
        client.sendall(b"EHLO client.example\r\n")
        client.recv(2000)
        client.sendall(b"STARTTLS\r\nNOOP\r\n")
        answer = b""
        while block := client.recv(2000):
            answer += block
    assert answer.startswith(b"554 ")
    assert 1 == answer.count(b"\r\n")


def test_killed_with_mail_in_the_spool(make_gateway: Callable[..., Gateway]) -> None:
    """What got 250 into the spool is there after every process was killed, and goes out later, once."""
    gateway = make_gateway()
    port = free_port()
    hosting(gateway, port, "--set", "on_backend_down=spool")
    marker = uuid.uuid4().hex
    code, text = gateway.send(["ann@example.org"], letter(marker))
    assert 250 == code, text

    gateway.kill()
    gateway.start()

    assert "ann@example.org" in gateway.cli("queue", "list").stdout
    with open_directory("sink") as top:
        sink = Sink(top, port=port)
        try:
            gateway.cli("queue", "retry", "--all")
            wait_until(lambda: marker.encode() in b"".join(sink.messages()), "the mail from the spool")
            wait_until(lambda: "ann@" not in gateway.cli("queue", "list").stdout, "an empty queue")
            assert 1 == len(sink.messages())
        finally:
            sink.stop()


def config_check(config: Path) -> tuple[int, str]:
    """Return status and words of `gatepost config check`."""
    command = [GATEPOST, "--config", str(config), "config", "check"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, env=clean_environment()
    )
    return done.returncode, done.stdout + done.stderr


def test_a_bad_configuration_is_named(tmp_path: Path) -> None:
    """Unknown key, bad value, no TOML, no file: exit status 2, with file, key and reason."""
    config = tmp_path / "gatepost.toml"
    bad = {"[smtp]\nlissen = []\n": "lissen", "[smtp]\nworkers = 'many'\n": "workers", "=": "line 1"}
    for text, word in bad.items():
        config.write_text(text)
        status, said = config_check(config)
        assert 2 == status
        assert word in said
        assert str(config) in said
    status, said = config_check(tmp_path / "nowhere.toml")
    assert 2 == status
    assert "nowhere.toml" in said
