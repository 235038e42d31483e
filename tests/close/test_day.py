"""The daily close: counted against the books, signed, locked; the bank's line moves the deposit."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import closing, closing_matching, ledger
from billing.closing import CloseRefused
from billing.closing_batch import batch
from billing.closing_slips import slip
from billing.closing_worklist import worklist
from billing.payments import record_desk_payment
from billing.store.tables import Audit, BankLine, Difference, Payout, Practice, Remittance, Transfer
from billing.verify import verify
from bot.write import Store
from tests.conftest import Clock, maple_clinic
from tests.payments import world
from tests.payments.test_events import ask, tell
from tests.payments.world import ANNA, NEW, NEW_MINOR, PRACTICE, Event

TODAY = date(2026, 11, 3)


@pytest.fixture
def desk(store: Store, practice: Practice, clock: Clock) -> Store:
    """Ana took cash and a check from Anna, Ben a terminal slip."""
    store.write(lambda s: world.anna(s, clock()))
    pay(store, clock, 5_000, "cash", "R-1", "ana")
    pay(store, clock, 2_500, "check", "1042", "ana")
    pay(store, clock, 1_000, "terminal", "T-9", "ben")
    return store


def pay(store: Store, clock: Clock, amount: int, tender: str, reference: str, by: str) -> str:
    return store.write(lambda s: record_desk_payment(
        s, PRACTICE, ANNA, amount_minor=amount, currency="USD", tender=tender, reference=reference, recorded_by=by,
        now=clock()).id)


def count(store: Store, clock: Clock, person: str, tender: str, amount: int, day: date = TODAY) -> None:
    store.write(lambda s: closing.count(s, PRACTICE, day, person=person, tender=tender, counted_minor=amount,
                                        now=clock()))


def count_all(store: Store, clock: Clock, cash: int = 5_000) -> None:
    for person, tender, amount in (("ana", "cash", cash), ("ana", "check", 2_500), ("ben", "terminal", 1_000)):
        count(store, clock, person, tender, amount)


def sign(store: Store, clock: Clock, note: str = "", day: date = TODAY) -> None:
    store.write(lambda s: closing.sign(s, PRACTICE, day, by="mia", note=note, today=TODAY, now=clock()))


def booked(store: Store, day: date = TODAY) -> dict[tuple[str, str], int]:
    return {(d.person, d.tender): d.booked_minor for d in store.read(lambda s: batch(s, PRACTICE, day)).drawers}


def line(store: Store, line_id: str, on: date, amount: int, text: str = "DEPOSIT") -> None:
    store.write(lambda s: s.add(BankLine(id=line_id, practice_id=PRACTICE, import_ref="x", line=1, booked_on=on,
                                         amount_minor=amount, text=text, dedupe=line_id)))


def match_all(store: Store, clock: Clock) -> list[tuple[str, str, str]]:
    return [(p.line_id, p.kind, p.ref) for p in store.write(
        lambda s: closing_matching.match_all(s, PRACTICE, now=clock()))]


def balance(store: Store, key: str) -> int:
    return store.read(lambda s: ledger.balance(s, PRACTICE, ledger.wide(key)))


def test_the_batch_is_by_person_and_tender(desk: Store) -> None:
    assert booked(desk) == {("ana", "cash"): 5_000, ("ana", "check"): 2_500, ("ben", "terminal"): 1_000}


def test_a_day_is_signed_once_everything_is_counted_and_is_locked_then(desk: Store, clock: Clock) -> None:
    """What comes to the desk afterwards stands in the next day; the audit trail has the lock."""
    with pytest.raises(CloseRefused, match="ana has not counted cash"):
        sign(desk, clock)
    count_all(desk, clock)
    sign(desk, clock)
    assert desk.read(lambda s: closing.is_locked(s, PRACTICE, TODAY))
    pay(desk, clock, 700, "cash", "R-2", "ana")
    assert booked(desk)["ana", "cash"] == 5_000
    assert booked(desk, TODAY + timedelta(days=1)) == {("ana", "cash"): 700}
    assert desk.read(lambda s: list(s.scalars(select(Audit.actor).where(Audit.action == "day_locked")))) == ["mia"]
    with pytest.raises(CloseRefused, match="is locked"):
        sign(desk, clock)
    with pytest.raises(CloseRefused, match="is locked"):
        count(desk, clock, "ana", "cash", 1)


def test_what_is_over_or_short_needs_a_reason_and_is_never_posted_away(desk: Store, clock: Clock) -> None:
    count_all(desk, clock, cash=4_900)
    with pytest.raises(CloseRefused, match=r"ana, cash, -\$1\.00"):
        sign(desk, clock)
    before = desk.read(lambda s: s.query(Transfer).count())
    sign(desk, clock, note="a dollar was given as change by mistake")
    assert desk.read(lambda s: s.query(Transfer).count()) == before
    assert balance(desk, "cash:manual:cash") == 5_000


def test_a_second_count_replaces_the_first(desk: Store, clock: Clock) -> None:
    count_all(desk, clock, cash=1)
    count(desk, clock, "ana", "cash", 5_000)
    assert desk.read(lambda s: batch(s, PRACTICE, TODAY)).over_short_minor == 0


def test_an_open_difference_of_the_day_needs_a_note(desk: Store, clock: Clock) -> None:
    count_all(desk, clock)
    desk.write(lambda s: s.add(Difference(
        id="dif_1", practice_id=PRACTICE, kind="stranger", object_ref="txn_1", status="open", what_was_done="",
        found_at=clock(), dedupe="x")))
    with pytest.raises(CloseRefused, match="1 differences found on this day are open"):
        sign(desk, clock)
    sign(desk, clock, note="asked the processor on the 3rd")


def test_the_day_to_come_is_not_signed(desk: Store, clock: Clock) -> None:
    with pytest.raises(CloseRefused, match="has not come yet"):
        sign(desk, clock, day=TODAY + timedelta(days=1))


@pytest.mark.parametrize(("at", "day"), [
    (datetime.fromisoformat("2026-03-08T23:30:00-04:00"), date(2026, 3, 8)),  # a day of 23 hours
    (datetime.fromisoformat("2026-11-01T23:30:00-05:00"), date(2026, 11, 1)),  # a day of 25 hours
    (datetime.fromisoformat("2028-02-29T23:59:00-05:00"), date(2028, 2, 29))])
def test_a_payment_belongs_to_the_practices_own_day(store: Store, practice: Practice, clock: Clock, at: datetime,
                                                    day: date) -> None:
    """Whatever day it is in Greenwich, and however long the day is."""
    store.write(lambda s: world.anna(s, clock()))
    clock.at = at
    pay(store, clock, 900, "cash", "R-1", "ana")
    assert booked(store, day) == {("ana", "cash"): 900}
    assert booked(store, day + timedelta(days=1)) == {}


def test_locked_days_in_a_row_are_passed_over(desk: Store, clock: Clock) -> None:
    """The 3rd and 4th are signed: the next open day is the 5th; the 2nd stays what it is."""
    count_all(desk, clock)
    sign(desk, clock)
    desk.write(lambda s: closing.sign(s, PRACTICE, date(2026, 11, 4), by="mia", note="", today=date(2026, 11, 4),
                                      now=clock()))
    days = desk.write(lambda s: [closing.open_day(s, PRACTICE, date(2026, 11, n)) for n in (2, 3, 4, 5)])
    assert [d.day for d in days] == [2, 5, 5, 5]


def test_the_slip_lists_counted_cash_and_checks_by_number_and_no_patient(desk: Store, clock: Clock) -> None:
    count_all(desk, clock)
    found = desk.read(lambda s: slip(s, PRACTICE, TODAY, maple_clinic()))
    assert [(row.what, row.number, row.amount_minor) for row in found.lines] == [
        ("cash", "", 5_000), ("patient's check", "1042", 2_500)]
    assert found.total_minor == 7_500
    assert "Rivera" not in str(found.as_content())


def test_a_deposit_moves_to_the_bank_when_the_bank_shows_it(desk: Store, clock: Clock) -> None:
    """Cash and checks together or each alone; taken back, it is in the drawer again; matched again, at the bank."""
    count_all(desk, clock)
    sign(desk, clock)
    line(desk, "bnk_1", date(2026, 11, 4), 7_500)
    assert match_all(desk, clock) == [("bnk_1", "deposit", "2026-11-03:all")]
    assert match_all(desk, clock) == []
    assert (balance(desk, "bank"), balance(desk, "cash:manual:cash"), balance(desk, "cash:manual:check")) == (
        7_500, 0, 0)
    clock.advance(minutes=1)
    desk.write(lambda s: closing_matching.unmatch(s, PRACTICE, "bnk_1", by="ana", reason="another day's", now=clock(),
                                                  today=TODAY))
    assert balance(desk, "bank") == 0
    clock.advance(minutes=1)
    assert len(match_all(desk, clock)) == 1
    assert balance(desk, "bank") == 7_500
    assert desk.read(verify).problems == []


def test_cash_and_checks_booked_apart_are_two_deposits(desk: Store, clock: Clock) -> None:
    count_all(desk, clock)
    sign(desk, clock)
    line(desk, "bnk_1", date(2026, 11, 4), 5_000)
    line(desk, "bnk_2", date(2026, 11, 5), 2_500)
    assert match_all(desk, clock) == [("bnk_1", "deposit", "2026-11-03:cash"), ("bnk_2", "deposit", "2026-11-03:check")]


def remittance(session: Session, remittance_id: str, amount: int, on: date, **more: Any) -> None:
    session.add(Remittance(**{
        "id": remittance_id, "practice_id": PRACTICE, "import_id": "imp_1", "identity": remittance_id, "digest": "d",
        "trace": f"9000{remittance_id[-1]}", "payer_identifier": "1999", "payer_name": "Blue Shield",
        "payer_id": "", "paid_minor": amount, "paid_on": on, "method": "ACH", "status": "posted", "position": 1,
        "created_at": datetime.fromisoformat("2026-11-02T12:00:00+00:00"), **more}))


def test_an_insurers_payment_is_matched_by_its_trace_and_leaves_payer_clearing(desk: Store, clock: Clock) -> None:
    desk.write(lambda s: remittance(s, "rem_1", 12_500, date(2026, 11, 2)))
    line(desk, "bnk_1", date(2026, 11, 12), 12_500, "HCCLAIMPMT TRN*1*90001*1999~")
    assert match_all(desk, clock) == [("bnk_1", "remittance", "rem_1")]
    assert (balance(desk, "bank"), balance(desk, "payer_clearing")) == (12_500, -12_500)


def test_the_worklist_names_what_is_missing_on_either_side(desk: Store, clock: Clock) -> None:
    """An EFT without remittance, a remittance without EFT, a payout that the bank lacks; what may still come is not
    listed, nor what the bank's files do not cover.
    """
    def given(session: Session) -> None:
        remittance(session, "rem_1", 12_500, date(2026, 11, 2))
        remittance(session, "rem_2", 900, date(2026, 11, 19))  # may still come
        remittance(session, "rem_3", 800, date(2026, 1, 2))  # before the first line of the bank
        remittance(session, "rem_4", 700, date(2026, 11, 2), method="NON")
        session.add(Payout(practice_id=PRACTICE, ref="po_1", amount_minor=9_000, currency="USD", status="paid",
                           arrival_on=date(2026, 11, 4), made_at=clock(), seen_at=clock()))

    desk.write(given)
    line(desk, "bnk_1", date(2026, 11, 2), 4_400, "CIGNA HCCLAIMPMT 555")
    line(desk, "bnk_2", date(2026, 11, 20), -300, "SERVICE FEE")
    match_all(desk, clock)
    found = [(w.kind, w.ref) for w in desk.read(lambda s: worklist(s, PRACTICE))]
    assert found == [("eft_without_remittance", "bnk_1"), ("remittance", "rem_1"), ("payout", "po_1"),
                     ("money_out", "bnk_2")]


def test_matching_by_hand_needs_the_same_amount_and_a_reason(desk: Store, clock: Clock) -> None:
    desk.write(lambda s: remittance(s, "rem_1", 12_500, date(2026, 11, 2)))
    line(desk, "bnk_1", date(2026, 11, 2), 12_400, "WIRE")
    def by_hand(kind: str, ref: str, reason: str = "seen on the remittance") -> None:
        desk.write(lambda s: closing_matching.match(s, PRACTICE, "bnk_1", kind, ref, by="ana", reason=reason,
                                                    now=clock()))

    for kind, ref, words in (("remittance", "rem_1", r"\$124\.00 and the remittance \$125\.00"),
                             ("payout", "po_x", "there is no payout"), ("gift", "", "matched to payout")):
        with pytest.raises(CloseRefused, match=words):
            by_hand(kind, ref)
    with pytest.raises(CloseRefused, match="reason"):
        by_hand("other", "", " ")
    by_hand("other", "", "interest of the bank")
    with pytest.raises(CloseRefused, match="is matched to other"):
        by_hand("other", "")
    assert desk.read(lambda s: worklist(s, PRACTICE)) == [w for w in desk.read(lambda s: worklist(s, PRACTICE))
                                                          if w.kind == "remittance"]
    assert balance(desk, "bank") == 0


def test_a_processors_money_of_a_signed_day_is_booked_on_the_next_open_day_and_keeps_its_moment(
        desk: Store, clock: Clock) -> None:
    """Payment, refund and dispute that are heard of late change nothing in what was signed."""
    one = ask(desk, clock(), ((NEW, NEW_MINOR),))
    count_all(desk, clock)
    sign(desk, clock)
    signed = desk.read(lambda s: s.query(Transfer).filter(Transfer.effective_on <= TODAY).count())
    at = clock()
    clock.advance(hours=20)
    for event in (Event("paid", one, NEW_MINOR, occurred_at=at),
                  Event("refund_made", one, 10_00, refund_ref="re_1", occurred_at=at),
                  Event("disputed", one, 20_00, dispute_ref="dp_1", occurred_at=at)):
        tell(desk, clock(), event)
    assert desk.read(lambda s: s.query(Transfer).filter(Transfer.effective_on <= TODAY).count()) == signed
    later = desk.read(lambda s: {row.effective_on for row in s.query(Transfer).filter(Transfer.payment_id == one)})
    assert later == {TODAY + timedelta(days=1)}
    assert desk.read(lambda s: world.payment(s, one).paid_at) == at
    assert desk.read(lambda s: verify(s, PRACTICE).problems) == []
