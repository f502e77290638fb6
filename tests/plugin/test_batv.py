"""Who is signed and with which key, as the check and the outgoing door both read it."""

from __future__ import annotations

import pytest

from gatepost.mail import batv as tags
from gatepost.mail.address import parse_address
from gatepost.plugin.batv import BatvSettings, check_tag

NOW = 20_000.5 * tags.DAY
SETTINGS = BatvSettings(batv_keys=("7:old", "2:s:e:c"), batv_addresses=(" Ann ", "bob", "a b"))


@pytest.mark.parametrize(
    ("address", "signed"),
    [
        ("ann@example.org", True),
        ("ANN@example.org", True),
        ("bob@example.org", True),
        ("eve@example.org", False),
        (f"{'a' * 60}@example.org", False),
        ('"ann"@example.org', True),
        ('"a b"@example.org', False),
    ],
)
def test_signs(address: str, signed: bool) -> None:
    """Those who are listed are signed, however they are written; nobody else."""
    assert signed == SETTINGS.signs(parse_address(address))
    assert signed == (SETTINGS.tagged(parse_address(address), NOW) is not None)


def test_everybody() -> None:
    """`*` signs all, but for local parts without room for a tag; without keys nobody."""
    everybody = BatvSettings(batv_keys=("0:k",), batv_addresses=("*",))
    assert everybody.signs(parse_address("eve@example.org"))
    assert not everybody.signs(parse_address(f"{'a' * 60}@example.org"))
    assert not BatvSettings(batv_addresses=("*",)).signs(parse_address("eve@example.org"))


def test_the_last_key_signs() -> None:
    """A new key is put behind the old ones: it signs, and they are still good for checking."""
    tagged = SETTINGS.tagged(parse_address("ann@example.org"), NOW)
    assert tagged is not None
    tag = tags.read(tagged.local)
    assert tag is not None
    assert 2 == tag.number
    assert tags.mark_of(b"s:e:c", 2, tag.day, "ann@example.org") == tag.mark
    rotated = SETTINGS.model_copy(update={"batv_keys": (*SETTINGS.batv_keys, "3:new")})
    for settings in (SETTINGS, BatvSettings(**rotated.model_dump())):
        checked = check_tag(settings, tagged, NOW)
        assert checked is not None
        assert checked.valid


def test_no_tag_or_no_keys() -> None:
    """An address without a tag has nothing to check, nor has a domain without keys."""
    tagged = parse_address("prvs=2123abcdef=ann@example.org")
    assert check_tag(SETTINGS, parse_address("ann@example.org"), NOW) is None
    assert check_tag(BatvSettings(), tagged, NOW) is None
    assert check_tag(SETTINGS, tagged, NOW) is not None
