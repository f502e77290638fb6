"""The registered part of a host name."""

import pytest

from gatepost.mail.domains import is_suffix, registrable


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("www.example.com", "example.com"),
        ("Example.COM", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("a.someone.github.io", "someone.github.io"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
        ("x.y.unknown-tld-here", "y.unknown-tld-here"),
    ],
)
def test_registrable(name: str, domain: str) -> None:
    """What one owner has; a name without such a part is itself."""
    assert domain == registrable(name)


def test_suffixes() -> None:
    """Nobody's domain."""
    assert [True, True, False] == [is_suffix(name) for name in ("com", "CO.uk", "example.com")]
