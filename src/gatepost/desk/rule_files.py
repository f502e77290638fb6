"""Files of rules from the systems that came before, read into rules for `localpart_rules`.

Two formats look alike. qpsmtpd's `rcpt_regexp` has `/regex/ CONSTANT comment`, or a literal
address instead of the regex; the six rules of 2009 stood as `pattern CONSTANT reason`, the pattern
a regex on the whole address. Which it is can be said, or is seen: slashes, or nothing but
addresses. Each line that is not taken over is named with why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ValidationError

from gatepost.mail.address import AddressError, parse_address
from gatepost.plugins.localpart_rules import Rule
from gatepost.policy.faults import in_words

Format = Literal["rcpt_regexp", "patterns"]
FORMATS: tuple[Format, ...] = ("rcpt_regexp", "patterns")
MAX_BYTES = 1 << 20

REFUSE = frozenset({"DENY", "DENY_DISCONNECT", "DENYHARD"})
LATER = frozenset({"DENYSOFT", "DENYSOFT_DISCONNECT"})
PASS = frozenset({"OK", "DECLINED", "DONE"})
"""qpsmtpd's constants, by what they come to here."""
EVERYTHING = frozenset("^.*+$()")
"""A regex of nothing but these matches every address."""
SPECIAL = re.compile(r"[\\^$*+?()\[\]{}|]")

SIX = """\
[0-9]@          DENY   No mailbox here ends in a digit
,               DENY   No mailbox here has a comma
|               DENY   No mailbox here has a bar
^([^a-zA-Z])    DENY   Mailboxes here begin with a letter
"               DENY   No mailbox here has a quote
'               DENY   No mailbox here has an apostrophe
"""
"""The six patterns of 2009 (18,500 mails a day), as their file had them; the words are ours."""


@dataclass(slots=True)
class RuleFile:
    """What a file says."""

    rules: list[Rule] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What was taken over otherwise than it stands, or is not needed: `line 3: ...`."""
    bad: list[str] = field(default_factory=list)
    """What could not be taken over."""


def read_rules(data: bytes, kind: Format | None = None) -> RuleFile:
    """Return the rules of a file; `kind` None: the format is seen from the lines."""
    found = RuleFile()
    if len(data) > MAX_BYTES:
        found.bad.append(f"a file of rules may have {MAX_BYTES >> 20} MiB")
        return found
    lines = [
        (number, line.split(None, 2))
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    kind = kind or _seen([words[0] for _, words in lines])
    for number, words in lines:
        try:
            rule, remark = _rule(words, kind)
        except ValueError as error:
            found.bad.append(f"line {number}: {_reason(error)}")
            continue
        if rule is not None:
            found.rules.append(rule)
        if remark:
            found.remarks.append(f"line {number}: {remark}")
    return found


def _seen(patterns: list[str]) -> Format:
    if any(_slashed(text) for text in patterns) or all(_literal_address(text) for text in patterns):
        return "rcpt_regexp"
    return "patterns"


def _rule(words: list[str], kind: Format) -> tuple[Rule | None, str]:
    """Return the rule of a line (None: not needed) and what is to be said of it; ValueError: cannot be."""
    if len(words) < 2:
        raise ValueError(f"{words[0]!r} has no DENY, DENYSOFT or OK behind it")
    pattern, constant, comment = words[0], words[1].upper(), words[2].strip() if len(words) > 2 else ""
    then: Literal["refuse", "later", "pass"]
    if constant in REFUSE:
        then = "refuse"
    elif constant in LATER:
        then = "later"
    elif constant in PASS:
        then = "pass"
    else:
        raise ValueError(f"{words[1]!r} is no constant of qpsmtpd (DENY, DENYSOFT, OK, DECLINED ...)")
    text = comment if then != "pass" and comment.isascii() and comment.isprintable() else ""
    note = "" if text == comment else "".join(c for c in comment if c.isprintable())
    if kind == "rcpt_regexp" and not _slashed(pattern):
        return Rule(pattern=pattern, how="whole", on="address", then=then, text=text, note=note), ""
    source = pattern[1:-1] if _slashed(pattern) else pattern
    if set(source) <= EVERYTHING and "." in source:
        if then == "pass":
            return None, f"{pattern} lets pass what no rule refused: not needed"
        said = f"{pattern} refuses every other address: taken over as the pattern `.`"
        return Rule(pattern=".", how="regex", on="address", then=then, text=text, note=note), said
    if len(pattern) == 1 and SPECIAL.fullmatch(pattern):
        # As a regex it would match everything, or be none: who wrote it meant the character.
        rule = Rule(pattern=source, how="part", on="address", then=then, text=text, note=note)
        return rule, f"{pattern} is taken as the character, not as a regular expression"
    return Rule(pattern=source, how="regex", on="address", then=then, text=text, note=note), ""


def _slashed(text: str) -> bool:
    return len(text) > 2 and text[0] == text[-1] == "/"


def _literal_address(text: str) -> bool:
    if SPECIAL.search(text):
        return False
    try:
        parse_address(text)
    except AddressError:
        return False
    return True


def _reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(in_words(fault) for fault in error.errors())
    return str(error)
