"""Months pass at a practice with a calendar: who hears what, when, by which way; and who does not."""

from __future__ import annotations

from datetime import date, timedelta

from billing import holds, preferences
from billing.phones import address_hash
from billing.store.tables import Guarantor
from tests.dunning.house import ANNA, PHONE, House
from tests.payments.world import PRACTICE

START = date(2026, 11, 3)


def test_half_a_year_without_an_answer(house: House) -> None:
    """A statement by text, three reminders by text, the last on paper; then nobody hears anything."""
    house.account()
    house.live(170, START)
    assert house.said() == [
        ("2026-11-03", "sms", "statement_ready", "sent"), ("2026-12-06", "sms", "reminder_first", "sent"),
        ("2026-12-20", "sms", "reminder_second", "sent"), ("2027-01-17", "sms", "reminder_third", "sent"),
        ("2027-02-16", "paper", "letter_reminder_final", "sent")]
    assert house.cases() == [] and house.holds() == []


def test_paid_in_between_and_nothing_more_is_said(house: House) -> None:
    house.account()
    house.live(40, START)
    house.pay(10_000)
    house.live(60, START + timedelta(days=40))
    assert [template for _, _, template, _ in house.said()] == ["statement_ready", "reminder_first"]


def test_a_part_payment_begins_again_with_a_statement_of_what_is_left(house: House) -> None:
    house.account()
    house.live(40, START)
    house.pay(4_000)
    house.live(10, START + timedelta(days=40))
    assert house.said()[-1] == ("2026-12-13", "sms", "statement_ready", "sent")
    assert house.messages()[-1].amount_minor == 6_000


def test_a_missed_week_brings_one_message_and_not_seven(house: House) -> None:
    house.account()
    house.live(30, START)
    house.live(10, date(2026, 12, 27))
    assert [day for day, *_ in house.said()] == ["2026-11-03", "2026-12-27"]


def test_the_day_is_worked_once_however_often_the_tick_comes(house: House) -> None:
    house.account()
    house.at(START, 10, 1)
    assert [house.tick() for _ in range(3)] == [1, 0, 0]
    assert len(house.messages()) == 1


def test_before_the_hour_of_the_day_nothing_happens(house: House) -> None:
    """Practice-local, also on the days on which the clocks change."""
    house.account()
    for on in (START, date(2027, 3, 14), date(2026, 11, 1)):
        house.at(on, 9, 59)
        assert house.tick() == 0
    house.at(date(2027, 3, 14), 10, 0)
    assert house.tick() == 1


def test_a_hold_stops_it_and_its_end_does_not_bring_a_heap(house: House) -> None:
    house.account()
    house.live(20, START)
    hold = house.do(lambda s: holds.place(s, practice_id=PRACTICE, guarantor_id=ANNA, kind="dispute", reason="says so",
                                          source="case", placed_by="bill", now=house.clock(), visit_id="visit_A1"))
    house.live(60, START + timedelta(days=20))
    assert len(house.messages()) == 1
    house.do(lambda s: holds.release(s, PRACTICE, hold.id, released_by="bill", reason="settled", now=house.clock()))
    house.live(12, START + timedelta(days=80))
    assert [day for day, *_ in house.said()] == ["2026-11-03", "2027-01-22"]


def test_a_new_number_is_told_who_writes_and_an_introduced_one_is_not(house: House) -> None:
    """T-14."""
    house.account(introduced=False)
    house.live(40, START)
    assert [template for _, _, template, _ in house.said()] == ["statement_ready_intro", "reminder_first"]


def test_after_stop_bills_come_on_paper_and_the_row_says_why(house: House) -> None:
    from billing import consents

    house.account()
    house.live(5, START)
    house.do(lambda s: consents.record_revoked(
        s, PRACTICE, "sms", address_hash(PRACTICE, "sms", PHONE), wording="STOP", medium="text",
        recorded_by="patient", now=house.clock()))
    house.live(40, START + timedelta(days=5))
    last = house.messages()[-1]
    assert (last.channel, last.template, last.status) == ("paper", "letter_reminder_first", "sent")
    assert last.passed == [["sms", "opted_out"], ["telegram", "not_set_up"], ["email", "not_set_up"]]


def test_without_a_number_the_statement_is_a_letter(house: House) -> None:
    house.account(phone="")
    house.live(2, START)
    assert house.said() == [("2026-11-03", "paper", "letter_statement_ready", "sent")]


def test_an_address_that_a_confidential_request_excludes_is_never_fallen_back_on(house: House) -> None:
    """45 CFR 164.522(b): and no other old address either, until a person has set one up since."""
    house.account()
    house.do(lambda s: preferences.record(
        s, PRACTICE, "sms", address_hash(PRACTICE, "sms", PHONE), kind="confidential", value={"on": True},
        wording="not at home", recorded_by="bill", now=house.clock(), guarantor_id=ANNA))
    house.live(60, START)
    assert house.messages() == []
    assert house.cases() == ["no_way"]
    house.clock.advance(hours=1)
    house.do(lambda s: house.give_phone(s, ANNA, "+12125550177"))
    house.live(3, START + timedelta(days=60))
    assert [one.address for one in house.messages()] == ["+12125550177"]


def test_less_than_a_letter_is_worth_gets_none(house: House) -> None:
    """The calendar's own minimum for paper; the text before it goes."""
    house.account(due_minor=300)
    house.live(170, START)
    assert {channel for _, channel, *_ in house.said()} == {"sms"}
    assert house.cases() == []


def test_no_text_ever_says_an_amount_and_every_reminder_offers_help(house: House) -> None:
    """T-32; help before demand."""
    house.account()
    house.account("acct_eva", "A2", phone="+12125550124", language="es")
    house.live(170, START)
    texts = [one.body for who in (ANNA, "acct_eva") for one in house.messages(who) if one.channel == "sms"]
    assert len(texts) == 8
    assert all("$" not in body and "STOP" in body for body in texts)
    words = ("help", "ayud", "time", "tiempo", "vemos")
    assert all(any(word in body for word in words) for body in texts if "new billing" not in body
               and "nuevo mensaje" not in body)


def test_in_shadow_the_calendar_goes_on_and_once_sending_is_on_a_statement_comes_first(house: House) -> None:
    house.settle(sending="shadow")
    house.account()
    house.live(40, START)
    assert [(template, status) for _, _, template, status in house.said()] == [
        ("statement_ready", "withheld"), ("reminder_first", "withheld")]
    house.settle()
    house.live(5, START + timedelta(days=40))
    assert house.said()[-1] == ("2026-12-13", "sms", "statement_ready", "sent")


def test_an_unconfirmed_account_hears_nothing(house: House) -> None:
    house.account()
    house.do(lambda s: setattr(s.get_one(Guarantor, ANNA), "confirmed_at", None))
    house.live(40, START)
    assert house.messages() == []
