"""Hosted pages on which a card is given and nothing is paid: for a plan, for a running plan, or to keep it on file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from billing import methods, plan_changes
from billing.checkout import PAGE_LIFE, STILL_OPEN, AlreadyOpen, NotNow
from billing.ids import new_id
from billing.payment_news import tell_of_card
from billing.store import money_queries as store
from billing.store import payment_queries
from billing.store.practices import policy_of
from billing.store.tables import SetupRequest

#: plan: authorizes it; plan_card: changes the card of a running one; card: keeps one on file.
PURPOSES = frozenset({"plan", "plan_card", "card"})


class SavedEvent(Protocol):
    """As a processor's event says that a card was given, or that its page ran out."""

    @property
    def setup_id(self) -> str | None: ...
    @property
    def session_ref(self) -> str: ...
    @property
    def method(self) -> methods.Kept | None: ...


@dataclass(frozen=True, slots=True)
class Opening:
    """Ask the processor for a page with exactly this content."""

    setup_id: str
    practice_id: str
    currency: str
    language: str
    practice_name: str
    attempt: int
    expires_at: datetime
    customer_ref: str | None
    bank_debits: bool

    @property
    def idempotency_key(self) -> str:
        return f"{self.setup_id}:{self.attempt}"


def make(session: Session, *, practice_id: str, guarantor_id: str, purpose: str, plan_id: str | None,
         conversation_id: str | None, language: str, now: datetime) -> SetupRequest:
    """Write down that a card is asked for; an unused request for the same is used again. The page is made when the
    patient presses the button behind its link. ``purpose``: plan, plan_card, card.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"a card is asked for {', '.join(sorted(PURPOSES))}")
    for row in store.open_setups(session, guarantor_id, purpose, plan_id):
        return row
    return store.add(session, SetupRequest(
        id=new_id("set"), practice_id=practice_id, guarantor_id=guarantor_id, purpose=purpose, plan_id=plan_id,
        status="created", attempt=0, conversation_id=conversation_id, language=language, created_at=now))


def begin(session: Session, practice_id: str, setup_id: str, now: datetime) -> Opening | AlreadyOpen | NotNow:
    """Decide what a press on the button does, and write the attempt down (as checkout.begin)."""
    row = store.lock_setup(session, practice_id, setup_id)
    if row is None:
        return NotNow("not_found")
    if row.status in ("done", "cancelled"):
        return NotNow("done" if row.status == "done" else "cancelled")
    if row.session_url and row.expires_at and row.expires_at - now > STILL_OPEN:
        return AlreadyOpen(row.session_url)
    if row.session_url or row.expires_at is None or row.expires_at <= now:
        row.attempt += 1
        row.session_ref = row.session_url = None
        row.status, row.expires_at = "open", (now + PAGE_LIFE).replace(microsecond=0)
    return _opening(session, row)


def _opening(session: Session, row: SetupRequest) -> Opening:
    practice = payment_queries.practice(session, row.practice_id)
    assert row.expires_at is not None
    debits = policy_of(practice).payments.bank_debits if practice is not None else False
    return Opening(row.id, row.practice_id, practice.currency if practice else "USD", row.language,
                   practice.name if practice else "", row.attempt, row.expires_at,
                   methods.customer_ref(session, row.guarantor_id), debits)


def opened(session: Session, practice_id: str, setup_id: str, attempt: int, session_ref: str, url: str) -> str:
    """Write the page down; return the URL to send the patient to (as checkout.opened)."""
    row = store.lock_setup(session, practice_id, setup_id)
    if row is None or row.attempt != attempt or row.expires_at is None:
        return row.session_url or "" if row else ""
    row.session_ref, row.session_url = session_ref, url
    return url


def refused(session: Session, practice_id: str, setup_id: str, attempt: int, code: str, now: datetime) -> None:
    """No page can be had under this key: the next press is a new attempt."""
    row = store.lock_setup(session, practice_id, setup_id)
    if row is not None and row.attempt == attempt and row.session_ref is None:
        row.expires_at = None
        if code == methods.CUSTOMER_GONE:
            methods.customer_gone(session, row.guarantor_id, now)


def finish(session: Session, practice_id: str, event: SavedEvent, now: datetime) -> SetupRequest | None:
    """A card was given: keep it, and tell the plan that waits for it. Told again, nothing happens twice."""
    row = _row_of(session, practice_id, event)
    if row is None or row.status == "done" or event.method is None:
        return row
    method = methods.keep(session, practice_id, row.guarantor_id, event.method, now)
    if not method.last4:  # its description is still asked for; what patients and plans go by is not known yet
        return row
    row.status, row.method_id, row.done_at = "done", method.id, now
    session.flush()
    if row.plan_id is not None:
        plan_changes.card_given(session, row, method, now)
    else:
        tell_of_card(session, row.conversation_id, method, now)
    return row


def expire(session: Session, practice_id: str, event: SavedEvent) -> SetupRequest | None:
    """The page ran out; the link may open another. Late news of an earlier page changes nothing."""
    row = _row_of(session, practice_id, event)
    stale = row is not None and event.session_ref and row.session_ref and event.session_ref != row.session_ref
    if row is not None and row.status == "open" and not stale:
        row.status = "expired"
    return row


def _row_of(session: Session, practice_id: str, event: SavedEvent) -> SetupRequest | None:
    if event.setup_id:
        return store.lock_setup(session, practice_id, event.setup_id)
    found = store.setup_of_session(session, practice_id, event.session_ref) if event.session_ref else None
    return store.lock_setup(session, practice_id, found.id) if found is not None else None
