"""Old files of rules are taken over as they were meant; what is not is named with why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.desk.rule_files import SIX, read_rules
from gatepost.plugins.localpart_rules import Compiled, Rule

REGEXP = b"""\
# rcpt_regexp - config
ann@example.org          OK       Accepting mail
/^user\\d+\\@example\\.org$/ OK     Accepting mail
info@example.org         DENY     User not found.
/^unused\\@.*/            DENYSOFT Not now
/^.*$/                   DECLINED Fall through to the next plugin
"""


def decided(rules: list[Rule], address: str) -> str | None:
    local, _, domain = address.rpartition("@")
    number = Compiled(tuple(rules)).first(local, domain)
    return None if number is None else rules[number].then


def test_rcpt_regexp() -> None:
    """`/regex/ CONSTANT comment`, or a literal address; a last line that falls through is not needed."""
    found = read_rules(REGEXP)
    assert [] == found.bad
    assert ["line 6: /^.*$/ lets pass what no rule refused: not needed"] == found.remarks
    assert [
        Rule(pattern="ann@example.org", how="whole", on="address", then="pass", note="Accepting mail"),
        Rule(
            pattern=r"^user\d+\@example\.org$", how="regex", on="address", then="pass", note="Accepting mail"
        ),
        Rule(pattern="info@example.org", how="whole", on="address", text="User not found."),
        Rule(pattern=r"^unused\@.*", how="regex", on="address", then="later", text="Not now"),
    ] == found.rules
    for address, then in (
        ("ANN@example.org", "pass"),
        ("user17@example.org", "pass"),
        ("xinfo@example.org", None),
        ("info@example.org", "refuse"),
        ("unused@example.org", "later"),
    ):
        assert then == decided(found.rules, address), address


def test_a_last_line_that_refuses_all_others() -> None:
    """A list of those who exist, closed by `/.*/ DENY`, keeps its meaning."""
    found = read_rules(b"ann@example.org OK\n/^.*$/ DENY No such user\n")
    assert ["pass", "refuse"] == [decided(found.rules, a) for a in ("ann@example.org", "bob@example.org")]
    assert "taken over as the pattern" in found.remarks[0]


def test_row_7_4_six_localpart_rules() -> None:
    """The six rules of 2009 (systems-before 7.4): `|` is a bar and not a regex that matches everything."""
    found = read_rules(SIX.encode(), "patterns")
    assert ([], 6) == (found.bad, len(found.rules))
    assert ["line 3: | is taken as the character, not as a regular expression"] == found.remarks
    for address, refused in (
        ("ann7@example.org", True),
        ("a,b@example.org", True),
        ("a|b@example.org", True),
        ("7ann@example.org", True),
        ('a"b@example.org', True),
        ("o'neil@example.org", True),
        ("ann@example.org", False),
        ("ann.lee@7.example.org", False),
    ):
        assert ("refuse" if refused else None) == decided(found.rules, address), address


@pytest.mark.parametrize(
    ("line", "kind", "how"),
    [
        (b"[0-9]@ DENY digits", None, "regex"),
        (b"ann@example.org DENY gone", None, "whole"),
        (b"ann@example.org DENY gone", "patterns", "regex"),
        (b"/[0-9]@/ DENY digits", None, "regex"),
        (b"/[0-9]@/ DENY digits", "patterns", "regex"),
        (b", DENY comma", "patterns", "regex"),
        (b"* DENY star", "patterns", "part"),
    ],
)
def test_formats(line: bytes, kind: str | None, how: str) -> None:
    """Slashes, or nothing but addresses, is rcpt_regexp; all else is a list of patterns."""
    (rule,) = read_rules(line, kind).rules  # type: ignore[arg-type]
    assert (how, "address") == (rule.how, rule.on)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"/(ann/ DENY x", r"line 1: pattern '(ann': missing )"),
        (b"/(?!ann)b/ DENY x", "line 1: pattern '(?!ann)b': invalid perl operator"),
        (b"ann@example.org", "line 1: 'ann@example.org' has no DENY, DENYSOFT or OK behind it"),
        (b"ann@example.org MAYBE x", "line 1: 'MAYBE' is no constant of qpsmtpd"),
        (b"/a*/ DENY x", "line 1: pattern 'a*' matches everything"),
    ],
)
def test_bad_lines_are_named(line: bytes, said: str) -> None:
    """What cannot be taken over says its line, its pattern and why; the other lines are."""
    found = read_rules(line + b"\n/bob/ DENY x\n")
    assert 1 == len(found.rules)
    assert found.bad[0].startswith(said), found.bad


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    """Whatever the file is, there are rules, remarks and bad lines, and no error."""
    found = read_rules(data)
    assert len(found.rules) + len(found.bad) <= data.count(b"\n") + len(data.splitlines()) + 200
