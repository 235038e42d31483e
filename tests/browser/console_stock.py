"""One of everything that the console shows, on the demo's books, so that none of its pages is looked at empty."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from billing import (
    api_keys,
    assistance,
    canned,
    cases,
    corrections,
    dispute_work,
    holds,
    plan_offers,
    plans,
    policy_changes,
    refunds,
    segments,
    statements,
    write_offs,
)
from billing import privacy_incidents as incidents
from billing import reconciling_differences as differences
from billing.dues import due_visits
from billing.phones import address_hash
from billing.reconciling_differences import Found
from billing.store.practices import policy_in
from billing.store.tables import Coverage, Guarantor, Outbox, PaymentDispute, Plan, Visit
from tests.browser import console_people as people
from tests.browser.console_desk import Office
from tests.browser.console_people import EVELYN, GEORGE, HENRY, MARTA, NADIA, OWEN, PRIYA, THOMAS, account_id

SAMPLES = Path(__file__).parents[1] / "samples" / "x12"


def stock(office: Office) -> None:
    demo = office.demo
    people.settle_in(demo, (MARTA, HENRY, PRIYA, GEORGE, THOMAS, NADIA))
    people.settle_in(demo, (OWEN,), 4_20, days_ago=150)
    people.long_overdue(demo, EVELYN)
    for step in (_talk, _money, _plan, _held, _past_due, _undone, _made, sent_files):
        step(office)


def _write(office: Office, work: Any) -> Any:
    return office.demo.stage.store.write(work)


def _about(office: Office) -> dict[str, Any]:
    return {"practice_id": office.demo.stage.practice_id, "now": office.demo.stage.clock.now()}


def _talk(office: Office) -> None:
    """A dispute in Spanish, a question in English, and somebody who cannot text."""
    demo = office.demo
    demo.texts(MARTA, "esto está mal, yo nunca tuve esa visita", "02/29/1976 10001", "sí", "1")
    demo.texts(HENRY, "Why do I owe this?", "02/29/1976 10001", "yes", "please have somebody call me")
    _write(office, lambda s: cases.open_case(
        s, kind="call", title="Call back: cannot read texts", detail="After five, please.",
        guarantor_id=account_id(GEORGE), dedupe="call:george", **_about(office)))


def _money(office: Office) -> None:
    demo = office.demo
    policy = demo.stage.store.read(partial(policy_in, practice_id=demo.stage.practice_id))
    paid = _write(office, lambda s: people.pay_at_desk(s, demo, GEORGE, 60_00, "cash", "R-2041"))
    _write(office, lambda s: people.pay_at_desk(s, demo, HENRY, 25_00, "check", "1042"))
    _write(office, lambda s: people.pay_at_desk(s, demo, NADIA, 165_50, "terminal", "T-77"))
    _write(office, lambda s: refunds.ask(
        s, payment_id=paid, amount_minor=45_00, tender="cash", reason="overpaid", note="paid twice at the desk",
        by="ben", dedupe="refund:george", policy=policy, **_about(office)))
    _write(office, lambda s: _disputed(s, office, paid))
    _write(office, lambda s: differences.left_open(
        s, demo.stage.practice_id, "run_1", Found("stranger", "ch_1", 1_500, None), demo.stage.clock.now(),
        case=False))


def _disputed(session: Session, office: Office, payment_id: str) -> None:
    """As the processor's news leaves it; that story is told in tests/payments."""
    practice_id, now = office.demo.stage.practice_id, office.demo.stage.clock.now()
    session.add(PaymentDispute(
        id="disp_1", practice_id=practice_id, payment_id=payment_id, processor_ref="du_1", amount_minor=60_00,
        fee_minor=15_00, reason="unrecognized", status="open", evidence_due_at=now + timedelta(days=9),
        opened_at=now))
    session.flush()
    dispute_work.note(session, practice_id, "disp_1", by="ben", body="He may not know our name on the card's bill.",
                      now=now)


def _plan(office: Office) -> None:
    """One that runs, by link."""
    demo, id_ = office.demo, account_id(PRIYA)

    def make(session: Session) -> None:
        account, now = session.get_one(Guarantor, id_), demo.stage.clock.now()
        practice = policy_in(session, demo.stage.practice_id)
        assert practice.plans is not None
        shares = due_visits(session, demo.stage.practice_id, id_, now)
        answer = plan_offers.make(145_50, shares, practice.plans, practice.local_day(now), plan_offers.Ask(
            count=3, interval="month", first_on=practice.local_day(now) + timedelta(days=9)))
        plan = plans.offer(
            session, guarantor_id=id_, terms=answer.offers[0].terms("link"), policy=practice.plans,
            balance_version=account.balance_version, language="en", offered_by="ben", key="stock:plan",
            conversation_id=None, **_about(office))
        plans.agree(session, session.get_one(Plan, plan.id), words="I agree to three payments.", words_version="1",
                    given_by="page", message_id=None, method=None, disclosures_version=None, esign_at=None, now=now)

    _write(office, make)


