"""The token of a refusal: one recipient of one transaction, and nothing that was made up is one."""

from __future__ import annotations

import pytest

from gatepost.mail.ids import ALPHABET
from gatepost.mail.why import LONGEST, MARK, TAG, make, read, tag_of
from tests.cost import assert_cheap

SECRET = b"s" * 32
ID = "0DQ3N7V5K2F8T.1"
TOKEN = make(SECRET, ID, "example.org", "Ann@example.org")


def test_it_says_which() -> None:
    """The transaction, and which of its recipients, in any case; no word of the recipient itself."""
    said = read(SECRET, TOKEN)
    assert said is not None
    assert ID == said.id
    assert said.tag == tag_of(SECRET, ID, "example.org", "ann@example.org")
    others = [("example.org", "bob@example.org"), ("example.net", "ann@example.org")]
    assert all(said.tag != tag_of(SECRET, ID, *one) for one in others)
    assert said.tag != tag_of(SECRET, "0DQ3N7V5K2F8T.2", "example.org", "ann@example.org")
    assert TOKEN.startswith(f"{ID}-")
    assert set(TOKEN[len(ID) + 1 :]) <= set(ALPHABET)
    assert len(ID) + 1 + TAG + MARK == len(TOKEN) <= LONGEST
    assert said == read(SECRET, TOKEN.lower())


def test_a_neighbour_is_not_guessed() -> None:
    """Whoever has one token has no other: not with its mark, not with its tag."""
    other = make(SECRET, "0DQ3N7V5K2F8T.2", "example.org", "ann@example.org")
    tail = TOKEN.rpartition("-")[2]
    assert read(SECRET, f"0DQ3N7V5K2F8T.2-{tail}") is None
    assert read(SECRET, f"{ID}-{other.rpartition('-')[2]}") is None
    swapped = f"{ID}-{tail[1] + tail[0]}{tail[2:]}"
    assert swapped == TOKEN or read(SECRET, swapped) is None
    assert read(b"t" * 32, TOKEN) is None
    for at in range(len(ID) + 1, len(TOKEN)):
        changed = "0" if TOKEN[at] != "0" else "1"
        assert read(SECRET, TOKEN[:at] + changed + TOKEN[at + 1 :]) is None


@pytest.mark.parametrize(
    "text",
    ["", "-", ID, f"{ID}-", TOKEN[:-1], f"{TOKEN}0", f"{TOKEN}\n", f"x{TOKEN}", "../../etc/passwd", "é" * 40,
     f"{ID}-{'é' * 24}", "0DQ3N7V5K2F8T.\u0661-" + "0" * 24, "\x00" * 40, "0" * 1_000_000, "-" * 1_000_000],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    """Whatever else stands in the address is none, at once."""
    assert read(SECRET, text) is None
    assert_cheap(0.2, read, SECRET, text)
