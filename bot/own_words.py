"""A practice's own words, put into the templates' ears for as long as somebody speaks for it.

They are read once in a transaction: what a second person approves is in the next message that anybody renders, in
every process, with a template_version of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from sqlalchemy.orm import Session

from billing.store import words_queries
from templates.source import OwnWords, speaking

_KEY = "plainbill.own_words"


def spoken_for(session: Session, practice_id: str) -> AbstractContextManager[None]:
    """Until the end of the block messages are in this practice's words."""
    return speaking(of(session, practice_id))


def of(session: Session, practice_id: str) -> Mapping[tuple[str, str], OwnWords]:
    """By (name, language)."""
    known: dict[str, Mapping[tuple[str, str], OwnWords]] = session.info.setdefault(_KEY, {})
    if practice_id not in known:
        known[practice_id] = {(row.template, row.language): OwnWords(row.words, row.shipped_version)
                              for row in words_queries.in_force(session, practice_id)}
    return known[practice_id]
