"""Consent as events that are only added, and what they come to, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from billing import consents
from billing.consents import ConsentRefused, Standing
from billing.phones import NotAPhone, address_hash, e164
from billing.store.engine import writer
from billing.store.tables import Practice
from bot.write import Store

NUMBER = "+12125550142"
WORDING = "Yes, text me about my bills."


class Line:
    """One number of a practice, each call a minute later than the one before."""

    def __init__(self, session: Session, practice_id: str, now: datetime, channel: str = "sms") -> None:
        self.session, self.practice_id, self.channel, self.now = session, practice_id, channel, now
        self.hashed = address_hash(practice_id, channel, NUMBER)

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def give(self, guarantor_id: str | None = None, wording: str = WORDING) -> int:
        return consents.record_given(self.session, self.practice_id, self.channel, self.hashed, medium="form",
                                     guarantor_id=guarantor_id, wording=wording, recorded_by="import", now=self.tick())

    def stop(self, wording: str = "stop") -> int:
        return consents.record_revoked(self.session, self.practice_id, self.channel, self.hashed, wording=wording,
                                       medium="text", recorded_by="patient", now=self.tick())

    def start(self, wording: str = "START") -> int:
        return consents.record_restored(self.session, self.practice_id, self.channel, self.hashed, wording=wording,
                                        recorded_by="patient", now=self.tick())

    def void(self) -> int:
        return consents.void(self.session, self.practice_id, self.channel, self.hashed, wording="wrong number",
                             recorded_by="patient", now=self.tick())

    def detail(self, guarantor_id: str, allowed: bool) -> int:
        return consents.record_detail(self.session, self.practice_id, self.channel, self.hashed, allowed=allowed,
                                      guarantor_id=guarantor_id, wording="warning 1", recorded_by="patient",
                                      now=self.tick())

    def standing(self, guarantor_id: str | None = None) -> Standing:
        return consents.standing(self.session, self.practice_id, self.channel, self.hashed, guarantor_id)


@pytest.fixture
def on_line(sqlite_store: Store, sqlite_practice: Practice, now: datetime) -> Iterator[Line]:
    """Work on one number inside one open transaction that is thrown away at the end."""
    with Session(writer(sqlite_store.engine)) as session:
        yield Line(session, sqlite_practice.id, now)
        session.rollback()


def test_on_both_databases_events_count_in_the_order_in_which_they_came(
        store: Store, practice: Practice, now: datetime) -> None:
    def work(session: Session) -> None:
        line = Line(session, practice.id, now)
        line.give()
        line.stop()
        assert line.standing().opted_out
        line.start()
        assert line.standing().complete and not line.standing().opted_out

    store.write(work)


def test_nothing_on_record_is_no_consent_and_no_opt_out(on_line: Line) -> None:
    assert on_line.standing() == Standing()


def test_a_given_consent_stands_until_it_is_revoked(on_line: Line) -> None:
    given = on_line.give()
    assert on_line.standing() == Standing(consent_event_id=given, complete=True)
    stopped = on_line.stop()
    found = on_line.standing()
    assert (found.opted_out, found.opt_out_event_id, found.consent_event_id) == (True, stopped, given)


def test_a_stop_binds_the_number_for_every_account_on_it(on_line: Line) -> None:
    on_line.give("guar_a")
    on_line.give("guar_b")
    on_line.stop()
    assert on_line.standing("guar_a").opted_out and on_line.standing("guar_b").opted_out


def test_a_consent_of_one_account_is_none_of_another(on_line: Line) -> None:
    on_line.give("guar_a")
    assert on_line.standing("guar_a").consent_event_id is not None
    assert on_line.standing("guar_b").consent_event_id is None


@pytest.mark.parametrize("wording", ["START", "start", "Unstop", " START. "])
def test_start_and_unstop_restore(on_line: Line, wording: str) -> None:
    given = on_line.give()
    on_line.stop()
    on_line.start(wording)
    found = on_line.standing()
    assert (found.opted_out, found.consent_event_id) == (False, given)


@pytest.mark.parametrize("wording", ["yes", "YES", "start again please", "ok", ""])
def test_yes_and_all_other_words_never_restore(on_line: Line, wording: str) -> None:
    on_line.give()
    on_line.stop()
    with pytest.raises(ConsentRefused, match="START"):
        on_line.start(wording)
    assert on_line.standing().opted_out


def test_a_form_signed_after_a_stop_does_not_lift_it(on_line: Line) -> None:
    on_line.stop()
    on_line.give()
    assert on_line.standing().opted_out


def test_a_second_stop_changes_nothing_and_one_after_start_counts_anew(on_line: Line) -> None:
    first = on_line.stop()
    on_line.stop("STOP ALL")
    assert on_line.standing().opt_out_event_id == first
    on_line.start()
    again = on_line.stop()
    assert on_line.standing().opt_out_event_id == again


def test_a_voided_number_has_no_consent_until_it_is_given_anew(on_line: Line) -> None:
    on_line.give("guar_a")
    on_line.detail("guar_a", True)
    on_line.void()
    found = on_line.standing("guar_a")
    assert (found.consent_event_id, found.detail_event_id) == (None, None)
    on_line.give("guar_a")
    assert on_line.standing("guar_a").consent_event_id is not None


def test_start_does_not_bring_back_a_voided_consent(on_line: Line) -> None:
    on_line.give()
    on_line.stop()
    on_line.void()
    on_line.start()
    assert on_line.standing().consent_event_id is None


def test_the_wish_for_amounts_is_per_account_and_the_last_answer_counts(on_line: Line) -> None:
    event = on_line.detail("guar_a", True)
    assert on_line.standing("guar_a").detail_event_id == event
    assert on_line.standing("guar_b").detail_event_id is None
    on_line.detail("guar_a", False)
    assert on_line.standing("guar_a").detail_event_id is None


def test_a_record_whose_wording_does_not_name_texts_is_kept_but_not_complete(on_line: Line) -> None:
    on_line.give(wording="Contact me about my account.")
    found = on_line.standing()
    assert found.consent_event_id is not None and not found.complete
    on_line.give(wording="Acepto recibir mensajes de texto sobre mis cuentas.")
    assert on_line.standing().complete


def test_a_consent_needs_wording_medium_and_who_took_it(on_line: Line) -> None:
    with pytest.raises(ConsentRefused):
        on_line.give(wording="  ")
    with pytest.raises(ConsentRefused, match="medium"):
        consents.record_given(on_line.session, on_line.practice_id, "sms", on_line.hashed, guarantor_id=None,
                              wording=WORDING, medium="rumour", recorded_by="x", now=on_line.now)


def test_a_stop_on_the_console_binds_the_same_phone_s_texts(on_line: Line) -> None:
    console = Line(on_line.session, on_line.practice_id, on_line.now, "console")
    console.stop()
    assert on_line.standing().opted_out


@pytest.mark.parametrize("change", ["DELETE FROM consents", "UPDATE consents SET event = 'given'"])
def test_the_database_refuses_to_change_or_delete_an_event(
        store: Store, practice: Practice, now: datetime, change: str) -> None:
    store.write(lambda session: Line(session, practice.id, now).stop())
    with pytest.raises(DBAPIError, match="append-only"):
        store.write(lambda session: session.execute(sql(change)) and None)


@pytest.mark.parametrize("text", ["(212) 555-0142", "212.555.0142", "+1 212 555 0142", "1-212-555-0142"])
def test_every_way_of_writing_a_number_is_the_same_number(text: str) -> None:
    assert e164(text) == NUMBER


@pytest.mark.parametrize("text", ["12", "hello", ""])
def test_what_is_no_number_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(NotAPhone) as error:
        e164(text)
    assert not text or f" {text} " not in str(error.value)
