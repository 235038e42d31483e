"""Words that have outlived the practice's retention are emptied; what was decided and consented to stays."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import purging
from billing.store.tables import Audit, Consent, Inbox, Outbox, Practice, Verdict
from bot.write import Store
from config.dunning_policy import RetentionPolicy

KEPT = RetentionPolicy(message_text_days=400, inbox_days=500)


def _message(id_: str, at: datetime, status: str = "delivered") -> Outbox:
    return Outbox(
        id=id_, practice_id="prac_maple", channel="sms", address="+12125550123", address_hash="h", purpose="statement",
        template="statement_ready", template_version="1", language="en", privacy="open", arguments={"url": "secret"},
        body="secret words", segments=1, subject="", status=status, due_at=at, sequence=0, idempotency_key=id_,
        attempts=1, lookups=0, created_at=at)


def _fill(session: Session, now: datetime) -> None:
    for number, days in enumerate((1, 399, 401, 900)):
        at = now - timedelta(days=days)
        session.add(_message(f"msg_{number}", at))
        session.add(Inbox(practice_id="prac_maple", source="sms", external_id=f"SM{number}", kind="message", thread="t",
                          payload={"body": "secret words"}, status="done", received_at=at, due_at=at))
    session.add(_message("msg_open", now - timedelta(days=900), "queued"))
    session.flush()
    session.add(Verdict(practice_id="prac_maple", outbox_id="msg_3", stage="sending", outcome="send", rule="allowed",
                        reason="no rule objects", facts={}, at=now))
    session.add(Consent(practice_id="prac_maple", channel="sms", address_hash="h", event="given", purpose="texts",
                        wording="yes", medium="form", recorded_by="ana", at=now - timedelta(days=900)))


def _empty(session: Session) -> tuple[list[str], list[str]]:
    messages = session.scalars(select(Outbox).order_by(Outbox.id)).all()
    return ([row.id for row in messages if not row.body and not row.arguments],
            [row.external_id for row in session.scalars(select(Inbox).order_by(Inbox.id)) if not row.payload])


def _purge(store: Store, now: datetime) -> dict[str, int]:
    found = store.read(lambda session: purging.due(session, "prac_maple", KEPT, now))
    return {one.what: purging.purge(store.write, "prac_maple", one, by="max", now=now) for one in found}


def test_old_words_go_and_verdicts_and_consents_stay(store: Store, practice: Practice, now: datetime) -> None:
    store.write(lambda session: _fill(session, now))
    assert _purge(store, now) == {"outbox": 2, "inbox": 1}
    assert store.read(_empty) == (["msg_2", "msg_3"], ["SM3"])
    kept = store.read(lambda session: (session.query(Verdict).count(), session.query(Consent).one().wording))
    assert kept == (1, "yes")


def test_a_purge_says_what_it_would_do_and_does_nothing_until_told(
        sqlite_store: Store, sqlite_practice: Practice, now: datetime) -> None:
    sqlite_store.write(lambda session: _fill(session, now))
    found = sqlite_store.read(lambda session: purging.due(session, "prac_maple", KEPT, now))
    assert [(one.what, one.rows) for one in found] == [("outbox", 2), ("inbox", 1)]
    assert sqlite_store.read(_empty) == ([], [])


def test_the_next_purge_begins_where_the_last_one_ended_and_the_trail_says_so(
        sqlite_store: Store, sqlite_practice: Practice, now: datetime) -> None:
    sqlite_store.write(lambda session: _fill(session, now))
    _purge(sqlite_store, now)
    assert _purge(sqlite_store, now) == {"outbox": 0, "inbox": 0}
    assert _purge(sqlite_store, now + timedelta(days=5)) == {"outbox": 1, "inbox": 0}
    lines = sqlite_store.read(lambda session: [(line.actor, line.object_kind, line.reason) for line in session.scalars(
        select(Audit).where(Audit.action == "purge").order_by(Audit.id))])
    assert lines == [("max", "outbox", "2 rows"), ("max", "inbox", "1 rows"), ("max", "outbox", "1 rows")]
