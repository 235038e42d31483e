"""Patients hear of their application, its answer and an offer: once, by a way that is allowed, in their language."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import assistance, settlement_offers
from billing.store.tables import Case, ContactPoint, Guarantor, Outbox
from bot import collection_news
from tests.collections.office import RIPE, START, Office
from tests.dunning.house import ANNA
from tests.payments.world import PRACTICE

HOME = "5 Oak St, Albany, NY 12207"


def tell(office: Office) -> int:
    """One run of the daily work's news."""
    from billing import collection_news as news

    waiting = office.do(lambda s: news.untold(s, PRACTICE, office.clock()))
    return sum(office.do(lambda s, one=one: collection_news.tell(  # type: ignore[misc]
        s, office.road, PRACTICE, one, office.clock())) for one in waiting)


def said(office: Office) -> list[tuple[str, str, str]]:
    """(channel, template, body) of the notices."""
    return office.do(lambda s: [(one.channel, one.template, one.body or "") for one in s.scalars(
        select(Outbox).where(Outbox.purpose == "notice").order_by(Outbox.created_at, Outbox.id))])


def ask(office: Office, percent: int = 250) -> str:
    number = str(office.do(lambda s: assistance.ask(
        s, practice_id=PRACTICE, guarantor_id=ANNA, by="bill", now=office.clock()).number))
    office.do(lambda s: assistance.receive(s, PRACTICE, number, by="bill", now=office.clock(), household={
        "people": 3, "income_minor": 60_000_00, "fpl_percent": percent, "source": "desk"}))
    return number


def decide(office: Office, number: str, reason: str = "") -> None:
    if reason:
        office.do(lambda s: assistance.deny(s, PRACTICE, number, reason=reason, by="max", now=office.clock()))
    else:
        office.do(lambda s: assistance.approve(s, PRACTICE, number, by="max", now=office.clock()))


def on_paper(office: Office, language: str = "en") -> None:
    """No number; a home address, and a language."""
    def change(session: Session) -> None:
        for one in session.scalars(select(ContactPoint)):
            one.status = "unreachable"
        account = session.get_one(Guarantor, ANNA)
        account.address, account.language = HOME, language

    office.do(change)


@pytest.fixture
def patient(office: Office) -> Office:
    office.account()
    office.at(START, 11)
    return office


def test_a_text_says_that_there_is_news_and_neither_answer_nor_amount(patient: Office) -> None:
    number = ask(patient)
    assert tell(patient) == 1
    assert tell(patient) == 0
    patient.clock.advance(days=1)
    decide(patient, number)
    assert tell(patient) == 1
    assert [(channel, name) for channel, name, _ in said(patient)] == [
        ("sms", "assistance_received"), ("sms", "assistance_decided")]
    for _, _, body in said(patient):
        assert "/l/" in body and "$" not in body and "%" not in body
        assert not {"approved", "denied", "income", "yes"} & set(body.lower().split())
    assert tell(patient) == 0


def lacks(office: Office, number: str, *missing: str) -> None:
    office.do(lambda s: assistance.find_missing(s, PRACTICE, number, missing=missing, by="bill", now=office.clock()))


def test_that_something_is_missing_is_said_once_and_a_text_asks_for_no_income_and_no_papers(patient: Office) -> None:
    number = ask(patient)
    lacks(patient, number, "income_proof", "signature")
    assert (tell(patient), tell(patient)) == (1, 0)
    ((channel, name, body),) = said(patient)
    assert (channel, name) == ("sms", "assistance_incomplete")
    assert "/l/" in body and "$" not in body
    assert not {"income", "signature", "paper", "papers", "send", "proof", "tax"} & set(body.lower().split())
    patient.clock.advance(days=1)
    lacks_again = {"people": 3, "income_minor": 60_000_00, "fpl_percent": 250, "source": "desk"}
    patient.do(lambda s: assistance.receive(s, PRACTICE, number, by="bill", now=patient.clock(), household=lacks_again))
    lacks(patient, number, "tax_return")
    assert (tell(patient), tell(patient)) == (1, 0), "something else is missing: said again, once"
    assert [name for _, name, _ in said(patient)][-1].startswith("assistance_incomplete")


@pytest.mark.parametrize(("language", "words"), [
    ("en", ("some papers", "your name, signed", "by December 3", "12 Maple St", "Nobody asks you")),
    ("es", ("unos papeles", "su firma", "3 de diciembre", "12 Maple St", "Nadie le pide dinero"))])
