"""What patients are told of help and offers: that an application is there, that something of it is missing, what was
decided and why, that an offer stands. Derived from the tables: each is said once, whenever it is looked for.

No amount and no answer goes by text or e-mail: those say that there is news, and open the page behind its question; a
letter says it all (T-32, T-33). An offer is never texted: carriers refuse whatever looks like debt relief (T-15).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing import cases
from billing.store import collection_queries as store
from billing.store.practices import policy_in
from billing.store.tables import AssistanceApplication, Offer
from config.dunning_policy import EVERY_WAY, Way
from config.practice import PracticePolicy

#: What a link about an application opens.
PAGE = "assistance"
#: Older news is a person's to tell: a text about what was decided last month would puzzle more than it helps.
SINCE = timedelta(days=14)
CASE = "news_untold"
_NAMED = {"application_form": "form", "signature": "signature", "household": "household"}


@dataclass(frozen=True, slots=True)
class News:
    """``key`` makes it once. ``template`` is for texts and e-mails; ``letter`` for paper, which says more."""

    guarantor_id: str
    key: str
    template: str
    letter: str
    about: Mapping[str, Any]
    opens: tuple[str, str] | None
    ways: tuple[Way, ...]


def untold(session: Session, practice_id: str, now: datetime) -> list[News]:
    """Everything that nobody has been told of, oldest first."""
    policy = policy_in(session, practice_id)
    found = [_of_application(row, policy) for row in store.applications_to_tell(session, practice_id, now - SINCE)
             if _is_news(row, policy, policy.local_day(now))]
    found += [_of_offer(row, policy) for row in store.offers(session, practice_id, "offered")
              if row.until_on > policy.local_day(now)]
    told = store.told(session, practice_id, {one.key for one in found})
    return [one for one in found if one.key not in told]


def _is_news(row: AssistanceApplication, policy: PracticePolicy, today: date) -> bool:
    """That something is missing has no day of its own: the day by which it is asked for tells."""
    if row.status != "incomplete":
        return True
    written = policy.assistance_on(row.asked_on)
    if written is None or row.complete_by_on is None:
        return False
    found_on = row.complete_by_on - timedelta(days=written.complete_within_days)
    return today <= min(found_on + SINCE, row.complete_by_on)


def _of_application(row: AssistanceApplication, policy: PracticePolicy) -> News:
    if row.status == "received":
        key, name = f"assistance:{row.id}:received:{row.received_on}", "assistance_received"
        return News(row.guarantor_id, key, name, name, {}, (PAGE, row.id), EVERY_WAY)
    if row.status == "incomplete":
        key = f"assistance:{row.id}:incomplete:{row.complete_by_on}:{'+'.join(row.missing)}"
        about = {"missing": _in_general(row.missing), "by_on": row.complete_by_on, "address": policy.address}
        return News(row.guarantor_id, key, "assistance_incomplete", "assistance_missing", about, (PAGE, row.id),
                    EVERY_WAY)
    decided = row.decided_at.isoformat() if row.decided_at else ""
    return News(row.guarantor_id, f"assistance:{row.id}:{row.status}:{decided}", "assistance_decided",
                f"assistance_{row.status}", _decision(row, policy), (PAGE, row.id), EVERY_WAY)


def _in_general(missing: Sequence[str]) -> list[str]:
    """What a letter names; which papers of a household's money are meant, a person says."""
    named = [_NAMED[one] for one in missing if one in _NAMED]
    return named + ["papers"] * (len(named) < len(missing))


def _decision(row: AssistanceApplication, policy: PracticePolicy) -> dict[str, Any]:
    if row.status == "approved":
        percent = row.discount_percent or 0
        return {"percent": percent, "all_of_it": percent >= 100, "forgiven_minor": row.forgiven_minor}
    decided_on = policy.local_day(row.decided_at) if row.decided_at else row.asked_on
    appeal_by_on = row.appeal_by_on if row.appeal_by_on and row.appeal_by_on > decided_on else None
    return {"reason": row.reason, "appeal_by_on": appeal_by_on, "address": policy.address}


def _of_offer(row: Offer, policy: PracticePolicy) -> News:
    about = {"pay_minor": row.pay_minor, "until_on": row.until_on, "address": policy.address}
    return News(row.guarantor_id, f"settlement_offer:{row.id}", "settlement_offer", "settlement_offer", about, None,
                ("paper", "email"))


def leave_to_staff(session: Session, practice_id: str, news: News, why: str, now: datetime) -> None:
    """No way leads there, or none is allowed: somebody tells it. ``why`` without PHI; one case for each piece."""
    cases.open_case(session, practice_id, kind=CASE, title="Tell a patient: news that no message could bring",
                    detail=f"{news.letter.replace('_', ' ')}: {why}", now=now, dedupe=f"{CASE}:{news.key}",
                    guarantor_id=news.guarantor_id)
