"""The pages of docs/reference are what the code says, none is missing, and each word has its sentence."""

import ast
from pathlib import Path

from docs import make_reference, said, unused, words
from gatepost.config.keys import KEYS
from gatepost.telemetry.metrics import METRICS
from tests.house.tree import SOURCE, parsed


def test_pages_are_fresh() -> None:
    """Each page is what its program makes now; none is missing and none is too many."""
    wrong = make_reference.stale(make_reference.FOLDER, make_reference.pages())
    assert not wrong, f"{', '.join(wrong)} in docs/reference: {make_reference.HOW}"


def test_stale_missing_and_left_over_pages_are_seen(tmp_path: Path) -> None:
    """A changed page, a missing one and one that nobody makes are told, and mended by writing."""
    made = {"a.md": "a\n", "b.md": "b\n"}
    (tmp_path / "a.md").write_text("old\n")
    (tmp_path / "c.md").write_text("c\n")
    assert ["a.md", "b.md", "c.md"] == make_reference.stale(tmp_path, made)
    make_reference.write(tmp_path, made)
    assert [] == make_reference.stale(tmp_path, made)
    assert ["a.md", "b.md"] == sorted(path.name for path in tmp_path.iterdir())


def test_each_key_metric_and_command_is_there() -> None:
    """Nothing that a user can name is left out."""
    made = make_reference.pages()
    assert all(f"GATEPOST_{key.upper().replace('.', '__')}`" in made["configuration.md"] for key in KEYS)
    assert all(f"`{name}`" in made["metrics.md"] for name in METRICS)
    for command in ("gatepost domain set", "gatepost archive release", "gatepost plugin try"):
        assert f"## {command}\n" in made["command-line.md"]


def test_replies_are_found_however_they_are_written() -> None:
    """Constants, verdicts with and without codes, results and bytes; what is put in shows as dots."""
    found = {(one.code, one.enhanced, one.text) for one in said.replies()}
    assert {
        (550, "5.7.1", "Relaying denied"),
        (550, "5.1.1", "No such recipient here"),
        (452, "4.5.3", "Too many recipients from you"),
        (554, "5.5.0", "Command pipelined behind STARTTLS"),
        (552, "5.3.4", "Message is too large for the recipient's server"),
        (250, "2.6.0", "Ok, delivered, id ..."),
    } <= found


def test_each_reply_has_a_meaning() -> None:
    """Each code that is said stands in the table of codes, each enhanced code with its RFC."""
    for one in said.replies():
        assert one.code in words.STATUS, one
        assert words.meaning(one.code, one.enhanced)


def test_the_fates_are_those_of_the_code() -> None:
    """What `fate_of` can return has a sentence, and each sentence is of a fate that is written down."""
    tree = parsed(SOURCE / "server" / "copies.py")
    (fate,) = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "fate_of"
    )
    returned = {
        node.value
        for statement in ast.walk(fate)
        if isinstance(statement, ast.Return) and statement.value is not None
        for node in ast.walk(statement.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert returned <= words.FATES.keys()
    written = "".join(path.read_text("utf-8") for path in (SOURCE / "server").glob("*.py"))
    assert [] == [word for word in words.FATES if f'"{word}"' not in written]


def test_what_is_read_is_not_called_unread() -> None:
    """Keys that the server looks at are not marked; the mark is for keys that stand in the source nowhere."""
    assert not unused.unread_keys() & {
        "hostname",
        "smtp.workers",
        "smtp.timeout",
        "log.format",
        "dns.servers",
        "files.route",
        "files.blacklist_d",
        "scanner.clamav.address",
        "scanner.rspamd.url",
    }
    assert "gatepost_sessions_total" not in unused.uncounted_metrics()
