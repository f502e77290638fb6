"""Judges what a hook returned: a verdict with sense in it, or nonsense.

A plugin's mistake must never reach the wire: a `Reject` with code 250, points that are no
number, a header with a line end in it. What is nonsense becomes a `Failure`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Coroutine, Generator
from typing import Any

from gatepost.mail.verdict import AddHeader, Allow, Defer, Reject, Rewrite, Score, Take
from gatepost.plugin.tools import CannotAnswer

VERDICTS = frozenset({Reject, Defer, Score, Allow, Rewrite, Take, AddHeader})
MAX_TEXT = 500
_HEADER_NAME = re.compile(r"[!-9;-~]{1,70}")


class Failure:
    """Why a check could not answer."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text[:MAX_TEXT]


def failed(error: BaseException) -> Failure:
    """Return the failure that an exception is."""
    try:
        text = str(error)
        return Failure(text if isinstance(error, CannotAnswer) else f"{type(error).__name__}: {text}")
    except Exception:  # even its text may raise
        return Failure(type(error).__name__)


def settled(answer: Any) -> Any:
    """Return what a hook gave in the end: None, a verdict, a tuple of verdicts, or a Failure."""
    if answer is None or type(answer) in VERDICTS:
        return answer
    if type(answer) is tuple and all(type(one) in VERDICTS for one in answer):
        return answer or None
    close(answer)
    try:
        return Failure(f"returned {answer!r:.100}, which is no verdict")
    except Exception:  # even its text may raise
        return Failure("returned something that is no verdict")


def close(thing: Any) -> None:
    """End a coroutine or generator that nobody will run."""
    if isinstance(thing, Coroutine | Generator):
        try:
            thing.close()
        except Exception:  # it was nonsense before
            pass


def problem(hook: str, may: frozenset[type], verdict: Any) -> str:
    """Return what is wrong with a verdict in this hook, "" for nothing."""
    kind = type(verdict)
    if kind not in may:
        return f"{kind.__name__} means nothing in the hook {hook}"
    if kind is Reject:
        return _problem_of_refusal(verdict, 500, "5.")
    if kind is Defer:
        return _problem_of_refusal(verdict, 400, "4.")
    if kind is Score:
        points = verdict.points
        if isinstance(points, bool) or not isinstance(points, int | float) or not math.isfinite(points):
            return f"Score of {points!r:.20}"
    elif kind is AddHeader:
        return _problem_of_header(verdict.name, verdict.value)
    return ""


def _problem_of_refusal(verdict: Any, least: int, first: str) -> str:
    name = type(verdict).__name__
    code, enhanced = verdict.code, verdict.enhanced
    if type(code) is not int or not least <= code < least + 100:
        return f"{name} with code {code!r:.20}"
    if type(enhanced) is not str or not enhanced.startswith(first) or len(enhanced) > 12:
        return f"{name} with enhanced code {enhanced!r:.20}"
    if type(verdict.reason) is not str or type(verdict.public) is not str:
        return f"{name} without a text"
    return ""


def _problem_of_header(name: Any, value: Any) -> str:
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        return f"AddHeader with name {name!r:.40}"
    if not isinstance(value, str) or not value.isprintable() or len(value) > 900:
        return "AddHeader with a value that is not one printable line"
    return ""