def _held(office: Office) -> None:
    """Things to look at before anybody is asked: a hold, an application, a claim denied, a message of unknown fate."""
    _write(office, lambda s: holds.place(
        s, guarantor_id=account_id(GEORGE), kind="first_look", reason="first bill after seven months", source="test",
        placed_by="plainbill", review_on=office.demo.stage.clock.now().date(), **_about(office)))
    asked = _write(office, lambda s: assistance.ask(s, guarantor_id=account_id(THOMAS), by="patient", **_about(office)))
    practice_id, now = office.demo.stage.practice_id, office.demo.stage.clock.now()
    _write(office, lambda s: assistance.receive(
        s, practice_id, asked.id, household={"people": 3, "income_minor": 31_000_00, "fpl_percent": 120,
                                             "source": "desk"}, by="ben", now=now))

    def unanswered(session: Session) -> None:
        visit = session.get_one(Visit, f"visit_{HENRY.account}")
        session.add(Coverage(
            id=f"cov_{HENRY.account}", practice_id=practice_id, visit_id=visit.id, rank=1,
            payer_name="Harbor Health Plan", payer_id="HHP01", filing_code="CI", status="denied",
            import_id=visit.import_id))
        session.add(Outbox(
            id="msg_unsure", practice_id=practice_id, channel="sms", address=NADIA.phone,
            address_hash=address_hash(practice_id, "sms", NADIA.phone), purpose="statement",
            template="statement_ready", template_version="1", language="en", privacy="open", arguments={},
            body="Your bill is ready.", segments=1, idempotency_key="msg_unsure", status="unknown", due_at=now,
            created_at=now, sending_at=now, guarantor_id=account_id(NADIA)))

    _write(office, unanswered)


def _past_due(office: Office) -> None:
    _write(office, lambda s: write_offs.ask(
        s, guarantor_id=account_id(OWEN), kind="administrative", reason="our own mistake", by="ben", **_about(office)))


def _undone(office: Office) -> None:
    """A bill that was told wrong and its correction, and a privacy incident."""
    demo = office.demo
    practice_id, now = demo.stage.practice_id, demo.stage.clock.now()
    _write(office, lambda s: statements.make(s, account_id(NADIA), "en", now - timedelta(minutes=30)))
    policy = demo.stage.store.read(partial(policy_in, practice_id=practice_id))
    _write(office, lambda s: people.was_told(s, demo, GEORGE, now - timedelta(minutes=20), "statement"))
    _write(office, lambda s: people.pay_at_desk(s, demo, GEORGE, 20_00, "check", "2207"))
    _write(office, lambda s: corrections.ask(
        s, practice_id, account_id(GEORGE), "The check was booked late.", since=now - timedelta(days=2), by="ben",
        today=policy.local_day(now), now=now))
    _write(office, lambda s: incidents.open_incident(
        s, kind="wrong_party", what="A letter went next door.", accounts=[account_id(NADIA)], by="sue",
        **_about(office)))


def _made(office: Office) -> None:
    """What the office itself made: a segment, a canned answer, a key, a policy that waits, words that wait."""
    demo = office.demo
    practice_id, now = demo.stage.practice_id, demo.stage.clock.now()
    _write(office, lambda s: canned.save(s, practice_id, "Opening hours", "en",
                                         "We are at the desk on weekdays from 9 to 5.", "ben", now))
    _write(office, lambda s: api_keys.make(s, practice_id, "front desk app", "biller", 90, "ana", now))
    _write(office, lambda s: segments.keep(s, practice_id, "newcomers", segments.parse({"minimum_minor": 10_000}),
                                           by="ben", now=now))

    def ask(session: Session) -> None:
        wanted = policy_changes.in_force(session, practice_id)
        wanted["frequency"] = {**wanted["frequency"], "per_7_days": 2}
        policy_changes.ask(session, practice_id, wanted, reason="Fewer messages a week.",
                           starts_on=now.date() + timedelta(days=14), by="ana", now=now)

    _write(office, ask)


def sent_files(office: Office) -> None:
    """A remittance that waits to be posted, and a campaign that waits for its second person: made on the pages."""
    with office.at("ben", "/imports") as page:
        page.locator("#file").set_input_files(SAMPLES / "imbalance-charge.835")
        page.locator("form.drop button").click()
        page.locator("#file-state form").first.wait_for()
    with office.at("ben", "/campaigns/new") as page:
        page.locator("#name").fill("November statements")
        page.locator("main form button").last.click()
        page.locator("form[action$='/preview'] button").click()
        page.locator("#preview .cards").wait_for(timeout=60_000)
