"""What commands share on the command line: options, KEY=VALUE, completion of names.

Completion asks the store for names and is silent about every trouble: a shell must not print a
trace while somebody types.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

MOST_NAMES = 200
"""Names that a completion offers."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
expected = click.option("--expect", type=int, metavar="VERSION", help="Fail if it is another by now.")


def _domains(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    try:
        from gatepost.cli.house import quick_desk
        from gatepost.desk.domains_listed import names

        with quick_desk(ctx) as desk:
            return names(desk, incomplete.lower(), MOST_NAMES)
    except Exception:  # see above: silent
        return []


def _more_domains(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    there = ctx.params.get(parameter.name or "") or ()
    return [name for name in _domains(ctx, parameter, incomplete) if name not in there]


def _domain_first(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    before = ctx.params.get(parameter.name or "") or ()
    return [] if before or ctx.params.get("everywhere") else _domains(ctx, parameter, incomplete)


def _domain_then_keys(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The first word is a domain, all others are settings."""
    before = ctx.params.get(parameter.name or "") or ()
    if not before and not ctx.params.get("everywhere"):
        return _domains(ctx, parameter, incomplete)
    try:
        from gatepost.desk.keys import setting_words

        ending = "" if ctx.info_name == "unset" else "="
        return [f"{word}{ending}" for word in setting_words() if word.startswith(incomplete)]
    except Exception:
        return []


def _plugins(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    try:
        from gatepost.desk.keys import plugin_words

        return [name for name in plugin_words() if name.startswith(incomplete)]
    except Exception:
        return []


def domain_argument(required: bool = True) -> Callable[[F], F]:
    """DOMAIN, completed from the store."""
    return click.argument("domain", metavar="DOMAIN", required=required, shell_complete=_domains)


def domain_options(help_text: str) -> Callable[[F], F]:
    """`--domain D --domain E`, completed from the store, as `domains`."""
    return click.option(
        "--domain",
        "-d",
        "domains",
        metavar="DOMAIN",
        multiple=True,
        help=help_text,
        shell_complete=_more_domains,
    )


def domain_option(help_text: str) -> Callable[[F], F]:
    """`--domain D`, completed from the store."""
    return click.option("--domain", "-d", metavar="DOMAIN", help=help_text, shell_complete=_domains)


def scope_words(metavar: str, *, keys: bool = False, required: bool = True) -> Callable[[F], F]:
    """DOMAIN (or `--all` in its place) and what stands behind it; `keys`: settings."""
    return click.argument(
        "words",
        metavar=metavar,
        nargs=-1,
        required=required,
        shell_complete=_domain_then_keys if keys else _domain_first,
    )


def plugin_argument() -> Callable[[F], F]:
    """NAME of a plugin."""
    return click.argument("name", metavar="NAME", shell_complete=_plugins)


def plugin_option(help_text: str) -> Callable[[F], F]:
    """`--plugin NAME`."""
    return click.option("--plugin", "-p", metavar="NAME", help=help_text, shell_complete=_plugins)


def read_values(words: Sequence[str]) -> dict[str, Any]:
    """Return KEY -> value of `KEY=VALUE` words: JSON where VALUE parses as such, else the text itself."""
    from gatepost.policy.settings import read_value

    values: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        key = key.strip()
        if not equals or not key:
            raise click.UsageError(f"{word!r} is not KEY=VALUE", click.get_current_context(silent=True))
        if key in values:
            raise click.UsageError(f"{key} is given twice", click.get_current_context(silent=True))
        values[key] = read_value(text)
    return values


def one_scope(domain: str | None, everywhere: bool) -> str | None:
    """Return the domain, or None for `--all`; one of the two is needed, and not both."""
    if everywhere == (domain is not None):
        what = "DOMAIN or --all is needed" if domain is None else "DOMAIN and --all exclude one another"
        raise click.UsageError(what, click.get_current_context(silent=True))
    return domain


def part_scope(
    words: tuple[str, ...], everywhere: bool, number: int, what: str
) -> tuple[str | None, tuple[str, ...]]:
    """Part DOMAIN from the `number` words behind it (`what`, for people); `--all` stands for DOMAIN."""
    rest = words if everywhere else words[1:]
    if len(rest) != number or (not words and not everywhere):
        if everywhere and len(rest) == number + 1:
            one_scope(words[0], everywhere)
        wanted = f"wanted: {'--all' if everywhere else 'DOMAIN'} {what}".rstrip()
        raise click.UsageError(wanted, click.get_current_context())
    return (None if everywhere else words[0]), rest
