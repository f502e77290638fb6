"""Look at the files in a message: names, true types, archives, macros."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field, field_validator

from gatepost.plugin import CannotAnswer, Context, Cost, Plugin, PluginSettings, Score, Verdict
from gatepost.plugin.files import (
    MAX_DECODED,
    MAX_DEPTH,
    MAX_ENTRIES,
    MAX_RATIO,
    TYPES,
    Rules,
    held_against,
    inventory,
)
from gatepost.plugin.proof import Answer, together

MIB = 1 << 20


class Settings(PluginSettings):
    """What is forbidden, what each finding becomes, and how much is looked into."""

    denied_endings: tuple[str, ...] = Field(
        default=(
            *("ade", "adp", "apk", "app", "appinstaller", "application", "appx", "appxbundle", "bat", "chm"),
            *(
                "cmd",
                "com",
                "cpl",
                "diagcab",
                "dll",
                "dmg",
                "exe",
                "gadget",
                "hta",
                "inf",
                "ins",
                "isp",
                "jar",
            ),
            *(
                "jnlp",
                "js",
                "jse",
                "lnk",
                "mde",
                "msc",
                "msh",
                "msi",
                "msix",
                "msixbundle",
                "msp",
                "mst",
                "nsh",
            ),
            *("osx", "pif", "pkg", "ps1", "psc1", "psd1", "psm1", "reg", "scf", "scr", "sct"),
            *(
                "settingcontent-ms",
                "shb",
                "sys",
                "url",
                "vb",
                "vbe",
                "vbs",
                "vhd",
                "vhdx",
                "vxd",
                "wsc",
                "wsf",
            ),
            *("wsh", "xll"),
        ),
        max_length=1_000,
    )
    """Endings of names that are forbidden: what a double click runs."""
    denied_types: tuple[str, ...] = Field(default=("executable",), max_length=200)
    """Types and kinds that are forbidden whatever the name: `executable`, `script`, `disk`, `rar` ..."""
    denied_name: Answer = "refuse"
    """A file has a forbidden ending."""
    denied_name_inside: Answer = "refuse"
    """A file in an archive has one."""
    denied_type: Answer = "refuse"
    """A file is of a forbidden type by its bytes."""
    disguised: Answer = 2.0
    """Its name says something else than its bytes: a picture that is an archive."""
    double_ending: Answer = "refuse"
    """A forbidden ending stands behind a harmless one: `invoice.pdf.exe`."""
    hidden_ending: Answer = 5.0
    """A name hides its ending: letters shown the other way round, many blanks, a NUL."""
    encrypted: Answer = 2.0
    """An archive or document is encrypted, so that nobody can look into it."""
    macros: Answer = 3.0
    """A document has macros."""
    broken: Answer = 0.5
    """An archive or document cannot be read to its end."""
    unreadable: Answer = 1.0
    """What cannot be looked into: types such as arj, ace, vhd, and files of which only a piece is here."""
    ambiguous: Answer = 2.0
    """The message or an archive can be read in more than one way, so that a file may be hidden."""
    over_budget: Answer = "quarantine"
    """There is more in it than is unpacked: what lies behind was not looked at."""
    poison: Literal["quarantine", "tag", "ignore"] = "quarantine"
    """Looking into it ended the process that did so, twice."""
    most_entries: int = Field(default=2_000, ge=1, le=MAX_ENTRIES)
    """Files in archives, in one message."""
    most_depth: int = Field(default=5, ge=1, le=MAX_DEPTH)
    """Archives in archives."""
    most_unpacked: int = Field(default=MAX_DECODED, ge=MIB, le=MAX_DECODED)
    """Bytes that are unpacked for one message."""
    most_ratio: int = Field(default=200, ge=10, le=MAX_RATIO)
    """How many times its size an archive of more than 10 MiB may unpack to."""

    @field_validator("denied_endings")
    @classmethod
    def _endings(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        endings = tuple(one.strip().lower().removeprefix("*").removeprefix(".") for one in value)
        wrong = [one for one in endings if not one or len(one) > 30 or "." in one or not one.isprintable()]
        if wrong:
            raise ValueError(f"{wrong[0]!r:.60} is no ending of a name, such as exe")
        return endings

    @field_validator("denied_types")
    @classmethod
    def _types(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [one for one in value if one not in TYPES]
        if wrong:
            raise ValueError(f"{wrong[0]!r:.60} is no type; known are {', '.join(sorted(TYPES))}")
        return value

    @cached_property
    def rules(self) -> Rules:
        """What is held against an inventory."""
        return Rules(
            frozenset(self.denied_endings), frozenset(self.denied_types), self.most_entries, self.most_depth,
            self.most_unpacked, self.most_ratio,
        )  # fmt: skip


class Attachments(Plugin):
    """Look at the files in a message, also in archives: their names, what they really are, macros.

    Malware comes as a file that somebody opens. What runs by a double click is hardly ever sent by mail
    for a good reason, so it is refused, by its name (every reading of it) and by its first bytes, also in
    zip, rar, 7z, tar, cab and ISO images and in archives in them. What cannot be judged is points: macros
    and encrypted archives are sent by honest people too. It is read in a process of its own with a limit
    of time and memory; nothing is unpacked to disk; a bomb is held, and so is a mail that ends that process
    twice. It errs with developers who mail scripts: take the endings off the list, or set points.
    """

    settings = Settings
    cost = Cost.CPU
    timeout = 45.0
    public = "Message has a kind of file that is not accepted here"

    async def message(self, ctx: Context[Settings]) -> Verdict | tuple[Verdict, ...] | None:
        settings = ctx.settings
        found = await inventory(ctx)
        if found.poison:
            return together([(settings.poison, f"poison: {found.poison}")], self.public)
        against = held_against(found, settings.rules)
        answers: list[tuple[Answer, str]] = [(getattr(settings, one.kind), one.text) for one in against]
        weighed = [one for one in answers if one[0] != "ignore"]
        verdict = together(weighed or answers, self.public, not_now="", later="4.7.1")
        if found.missing and (verdict is None or isinstance(verdict, Score)):
            raise CannotAnswer(found.missing)
        return verdict
