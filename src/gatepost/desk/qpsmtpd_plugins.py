"""What a line of qpsmtpd's file `plugins` means here: a check with its settings, or why nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatepost.desk.qpsmtpd_config import Line, Report
from gatepost.policy.settings import PluginDefaults, SettingError, check_settings

CHECKS = {
    "dnsbl": "dnsbl",
    "earlytalker": "early_talker",
    "check_earlytalker": "early_talker",
    "fcrdns": "rdns",
    "helo": "helo_name",
    "check_spamhelo": "helo_name",
    "resolvable_fromhost": "sender_domain",
    "require_resolvable_fromhost": "sender_domain",
    "sender_permitted_from": "spf",
    "greylisting": "greylist",
    "bogus_bounce": "bounce",
    "dkim": "dkim",
    "dmarc": "dmarc",
    "rcpt_regexp": "localpart_rules",
    "headers": "headers",
    "check_basicheaders": "headers",
    "uribl": "uribl",
    "spamassassin": "spamassassin",
    "virus/clamdscan": "clamav",
    "virus/clamav": "clamav",
}
"""Plugin of qpsmtpd -> our check."""
SOFT = frozenset({"sender_domain"})
"""Whose refusal was temporary by default."""
WORDS = {
    "queue/": "the way on is the domain's route",
    "logging/": "the log is written by itself; [log] says how",
    "auth/": "no mail is submitted here: port 25 has no AUTH",
    "ident/": "there is no such check here",
    "virus/": "there is one scanner here, clamav",
}
BUILT_IN = {
    "rcpt_ok": "a recipient's domain is looked up always",
    "badmailfrom": "its file has become list entries",
    "badmailfrom_patterns": "lists take no patterns for senders",
    "badrcptto": "its file has become recipients that are invalid",
    "whitelist": "its files have become list entries",
    "whitelist_soft": "its files have become list entries",
    "loop": "built in: a message with too many Received lines is refused",
    "naughty": "built in: a refusal waits for RCPT or the data, see refuse_at",
    "count_unrecognized_commands": "built in: too many wrong commands close the session",
    "tls": "built in: see smtp.tls_certificate",
    "tls_cert": "built in: a certificate is made at the first start",
    "parse_addr_withhelo": "built in",
    "dont_require_anglebrackets": "an address needs its angle brackets (RFC 5321)",
    "relay": "mail goes out through [smtp.outgoing] alone",
    "check_relay": "mail goes out through [smtp.outgoing] alone",
    "loadcheck": "built in: see [overload]",
    "connection_time": "built in: see the journal",
    "stunnel": "built in: see smtp.proxy_protocol_from",
    "hosts_allow": "client_rate and list entries do this; write them by hand",
    "karma": "reputation does something like it, by another rule; switch it on by hand",
    "badmailfromto": "its file has become entries of mailboxes",
}
DAY = 86_400
REQUIRED = {
    "date": "headers.missing_date",
    "from": "headers.missing_from",
    "message-id": "headers.missing_message_id",
}
"""Field that `headers` may require -> the finding that it is missing."""


def read_plugin(line: Line, defaults: Mapping[str, PluginDefaults], report: Report) -> dict[str, Any]:
    """Return the settings for all domains that one line means; what it means is told either way."""
    name, *arguments = line.words
    name = name.partition(":")[0]
    check = CHECKS.get(name)
    if check is None:
        start = next((why for prefix, why in WORDS.items() if name.startswith(prefix)), "")
        report.leave(line, BUILT_IN.get(name, start or "there is no such check here"))
        return {}
    if check not in defaults:
        report.leave(line, f"the check {check} is not installed here")
        return {}
    options = dict(zip(arguments[::2], arguments[1::2], strict=False))
    values, unknown = _values(check, arguments, options)
    try:
        checked = check_settings(values, defaults, "all")
    except SettingError as error:
        report.leave(line, str(error))
        return {}
    report.take(line, " ".join(f"{key}={_short(value)}" for key, value in checked.items()))
    if unknown:
        report.leave(line, f"options with no equal here: {' '.join(unknown)}")
    return checked


def _values(check: str, arguments: list[str], options: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return settings, and the options that have become nothing."""
    values: dict[str, Any] = {f"{check}.mode": "on"}
    if check == "bounce":  # one word and no pairs: log, deny or denysoft
        word = arguments[0] if arguments else "log"
        values["bounce.mode"] = "watch" if word == "log" else "on"
        if word == "denysoft":
            values["bounce.action"] = "defer"
        return values, arguments[1:]
    unknown = []
    temporary = check in SOFT
    for option, value in options.items():
        if option == "loglevel":
            continue
        if option == "reject" and check == "spf" and value.isdecimal():
            values["spf.mode"] = "on" if int(value) >= 2 else "watch"
        elif option == "reject" and value == "0":
            values[f"{check}.mode"] = "watch"
        elif option == "reject" and (value in ("1", "naughty")):
            pass
        elif option == "reject_type" and value in ("perm", "temp", "disconnect", "temp_disconnect"):
            temporary = value.startswith("temp")
        elif check == "greylist" and option == "black_timeout" and value.isdecimal():
            values["greylist.delay"] = max(1, min(int(value), DAY))
        elif check == "greylist" and option == "white_timeout" and value.isdecimal():
            values["greylist.keep"] = max(1, min(int(value) // DAY, 400))
        elif check == "headers" and (of_headers := _headers(option, value)):
            values |= of_headers
        else:
            unknown.append(f"{option} {value}")
    if temporary:
        values[f"{check}.action"] = "defer"
    return values, unknown + arguments[len(options) * 2 :]


def _headers(option: str, value: str) -> dict[str, Any]:
    """Return what an option of `headers` means: fields that must be there, days that a Date may be off."""
    if option == "require":
        names = [name.strip().lower() for name in value.split(",")]
        return {REQUIRED[name]: "refuse" for name in names} if all(n in REQUIRED for n in names) else {}
    if option == "future" and value.isdecimal() and 0 < int(value) <= 400:
        return {"headers.future_hours": 24 * int(value), "headers.future_date": "refuse"}
    if option == "past" and value.isdecimal() and 0 < int(value) <= 4_000:
        return {"headers.old_days": int(value), "headers.old_date": "refuse"}
    return {}


def _short(value: object) -> str:
    return value if isinstance(value, str) else str(value)[:60]
