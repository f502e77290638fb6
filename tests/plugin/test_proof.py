"""What a result becomes is one rule for the four checks of senders."""

import asyncio

import pytest
from pydantic import ValidationError

from gatepost.mail.verdict import Defer, Reject, Score
from gatepost.plugin.base import PluginSettings
from gatepost.plugin.bench import Bench, Case
from gatepost.plugin.proof import NOT_NOW, Answer, answer
from gatepost.plugin.tools import Tools
from gatepost.plugins.spf import Spf
from gatepost.policy.decide import Finding


class Settings(PluginSettings):
    """A model with one result."""

    fail: Answer = "refuse"


def test_answers() -> None:
    """Refused, deferred, ignored (and still written down), or points."""
    assert Reject("why", "public", 550, "5.7.23") == answer("refuse", "why", "public", "5.7.23")
    assert Defer("why", NOT_NOW, 451, "4.4.3") == answer("defer", "why", "public")
    assert Score(0, "why") == answer("ignore", "why", "public")
    assert Score(-2.5, "why") == answer(-2.5, "why", "public")


@pytest.mark.parametrize("value", ["refuse", "defer", "ignore", 3, -2.5, "4"])
def test_settings(value: object) -> None:
    """Words and numbers are settings."""
    assert (
        value == Settings.model_validate({"fail": value}).fail
        or float(str(value)) == Settings.model_validate({"fail": value}).fail
    )


@pytest.mark.parametrize("value", ["reject", "", None, 1e9, float("nan"), ["refuse"]])
def test_bad_settings(value: object) -> None:
    """Anything else is an error."""
    with pytest.raises(ValidationError):
        Settings.model_validate({"fail": value})


async def _without_dns() -> list[Finding]:
    bench = Bench([Spf], Tools())
    policy = bench.policy(switches={"spf": {"mode": "on"}})
    return await bench.ask(policy, Case())


def test_no_resolver() -> None:
    """A house without DNS is a failure of the check, and its `on_failure` is followed."""
    (finding,) = asyncio.run(_without_dns())
    assert finding.verdict is None
    assert "dns" in finding.failure
