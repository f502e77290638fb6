"""Maildirs that real servers deliver to, read by tests."""

from __future__ import annotations

from pathlib import Path

from tests.system.process import wait_until


class Maildir:
    """One mailbox on disk. Sees only whole messages, which are in `new`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def files(self) -> list[Path]:
        """Return the delivered files, the oldest first."""
        new = self.path / "new"
        return sorted(new.iterdir(), key=lambda file: file.stat().st_mtime_ns) if new.is_dir() else []

    def messages(self) -> list[bytes]:
        """Return what was delivered up to now."""
        return [file.read_bytes() for file in self.files()]

    def wait(self, marker: str, seconds: float = 20) -> bytes:
        """Wait for the message that holds `marker` and return it."""
        found: list[bytes] = []

        def there() -> bool:
            found[:] = [message for message in self.messages() if marker.encode() in message]
            return bool(found)

        wait_until(there, f"message with {marker} in {self.path}", seconds)
        assert 1 == len(found), f"{len(found)} copies of {marker}"
        return found[0]

    def clear(self) -> None:
        """Forget everything that was delivered."""
        for file in self.files():
            file.unlink()
