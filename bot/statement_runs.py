"""Sending statements: a numbered snapshot, a link to it, and a message through the gate, account by account.

One account is one transaction and one key, so that a run may be killed and repeated: nobody is told twice about the
same balance.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import campaign_checks
from billing.store import account_queries
from billing.store.tables import Guarantor
from bot.demanding import Demand, Line, queue_demand
from bot.road import Road
from config.dunning_policy import EVERY_WAY, Way
from config.practice import PracticePolicy

__all__ = ["Line", "accounts_to_send", "send_statement"]


def send_statement(session: Session, road: Road, policy: PracticePolicy, guarantor_id: str, now: datetime,
                   ways: tuple[Way, ...] = EVERY_WAY, *, bulk: bool = False) -> Line:
    """Make and queue one account's statement, unless there is nothing to ask for or no way leads there.

    ``bulk``: nobody has looked at this very account, so a bill that wants a person's look first waits for it.
    """
    guarantor = session.get_one(Guarantor, guarantor_id)
    checked = campaign_checks.check(session, guarantor_id, "statement", policy, now) if bulk else None
    if checked is not None and checked.rule:
        return Line(guarantor.external, "none", checked.words, due_minor=checked.due_minor, rule=checked.rule)
    session.refresh(guarantor)
    key = f"statement:{guarantor_id}:{guarantor.balance_version}"
    template = checked.template if checked is not None and checked.template else "statement_ready"
    return queue_demand(session, road, policy, guarantor_id, Demand("statement", template, key, ways), now,
                        checked.account if checked is not None else None)


def accounts_to_send(session: Session, practice_id: str) -> list[str]:
    """Every account of the practice, in the order in which they were opened."""
    return account_queries.all_accounts(session, practice_id)
