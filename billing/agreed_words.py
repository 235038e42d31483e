"""The words that a yes agrees to: the question as it really left, never a text made up afterwards (T-48, T-50).

A conversation decides without words (templates are worded later), so a command that needs them carries the mark
``asked:TEMPLATE``; here it is exchanged for the newest message of that template that was sent in the conversation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from sqlalchemy.orm import Session

from billing.commands import AgreePlan, ChangePlan, ChargeSavedCard, CommandRefused, Refused
from billing.store import road_queries

MARK = "asked:"
C = TypeVar("C")


def put_in(session: Session, conversation_id: str, command: C) -> C:
    """Return the command with the words in place of their mark. Raises CommandRefused where nothing was asked."""
    if isinstance(command, AgreePlan | ChargeSavedCard) and command.words.startswith(MARK):
        body, version = _asked(session, conversation_id, command, command.words)
        return replace(command, words=body, words_version=version)
    if isinstance(command, ChangePlan) and command.wording.startswith(MARK):
        return replace(command, wording=_asked(session, conversation_id, command, command.wording)[0])
    return command


def _asked(session: Session, conversation_id: str, command: AgreePlan | ChargeSavedCard | ChangePlan,
           mark: str) -> tuple[str, str]:
    sent = road_queries.newest_sent(session, conversation_id, mark.removeprefix(MARK))
    if sent is None:
        raise CommandRefused(Refused(command, "not_asked"))
    return sent.body, f"{sent.template}:{sent.language}:{sent.template_version}"[:40]
