"""An answer that the gate withheld after all: nobody is left waiting for it in silence."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import cases, inbox
from billing.policy.core import Ruling
from billing.store.tables import Outbox


def follow_up(session: Session, row: Outbox, ruling: Ruling, now: datetime) -> None:
    """See to the person whose answer was withheld; for rules that are about something else, do nothing."""
    if row.purpose not in ("reply", "receipt"):
        return
    if ruling.rule == "T-04":
        _call_back(session, row, now)
    elif ruling.rule == "T-15":
        _answer_otherwise(session, row, now)
    elif ruling.rule == "T-34" and row.conversation_id is not None:
        _say_that_it_waits(session, row, now)


def _call_back(session: Session, row: Outbox, now: datetime) -> None:
    """Twilio refuses answers to a number that sent STOP (21610): a person has to call."""
    cases.open_case(session, row.practice_id, kind="call", title="Call back: texts to this number are stopped",
                    detail="A message came from a number that opted out; texts may not answer it.", now=now,
                    dedupe=f"call:{row.address_hash}", conversation_id=row.conversation_id,
                    guarantor_id=row.guarantor_id)


def _answer_otherwise(session: Session, row: Outbox, now: datetime) -> None:
    """A collector's account is never texted, not even in answer: a person writes an e-mail or a letter."""
    cases.open_case(session, row.practice_id, kind="call", now=now,
                    title="Answer by letter or e-mail: this account is never texted",
                    detail="A debt collector's account (T-15): the patient wrote by text and waits for an answer.",
                    dedupe=f"collector:{row.guarantor_id or row.address_hash}",
                    conversation_id=row.conversation_id, guarantor_id=row.guarantor_id)


def _say_that_it_waits(session: Session, row: Outbox, now: datetime) -> None:
    """The proof of identity lapsed while the answer waited for its line: once a turn, words that disclose nothing."""
    inbox.accept_news(session, row, "answer_withheld", f"withheld:{row.reply_to or row.id}", now)