def test_a_letter_says_what_is_missing_by_when_and_where_to(
        patient: Office, language: str, words: tuple[str, ...]) -> None:
    on_paper(patient, language)
    lacks(patient, ask(patient), "income_proof", "signature")
    tell(patient)
    channel, name, body = said(patient)[-1]
    assert (channel, name) == ("paper", "letter_assistance_missing")
    for one in words:
        assert one in body
    assert body.count("\n- ") == 2


def test_what_was_found_missing_two_weeks_ago_or_is_decided_by_now_is_not_news(patient: Office) -> None:
    number = ask(patient)
    lacks(patient, number, "signature")
    patient.clock.advance(days=15)
    assert tell(patient) == 0
    patient.clock.advance(days=-14)
    decided = patient.do(lambda s: assistance.deny(
        s, PRACTICE, number, reason="Nothing came.", by="max", now=patient.clock()))
    assert decided.status == "denied"
    tell(patient)
    assert [name for _, name, _ in said(patient)] == ["assistance_decided"]


def test_a_letter_says_what_was_given_and_no_statement_goes_with_it(patient: Office) -> None:
    on_paper(patient)
    number = ask(patient)
    decide(patient, number)
    tell(patient)
    channel, name, body = said(patient)[-1]
    assert (channel, name) == ("paper", "letter_assistance_approved")
    assert "We said yes" in body and "50% off" in body and "$50.00 off your bill" in body
    assert patient.do(lambda s: list(s.scalars(select(Outbox.statement_id)))) == [None]


@pytest.mark.parametrize(("language", "words"), [("en", ("We are sorry", "by December 3", "12 Maple St")),
                                                 ("es", ("Lo sentimos", "3 de diciembre", "12 Maple St"))])
def test_a_denial_says_why_and_how_to_appeal_until_when(patient: Office, language: str, words: tuple[str, ...]) -> None:
    on_paper(patient, language)
    number = ask(patient, 900)
    decide(patient, number, reason="The income is above our limit.")
    tell(patient)
    channel, name, body = said(patient)[-1]
    assert (channel, name) == ("paper", "letter_assistance_denied")
    assert "The income is above our limit." in body
    for one in words:
        assert one in body


def test_a_second_denial_has_no_appeal_left_and_says_so(patient: Office) -> None:
    on_paper(patient)
    number = ask(patient, 900)
    decide(patient, number, reason="The income is above our limit.")
    patient.clock.advance(days=2)
    patient.do(lambda s: assistance.appeal(s, PRACTICE, number, by="patient", now=patient.clock()))
    decide(patient, number, reason="It still is.")
    tell(patient)
    assert "We looked at it a second time" in said(patient)[-1][2]
    assert "ask us to look again" not in said(patient)[-1][2]


def test_what_no_way_leads_to_is_a_persons_to_tell_and_old_news_is_nobodys(patient: Office) -> None:
    on_paper(patient)
    patient.do(lambda s: setattr(s.get_one(Guarantor, ANNA), "address", None))
    decide(patient, ask(patient))
    assert tell(patient) == 0 == tell(patient)
    cases = patient.do(lambda s: list(s.scalars(select(Case.detail).where(Case.kind == "news_untold"))))
    assert cases == ["assistance approved: no-way"]
    patient.clock.advance(days=15)
    on_paper(patient)
    assert tell(patient) == 0


def test_an_offer_goes_by_letter_with_its_sum_and_its_last_day_and_never_by_text(office: Office) -> None:
    office.overdue()
    offer = office.do(lambda s: settlement_offers.make(
        s, practice_id=PRACTICE, guarantor_id=ANNA, kind="past_due", by="bill", now=office.clock()))
    office.do(lambda s: setattr(s.get_one(Guarantor, ANNA), "address", None))
    assert (tell(office), said(office)) == (0, []), "a number is on file, and it is not texted"
    office.do(lambda s: setattr(s.get_one(Guarantor, ANNA), "address", HOME))
    assert tell(office) == 1
    channel, name, body = said(office)[-1]
    assert (channel, name) == ("paper", "letter_settlement_offer")
    assert offer.until_on == RIPE + timedelta(days=30) == date(2027, 3, 7)
    assert "$75.00" in body and "March 7" in body
    assert tell(office) == 0
