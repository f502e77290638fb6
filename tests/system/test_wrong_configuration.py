"""A wrong configuration starts nothing: exit status 2, and file, key and reason in one clear text."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.system.gateway import GATEPOST
from tests.system.running import running
from tests.system.test_serve import clean_environment

WRONG = {
    "[smtp]\nlissen = ['127.0.0.1:1']\n": ("smtp.lissen", "listen"),
    "[smpt]\nlisten = []\n": ("smpt", "smtp"),
    "[smtp]\nworkers = 'many'\n": ("smtp.workers", "many"),
    "[smtp]\nworkers = -1\n": ("smtp.workers", "0"),
    "[smtp]\nmax_message_size = '50 apples'\n": ("smtp.max_message_size", "apples"),
    "[smtp]\nlisten = ['127.0.0.1:99999']\n": ("smtp.listen", "99999"),
    "[smtp]\nxclient_from = ['300.0.0.0/8']\n": ("smtp.xclient_from", "300.0.0.0/8"),
    "[smtp]\nbare_newline = 'maybe'\n": ("smtp.bare_newline", "normalize"),
    "hostname = 'two words'\n": ("hostname", "two words"),
    "hostname = 5\n": ("hostname", "5"),
    "smtp = 5\n": ("smtp", "section"),
    "[smtp\n": ("line 1",),
    "[smtp]\nworkers = 1\nworkers = 2\n": ("line 3",),
    "\0": ("line 1",),
}


@pytest.mark.parametrize("text", WRONG, ids=ascii)
@pytest.mark.parametrize("command", [("serve",), ("config", "check")], ids=" ".join)
def test_a_wrong_configuration(tmp_path: Path, text: str, command: tuple[str, ...]) -> None:
    """Exit status 2, and one clear text with file, key and reason; nothing is started."""
    config = tmp_path / "gatepost.toml"
    config.write_text(text)
    done = subprocess.run(
        [GATEPOST, "--config", str(config), *command], capture_output=True, text=True, timeout=30,
        check=False, env=clean_environment(), cwd=tmp_path,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert 2 == done.returncode, said
    for word in (str(config), *WRONG[text]):
        assert word in said
    assert "Traceback" not in said
    assert ["gatepost.toml"] == [path.name for path in tmp_path.iterdir()]


def test_a_missing_or_unreadable_configuration(tmp_path: Path) -> None:
    """A file that was named must be there and be text."""
    folder, binary = tmp_path / "folder.toml", tmp_path / "binary.toml"
    folder.mkdir()
    binary.write_bytes(b"hostname = '\xff\xfe'\n")
    for config in (tmp_path / "nowhere.toml", folder, binary):
        done = subprocess.run(
            [GATEPOST, "--config", str(config), "serve"], capture_output=True, text=True, timeout=30,
            check=False, env=clean_environment(), cwd=tmp_path,
        )  # fmt: skip
        assert 2 == done.returncode
        assert str(config) in done.stderr
        assert "Traceback" not in done.stderr


def test_a_wrong_value_from_the_environment(tmp_path: Path) -> None:
    """The variable is named where the file would be."""
    done = subprocess.run(
        [GATEPOST, "serve"], capture_output=True, text=True, timeout=30, check=False, cwd=tmp_path,
        env={**clean_environment(), "GATEPOST_SMTP__WORKERS": "many"},
    )  # fmt: skip
    assert 2 == done.returncode
    assert "GATEPOST_SMTP__WORKERS" in done.stderr
    assert "many" in done.stderr


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """It is said which, and the program ends instead of waiting for it."""
    with running() as gateway:
        config = tmp_path / "gatepost.toml"
        text = gateway.config.read_text().replace(str(gateway.data), str(tmp_path / "data"))
        config.write_text(text)
        done = subprocess.run(
            [GATEPOST, "--config", str(config), "serve"],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert 1 == done.returncode
    assert str(gateway.port) in done.stderr
    assert "Traceback" not in done.stderr
