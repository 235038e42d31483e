"""Charges of a card on file: written down with their call to the processor, ruled on again right before it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from billing import gate, plan_notices, processor_calls
from billing import payment_status as life
from billing.commands import ChargeSavedCard, CommandRefused, Refused
from billing.ids import new_id
from billing.payment_attempts import end
from billing.payment_limits import end_page, is_at_the_bank, is_page_open, limits, pays_the_same, rivals, would_exceed
from billing.payment_requests import RequestContext, check
from billing.plan_status import COLLECTING
from billing.policy import record
from billing.policy.core import ChargeFacts, Facts, Ruling, Stage, charge_objections, strictest
from billing.store import facts as facts_store
from billing.store import money_queries as store
from billing.store import payment_queries, plan_queries
from billing.store.tables import Authorization, Payment, PaymentMethod

#: A charge that the patient's bank wants to ask them about is given up after this.
WAITS_FOR_PATIENT = timedelta(hours=24)

WAYS = frozenset({"saved", "autopay"})


def start(session: Session, *, practice_id: str, guarantor_id: str, method_id: str, amount_minor: int,
          split: Sequence[tuple[str, int]], currency: str, way: str, idempotency_key: str, now: datetime,
          conversation_id: str | None, language: str, plan_id: str | None = None, instalment: int | None = None,
          consent_message_id: str | None = None, early: bool = False) -> Payment:
    """Write a charge and its call down in the caller's transaction; the same ``idempotency_key`` again returns the
    first. ``way``: saved (the patient said yes in the thread) or autopay (nobody is there).

    No rule is asked here: the caller does (``ask``), and ``judge`` again just before the call (bot/calling.py).
    Raises LookupError when the card is not this account's or cannot be used.
    """
    if way not in WAYS:
        raise ValueError("a card on file is charged by saved or autopay")
    payment_queries.lock_guarantor(session, guarantor_id)
    before = payment_queries.by_key(session, practice_id, idempotency_key)
    if before is not None:
        return before
    method = store.method_of(session, practice_id, method_id)
    account = payment_queries.guarantor(session, practice_id, guarantor_id)
    if method is None or account is None or method.guarantor_id != guarantor_id or method.status != "active":
        raise LookupError("no usable card of this account has that id")
    payment = payment_queries.add(session, Payment(
        id=new_id("pay"), practice_id=practice_id, guarantor_id=guarantor_id, amount_minor=amount_minor,
        refunded_minor=0, currency=currency, processor=method.processor, tender=method.kind, way=way,
        method_id=method.id, plan_id=plan_id, instalment=instalment, status=life.CREATED, early=early,
        instruction=[list(part) for part in split], balance_version=account.balance_version,
        consent_message_id=consent_message_id, conversation_id=conversation_id, language=language,
        idempotency_key=idempotency_key, attempt=1, recorded_by="patient" if way == "saved" else "plan",
        created_at=now))
    _enqueue(session, payment, method, now)
    return payment


def _enqueue(session: Session, payment: Payment, method: PaymentMethod, now: datetime) -> None:
    """Opaque ids, the amount and the practice's own name: all that the processor is told (T-53)."""
    practice = payment_queries.practice(session, payment.practice_id)
    processor_calls.enqueue(
        session, practice_id=payment.practice_id, kind="charge", object_id=payment.id, key=f"{payment.id}:1", now=now,
        request={"amount_minor": payment.amount_minor, "currency": payment.currency,
                 "customer_ref": method.customer_ref, "method_ref": method.method_ref, "method_kind": method.kind,
                 "description": f"{practice.name if practice else ''}: payment",
                 "practice_starts": payment.way == "autopay"})


