"""What a bulk run's demand has to pass before it is made, as the calendar's has (bot/dunning_days.py): a person's first
look, the bill's own check before a reminder, and a statement that has named what is due.

What is found holds the account with a case, whoever asked first; what a person has released is not held again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import dunning_facts, first_looks, self_audit
from billing.figures import AccountFigures, account_figures
from billing.store import dunning_queries as store
from billing.store import hold_queries
from billing.store.tables import Guarantor, Hold
from config.dunning_policy import DunningPolicy
from config.practice import PracticePolicy

STATEMENT_FIRST = "statement-first"
"""A rule of the campaigns' own: no reminder comes before a statement of the same visits."""


@dataclass(frozen=True, slots=True)
class Checked:
    """``rule`` empty: nothing speaks against it. ``template``: whose words the first message has to use (T-31).
    ``account``: its figures, locked until the transaction ends.
    """

    account: AccountFigures
    rule: str = ""
    words: str = ""
    template: str = ""

    @property
    def due_minor(self) -> int:
        return self.account.total.due_now_minor


def check(session: Session, guarantor_id: str, purpose: str, policy: PracticePolicy, now: datetime) -> Checked:
    """Look at an account before a run's demand; ``purpose`` statement or reminder. Places what holds it back."""
    hold_queries.lock(session, guarantor_id)
    guarantor = session.get_one(Guarantor, guarantor_id)
    today, calendar = policy.local_day(now), policy.dunning or DunningPolicy()
    account = account_figures(session, guarantor_id, today)
    if account.total.due_now_minor <= 0 or guarantor.confirmed_at is None:
        return Checked(account)  # the demand itself says so
    held = list(first_looks.hold_back(session, guarantor, account, calendar, today, now))
    if purpose == "reminder" and not held:
        held = self_audit.audit(session, guarantor, calendar, today, now, account)
    if held:
        return Checked(account, f"hold:{held[0].kind}", _reasons(held))
    explains = _explains(session, guarantor_id, policy, now)
    if purpose == "reminder" and (explains or _unstated(session, account)):
        return Checked(account, STATEMENT_FIRST, "no statement has named all that is due now")
    return Checked(account, template=explains)


def _reasons(held: list[Hold]) -> str:
    return "; ".join(dict.fromkeys(hold.reason for hold in held))


def _unstated(session: Session, account: AccountFigures) -> bool:
    stated = store.first_statements(session, account.guarantor_id)
    return any(stated.get(one.visit_id) is None for one in account.visits if one.figures.due_now_minor > 0)


def _explains(session: Session, guarantor_id: str, policy: PracticePolicy, now: datetime) -> str:
    if not store.holds_of(session, guarantor_id, first_looks.KIND):
        return ""
    return dunning_facts.gather(session, guarantor_id, policy, now).explains
