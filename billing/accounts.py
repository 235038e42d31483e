"""Accounts as others see them: found by any number that a person may name, pictured for a conversation, confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import consents, explain, figures, passcodes, plan_views, record
from billing.calendar import due_by, office_open
from billing.store import account_queries as store
from billing.store.practices import find_practice, policy_of
from billing.store.seal import blind, normal_account
from billing.store.tables import Guarantor, Practice, Visit
from billing.views import AccountView, CoverageView, Explanation, PaymentView, PracticeView, VisitView
from config.practice import PracticePolicy


def find_account(session: Session, practice_id: str, ref: str) -> Guarantor | None:
    """Find an account by our id, its number, one of its visits' ids or claim numbers (CLM01/CLP01), or a patient's."""
    hashed = blind("account", practice_id, normal_account(ref))
    return (store.guarantor_by(session, practice_id, ref, hashed)
            or store.guarantor_of_visit(session, practice_id, ref, hashed)
            or store.guarantor_of_patient(session, practice_id, ref, hashed))


def find_visit(session: Session, practice_id: str, ref: str) -> Visit | None:
    """Find a visit by our id or by its claim number; the newest one that is not void where a number repeats."""
    return store.visit_by(session, practice_id, ref, blind("account", practice_id, normal_account(ref)))


def views_for(session: Session, practice_id: str, channel: str, address_hash: str, verified_account_id: str | None,
              now: datetime) -> tuple[AccountView, ...]:
    """The confirmed accounts on a number. Only the verified one brings visits, explanations and payments along:
    what a decision does not have, it cannot let slip (T-32, T-35).
    """
    policy = policy_of(_practice(session, practice_id))
    today = now.astimezone(ZoneInfo(policy.zone)).date()
    found = store.guarantors_at(session, practice_id, channel, address_hash)
    return tuple(view_of(session, g, channel, address_hash, today, now, policy, full=g.id == verified_account_id)
                 for g in found)


def view_of(session: Session, guarantor: Guarantor, channel: str, address_hash: str, today: date, now: datetime,
            policy: PracticePolicy, *, full: bool, explained: bool = True,
            known: figures.AccountFigures | None = None) -> AccountView:
    """``full``: with visits, payments, plans and methods; ``explained``: with each visit's derivation, where anybody
    is going to read it; ``known``: the account's figures of today, where the caller has them.
    """
    account = known or figures.account_figures(session, guarantor.id, today, guarantor.practice_id)
    around = store.surroundings(session, guarantor.id)
    statement = around.statement
    return AccountView(
        account_id=guarantor.id, external=guarantor.external, language=guarantor.language,
        born_on=date.fromisoformat(guarantor.born_on) if guarantor.born_on else None,
        postal_code=guarantor.postal_code, confirmed=guarantor.confirmed_at is not None,
        balance_version=account.balance_version, figures=account.total,
        visits=_visit_views(session, [v for v in account.visits if not v.void], explained) if full else (),
        payments=_payments(around) if full else (),
        holds=tuple(sorted({h.kind for h in account.account_holds})),
        detail_allowed=_detail_allowed(session, guarantor, channel, address_hash, today, policy),
        last_statement_id=statement.id if statement else None,
        last_statement_number=statement.number if statement else None,
        last_statement_on=statement.statement_on if statement else None,
        last_statement_due_on=statement.due_on if statement else None,
        stale=record.is_stale(session, guarantor.practice_id, policy, now),
        passcode=passcodes.view_of(guarantor.id, around.passcode),
        plans=plan_views.of_account(session, guarantor.id, now) if full and around.has_plans else (),
        methods=plan_views.methods_view(session, guarantor.id, today) if full and around.has_methods else ())


def _detail_allowed(session: Session, guarantor: Guarantor, channel: str, address_hash: str, today: date,
                    policy: PracticePolicy) -> bool:
    """Asked for after the warning; on Telegram the practice must have allowed it as well (T-19)."""
    risk = policy.telegram_on(today)
    if channel == "telegram" and (risk is None or not risk.detail_allowed):
        return False
    stands = consents.standing(session, guarantor.practice_id, channel, address_hash, guarantor.id)
    return stands.detail_event_id is not None


def _visit_views(session: Session, visits: Sequence[figures.VisitFigures], explained: bool) -> tuple[VisitView, ...]:
    """All at once: explaining visit by visit would ask the store anew for each, in every turn of a conversation."""
    ids = [v.visit_id for v in visits] if explained else []
    told = {e.visit_id: e for e in explain.explain_visits(session, ids)} if ids else {}
    return tuple(_visit_view(v, told.get(v.visit_id)) for v in visits)


def _visit_view(v: figures.VisitFigures, explanation: Explanation | None) -> VisitView:
    """A confidential visit is in the figures of its account and in nobody's words but staff's."""
    return VisitView(
        v.visit_id, v.external, v.service_on, v.charge_minor, v.provider, v.confidential, v.figures,
        tuple(CoverageView(c.coverage_id, c.rank, c.payer_name, c.status) for c in v.coverages),
        explanation, tuple(sorted({h.kind for h in v.holds})))


def _payments(around: store.Surroundings) -> tuple[PaymentView, ...]:
    return tuple(PaymentView(p.id, p.amount_minor, p.status, p.tender, p.created_at, p.paid_at,
                             tuple(around.allocated_minor.get(p.id, {}).items()), p.refunded_minor,
                             around.refunded_on.get(p.id), p.way, p.plan_id)
                 for p in around.payments)


def practice_view(session: Session, practice_id: str, now: datetime) -> PracticeView:
    row = _practice(session, practice_id)
    policy = policy_of(row)
    return PracticeView(practice_id, policy, row.configured, office_open(policy, now), due_by(policy, now))


def _practice(session: Session, practice_id: str) -> Practice:
    row = find_practice(session, practice_id)
    if row is None:
        raise LookupError("there is no such practice")
    return row


class NotConfirmable(Exception):
    """Staff asked to confirm something that is not there or not open."""


def confirm(session: Session, practice_id: str, ref: str, *, by: str, now: datetime, language: str | None = None,
            into: str | None = None) -> Guarantor:
    """Staff confirm who answers for an account and that its coverages are right; ``into`` moves its visits to the
    confirmed account of that number instead. Raises NotConfirmable.
    """
    account = find_account(session, practice_id, ref)
    if account is None:
        raise NotConfirmable("there is no such account")
    if into is not None:
        return _join(session, practice_id, account, into)
    account.confirmed_at, account.confirmed_by = now, by
    account.language = language or account.language
    store.bump(session, [account.id])
    return account


def _join(session: Session, practice_id: str, account: Guarantor, into: str) -> Guarantor:
    target = find_account(session, practice_id, into)
    if target is None or target.confirmed_at is None:
        raise NotConfirmable("the account to join is not there or is not confirmed itself")
    if account.confirmed_at is not None or account.id == target.id:
        raise NotConfirmable("this account is confirmed already; only an unconfirmed one can be joined to another")
    if store.has_money(session, account.id):
        raise NotConfirmable("this account has payments or credit of its own; move those first")
    store.move_visits(session, account.id, target.id)
    store.bump(session, sorted([account.id, target.id]))
    return target


def unconfirmed(session: Session, practice_id: str, limit: int) -> Sequence[Guarantor]:
    """Accounts that an import opened and nobody has confirmed: neither messaged nor charged."""
    return store.unconfirmed(session, practice_id, limit)
