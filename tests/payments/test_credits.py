"""Credit is on a list with where it came from and by when it has to go back, and is used on what is due when told."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from billing import credit_lines, ledger, payments, refunds
from billing.settlement import settle
from billing.store.tables import Coverage, Practice
from billing.verify import verify
from bot.write import Store
from tests.conftest import Clock, maple_clinic
from tests.payments import world
from tests.payments.test_places import desk
from tests.payments.world import ANNA, NEW_MINOR, OLD, OLD_MINOR, PRACTICE

ALL = OLD_MINOR + NEW_MINOR


@pytest.fixture
def anna(store: Store, practice: Practice, now: datetime) -> Store:
    store.write(lambda session: world.anna(session, now))
    return store


def federal(store: Store) -> None:
    store.write(lambda s: s.add(Coverage(
        id="cov_1", practice_id=PRACTICE, visit_id=OLD, rank=1, payer_name="Medicare", payer_id="m", filing_code="MB",
        status="answered", import_id="imp_1")))


def another_visit(store: Store, now: datetime) -> None:
    store.write(lambda s: world.visit(s, "visit_three", ANNA, "A1", date(2026, 10, 1), 700, now))


def test_the_list_names_the_payment_the_day_and_the_amount(anna: Store, now: datetime) -> None:
    one = anna.write(desk(now, ALL + 900))
    (line,) = anna.read(lambda s: payments.credits(s, PRACTICE))
    assert (line.guarantor_id, line.amount_minor, line.since_on) == (ANNA, 900, date(2026, 11, 3))
    assert line.sources == ((one, "", 900),)
    assert (line.federal, line.report_by_on) == (False, None)


def test_a_federal_payers_credit_has_sixty_days_and_a_case_once(anna: Store, now: datetime) -> None:
    anna.write(desk(now, ALL + 900))
    federal(anna)
    (line,) = anna.read(lambda s: payments.credits(s, PRACTICE))
    assert (line.federal, line.report_by_on) == (True, date(2026, 11, 3) + timedelta(days=60))
    for _ in range(2):
        assert anna.write(lambda s: payments.flag_federal(s, PRACTICE, now)) == 1
    assert anna.read(world.cases) == ["unapplied_credit", "overpayment_federal"]


def test_credit_is_used_on_what_is_due_by_putting_its_payment_there(anna: Store, now: datetime, clock: Clock) -> None:
    one = anna.write(desk(now, ALL + 900))
    another_visit(anna, now)
    later = clock.advance(days=3)
    assert anna.write(lambda s: payments.apply_credit(s, PRACTICE, ANNA, "ana", later)) == 700
    assert anna.write(lambda s: payments.apply_credit(s, PRACTICE, ANNA, "ana", later)) == 0
    assert anna.read(world.balances) == {"credit": 200, "cash:manual:check": ALL + 900}
    story = anna.read(lambda s: payments.life_of(s, PRACTICE, one))
    assert {row["visit_id"]: row["amount_minor"] for row in story["stands_at"]}["visit_three"] == 700
    assert anna.read(lambda s: payments.credits(s, PRACTICE))[0].since_on == date(2026, 11, 3)


def test_credit_that_a_visit_gave_up_moves_with_the_payment_that_paid_it(anna: Store, now: datetime) -> None:
    anna.write(desk(now, OLD_MINOR, split=((OLD, OLD_MINOR),)))
    anna.write(lambda s: ledger.post(s, [ledger.Posting(
        PRACTICE, ledger.wide("charity"), ledger.patient(OLD), 600, "USD", "adjustment", now.date(), "csv", "adj",
        ANNA, OLD)], now))
    anna.write(lambda s: settle(s, PRACTICE, {OLD}, now=now, today=now.date()))
    (line,) = anna.read(lambda s: payments.credits(s, PRACTICE))
    assert line.sources == (("", OLD, 600),)
    assert anna.write(lambda s: payments.apply_credit(s, PRACTICE, ANNA, "ana", now)) == 600
    assert anna.read(world.balances) == {"new": NEW_MINOR - 600, "cash:manual:check": OLD_MINOR}
    assert anna.read(lambda s: payments.credits(s, PRACTICE)) == []


def test_opening_credit_is_used_too(anna: Store, now: datetime) -> None:
    anna.write(lambda s: ledger.post(s, [ledger.Posting(
        PRACTICE, ledger.wide("opening"), ledger.credit(ANNA), 800, "USD", "opening", now.date(), "csv", "open",
        ANNA)], now))
    assert anna.write(lambda s: payments.apply_credit(s, PRACTICE, ANNA, "ana", now)) == 800
    assert anna.read(world.balances) == {"old": OLD_MINOR - 800, "new": NEW_MINOR}


def test_what_is_being_refunded_is_not_used(anna: Store, now: datetime) -> None:
    one = anna.write(desk(now, ALL + 20_000))
    anna.write(lambda s: refunds.ask(
        s, practice_id=PRACTICE, payment_id=one, amount_minor=20_000, tender="check", reason="overpaid", note="",
        by="ana", dedupe="R", policy=maple_clinic(), now=now))
    another_visit(anna, now)
    assert anna.write(lambda s: payments.apply_credit(s, PRACTICE, ANNA, "ana", now)) == 0
    assert anna.read(lambda s: verify(s, PRACTICE).problems) == []


def others(store: Store, numbers: range, now: datetime) -> None:
    """Accounts that paid too much, every third one for a visit that Medicare paid as well."""
    def add(session: Session) -> None:
        for number in numbers:
            id_, visit = f"acct_{number}", f"visit_{number}"
            world.account(session, id_, f"N{number}", now)
            world.visit(session, visit, id_, f"N{number}", date(2026, 9, 1), 1_000, now)
            payments.record_desk_payment(
                session, PRACTICE, id_, amount_minor=1_200 + number, currency="USD", tender="cash",
                reference=f"N{number}", recorded_by="ana", now=now - timedelta(days=number % 4))
            if number % 3 == 0:
                session.add(Coverage(
                    id=f"cov_{number}", practice_id=PRACTICE, visit_id=visit, rank=1, payer_name="Medicare",
                    payer_id="m", filing_code="MB", status="answered", import_id="imp_1"))

    store.write(add)


def asked_for(store: Store, after: credit_lines.Place | None = None) -> tuple[list[credit_lines.CreditLine], int]:
    """A page of ten lines, and in how many statements it was read."""
    seen = list[str]()

    def note(_conn: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("SELECT"):  # a connection says things of its own first
            seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        return store.read(lambda s: credit_lines.page(s, PRACTICE, after, 10))[0], len(seen)
    finally:
        event.remove(store.engine, "before_cursor_execute", note)


def test_thirty_accounts_with_credit_are_read_in_as_many_queries_as_three_page_by_page(
        anna: Store, now: datetime) -> None:
    others(anna, range(3), now)
    few = asked_for(anna)[1]
    others(anna, range(3, 30), now)
    found, start = list[credit_lines.CreditLine](), None
    for _ in range(3):
        lines, statements = asked_for(anna, start)
        assert (len(lines), statements) == (10, few)
        found, start = [*found, *lines], lines[-1].place
    assert asked_for(anna, start)[0] == []
    assert found == anna.read(lambda s: payments.credits(s, PRACTICE))
    assert {one.guarantor_id: (one.amount_minor, one.since_on, one.federal) for one in found} == {
        f"acct_{n}": (200 + n, now.date() - timedelta(days=n % 4), n % 3 == 0) for n in range(30)}
    assert [one.federal for one in found] == [True] * 10 + [False] * 20, "what has to be reported first"
