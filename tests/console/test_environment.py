"""Templates are compiled for each language, escape everything, and need no web server."""

import subprocess
import sys

from gatepost.console.environment import environment, ticked


def test_everything_is_escaped() -> None:
    """Nothing that is put in is markup."""
    made = environment("en").from_string("{{ text }}").render(text='<b a="1">')
    assert "&lt;b a=&#34;1&#34;&gt;" == made


def test_languages() -> None:
    """One text, two languages."""
    said = [environment(name).from_string('{{ _("Sign in") }}').render() for name in ("en", "de")]
    assert ["Sign in", "Anmelden"] == said


def test_ticked() -> None:
    """What stands between backticks is code, and still escaped; one backtick alone is none."""
    assert ["a <code>&lt;b&gt;</code> c", "a d"] == [str(ticked(text)) for text in ("a `<b>` c", "a `d")]


def test_the_digest_needs_no_web_server() -> None:
    """What the keeper takes of this room brings no FastAPI with it."""
    code = "import sys, gatepost.console.digest_mail; sys.exit('fastapi' in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode
