"""Mail that ends the process which reads it: tried twice, then called poison (T6.4).

Once may be the machine's fault: memory was short, somebody stopped the process. Twice is the mail's. It is
then set aside by what its domain says, the administrator is told, and all other mail goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from gatepost.plugin.context import Context
from gatepost.plugin.tools import CannotAnswer, Killed
from gatepost.plugin.worker import WorkerBusy

T = TypeVar("T")
TRIES = 2


class Poison(Exception):
    """The mail ended its process each time; the text says how."""


async def twice(ctx: Context[Any], function: Callable[..., T], *arguments: Any, seconds: float) -> T:
    """Run a function in a process that can be killed; Poison where it died or took too long each time.

    CannotAnswer where there was no process for it: that is not the mail's fault. WorkerError where the
    process lives and the function failed: our own fault, for which the check has its `on_failure`.
    """
    said: list[str] = []
    for _ in range(TRIES):
        try:
            return await ctx.in_worker(function, *arguments, seconds=seconds, counted=False)
        except WorkerBusy as error:
            raise CannotAnswer(str(error)) from error
        except Killed as error:
            said.append(str(error))
    ctx.alert(f"poison: {ctx.transaction.id}: {said[-1]}"[:300])
    raise Poison("; ".join(dict.fromkeys(said)))
