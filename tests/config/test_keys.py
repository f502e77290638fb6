"""The table of keys is CONTRACT section 2, and each knows its value and where that comes from."""

import json
import tomllib
from pathlib import Path

import pytest

from gatepost.config import Config, load
from gatepost.config.keys import KEYS, KINDS, toml_text

DEPLOYED = Path(__file__).parents[2] / "deploy" / "gatepost.toml"

CONTRACT = """
hostname data_dir
smtp.listen smtp.workers smtp.max_message_size smtp.max_recipients smtp.max_connections
smtp.max_connections_per_client smtp.timeout smtp.final_reply smtp.max_message_line smtp.greet_wait
smtp.trusted_relays smtp.dsn smtp.tls_certificate smtp.tls_key smtp.proxy_protocol_from smtp.xclient_from
smtp.bare_newline dns.servers dns.timeout store.url state.url smtp.outgoing.listen smtp.outgoing.networks
smtp.outgoing.next_hop archive.max_bytes archive.domain_bytes archive.min_free relay.allow files.srv
plugins.folder
console.listen console.public_url metrics.listen log.format log.level log.terse scanner.clamav.address
scanner.spamassassin.address scanner.rspamd.url
"""


def test_every_promised_key_is_there() -> None:
    """With a sentence and a kind that has a name; what is more than promised is named here."""
    promised = set(CONTRACT.split())
    assert promised <= KEYS.keys()
    more = {name for name in KEYS.keys() - promised if not name.startswith(("overload.", "alarms."))}
    assert more == {"files.route", "files.blacklist_d", "scanner.commands"}
    for declared in KEYS.values():
        assert declared.sentence.endswith(".")
        assert declared.kind.name


def test_the_sample_shows_every_key_with_its_default(tmp_path: Path) -> None:
    """Uncommented, deploy/gatepost.toml is the defaults, all of them; as it is, it is no change."""
    sample = DEPLOYED.read_text()
    uncommented = "\n".join(
        line[1:] if line.startswith("#") and not line.startswith(("# ", "#\n")) else line
        for line in sample.splitlines()
    )
    path = tmp_path / "gatepost.toml"
    path.write_text(uncommented)
    loaded = load(path, {})
    assert loaded.origins.keys() == KEYS.keys()
    plain = load(None, {}, search=())
    assert [row[:2] for row in loaded.rows()] == [row[:2] for row in plain.rows()]
    path.write_text(sample)
    assert load(path, {}).origins == {}


def test_values_and_origins_by_name(tmp_path: Path) -> None:
    """`config show --origin`: every key in order, as it would stand in a file."""
    path = tmp_path / "gatepost.toml"
    path.write_text('[smtp]\nworkers = 2\n[store]\nurl = "postgresql://me:secret@db/x"\n')
    config = load(path, {"GATEPOST_SMTP__TIMEOUT": "10"}, overrides={"data_dir": str(tmp_path)})
    assert config.value("smtp.workers") == config.smtp.workers == 2
    assert config.origin("smtp.workers") == str(path)
    assert config.origin("smtp.timeout") == "GATEPOST_SMTP__TIMEOUT"
    assert config.origin("data_dir") == "command line"
    assert config.origin("dns.timeout") == "default"
    rows = {row.key: row for row in config.rows()}
    assert list(rows) == list(KEYS)
    assert rows["smtp.max_message_size"].value == '"50MiB"'
    assert rows["store.url"].value == '"postgresql://me:***@db/x"'
    for name, row in rows.items():
        read_again = tomllib.loads(f"x = {row.value}")["x"]
        if name != "store.url":
            assert KINDS[name].read(read_again) == config.value(name)
    for nobody in ("smtp.lisen", "smtp", "origins"):
        with pytest.raises(KeyError):
            config.origin(nobody)
        with pytest.raises(KeyError):
            config.value(nobody)


def test_small_helpers() -> None:
    """Workers by cores, and how an outcome is written."""
    config = load(None, {}, search=())
    assert config.smtp.worker_processes >= 1
    assert load(None, {"GATEPOST_SMTP__WORKERS": "7"}, search=()).smtp.worker_processes == 7
    assert config.log.style == "logfmt"
    assert load(None, {"GATEPOST_LOG__TERSE": "yes"}, search=()).log.style == "terse"
    assert Config() == Config()


def test_text_is_written_as_toml() -> None:
    """Whatever is in it comes back the same."""
    for text in ('a "quoted" \\ text', "ü\u2028\x7f", ""):
        assert tomllib.loads(f"x = {toml_text(text)}")["x"] == text
    assert json.loads(toml_text(True)) is True


def test_what_one_domain_may_fill() -> None:
    """Three quarters of the archive where nobody says more: one domain never has all of it."""
    assert 15 << 30 == load(None, {}, search=()).archive.of_domain
    given = {"GATEPOST_ARCHIVE__DOMAIN_BYTES": "1GiB"}
    assert 1 << 30 == load(None, given, search=()).archive.of_domain


def test_a_secret_is_not_shown() -> None:
    """What is secret is read from anywhere, and `config show` has stars."""
    config = load(None, {"GATEPOST_ALARMS__WEBHOOK_SECRET": "s3cret"}, search=())
    assert "s3cret" == config.alarms.webhook_secret
    assert ['"***"'] == [row.value for row in config.rows() if row.key == "alarms.webhook_secret"]


def test_ways_of_alarms() -> None:
    """Mail needs both who gets it and the server that takes it."""
    ways = {"GATEPOST_ALARMS__MAIL_TO": "ann@example.net"}
    assert () == load(None, ways, search=()).alarms.ways
    ways |= {"GATEPOST_ALARMS__MAIL_THROUGH": "smtp://relay.example", "GATEPOST_ALARMS__WEBHOOK": "http://x/"}
    assert ("webhook", "mail") == load(None, ways, search=()).alarms.ways
