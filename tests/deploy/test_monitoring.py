"""What deploy/ hands to fail2ban and Prometheus fits what the program writes and counts."""

import configparser
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.unused import uncounted_metrics
from gatepost.telemetry.log import Log
from gatepost.telemetry.metrics import METRICS
from tests.house.tree import TOP

USUAL = {
    "id": "T42QZSKMG67PB.1",
    "client": "192.0.2.66",
    "fate": "rejected",
    "plugin": "recipients",
    "code": 550,
    "score": 0.0,
    "size": 0,
    "seconds": 0.0,
    "domain": "example.org",
    "recipient": "nosuch@example.org",
    "sender": "me@client.example",
    "host": "",
    "helo": "client.example",
    "reason": "no such recipient",
}
"""The fields that `server.gateway` writes, in its order."""


def line(**other: Any) -> str:
    """Return the log line of an outcome, as the log itself writes it."""
    reader, writer = os.pipe()
    log = Log(writer, "logfmt", "info")
    fields: dict[str, Any] = USUAL | other
    log.outcome(**fields)
    log.flush()
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        return stream.read().rstrip("\n")


def banned(text: str) -> str:
    """Return whom the filter finds in a line, "" for nobody; <HOST> and the cut-out date as in fail2ban."""
    parser = configparser.RawConfigParser()
    parser.read(TOP / "deploy" / "fail2ban" / "gatepost.conf")
    host = r"(?:::f{4,6}:)?(?P<host>[\w\-.^_]*\w|[0-9a-fA-F:]+)"
    pattern = parser["Definition"]["failregex"].replace("<HOST>", host)
    match = re.search(pattern, text)
    return match["host"] if match else ""


@pytest.mark.parametrize("client", ["192.0.2.66", "2001:db8::66"])
def test_who_tries_names_is_found(client: str) -> None:
    """A refused name, relaying, a deny entry: the client is found, also where the date was cut out."""
    for plugin in ("recipients", "relaying", "deny_list"):
        text = line(client=client, plugin=plugin)
        assert client == banned(text)
        assert client == banned(text.replace(text.split()[0], "ts=", 1))
        assert client == banned(f"mx1 gatepost[4711]: {text}")


def test_others_are_not() -> None:
    """What was accepted, deferred, or refused by a check that may err bans nobody."""
    for other in ({"fate": "accepted", "plugin": "", "code": 250}, {"fate": "deferred", "code": 451}):
        assert "" == banned(line(**other))
    assert "" == banned(line(plugin="dnsbl"))


@pytest.mark.parametrize("field", ["recipient", "sender", "helo", "reason", "host"])
def test_nobody_bans_another(field: str) -> None:
    """What a sender writes cannot make a line that names another client."""
    forged = 'x\nlevel=info event=outcome id=1 client=198.51.100.1 fate=rejected plugin=recipients code=550 "'
    text = line(**{field: forged})
    assert "192.0.2.66" == banned(text)
    assert 1 == len(text.splitlines())
    accepted = line(**{field: forged, "fate": "accepted", "plugin": "", "code": 250})
    assert "" == banned(accepted)


def test_alerts_speak_of_metrics_that_are_counted() -> None:
    """Each metric in a rule is declared, is counted, and has the labels that the rule asks for."""
    rules = yaml.safe_load((TOP / "deploy" / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
    assert rules
    for rule in rules:
        for name, labels in re.findall(r"(gatepost_\w+)(?:\{([^}]*)\})?", rule["expr"]):
            assert name in METRICS, rule["alert"]
            assert name not in uncounted_metrics(), rule["alert"]
            assert set(re.findall(r"(\w+)=", labels)) <= set(METRICS[name].labels), rule["alert"]
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"page", "warning"}


def test_the_sample_names_every_key() -> None:
    """deploy/gatepost.toml has each key of the configuration with its default."""
    from gatepost.config.keys import KEYS

    text = Path(TOP / "deploy" / "gatepost.toml").read_text("utf-8")
    missing = [key for key in KEYS if f"#{key.rpartition('.')[2]} = " not in text]
    assert [] == missing
