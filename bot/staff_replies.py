"""What a person of the practice writes into a thread: in the practice's name, through the gate like everything else."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from billing import gate, outbox
from billing.ids import new_id
from billing.policy.core import Ruling
from billing.store.tables import Conversation, Outbox
from bot import own_words
from config.practice import PracticePolicy
from templates.render import render


def queue(session: Session, policy: PracticePolicy, talk: Conversation, words: str, key: str, now: datetime,
          guarantor_id: str | None = None) -> Outbox:
    """Queue the words; the row says whether they may go. The same ``key`` again returns the first."""
    return outbox.put(session, _draft(session, policy, talk, words, key, guarantor_id), now)


def foresee(session: Session, policy: PracticePolicy, talk: Conversation, words: str, now: datetime) -> tuple[Ruling,
                                                                                                             Outbox]:
    """What the gate would say of these words now, and the message as it would read. Nothing is written."""
    draft = _draft(session, policy, talk, words, "", talk.guarantor_id)
    row = outbox.row_of(draft, new_id("msg"), now)
    return gate.rule_on(row, gate.gather(session, row, "queueing", now)).ruling, row


def _draft(session: Session, policy: PracticePolicy, talk: Conversation, words: str, key: str,
           guarantor_id: str | None) -> outbox.Draft:
    arguments = {"practice": policy.name, "words": words}
    with own_words.spoken_for(session, talk.practice_id):
        said = render("staff_reply", talk.language, arguments, talk.channel)
    return outbox.Draft(
        practice_id=talk.practice_id, channel=talk.channel, address=talk.address, address_hash=talk.address_hash,
        purpose=said.purpose, template="staff_reply", template_version=said.version, language=talk.language,
        privacy=said.privacy, body=said.body, segments=said.segments, idempotency_key=key, arguments=arguments,
        conversation_id=talk.id, guarantor_id=guarantor_id)
