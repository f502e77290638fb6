"""`gatepost completion bash|zsh|fish`: the script that makes a shell complete our words."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")
HOW = {
    "bash": "gatepost completion bash > /etc/bash_completion.d/gatepost",
    "zsh": "gatepost completion zsh > ~/.zfunc/_gatepost",
    "fish": "gatepost completion fish > ~/.config/fish/completions/gatepost.fish",
}


@click.command(epilog="For example: " + HOW["bash"])
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    root = ctx.find_root()
    # Not `kind(...).source()`: that would start a bash to ask for its version.
    script = kind(root.command, {}, "gatepost", "_GATEPOST_COMPLETE")
    # Zsh wants `#compdef` in the first line, so the hint comes last.
    click.echo(f"{(script.source_template % script.source_vars()).strip()}\n# {HOW[shell]}")
