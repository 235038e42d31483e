"""A payment that somebody of the practice makes ready for a patient: behind its link it is read, and paid or not.

Nothing is charged by it, and nothing is agreed to: that is done on the page, by whoever proves there who they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from billing import payment_requests, plan_desk, talks
from billing.allocation import in_order
from billing.commands import CommandRefused, RequestPayment
from billing.money import dollars
from billing.store.practices import policy_in
from billing.store.tables import Guarantor, Payment


class AskRefused(ValueError):
    """A payment that cannot be asked for as things stand. The text says why; no PHI."""


WHYS: Mapping[str, str] = {
    "not_confirmed": "nobody has confirmed who answers for this account",
    "stale_balance": "the balance has changed; look again",
    "nothing_due": "nothing is due that a link could ask for",
    "too_much": "that is more than is due", "too_little": "that is less than the smallest payment taken",
    "paying": "somebody is paying in this moment, or a bank is at work on it; look again later",
    "hold": "a hold stands on it, or a rule lets nothing be taken now",
}


def ask(session: Session, account: Guarantor, *, amount_minor: int | None, only: Collection[str], by: str,
        processor: str, now: datetime) -> Payment:
    """Make ready what is due now, or ``amount_minor`` cents of it, oldest visit first; ``only`` these visits where any
    are named. The same again is the same payment, and another open one that nobody has begun to pay ends. Confidential
    care is left out. Raises AskRefused.
    """
    policy = policy_in(session, account.practice_id)
    due = plan_desk.due_shares(session, account.id, policy.local_day(now), only)
    total = sum(minor for _, minor in due)
    wanted = total if amount_minor is None else amount_minor
    if not total:
        raise AskRefused(WHYS["nothing_due"])
    if wanted > total:
        raise AskRefused(f"{dollars(wanted)} is more than the {dollars(total)} that is due there")
    talk = talks.latest_talk(session, account.practice_id, account.id, now)
    command = RequestPayment(account.id, wanted, in_order(wanted, due), account.balance_version, account.language)
    try:
        payment = payment_requests.request(session, command, payment_requests.RequestContext(
            account.practice_id, policy, now, talk, processor=processor, by=by))
    except CommandRefused as refused:
        raise AskRefused(WHYS.get(refused.refused.reason, str(refused))) from refused
    payment_requests.mark_link_sent(payment)
    return payment

