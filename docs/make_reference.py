"""Make the pages of docs/reference from the code: `.venv/bin/python -m docs.make_reference`.

Nothing is written twice: plugins and their settings come from their classes, keys and settings from
their tables, the command line from its own help, replies from the source. tests/house/test_reference.py
fails when a page is stale; with `--check` this program says so too, and writes nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from docs import api
from docs.said import replies
from docs.unused import uncounted_metrics, unread_keys
from docs.words import ARCHIVE_OUTCOMES, FATES, LEVELS, STATUS, meaning
from gatepost.cli.main import cli
from gatepost.config.keys import KEYS, toml_text
from gatepost.desk.journal import FATES as IN_JOURNAL
from gatepost.desk.steps import SAID, WOULD
from gatepost.plugin import faces
from gatepost.plugin.hooks import HOOKS
from gatepost.plugin.registry import load
from gatepost.policy.policy import Mode
from gatepost.policy.presets import DEFAULT_PRESET, PRESETS
from gatepost.policy.settings import SETTINGS
from gatepost.telemetry.metrics import METRICS

FOLDER = Path(__file__).parent / "reference"
HOW = ".venv/bin/python -m docs.make_reference"
MADE = "\n<!-- Made from the code by `python -m docs.make_reference`; do not edit. -->\n"


def pages() -> dict[str, str]:
    """Return file name -> text of every page."""
    made = {
        "plugins.md": plugins(),
        "settings.md": settings(),
        "configuration.md": configuration(),
        "command-line.md": command_line(),
        "replies.md": smtp_replies(),
        "metrics.md": metrics(),
        "journal.md": journal(),
        "api.md": page("API", api.FIRST, *api.sections()),
    }
    return {"README.md": index(made)} | made


def write(folder: Path, made: dict[str, str]) -> list[str]:
    """Bring the pages in the folder up to date; returns what was not."""
    folder.mkdir(exist_ok=True)
    wrong = stale(folder, made)
    for name in wrong:
        if name in made:
            (folder / name).write_text(made[name], "utf-8")
        else:
            (folder / name).unlink()
    return wrong


def stale(folder: Path, made: dict[str, str]) -> list[str]:
    """Return the names of pages that are not what the code says, that are missing, or that nobody makes."""
    present = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in present.keys() | made.keys() if present.get(name) != made.get(name))


def index(made: dict[str, str]) -> str:
    """Return the page that leads to the others."""
    lines = ["# Reference", MADE, "| page | what stands there |", "|---|---|"]
    for name, text in made.items():
        title, first = text.split("\n", 1)[0].removeprefix("# "), text.split("-->\n\n", 1)[1]
        lines.append(f"| [{title}]({name}) | {' '.join(first.partition(chr(10) * 2)[0].split())} |")
    return "\n".join(lines) + "\n"


def page(title: str, first: str, *rest: str) -> str:
    """Return a whole page."""
    return "\n".join([f"# {title}", MADE, first, "", *rest]).rstrip() + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table; a bar in a cell does not end it."""
    lines = [list(head)]
    lines.append(["---"] * len(lines[0]))
    lines += [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def code(value: object) -> str:
    """Return a value as it is typed; nothing for "" and None."""
    return f"`{value}`" if value not in ("", None) else ""


# -- the pages ----------------------------------------------------------------------------------


def plugins() -> str:
    """Return what faces.py says of each shipped plugin."""
    loaded = [one for one in load(None, entries=False) if not one.error]
    links = ", ".join(f"[{one.name}](#{one.name})" for one in loaded)
    hooks = table(["hook", "when"], ((f"`{hook.name}`", hook.when) for hook in HOOKS.values()))
    first = "The checks that are shipped: what each does and why it works, when it is asked, its settings."
    return page("Plugins", first, links, "", "The hooks:", "", hooks, *(faces.page(one) for one in loaded))


def settings() -> str:
    """Return the settings of a domain and the presets."""
    rows = (
        (
            f"`{s.key}`",
            s.allowed,
            code(json.dumps(s.default)) if s.default is not None else "required",
            ", ".join(LEVELS[level] for level in s.levels),
            s.sentence,
        )
        for s in SETTINGS.values()
    )
    every = [one for one in load(None, entries=False) if not one.error]
    presets = [
        ("what it is for", *(p.sentence for p in PRESETS.values())),
        *(
            (f"`{key}`", *(code(p.values.get(key, SETTINGS[key].default)) for p in PRESETS.values()))
            for key in sorted({key for p in PRESETS.values() for key in p.values})
        ),
        *(
            (
                f"`{one.name}.mode`",
                *(code(p.mode(one.name, Mode(one.plugin.default_mode))) for p in PRESETS.values()),
            )
            for one in every
        ),
        *(
            (
                f"`{one.name}.action`",
                *(code(p.action(one.name, one.plugin.default_action)) for p in PRESETS.values()),
            )
            for one in every
            if any(one.name in p.actions for p in PRESETS.values())
        ),
    ]
    return page(
        "Settings of a domain",
        "What can be set for all domains, a domain or a mailbox (`gatepost domain set`), and the presets.",
        "The nearer level wins: mailbox, domain, all domains, preset, default.",
        "The settings of the checks (`NAME.mode`, `NAME.action`, `NAME.on_failure`, `NAME.*`) stand in"
        " [plugins](plugins.md).",
        "",
        table(["setting", "values", "default", "can be set for", "meaning"], rows),
        "## Presets",
        "",
        f"A new domain has `preset={DEFAULT_PRESET}`. What somebody set by hand goes before it.",
        "",
        table(["", *(f"`{name}`" for name in PRESETS)], presets),
    )


def configuration() -> str:
    """Return the keys of gatepost.toml."""
    unread = unread_keys()
    out: list[str] = []
    section = None
    rows: list[tuple[str, ...]] = []

    def flush() -> None:
        if rows:
            out.extend([f"## [{section}]" if section else "## At the top", ""])
            out.append(table(["key", "default", "environment", "meaning"], rows))
            rows.clear()

    for name, key in KEYS.items():
        of, _, last = name.rpartition(".")
        if of != section:
            flush()
            section = of
        variable = "GATEPOST_" + name.upper().replace(".", "__")
        note = " *Checked, but nothing reads it yet.*" if name in unread else ""
        rows.append((f"`{last}`", f"`{toml_text(key.default)}`", f"`{variable}`", key.sentence + note))
    flush()
    return page(
        "Configuration of a machine",
        "The keys of `gatepost.toml`, each with its default and its environment variable.",
        "Searched in this order: `--config`, `$GATEPOST_CONFIG`, `./gatepost.toml`,"
        " `/etc/gatepost/gatepost.toml`. An environment variable goes before the file. An unknown key or"
        " a bad value ends every command with status 2; `gatepost config check` looks it over,"
        " `gatepost config show --origin` says where each value comes from."
        " Policy is not here: see [settings](settings.md).",
        "",
        *out,
    )


def command_line() -> str:
    """Return the help of each command."""
    out: list[str] = []
    for path, text in helps(cli, click.Context(cli, info_name="gatepost", **NARROW)):
        out += [f"## {path}", "", "```text", text, "```", ""]
    return page("Command line", "Every command with its `--help`.", *out)


NARROW: Any = {
    "terminal_width": 80,
    "max_content_width": 80,
    "color": False,
    "help_option_names": ["-h", "--help"],
}
"""So that the help is the same on each machine."""


def helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """Yield (path, help) of a command and of those below it."""
    command._help_option = None  # click keeps the first one it made, for whatever context that was
    yield context.command_path, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from helps(inner, click.Context(inner, parent=context, info_name=name, **NARROW))


def smtp_replies() -> str:
    """Return every reply with the meaning of its codes."""
    said: dict[tuple[int, str, str], list[str]] = {}
    for one in replies():
        said.setdefault((one.code, one.enhanced, one.text.removesuffix(" (...)")), []).append(one.where)
    rows = (
        (number, enhanced, code(text), meaning(number, enhanced), "; ".join(dict.fromkeys(where)))
        for (number, enhanced, text), where in said.items()
    )
    return page(
        "SMTP replies",
        "What a client can be told: code, enhanced status code (RFC 3463), text, and who says it.",
        "A refusal ends with the session's id in brackets: `gatepost explain ID` says why. `...` is put in"
        " at run time; what the domain's own server said is passed on with its codes."
        " Files lie below `src/gatepost`.",
        "",
        table(["code", "enhanced", "text", "meaning", "from"], rows),
        "## Codes",
        "",
        table(["code", "RFC 5321, 4.2.3"], STATUS.items()),
    )


def metrics() -> str:
    """Return the metrics."""
    idle = uncounted_metrics()
    rows = (
        (
            f"`{m.name}`",
            m.kind,
            ", ".join(f"`{label}`" for label in m.labels),
            m.sentence + (" *Declared, but nothing counts it yet.*" if m.name in idle else ""),
            {"sum": "added", "max": "the greatest", "min": "the least"}[m.fold],
        )
        for m in sorted(METRICS.values(), key=lambda m: m.name)
    )
    return page(
        "Metrics",
        "What `/metrics` shows (Prometheus text), on the address of `metrics.listen`.",
        "`/healthz` answers 200 while the keeper runs, `/readyz` 200 when workers serve. Labels are bounded:"
        " never a domain or an address. Values of several processes become one as the last column says.",
        "",
        table(["metric", "kind", "labels", "meaning", "of several processes"], rows),
    )


def journal() -> str:
    """Return the words of journal, archive and explain."""
    assert tuple(FATES) == IN_JOURNAL, "a fate has no sentence, or one too many"
    said = [(code(word) or "(nothing)", sentence) for word, sentence in SAID.items()]
    said += [(code(f"watch {word}".strip()), sentence) for word, sentence in WOULD.items()]
    return page(
        "Journal",
        "The words that stand in journal, log, archive and `gatepost explain`.",
        "## What became of a mail",
        "",
        "One row for each recipient that was named (`gatepost journal --outcome WORD`),"
        " and one for each session.",
        "",
        table(["fate", "meaning"], ((f"`{word}`", sentence) for word, sentence in FATES.items())),
        "## Why a copy is kept",
        "",
        "`gatepost archive list --outcome WORD`.",
        "",
        table(["outcome", "meaning"], ((f"`{w}`", sentence) for w, sentence in ARCHIVE_OUTCOMES.items())),
        "## What a check said",
        "",
        "The journal has the short word, `gatepost explain` the sentence.",
        "",
        table(["word", "sentence"], said),
    )


def main(words: list[str]) -> int:
    """Write the pages, or with `--check` say which are stale."""
    made = pages()
    if "--check" in words:
        wrong = stale(FOLDER, made)
        for name in wrong:
            sys.stderr.write(f"docs/reference/{name} is not what the code says: {HOW}\n")
        return 1 if wrong else 0
    sys.stdout.write("".join(f"docs/reference/{name}\n" for name in write(FOLDER, made)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
