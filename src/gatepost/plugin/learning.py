"""What the classifier's plugins have in common: features of a mail, once for all domains, and opinions on it.

numpy is an extra and is imported at the first mail that is asked about, so that a command line that lists
checks does not wait for it, and an installation without it runs all other checks.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatepost.plugin.tools import CannotAnswer

if TYPE_CHECKING:
    from gatepost.learn.features import Features
    from gatepost.plugin.context import Context
    from gatepost.store.models import Models

MODULE = "gatepost.store.models"
LONG = 65_536
"""Bytes of a message from which its features are worked out in another process."""
MISSING = "the classifier needs numpy: install gatepost with its extra `content`"


class Seen:
    """Key in a transaction's facts: the features of its message."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a domain's model thinks of a message."""

    total: float
    """Log-odds: above 0 is spam."""
    spam: int
    """Messages that the domain has trained as spam, and as wanted."""
    ham: int
    text: str
    """One line: the score in parts, with the strongest words."""


async def ready() -> None:
    """Import what is needed where nobody waits for it: that takes a tenth of a second, once in a process."""
    if MODULE not in sys.modules:
        try:
            await asyncio.to_thread(importlib.import_module, MODULE)
        except ImportError as error:
            raise CannotAnswer(MISSING) from error


async def read(ctx: Context[Any]) -> None:
    """Have the features of the message at hand; a long one is read in a process that can be killed.

    Not in a thread: a search over 20 MB holds the interpreter, and every other session would wait for it.
    """
    await ready()
    body = ctx.message.body
    if body is None or len(body) <= LONG or Seen in ctx.transaction.facts or not ctx.has_workers:
        return
    from gatepost.learn.features import in_worker, unpack

    packed, words = await ctx.in_worker(in_worker, ctx.message.head, body, models_of(ctx).seed)
    found = unpack(packed)
    found.words = words
    ctx.transaction.facts[Seen] = found


def features_of(ctx: Context[Any]) -> Features:
    """Return the features of the message at hand; worked out once for all domains it goes to."""
    found: Features | None = ctx.transaction.facts.get(Seen)
    if found is None:
        try:
            from gatepost.learn.features import features
        except ImportError as error:
            raise CannotAnswer(MISSING) from error
        found = ctx.transaction.facts[Seen] = features(ctx.message, models_of(ctx).seed)
    return found


def opinion(ctx: Context[Any]) -> Opinion:
    """Return what the domain's model thinks of the message."""
    seen = features_of(ctx)
    from gatepost.learn.explain import explain

    models = models_of(ctx)
    file = models.of(ctx.domain)
    if file is None:
        explained = explain(models.fresh(), seen)
        return Opinion(explained.total, 0, 0, explained.text())
    explained = explain(file.model, seen)
    return Opinion(explained.total, file.spam, file.ham, explained.text())


def models_in(data: Path) -> Callable[[], Models]:
    """Return what opens the models below a data directory when they are first asked for."""

    @cache
    def models() -> Models:
        from gatepost.store.models import Models

        return Models(data)

    return models


def models_of(ctx: Context[Any]) -> Models:
    """Return all models; CannotAnswer where numpy is missing."""
    try:
        models: Models = ctx.models
    except ImportError as error:
        raise CannotAnswer(MISSING) from error
    return models
