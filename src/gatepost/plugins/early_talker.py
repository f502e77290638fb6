"""Refuse clients that talk before the greeting."""

from __future__ import annotations

from gatepost.plugin import Context, Mode, Plugin, PluginSettings, Scope, Verdict
from gatepost.plugin.proof import Answer, answer


class Settings(PluginSettings):
    """What it becomes; how long the server waits is `smtp.greet_wait` of the machine."""

    early: Answer = "refuse"
    """The client sent something before it heard our greeting."""


class EarlyTalker(Plugin):
    """Refuse clients that did not wait for the greeting.

    A mail server waits for the greeting, because it may be a refusal (RFC 5321, 3.1 and 4.3.1).
    A program that only wants to be rid of its mail writes everything at once and reads nothing;
    a second or two of silence in front of the greeting is enough to catch it, and costs a real
    server nothing else. It errs with proxies and monitors that push bytes: put those on the allow
    list. Without `smtp.greet_wait` almost nobody can be early, so almost nobody is refused.
    """

    settings = Settings
    scope = Scope.SESSION
    default_mode = Mode.ON
    public = "You must wait for our greeting before you talk"

    def connect(self, ctx: Context[Settings]) -> Verdict | None:
        if not ctx.session.early:
            return None
        return answer(
            ctx.settings.early,
            "the client talked before the greeting",
            self.public,
            "5.5.0",
            "You talked before our greeting, try again",
        )
