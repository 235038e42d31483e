"""What the address of a page names."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from billing.store import console_account_queries
from billing.store.tables import ContactPoint, Guarantor
from bot.web.console.table import Asked, there


def account(session: Session, asked: Asked[Any]) -> Guarantor:
    """The account of ``{account_id}``. Raises Missing when this practice has none of that id."""
    return there(console_account_queries.account(session, asked.practice_id, asked.path["account_id"]))


def contact(session: Session, asked: Asked[Any]) -> ContactPoint:
    """The number or address of ``{contact_id}``. Raises Missing when this practice has none of that id."""
    return there(console_account_queries.contact(session, asked.practice_id, asked.path["contact_id"]))
