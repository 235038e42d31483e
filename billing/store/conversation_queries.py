"""SQL of a conversation's own facts: who is verified in it, in which language it goes on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from billing.store import ledger_queries
from billing.store.tables import Conversation, Guarantor


def change(session: Session, conversation_id: str, **values: Any) -> None:
    """Set columns of a conversation, on rows that this session has read as well."""
    session.flush()
    session.execute(update(Conversation).where(Conversation.id == conversation_id).values(**values)
                    .execution_options(synchronize_session="fetch"))


def at_address(session: Session, practice_id: str, address_hash: str) -> list[str]:
    return list(session.scalars(select(Conversation.id).where(
        Conversation.practice_id == practice_id, Conversation.address_hash == address_hash).order_by(Conversation.id)))


def count_failure(session: Session, conversation_id: str, lock_until: datetime | None) -> None:
    """One more wrong try; a lock starts the count anew, for it stands in its place."""
    if lock_until is not None:
        change(session, conversation_id, tries=0, locked_until=lock_until)
    else:
        change(session, conversation_id, tries=Conversation.tries + 1)


def verified_account(session: Session, conversation_id: str) -> str | None:
    return session.scalar(select(Conversation.guarantor_id).where(Conversation.id == conversation_id))


def set_language(session: Session, guarantor_id: str, language: str) -> None:
    session.execute(update(Guarantor).where(Guarantor.id == guarantor_id).values(language=language)
                    .execution_options(synchronize_session="fetch"))


def locked_balance_version(session: Session, practice_id: str, guarantor_id: str) -> int | None:
    """The balance's version with the account locked until the commit; None for an unknown account."""
    ledger_queries.lock_guarantors(session, [guarantor_id])
    return session.scalar(select(Guarantor.balance_version).where(
        Guarantor.practice_id == practice_id, Guarantor.id == guarantor_id))
