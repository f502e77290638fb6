"""A fault names its place, its key, its reason and the word that was meant."""

from gatepost.config.problems import ConfigError, Problem, nearest, nearest_key

KNOWN = [
    "hostname",
    "smtp.listen",
    "smtp.max_message_size",
    "dns.timeout",
    "smtp.timeout",
    "archive.max_bytes",
]


def test_one_line_for_each() -> None:
    """As it is printed."""
    one = Problem("gatepost.toml", "smtp.lisen", "unknown key", "smtp.listen")
    two = Problem("gatepost.toml", "", "does not parse")
    assert str(one) == "gatepost.toml: smtp.lisen: unknown key; did you mean smtp.listen?"
    assert str(ConfigError([one, two])).splitlines() == [str(one), "gatepost.toml: does not parse"]
    assert ConfigError([one, two]).problems == (one, two)


def test_the_key_that_was_meant() -> None:
    """Misspelt in its section, put in the wrong one, or with a misspelt section; else nothing is guessed."""
    assert nearest_key("smtp.lisen", KNOWN) == "smtp.listen"
    assert nearest_key("max_message_size", KNOWN) == "smtp.max_message_size"
    assert nearest_key("dns.listen", KNOWN) == "smtp.listen"
    assert nearest_key("stmp.listen", KNOWN) == "smtp.listen"
    assert nearest_key("hostnam", KNOWN) == "hostname"
    assert nearest_key("smtp.colour", KNOWN) == ""
    assert nearest("xyz", KNOWN) == ""
