"""What is a verdict with sense in it, and what is nonsense; judging never raises."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Rewrite, Score, Take
from gatepost.plugin.answers import VERDICTS, Failure, close, failed, problem, settled
from gatepost.plugin.tools import CannotAnswer

EVERYWHERE = frozenset(VERDICTS)


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Reject("x"), ""),
        (Reject("x", "y", 554, "5.7.0"), ""),
        (Reject("x", code=499), "Reject with code 499"),
        (Reject("x", code=600), "Reject with code 600"),
        (Reject("x", code=True), "Reject with code True"),
        (Reject("x", enhanced="4.7.1"), "Reject with enhanced code '4.7.1'"),
        (Reject("x", enhanced="5." + "7" * 50), "Reject with enhanced code "),
        (Reject(b"x"), "Reject without a text"),  # type: ignore[arg-type]
        (Reject("x", public=5), "Reject without a text"),  # type: ignore[arg-type]
        (Defer("x"), ""),
        (Defer("x", code=421, enhanced="4.7.0"), ""),
        (Defer("x", code=399), "Defer with code 399"),
        (Defer("x", code=500), "Defer with code 500"),
        (Score(0, ""), ""),
        (Score(-1.5, "good"), ""),
        (Score(True, "x"), "Score of True"),
        (Score(float("-inf"), "x"), "Score of -inf"),
        (Allow("x"), ""),
        (Take("x"), ""),
        (Rewrite("a@b.example"), ""),
        (AddHeader("X-Spam-Level", "***"), ""),
        (AddHeader("", "x"), "AddHeader with name ''"),
        (AddHeader("X:Y", "x"), "AddHeader with name 'X:Y'"),
        (AddHeader("X-Y", "a\nb"), "AddHeader with a value that is not one printable line"),
        (AddHeader("X-Y", "a" * 1000), "AddHeader with a value that is not one printable line"),
    ],
)
def test_problem(verdict: Any, said: str) -> None:
    """The table."""
    found = problem("rcpt", EVERYWHERE, verdict)
    assert found == said or (said and found.startswith(said))


def test_problem_of_the_hook() -> None:
    """What means nothing there is named."""
    assert "Score means nothing in the hook address" == problem("address", frozenset({Reject}), Score(1, "x"))


def test_settled() -> None:
    """None, a verdict, a tuple of verdicts; everything else is a failure that shows it, shortened."""
    verdict = Score(1, "x")
    assert settled(None) is None
    assert settled(verdict) is verdict
    assert (verdict, verdict) == settled((verdict, verdict))
    assert settled(()) is None
    for odd in (5, "550", [verdict], (verdict, 5), Reject, object(), {"a": 1}):
        assert isinstance(settled(odd), Failure)
    assert "returned '550 no', which is no verdict" == settled("550 no").text
    assert len(settled("x" * 100_000).text) < 200


def test_subclass_is_no_verdict() -> None:
    """A subclass could do anything when it is looked at; only the plain values are verdicts."""

    class Sly(Reject):
        """Looks like a verdict."""

    assert isinstance(settled(Sly("x")), Failure)


def test_failed() -> None:
    """An exception is a failure with its type; `CannotAnswer` speaks for itself; a text is bounded."""
    assert "ValueError: broken" == failed(ValueError("broken")).text
    assert "list is silent" == failed(CannotAnswer("list is silent")).text
    assert len(failed(ValueError("x" * 100_000)).text) == 500


def test_close() -> None:
    """What nobody will run is ended, also when it will not; what is no coroutine is left alone."""
    ended: list[str] = []

    def generator(stubborn: bool) -> Any:
        try:
            yield 1
        finally:
            ended.append("ended")
            if stubborn:
                raise RuntimeError("will not")

    for stubborn in (False, True):
        running = generator(stubborn)
        next(running)
        close(running)
    close(object())
    assert ["ended"] * 2 == ended
