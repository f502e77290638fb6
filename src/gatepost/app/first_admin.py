"""An installation in which nobody may do everything: what to type on the machine, to the letter.

The log and the sign-in page say it. There is no way to become an administrator by the web: whoever came
first would have the house.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gatepost.config import Config
from gatepost.config.desks import desk_from
from gatepost.config.loading import env_name

WORDS = ("user", "add", "admin", "--role", "admin")


def command(config: Config, argv: Sequence[str] = tuple(sys.argv)) -> str:
    """Return the line that makes an administrator of this very installation, typed in any folder."""
    program = argv[0] if argv and Path(argv[0]).name == "gatepost" else "gatepost"
    if os.sep in program:
        program = os.path.abspath(program)  # noqa: PTH100 - a link of a venv stays what it is
    told, origin = [], config.origin("data_dir")
    if origin == env_name("data_dir"):
        told = ["env", f"{origin}={config.data_dir}"]
    elif "data_dir" in config.origins:
        return shlex.join([program, "--config", str(Path(origin).absolute()), *WORDS])
    return shlex.join([*told, program, *WORDS])


def is_missing(config: Config) -> bool:
    """Return whether there is no administrator; False where it cannot be known."""
    from gatepost.desk import users
    from gatepost.store.base import StoreError

    try:
        with desk_from(config, "first start") as desk:
            return not users.administrators(desk)
    except StoreError:
        return False


def first_step(config: Config) -> Callable[[], str]:
    """Return who says what to type: the line as long as there is no administrator, "" from then on."""
    there = False

    def say() -> str:
        nonlocal there
        # The last administrator cannot be removed: who was there once is not looked for again.
        there = there or not is_missing(config)
        return "" if there else command(config)

    return say
