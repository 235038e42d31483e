"""The page on which a card is given without paying, as data; and what a link's browser may come back from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from billing import links
from billing import payment_status as life
from billing.dues import local_day
from billing.links import LinkView
from billing.plan_pages import card_facts, newest_card
from billing.plan_status import RUNNING
from billing.store import payment_list_queries, payment_queries
from billing.store import plan_page_queries as store
from billing.store.practices import policy_of
from billing.store.tables import SetupRequest


@dataclass(frozen=True, slots=True)
class CardPage:
    """``card``: what is on file now (kind, brand, last4). ``done``: this link's card was given."""

    done: bool
    card: dict[str, str] | None
    ny_warning: bool
    plan_most_minor: int | None = None  # the card is for a plan that is charged by itself, at most so much at one time


@dataclass(frozen=True, slots=True)
class Waiting:
    """A page or charge at the processor that a browser may come back from. ``ref``: a session's id; for ``kind``
    "charge" the charge's own.
    """

    practice_id: str
    kind: str  # page, charge
    ref: str


def card_page(session: Session, link: LinkView, now: datetime) -> CardPage | None:
    """None when the link's request for a card is not this account's."""
    setup = store.setup_of(session, link.practice_id, link.guarantor_id, link.object_id)
    row = payment_queries.practice(session, link.practice_id)
    if setup is None or row is None:
        return None
    policy = policy_of(row)
    given = store.method(session, link.guarantor_id, setup.method_id) if setup.method_id else None
    card = given or newest_card(session, link.guarantor_id, local_day(session, link.practice_id, now))
    return CardPage(setup.status == "done", card_facts(card) if card is not None else None,
                    policy.region == "NY" and policy.payments.ny_card_warning, _most_of_plan(session, link, setup))


def _most_of_plan(session: Session, link: LinkView, setup: SetupRequest) -> int | None:
    plan = store.plan_of(session, link.practice_id, link.guarantor_id, setup.plan_id) if setup.plan_id else None
    if plan is None or plan.status not in RUNNING or plan.collects != "autopay":
        return None
    return max((row.agreed_minor for row in store.instalments_of(session, plan.id)), default=None)


def confirmed_at_bank(session: Session, processor_ref: str) -> Waiting | None:
    """The charge of a card on file that a patient's bank has just asked about; None for everything else."""
    payment = payment_list_queries.by_processor_ref(session, processor_ref)
    if payment is None or payment.status != life.NEEDS_PATIENT:
        return None
    return Waiting(payment.practice_id, "charge", processor_ref)


def waiting_page(session: Session, token: str, now: datetime) -> Waiting | None:
    """What stands open at the processor behind a link, and may have been finished without our knowing it."""
    link = links.open(session, token, now)
    if link is None:
        return None
    if link.purpose == "pay":
        return _payment(session, link)
    if link.purpose not in {"plan", "card"}:
        return None
    setup = (store.newest_setup(session, link.guarantor_id, link.object_id) if link.purpose == "plan"
             else store.setup_of(session, link.practice_id, link.guarantor_id, link.object_id))
    if setup is None or setup.session_ref is None or setup.status == "done":
        return None
    return Waiting(link.practice_id, "page", setup.session_ref)


def _payment(session: Session, link: LinkView) -> Waiting | None:
    payment = payment_queries.payment_of(session, link.practice_id, link.guarantor_id, link.object_id)
    if payment is None or payment.status not in life.UNDER_WAY | {life.CANCELLED}:
        return None
    if payment.session_ref is not None:
        return Waiting(link.practice_id, "page", payment.session_ref)
    if payment.way != "page" and payment.processor_ref is not None:
        return Waiting(link.practice_id, "charge", payment.processor_ref)
    return None
