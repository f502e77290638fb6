"""What a filter's answer means."""

from types import MappingProxyType

import pytest

from gatepost.policy.commands import AnswerError, Command, Side

EXITS = Command("b", ("b",), exits=MappingProxyType({0: "spam", 1: "ham", 2: "unsure"}))
BOTH = Command("b", ("b",), pattern=r"^(?P<verdict>[SHU]) (?P<score>[0-9.]+)")
SCORE = Command("c", ("c",), pattern=r"pR: *(?P<score>-?[0-9.]+)", spam_from=10, ham_to=-10)
HEADER = Command("s", ("s",), pattern=r"^X-Spambayes-Classification: (?P<verdict>\w+)")


@pytest.mark.parametrize(
    ("command", "status", "said", "expected"),
    [
        (EXITS, 0, b"", ("spam", None)),
        (EXITS, 2, b"anything", ("unsure", None)),
        (BOTH, 0, b"S 0.999\n", ("spam", 0.999)),
        (BOTH, 3, b"noise\nh 0.01\n", ("ham", 0.01)),
        (SCORE, 0, b"x pR: 10.0", ("spam", 10.0)),
        (SCORE, 0, b"x pR: -10.5", ("ham", -10.5)),
        (SCORE, 0, b"x pR:  9.99", ("unsure", 9.99)),
        (HEADER, 0, b"From: x\nX-Spambayes-Classification: unsure; 0.5\n\nbody", ("unsure", None)),
        (HEADER, 0, b"\xff\nX-SPAMBAYES-classification: Spam\n", ("spam", None)),
    ],
)
def test_answers(command: Command, status: int, said: bytes, expected: tuple[Side, float | None]) -> None:
    """By exit status, by a word, by a number between bounds."""
    assert expected == command.judge(status, said)


@pytest.mark.parametrize(
    ("command", "status", "said", "why"),
    [
        (EXITS, 3, b"", "b ended with status 3"),
        (EXITS, -9, b"", "b ended with status -9"),
        (BOTH, 0, b"", "said b''"),
        (BOTH, 0, b"S ...\n", "no number: '...'"),
        (HEADER, 0, b"X-Spambayes-Classification: perhaps\n", "'perhaps', not spam"),
    ],
)
def test_no_answer(command: Command, status: int, said: bytes, why: str) -> None:
    """What is none is said to be none, and is never spam."""
    with pytest.raises(AnswerError, match=why.replace(".", r"\.")):
        command.judge(status, said)


def test_pattern_that_is_none() -> None:
    """It is named."""
    with pytest.raises(ValueError, match=r"'\(' is not a pattern"):
        _ = Command("b", ("b",), pattern="(").compiled
