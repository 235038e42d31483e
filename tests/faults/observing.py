"""What can be seen after a cell, put into one comparable row."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import ledger
from billing.store.tables import Case, Instalment, Outbox, Payment, PaymentMethod, ProcessorCall, Refund, SetupRequest
from tests.faults.scene import Scene
from tests.faults.table import Seen
from tests.payments import world

_SENT = ("sent", "delivered")
#: Of the conversation in general or of other matters: not about the call.
_ASIDE = frozenset({"plan_notice", "plan_agreed"})
_OPEN = ("queued", "calling", "unknown")


def look(scene: Scene) -> Seen:
    return scene.store.read(lambda session: _look(session, scene))


def _look(session: Session, scene: Scene) -> Seen:
    payment = session.get(Payment, scene.made.get("payment", ""))
    return Seen(
        page=scene.made.get("page", ""), texts=_texts(session, scene), payment=payment.status if payment else "",
        why=(payment.failure or "") if payment else "", posted_minor=_posted(session),
        credit_minor=-ledger.balance(session, world.PRACTICE, ledger.credit(world.ANNA)),
        other=_other(session, scene), cases=_cases(session),
        call=_call(session, scene))


def _cases(session: Session) -> tuple[str, ...]:
    rows = session.scalars(select(Case).order_by(Case.number))
    return tuple(row.kind if row.closed_at is None else f"{row.kind} (closed)" for row in rows)


def _texts(session: Session, scene: Scene) -> tuple[str, ...]:
    """Templates of what left for the patient since the cell began; that it names no amount is another matter."""
    rows = session.scalars(select(Outbox).where(
        Outbox.conversation_id == world.TALK, Outbox.status.in_(_SENT)).order_by(Outbox.sending_at, Outbox.id))
    seen = [row.template.removesuffix("_private") for row in rows if row.id not in scene.before]
    return tuple(template for template in seen if template not in _ASIDE)


def sent_before(session: Session) -> frozenset[str]:
    return frozenset(session.scalars(select(Outbox.id)))


def _posted(session: Session) -> int:
    """Cents that stand as taken through the processor."""
    keys = ("cash:stripe:card", "cash:stripe:bank")
    return sum(ledger.balance(session, world.PRACTICE, ledger.wide(key)) for key in keys)


def _other(session: Session, scene: Scene) -> str:
    """How the object stands that the call is about, where that is no payment; of an instalment also its next try."""
    if "refund" in scene.made:
        row = session.get_one(Refund, scene.made["refund"])
        return f"refund {row.status}"
    if "setup" in scene.made:
        cards = session.scalars(select(PaymentMethod).where(PaymentMethod.last4 == "4242")).all()
        kept = "kept" if len(cards) > 1 else "not kept"
        return f"setup {session.get_one(SetupRequest, scene.made['setup']).status}, card {kept}"
    if "plan" in scene.made:
        return _instalment(session, scene)
    card = session.get(PaymentMethod, "card_visa")
    return f"card {card.status}" if card is not None and card.status != "active" else ""


def _instalment(session: Session, scene: Scene) -> str:
    part = session.scalars(select(Instalment).where(
        Instalment.plan_id == scene.made["plan"], Instalment.number == 1)).one()
    plan = scene.life.plan(scene.made["plan"])
    again = f", again {(part.retry_on - part.due_on).days} days after it was due" if part.retry_on else ""
    by_link = ", plan by link" if plan.collects == "link" else ""
    return f"instalment {part.status}{again}{by_link}"


def _call(session: Session, scene: Scene) -> str:
    """The newest call: its status, and when it is made again."""
    rows = session.scalars(select(ProcessorCall).order_by(ProcessorCall.created_at, ProcessorCall.id)).all()
    if not rows:
        return ""
    row = rows[-1]
    if row.status not in _OPEN:
        return row.status
    moment = row.claimed_until if row.status == "calling" and row.claimed_until is not None else row.due_at
    return f"{row.status}, again in {round((moment - scene.clock()).total_seconds() / 60)} min"


def calls_left(scene: Scene) -> list[str]:
    """Calls that have come to no end."""
    return scene.store.read(lambda session: [f"{row.kind} {row.status}" for row in session.scalars(
        select(ProcessorCall).where(ProcessorCall.status.in_(_OPEN)))])
