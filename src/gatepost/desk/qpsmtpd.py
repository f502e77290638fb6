"""Take over an existing configuration of qpsmtpd: what can be, becomes policy; all else is named with why.

What qpsmtpd has for the whole machine becomes a setting or an entry for all domains; its hosted
domains become domains with one route. Nothing is removed; a setting that is there is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatepost.desk import rules
from gatepost.desk.desk import Desk
from gatepost.desk.domains import check_route
from gatepost.desk.errors import DeskError
from gatepost.desk.qpsmtpd_config import ConfigFolder, Line, Report
from gatepost.desk.qpsmtpd_lists import HANDLERS, ListReader, Rows
from gatepost.desk.qpsmtpd_plugins import read_plugin
from gatepost.desk.rule_files import read_rules
from gatepost.desk.srv import bring_rows
from gatepost.policy.settings import SettingError, check_settings
from gatepost.store.base import StoreError
from gatepost.store.scopes import EVERYWHERE, domain_name

MACHINE = {
    "me": "hostname in gatepost.toml",
    "databytes": "smtp.max_message_size in gatepost.toml",
    "timeout": "smtp.timeout in gatepost.toml",
    "timeoutsmtpd": "smtp.timeout in gatepost.toml",
    "loglevel": "log.level in gatepost.toml",
    "tls_ciphers": "TLS has the defaults of this machine's OpenSSL",
    "smtpgreeting": "the greeting is `220 HOSTNAME ESMTP`",
    "relayclients": "clients that send out: smtp.outgoing in gatepost.toml",
    "morerelayclients": "clients that send out: smtp.outgoing in gatepost.toml",
    "norelayclients": "clients that send out: smtp.outgoing in gatepost.toml",
    "dnsbl_rejectmsg": "the reply is general, the reason stands in the journal",
    "flat_auth_pw": "no mail is submitted here",
    "rhsbl_zones": "there is no check of sender domains in DNS lists here",
    "uribl_zones": "write them into uribl's settings, where that check is installed",
    "invalid_resolvable_fromhost": "sender_domain has its own table of addresses that cannot be",
    "karma_tlds": "no points by the sender's top-level domain; deny_list takes the client's",
    "hosts_allow": "write entries by hand: gatepost list add --all deny ADDRESS",
}
"""File -> where its word goes, or why nowhere."""
FORWARD = "queue/smtp-forward"


@dataclass(slots=True)
class Imported:
    """What came of it."""

    report: Report = field(default_factory=Report)
    domains: dict[str, int] = field(default_factory=dict)
    """Domain (`*`: all) -> rows that are new or different."""
    hosted: list[str] = field(default_factory=list)
    route: str = ""


def import_folder(
    desk: Desk, top: Path, *, route: str = "", recipients: str = "callout", dry_run: bool = False
) -> Imported:
    """Take over a folder. `route`, `recipients`: of domains that are new (qpsmtpd knows neither)."""
    done = Imported()
    folder = ConfigFolder(top, done.report)
    if not {"plugins", "rcpthosts"} & set(folder.files):
        raise DeskError(f"{top} is no configuration of qpsmtpd: it has neither plugins nor rcpthosts")
    plugins = folder.lines("plugins")
    done.route = route or _forward(plugins)
    if done.route:
        check_route(desk, done.route)
    rows: Rows = {EVERYWHERE: {}}
    hosted = set(desk.policy.domains())
    for name in ("rcpthosts", "morercpthosts"):
        for line in folder.lines(name):
            _domain(line, rows, hosted, done, recipients)
    _settings(desk, plugins, folder, rows, done.report)
    reader = ListReader(rows, hosted, done.report)
    for name in HANDLERS:
        for line in folder.lines(name):
            reader.read(line, name)
    _rest(folder, done.report)
    if "rcpt_regexp" in folder.files:
        _rules(desk, folder, done.report, dry_run)
    for domain, of_domain in rows.items():
        if of_domain:
            done.domains[domain] = bring_rows(desk, domain, of_domain, dry_run)
    return done


def _forward(plugins: list[Line]) -> str:
    """Return the route that `queue/smtp-forward HOST PORT` means."""
    for line in plugins:
        if line.words[0] == FORWARD and len(line.words) > 1:
            port = line.words[2] if len(line.words) > 2 and line.words[2].isdecimal() else "25"
            return f"smtp://{line.words[1]}:{port}"
    return ""


def _domain(line: Line, rows: Rows, hosted: set[str], done: Imported, recipients: str) -> None:
    if line.text.startswith("."):
        done.report.leave(line, "each domain is hosted by its own name: add the ones there are")
        return
    try:
        name = domain_name(line.text)  # the whole line: qpsmtpd knows no words here
    except StoreError as error:
        done.report.leave(line, str(error))
        return
    if name in hosted:
        done.report.take(line, f"{name} is hosted already")
        return
    if not done.route:
        done.report.leave(line, "a new domain needs a route: --route URL")
        return
    values: dict[str, Any] = {"route": [done.route], "recipients": recipients}
    values = check_settings(values, {}, "domain")
    rows[name] = {("setting", "", key): value for key, value in values.items()}
    hosted.add(name)
    done.hosted.append(name)
    done.report.take(line, f"domain {name}, route {done.route}, recipients={recipients}")


def _settings(desk: Desk, plugins: list[Line], folder: ConfigFolder, rows: Rows, report: Report) -> None:
    defaults = desk.registry.defaults()
    values: dict[str, Any] = {}
    for line in plugins:
        if line.words[0] == FORWARD and len(line.words) > 1:
            report.take(line, "the route of new domains, where --route says none")
            continue
        values |= read_plugin(line, defaults, report)
    zones: list[str] = []
    for line in folder.lines("dnsbl_zones"):
        zone, _, message = (part.strip() for part in line.text.partition(":"))
        try:
            check_settings({"dnsbl.zones": [zone]}, defaults, "all")
        except SettingError as error:
            report.leave(line, str(error))
            continue
        zones.append(zone)
        report.take(line, f"dnsbl.zones: {zone}" + (" (without its message)" if message else ""))
    if zones:
        values["dnsbl.zones"] = zones
    rows[EVERYWHERE] |= {("setting", "", key): value for key, value in values.items()}


def _rest(folder: ConfigFolder, report: Report) -> None:
    known = {"plugins", "rcpthosts", "morercpthosts", "dnsbl_zones", "rcpt_regexp", *HANDLERS}
    for name in folder.files:
        if name not in known and name not in folder.included:
            first = next(iter(folder.lines(name)), None)
            line = Line(name, first.number if first else 0, first.text[:80] if first else "")
            report.leave(line, MACHINE.get(name, "this file is not known"))
    for name in folder.folders:
        report.leave(Line(name, 0, ""), "a folder: only what files include of it is read")


def _rules(desk: Desk, folder: ConfigFolder, report: Report, dry_run: bool) -> None:
    data = folder.raw("rcpt_regexp")
    read = read_rules(data, "rcpt_regexp")
    if read.rules and not dry_run:
        rules.add(desk, None, read.rules)
    for rule in read.rules:
        report.take(Line("rcpt_regexp", 0, str(rule.pattern)), "localpart_rules.rules, all domains")
    for text in (*read.remarks, *read.bad):
        report.leave(Line("rcpt_regexp", 0, ""), text)