def by_yes(session: Session, command: ChargeSavedCard, context: RequestContext) -> Payment:
    """The patient said yes to exactly the command's words: this card, this amount, once (T-50).

    Raises CommandRefused: card_gone, and what payment_requests.check refuses.
    """
    key = f"card:{context.message_id or context.now.isoformat()}:{command.account_id}"
    before = payment_queries.by_key(session, context.practice_id, key)
    if before is not None:
        return before
    check(session, command, context)
    method = store.method_of(session, context.practice_id, command.method_id)
    if method is None or method.guarantor_id != command.account_id or method.status != "active":
        raise CommandRefused(Refused(command, "card_gone"))
    if not context.policy.payments.saved_cards:
        raise CommandRefused(Refused(command, "outside_policy"))
    payment = start(
        session, practice_id=context.practice_id, guarantor_id=command.account_id, method_id=method.id,
        amount_minor=command.amount_minor, split=command.split, currency=context.policy.currency, way="saved",
        idempotency_key=key, now=context.now, conversation_id=context.conversation_id, language=command.language,
        plan_id=command.plan_id, instalment=command.instalment, consent_message_id=context.message_id,
        early=command.early)
    _authorize(session, payment, method, command, context)
    _end_own_pages(session, payment, context.now)
    return payment


def _end_own_pages(session: Session, payment: Payment, now: datetime) -> None:
    """A page of the same person for the same balance is not to be paid as well."""
    for row in rivals(session, payment.guarantor_id, now, payment.id):
        payable = limits(session, row.practice_id, row.guarantor_id, now, early=row.early)
        split = [(str(v), int(m)) for v, m in row.instruction]
        if is_page_open(row, now) and not is_at_the_bank(row) and would_exceed(split, [payment], payable):
            end_page(session, row, "superseded", now)


def _authorize(session: Session, payment: Payment, method: PaymentMethod, command: ChargeSavedCard,
               context: RequestContext) -> None:
    store.add(session, Authorization(
        id=new_id("auth"), practice_id=payment.practice_id, guarantor_id=payment.guarantor_id, purpose="once",
        plan_id=payment.plan_id, payment_id=payment.id, method_id=method.id, last4=method.last4,
        most_minor=payment.amount_minor, words=command.words, words_version=command.words_version,
        language=command.language, schedule=[], given_by="text", message_id=context.message_id, at=context.now))


def charge_facts(session: Session, payment: Payment, now: datetime) -> ChargeFacts:
    """What a rule needs to know of a charge that is about to be made, read in this moment."""
    method = store.method_of(session, payment.practice_id, payment.method_id or "")
    split = tuple((str(v), int(m)) for v, m in payment.instruction)
    facts = ChargeFacts(
        amount_minor=payment.amount_minor, split=split, early=payment.early,
        practice_starts=payment.way == "autopay", method_kind=method.kind if method else "card",
        method_usable=method is not None and method.status == "active",
        tries_30_days=_tries(session, payment, now - timedelta(days=30)))
    facts = _with_authorization(session, payment, facts)
    return _with_plan(session, payment, facts, now) if payment.plan_id is not None else facts


def _tries(session: Session, payment: Payment, since: datetime) -> int:
    return store.declined_since(session, payment.method_id, since) if payment.method_id else 0


def _with_authorization(session: Session, payment: Payment, facts: ChargeFacts) -> ChargeFacts:
    """The yes to this one charge, else the plan's authorization."""
    plan = store.plan_of(session, payment.plan_id)
    given = store.authorization_for(session, payment.id)
    if given is None and plan is not None:
        given = plan_queries.authorization(session, plan.authorization_id)
        if plan.status not in COLLECTING:
            return replace(facts, authorized=False)
    if given is None or given.revoked_at is not None or given.method_id != payment.method_id:
        return replace(facts, authorized=False)
    disclosed = given.purpose == "once" or (given.disclosures_version is not None and given.esign_at is not None)
    return replace(facts, authorized=True, most_minor=given.most_minor, disclosed=disclosed)


