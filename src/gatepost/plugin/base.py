"""What a plugin is: a class with a docstring, a settings model and methods named for hooks.

Everything that is the same for all checks (the switch per domain, allow lists, time limit,
isolation, memory, metrics, journal, forms) is in `pipeline` and `faces`; here are only the words
in which a plugin describes itself. What is misspelt is found when the plugin is loaded
(`hooks.faults`), never while a mail is on its way.
"""

from __future__ import annotations

import re
from enum import IntEnum, StrEnum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from gatepost.policy.policy import Action, DomainPolicy, Mode, OnFailure

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Scope(StrEnum):
    """For whom an answer holds, so that it is remembered and not asked again."""

    SESSION = "session"
    """For every domain with equal settings: facts about the client alone. No domain, no state."""
    DOMAIN = "domain"
    """For all recipients of one domain (the default): two domains never share a memory or a count."""
    RECIPIENT = "recipient"
    """For one recipient only: asked again for each."""
    GATEWAY = "gateway"
    """For the machine: acts at once, before it is known whose mail it is. No switch per domain."""


class Cost(IntEnum):
    """What an answer costs; cheap checks are asked first, and dear ones not at all where one refused.

    An `async def` hook of a shipped plugin with cost MEMORY, DNS or LAST is driven without a task
    until it really waits, so it waits only through the tools of its context.
    """

    MEMORY = 0
    DNS = 1
    NETWORK = 2
    CPU = 3
    LAST = 4
    """Costs little, but is asked as late as what is dear: it leaves something behind."""


MACHINE: dict[str, Any] = {"machine": True}
"""`Field(json_schema_extra=MACHINE)`: a setting that says where on the network this machine connects to.
Only an administrator sets it, for a domain or for all."""


class PluginSettings(BaseModel):
    """The settings of one plugin in one domain: frozen, unknown keys are errors.

    A sentence under each field says what it does; form, command line and reference page show it.
    Something costly made of the settings belongs into a `functools.cached_property`: it is then
    built once per snapshot and not per mail.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_default=True,
        allow_inf_nan=False,
    )

    @property
    def wants_lessons(self) -> bool:
        """The filter behind the check learns what the domain's people train (`Plugin.teach`)."""
        return False


class Plugin:
    """A check. The docstring of a plugin says what it does and why it works."""

    name: ClassVar[str] = "plugin"
    """Made from the class name when not given: `HeloName` is `helo_name`."""
    settings: ClassVar[type[PluginSettings]] = PluginSettings
    """The model of the settings; all fields have defaults."""
    scope: ClassVar[Scope] = Scope.DOMAIN
    """For whom an answer of connect, helo, mail, headers and message holds; rcpt is asked for each."""
    cost: ClassVar[Cost] = Cost.MEMORY
    """What an answer costs."""
    needs: ClassVar[tuple[type, ...]] = ()
    """Facts of other plugins that must be told before this one is asked."""
    tells: ClassVar[tuple[type, ...]] = ()
    """Facts that this plugin tells others (`ctx.tell`)."""
    needs_host: ClassVar[bool] = False
    """The client's rDNS name is looked up before this plugin is asked."""
    default_mode: ClassVar[Mode] = Mode.OFF
    """The switch where nobody set it."""
    default_action: ClassVar[Action] = Action.REJECT
    """What its refusal becomes where nobody set it."""
    on_failure: ClassVar[OnFailure] = OnFailure.PASS
    """What happens when it cannot answer, where nobody set it."""
    timeout: ClassVar[float] = 10.0
    """Seconds for one answer."""
    public: ClassVar[str] = "Not accepted here"
    """The sentence that the sender reads; the reason is for the owner."""
    unskippable: ClassVar[bool] = False
    """A general allow entry does not lead past this check (CONTRACT 5, precedence 1 and 2)."""
    done_accepted: ClassVar[bool] = False
    """The hook `done` is asked for mail that was accepted, and for no other."""
    knows_recipients: ClassVar[bool] = False
    """Its refusal says that the address is nobody's: asked early, and nothing else is asked behind it."""
    own_list: ClassVar[bool] = True
    """An allow entry made for this plugin alone leads past it."""
    reads_body: ClassVar[bool] = True
    """The hook `message` looks at the body, not only at the headers."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = snake_case(cls.__name__)

    def has_work(self, hook: str, settings: Any, policy: DomainPolicy | None) -> bool:
        """Return False where the hook has nothing to do under these settings (no zones, no patterns).

        Asked once per policy and not per mail: such a check then says "no opinion" and costs nothing.
        """
        return True

    async def teach(self, lesson: Any) -> None:
        """Teach the filter behind the check a message (`gatepost.plugin.lesson.Lesson`).

        Asked in the keeper, where the settings say `wants_lessons`; what it raises is tried again later.
        """

    def cost_in(self, policy: DomainPolicy) -> Cost:
        """Return the cost under this policy, where it depends on that."""
        return self.cost


def snake_case(name: str) -> str:
    """Return `HeloName` or `helo-name` as `helo_name`."""
    return _CAPITAL.sub("_", name).replace("-", "_").lower()
