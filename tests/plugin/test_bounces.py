"""Facts about bounces are values, told for one recipient."""

import asyncio

import pytest

from gatepost.plugin import BatvTag, Context, Mode, Plugin, PluginSettings, Reject, Scope, Verdict
from gatepost.plugin.bench import Bench, Case


class Tells(Plugin):
    """Says that the tag of one recipient is valid."""

    scope = Scope.RECIPIENT
    default_mode = Mode.ON
    tells = (BatvTag,)

    def rcpt(self, ctx: Context[PluginSettings]) -> None:
        assert ctx.recipient is not None
        if ctx.recipient.local == "ann":
            ctx.tell(BatvTag(True, "signed"))


class Asks(Plugin):
    """Refuses who has no valid tag."""

    scope = Scope.RECIPIENT
    default_mode = Mode.ON
    needs = (BatvTag,)

    def rcpt(self, ctx: Context[PluginSettings]) -> Verdict | None:
        tag = ctx.fact(BatvTag)
        return None if tag is not None and tag.valid else Reject("no tag")


@pytest.mark.parametrize("first", [Asks, Tells])
def test_told_for_one_recipient(first: type[Plugin]) -> None:
    """A valid tag speaks for its own recipient and not for the next, in whatever order the plugins load."""
    bench = Bench(sorted([Asks, Tells], key=lambda one: one is not first))
    policy = bench.policy()
    transaction = Case().transaction()
    refused = []
    for local in ("ann", "bob", "ann"):
        case = Case(recipient=f"{local}@example.org")
        findings = asyncio.run(bench.ask(policy, case, transaction=transaction))
        refused.append(any(f.verdict is not None for f in findings))
    assert [False, True, False] == refused
