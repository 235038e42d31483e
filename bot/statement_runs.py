"""Sending statements: a numbered snapshot, a link to it, and a text through the gate, account by account.

One account is one transaction and one key, so that a run may be killed and repeated: nobody is told twice about the
same balance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import cases, consents, figures, links, outbox, statements
from billing.store import account_queries
from billing.store.tables import Guarantor
from bot.road import Road
from config.practice import PracticePolicy
from templates.render import render

CHANNEL = "sms"


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one account: queued, deferred, withheld, or none of these and why."""

    account: str
    outcome: str
    reason: str
    message_id: str | None = None
    statement: int | None = None
    due_minor: int = 0


def send_statement(session: Session, road: Road, policy: PracticePolicy, guarantor_id: str, now: datetime) -> Line:
    """Make and queue one account's statement, unless there is nothing to ask for or no number to ask at."""
    guarantor = session.get_one(Guarantor, guarantor_id)
    today = now.astimezone(ZoneInfo(policy.zone)).date()
    account = figures.account_figures(session, guarantor_id, today)
    due = account.total.due_now_minor
    if due <= 0:
        return Line(guarantor.external, "none", "nothing is due now")
    if guarantor.confirmed_at is None:
        return Line(guarantor.external, "none", "the guarantor is not confirmed", due_minor=due)
    contact = account_queries.text_contact(session, guarantor_id)
    if contact is None:
        return Line(guarantor.external, "none", "no phone number to text: print and mail it", due_minor=due)
    key = f"statement:{guarantor_id}:{account.balance_version}"
    if account_queries.has_message(session, guarantor.practice_id, key):
        return Line(guarantor.external, "none", "this balance was sent before", due_minor=due)
    return _queue(session, road, policy, guarantor, contact.address, contact.address_hash, key, due, now)


def _queue(session: Session, road: Road, policy: PracticePolicy, guarantor: Guarantor, address: str, hashed: str,
           key: str, due: int, now: datetime) -> Line:
    try:
        made = statements.make(session, guarantor.id, guarantor.language, now)
    except statements.StatementRefused as error:
        cases.open_case(session, guarantor.practice_id, kind=error.code, title="A statement could not be made",
                        detail=str(error), now=now, dedupe=f"{error.code}:{guarantor.id}", guarantor_id=guarantor.id)
        return Line(guarantor.external, "none", str(error), due_minor=due)
    token = links.make(session, guarantor.practice_id, guarantor.id, "statement", made.id, policy.link_days, now)
    introduced = consents.standing(session, guarantor.practice_id, CHANNEL, hashed, guarantor.id).introduced
    template = "statement_ready" if introduced else "statement_ready_intro"
    arguments = {"practice": policy.name, "url": road.link(token)}
    words = render(template, guarantor.language, arguments, CHANNEL)
    # Making the statement may have placed holds; the message stands on the balance as it is now.
    session.refresh(guarantor)
    row = outbox.put(session, outbox.Draft(
        guarantor.practice_id, CHANNEL, address, hashed, "statement", template, words.version, guarantor.language,
        words.privacy, words.body, words.segments, key, arguments, guarantor_id=guarantor.id,
        balance_version=guarantor.balance_version, amount_minor=made.total_minor, statement_id=made.id), now)
    verdict = account_queries.last_verdict(session, row.id)
    return Line(guarantor.external, row.status, f"{verdict.rule}: {verdict.reason}" if verdict else "", row.id,
                made.number, due)


def accounts_to_send(session: Session, practice_id: str) -> list[str]:
    """Every account of the practice, in the order in which they were opened."""
    return account_queries.all_accounts(session, practice_id)
