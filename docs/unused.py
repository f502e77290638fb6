"""Keys of gatepost.toml that nothing reads yet, and metrics that nothing counts yet: said, not hidden.

A key is read when its name stands somewhere in the source as `config.section.key` (or the section is
handed on whole); a metric counts when something calls `inc`, `set` or `observe` on it.
"""

from __future__ import annotations

import re

from docs.said import SOURCE
from gatepost.config.keys import KEYS
from gatepost.telemetry import metrics

STANDS_FOR = {
    "smtp.workers": "smtp.worker_processes",
    "log.format": "log.style",
    "log.terse": "log.style",
    "scanner.clamav.address": "scanner.addresses",
    "scanner.spamassassin.address": "scanner.addresses",
    "scanner.rspamd.url": "scanner.addresses",
}
"""Keys that are read through a property of their section."""


def source() -> str:
    """Return the whole source, without the room that only declares the keys."""
    files = sorted(SOURCE.rglob("*.py"))
    return "\n".join(p.read_text("utf-8") for p in files if SOURCE / "config" not in p.parents)


def unread_keys() -> set[str]:
    """Return the keys that are checked and then read by nobody."""
    code = source()
    return {key for key in KEYS if not _read(STANDS_FOR.get(key, key), code)}


def _read(key: str, code: str) -> bool:
    section, _, _ = key.rpartition(".")
    whole = rf"|(?:\b|_)config\.{re.escape(section)}\b(?!\.)" if section else ""
    return bool(re.search(rf"(?:\b|_)config\.{re.escape(key)}\b{whole}", code))


def uncounted_metrics() -> set[str]:
    """Return the names of metrics that are declared and never counted."""
    code = source()
    return {
        metric.name
        for name, metric in vars(metrics).items()
        if isinstance(metric, metrics.Metric) and not re.search(rf"\b{name}\.(inc|set|observe)\(", code)
    }