def _with_plan(session: Session, payment: Payment, facts: ChargeFacts, now: datetime) -> ChargeFacts:
    assert payment.plan_id is not None
    rows = plan_queries.instalments(session, payment.plan_id)
    own = next((row for row in rows if row.number == payment.instalment), None)
    tries = [row for row in store.tries_of_instalment(
        session, payment.plan_id, payment.instalment if payment.instalment is not None else -1,
        now - timedelta(days=180)) if row.method_id == payment.method_id and row.id != payment.id]
    noticed = own is not None and plan_notices.has_left(session, payment.guarantor_id, own)
    return replace(
        facts, instalments=sum(1 for row in rows if row.number > 0 and row.agreed_minor > 0),  # as signed
        tries_180_days=len(tries),
        last_failure=(tries[-1].failure or "declined") if tries else "",
        first_tried_minor=tries[0].amount_minor if tries else None,
        noticed_minor=own.noticed_minor if own is not None and noticed else None,
        notice_age=now - own.noticed_at if own is not None and own.noticed_at is not None and noticed else None,
        opted_out=payment_queries.open_case_of_kind(session, payment.guarantor_id, "autopay_opt_out"))


@dataclass(frozen=True, slots=True)
class Asked:
    """One asking about a charge: what was known, every objection, and what follows."""

    facts: Facts
    objections: tuple[Ruling, ...]

    @property
    def ruling(self) -> Ruling:
        return strictest(self.objections, "no rule objects")


def ask(session: Session, payment: Payment, stage: Stage, now: datetime) -> Asked:
    """Whether the charge may be made in this moment: balance, holds, consent, notice, and nobody else paying."""
    split = [(str(v), int(m)) for v, m in payment.instruction]
    payable = limits(session, payment.practice_id, payment.guarantor_id, now, early=payment.early)
    others = rivals(session, payment.guarantor_id, now, payment.id)
    taken = would_exceed(split, others, payable) or pays_the_same(payment.plan_id, payment.instalment, others)
    facts = gate.gather_charge(session, payment.guarantor_id, charge_facts(session, payment, now), stage, now)
    besides = (Ruling("withhold", "paying", "somebody is paying the same in this moment"),) if taken else ()
    return Asked(facts, besides + charge_objections(facts))


def judge(session: Session, payment: Payment, now: datetime) -> Ruling:
    """Rule on a charge that is about to be made, and keep the verdict with its facts. The caller obeys it."""
    asked = ask(session, payment, "sending", now)
    keep(session, asked, payment.practice_id, payment_id=payment.id)
    return asked.ruling


def keep(session: Session, asked: Asked, practice_id: str, *, payment_id: str | None = None,
         plan_id: str | None = None, instalment: int | None = None) -> None:
    """The receipt of an asking: about a payment, or about a plan's instalment of which no payment was made."""
    ruling = asked.ruling
    facts_store.add_verdicts(session, [{
        "practice_id": practice_id, "payment_id": payment_id, "plan_id": plan_id, "instalment": instalment,
        "stage": asked.facts.stage, "outcome": ruling.outcome, "rule": ruling.rule, "reason": ruling.reason,
        "until_at": ruling.until_at, "facts": record.as_json(asked.facts, asked.objections), "at": asked.facts.now}])


def withhold(session: Session, payment: Payment, rule: str, now: datetime) -> None:
    """The charge is not made: the payment ends, and its plan hears of it."""
    if life.may_move(payment.status, life.CANCELLED):
        end(session, payment, life.CANCELLED, f"withheld:{rule}", now)


def give_up_waiting(session: Session, now: datetime, limit: int = 20) -> int:
    """Charges that have waited a day for the patient to satisfy their bank are given up at the processor; it says
    what stands. Returns how many.
    """
    rows = store.waiting_for_patient(session, now - WAITS_FOR_PATIENT, limit)
    for row in rows:  # asked again when the last asking went to staff: a patient must not be stuck with it
        processor_calls.enqueue(
            session, practice_id=row.practice_id, kind="cancel_charge", object_id=row.id,
            key=f"{row.id}:cancel:{(now - row.created_at) // processor_calls.GIVE_UP}",
            request={"processor_ref": row.processor_ref or ""}, now=now)
    return len(rows)
