"""From the configuration to the desk: what a command needs of the house.

Run as root, a command does its work as the owner of data_dir, so that no file is left there that
the service cannot read (a database made by root's `domain add` would keep the server from starting).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gatepost.config import Config
    from gatepost.desk.desk import Desk


class BadConfiguration(click.ClickException):
    """The configuration is wrong: exit status 2 (CONTRACT 2)."""

    exit_code = 2


def config_of(ctx: click.Context | None = None) -> Config:
    """Read the configuration; all that is wrong with it is said at once, a line for each."""
    from gatepost.config import ConfigError, load

    try:
        return load(_file(ctx), os.environ)
    except ConfigError as error:
        lines = str(error).splitlines()
        for line in lines[:-1]:
            click.echo(f"gatepost: {line}", err=True)
        raise BadConfiguration(lines[-1]) from None


def quick_desk(ctx: click.Context) -> Desk:
    """Return the desk for a completion: no change of user, no messages."""
    return desk_from(config_of(ctx))


@contextmanager
def at_desk(*, drop: bool = True) -> Iterator[Desk]:
    """Open the desk; what people did wrong becomes one line and exit status 1."""
    config = config_of()
    if drop:
        become_owner(config)
    with complaints(), desk_from(config) as desk:
        yield desk


def desk_from(config: Config) -> Desk:
    """Make the desk of a configuration for who is at the terminal."""
    from gatepost.config import desks

    return desks.desk_from(config, who())


@contextmanager
def complaints() -> Iterator[None]:
    """Turn the errors that are for people into one line each."""
    from gatepost.desk.errors import DeskError

    try:
        yield
    except DeskError as error:
        raise click.ClickException(str(error)) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{place}{error.strerror or error}") from error
    except Exception as error:
        if not _is_store_error(error):
            raise
        raise click.ClickException(str(error)) from error


def _is_store_error(error: Exception) -> bool:
    base = sys.modules.get("gatepost.store.base")
    return base is not None and isinstance(error, base.StoreError)


def who() -> str:
    """Return who asks: the person behind sudo, else the user."""
    import pwd

    person = os.environ.get("SUDO_USER")
    if person and person.isprintable():
        return person
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def become_owner(config: Config) -> None:
    """As root, become the owner of data_dir, if he can read the program (else no service runs as him)."""
    if os.geteuid() != 0:
        return
    try:
        owner = config.data_dir.stat()
    except OSError:
        return
    if owner.st_uid == 0:
        return
    try:
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
    except OSError as error:
        reason = f"cannot become the owner of {config.data_dir}: {error.strerror}"
        raise click.ClickException(reason) from error
    if not all(os.access(file, os.R_OK, effective_ids=True) for file in (os.__file__, __file__)):
        os.seteuid(0)
        os.setegid(0)


def read_file(path: str) -> bytes:
    """Read a file that was named on the command line; `-` is stdin."""
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        with open(path, "rb") as stream:  # noqa: PTH123 - as named by the person, no path of ours
            return stream.read()
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error


def _file(ctx: click.Context | None) -> str | None:
    root = (ctx or click.get_current_context()).find_root()
    said = root.params.get("config")
    return said if isinstance(said, str) else None
