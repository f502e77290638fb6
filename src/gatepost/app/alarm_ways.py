"""The ways that alarms go out, which do not pass the filter: a webhook, and mail through another server.

Each is bounded in time. Mail goes by our own relay: encrypted where that is offered, never to ourselves.
Where it signs in, it is encrypted to a server that proves its name, or it does not go.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

from gatepost.config import Config, password_file
from gatepost.desk.alarm_words import Notice, as_json, as_mail
from gatepost.mail.address import parse_address
from gatepost.plugin.outside import OutsideError, http
from gatepost.relay.handoff import Relay
from gatepost.relay.results import MailParams, Target, To
from gatepost.relay.routes import parse_route
from gatepost.relay.sign_in import Login

WEBHOOK, MAIL = "webhook", "mail"
POST_SECONDS = 10.0
MAIL_SECONDS = 60.0
AT_ONCE = {WEBHOOK: 1, MAIL: 50}
"""Way -> how many things one message of it tells."""


class Undelivered(Exception):
    """Nobody could be told on this way; the text says why."""


class Ways:
    """Sends what is told."""

    def __init__(self, config: Config, relay: Relay) -> None:
        self._alarms = config.alarms
        self._hostname = config.hostname
        self._public_url = config.console.public_url.rstrip("/")
        self._relay = relay

    async def send(self, way: str, notices: Sequence[Notice], now: float) -> None:
        """Tell several things on one way; Undelivered where that cannot be."""
        await (self._post(notices, now) if way == WEBHOOK else self._mail(notices, now))

    async def _post(self, notices: Sequence[Notice], now: float) -> None:
        headers = {"Content-Type": "application/json", "User-Agent": "gatepost"}
        if self._alarms.webhook_secret:
            headers["Authorization"] = f"Bearer {self._alarms.webhook_secret}"
        for one in notices:
            body = as_json(one, self._hostname, self._public_url, now)
            try:
                async with asyncio.timeout(POST_SECONDS):
                    answer = await http("POST", self._alarms.webhook, headers, body)
            except TimeoutError as error:
                raise Undelivered(f"the webhook: no answer within {POST_SECONDS:g} s") from error
            except (OSError, OutsideError) as error:
                said = str(error).replace(self._alarms.webhook, "the URL")  # it may hold a secret
                raise Undelivered(f"the webhook: {said}") from error
            if not 200 <= answer.status < 300:
                raise Undelivered(f"the webhook answered {answer.status}")

    async def _mail(self, notices: Sequence[Notice], now: float) -> None:
        to = self._alarms.mail_to
        name = f"alarm-{secrets.token_hex(8)}"
        text = as_mail(notices, self._hostname, self._public_url, to, name, now)
        through = self._alarms.mail_through
        relay = self._relay
        if self._alarms.mail_user:
            # A way of its own: no domain's route may come upon a connection that is signed in.
            relay, through = relay.signing_in(await asyncio.to_thread(self._login)), secured(through)
        try:
            results = await relay.hand_off(
                None,
                None,  # null sender: nothing answers it, and no bounce comes back through the filter
                MailParams(len(text)),
                [Target((through,), [To(parse_address(one)) for one in to])],
                [text],
                False,
                b"",
                asyncio.get_running_loop().time() + MAIL_SECONDS,
            )
        finally:
            if relay is not self._relay:
                relay.pool.close()
        if not any(one.delivered for one in results):
            first = results[0]
            raise Undelivered(f"mail: {first.code} {first.enhanced} {first.text} ({first.where})")

    def _login(self) -> Login:
        if self._alarms.mail_password_file is None:
            raise Undelivered("mail: alarms.mail_user is set, and alarms.mail_password_file is not")
        try:
            return Login(self._alarms.mail_user, password_file.read(self._alarms.mail_password_file))
        except password_file.BadPasswordFile as error:
            raise Undelivered(f"mail: {error}") from error


def secured(url: str) -> str:
    """Return a route as somebody may sign in by it: with a certificate that holds; never in clear text."""
    route = parse_route(url)
    tls = route.tls
    if route.scheme == "smtp+mx":
        # The certificate would be held against a name from unsigned DNS: whoever forges it gets the password.
        raise Undelivered(
            "mail: nobody signs in at a host that DNS names (smtp+mx): name the host itself in"
            " alarms.mail_through, as smtp://host:587"
        )
    if tls == "off":
        raise Undelivered(
            "mail: a password is never sent in clear text, and alarms.mail_through says tls=off"
        )
    return url if tls != "wanted" else f"{url}{'&' if '?' in url else '?'}tls=required"
