"""Silence as weak agreement: a sample of what nobody objected to is learnt, days later, with little weight.

People correct what is wrong and say nothing of what is right, so a model that hears only them drifts. What
was delivered without a mark and stayed where it was for some days is probably wanted; what a check that
knows spam by something else (a block list, a scanner) refused, and nobody released or taught, is probably
spam. The classifier's own word is never among them: it would learn from itself. Silence counts only where
it could have been broken: somebody of the domain has taught both kinds enough, and one lately. It is bounded
for each recipient and the domain, stands in the log as `silence`, and is taken back like all else.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gatepost.desk.archive import state
from gatepost.desk.desk import Desk
from gatepost.desk.doing import doing
from gatepost.desk.domains import resolved
from gatepost.desk.errors import NotFound
from gatepost.desk.plugins import message_of
from gatepost.desk.training import CLASSIFIER, standing
from gatepost.mail.stamp import key_of
from gatepost.policy.policy import TRAINING, Mode
from gatepost.store.base import StoreError
from gatepost.store.delivered import DAY, DAYS
from gatepost.store.durable import write_durable

if TYPE_CHECKING:
    from gatepost.learn.features import Features
    from gatepost.policy.policy import DomainPolicy
    from gatepost.spool.index import Kept
    from gatepost.store.trainings import Training

BY = "silence"
"""Stands in the log for who taught it, and how."""
WEIGHT = 0.2
"""Of what a person says it is so much."""
SPOKE_WITHIN = 30 * DAY
"""Seconds: longer ago and nobody can be said to watch."""
A_PERSON = 5
"""Mails of one recipient and one day."""
A_DOMAIN = 50
"""Mails of one kind, one domain and one day."""
MAX_SIZE = 65_536
"""Bytes of a kept mail that is read for this."""
INDEPENDENT = frozenset({"dnsbl", "uribl", "clamav", "spamassassin", "rspamd", "deny_list"})
"""Checks that know what is unwanted by something else than what people taught."""
DONE = "silence"
"""File in the domain's folder: the last day that was looked at."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What silence taught of one day."""

    day: str
    wanted: int = 0
    spam: int = 0


def look(desk: Desk, most: int = 200) -> list[Agreed]:
    """Learn the next day of each domain that has one; at most so many domains.

    One that is in trouble is passed over, and told at the end (OSError): the others learn all the same.
    """
    done: list[Agreed] = []
    trouble: list[str] = []
    for domain in desk.delivered.domains():
        if len(done) >= most:
            break
        if desk.policy.domain(domain) is None:
            continue
        policy, _ = resolved(desk, domain)
        try:
            day = _due(desk, domain, policy)
            if day:
                with doing(desk, domain):
                    done.append(_agree(desk, domain, policy, day))
                    write_durable(_mark(desk, domain), [day.encode("ascii")], replaces=True)
        except NotFound:  # removed this moment
            continue
        except (OSError, StoreError) as error:
            trouble.append(f"{domain}: {getattr(error, 'strerror', None) or error}")
    if trouble:
        raise OSError("; ".join(trouble[:5]))
    return done


def _due(desk: Desk, domain: str, policy: DomainPolicy) -> str:
    """Return the next day of a domain to learn from, "" where there is none."""
    own, classifier = policy.plugins[TRAINING], policy.plugins[CLASSIFIER]
    if Mode.OFF in (own.mode, classifier.mode) or not own.settings.silence:
        return ""
    if any(standing(desk, domain).missing) or not _mark(desk, domain).parent.exists():
        return ""
    now = desk.clock()
    last = _day(now - (own.settings.silence_days + 1) * DAY)
    try:
        done = _mark(desk, domain).read_text()
    except FileNotFoundError:
        done = ""
    days = (_day(now - n * DAY) for n in range(DAYS, 0, -1))
    return next((day for day in days if done < day <= last), "")


def _agree(desk: Desk, domain: str, policy: DomainPolicy, day: str) -> Agreed:
    share = policy.plugins[TRAINING].settings.silence
    with desk.models.trainings(domain) as held:
        log = list(held.log())
        now = desk.clock()
        if not any(t.how != BY and not t.undone and t.time > now - SPOKE_WITHIN for t in log):
            return Agreed(day)
        known = {t.key for t in log}  # also what was taken back: somebody has spoken
        wanted = list(_bounded(_wanted(desk, domain, day, share), known))
        spam = list(_bounded(_spam(desk, domain, day, share), known))
        learnt = held.train((_training(now, one, spam=False), one.features) for one in wanted)
        learnt += held.train((_training(now, one, spam=True), one.features) for one in spam)
    return Agreed(day, sum(not t.spam for t in learnt), sum(t.spam for t in learnt))


@dataclass(frozen=True, slots=True)
class _Mail:
    id: str
    to: str
    key: str
    features: Features


def _training(now: float, one: _Mail, *, spam: bool) -> Training:
    from gatepost.store.trainings import Training

    return Training(spam, BY, now, one.key, one.id, BY, WEIGHT)


def _bounded(mails: Iterable[_Mail], known: set[str]) -> Iterator[_Mail]:
    """Yield what nobody has spoken of, so much for each recipient and in all."""
    each: Counter[str] = Counter()
    count = 0
    for one in mails:
        if one.key in known or each[one.to] >= A_PERSON:
            continue
        known.add(one.key)
        each[one.to] += 1
        count += 1
        yield one
        if count >= A_DOMAIN:
            return


def _wanted(desk: Desk, domain: str, day: str, share: float) -> Iterator[_Mail]:
    from gatepost.learn.features import unpack

    for record, features in desk.delivered.of_day(domain, day):
        if not record.tagged and record.to and _sampled(desk, record.id, share):
            yield _Mail(record.id, record.to[0].lower(), record.key, unpack(features()))


def _spam(desk: Desk, domain: str, day: str, share: float) -> Iterator[_Mail]:
    from gatepost.learn.features import features

    for kept in desk.archive.index.read(day):
        if kept.domain == domain and _is_spam(desk, kept) and _sampled(desk, kept.id, share):
            message = message_of(desk.archive.read(kept.ref))
            seen = features(message, desk.models.seed)
            yield _Mail(kept.id, kept.recipient.lower(), key_of(message), seen)


def _is_spam(desk: Desk, kept: Kept) -> bool:
    if kept.plugin not in INDEPENDENT or kept.size > MAX_SIZE or not desk.archive.exists(kept.ref):
        return False
    return not state(desk, kept).state  # nobody released it


def _sampled(desk: Desk, id: str, share: float) -> bool:  # noqa: A002
    """Say whether a mail is in the sample: the same each time, and nobody outside can know."""
    digest = hashlib.blake2b(id.encode(), key=desk.models.seed.to_bytes(4, "big"), digest_size=4).digest()
    return int.from_bytes(digest, "big") < share * 2**32


def _mark(desk: Desk, domain: str) -> Path:
    return desk.models.of_domain(domain) / DONE


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(moment))
