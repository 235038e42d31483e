"""What patients ask about being reached: obeyed by the gate, named in the verdict, never in the way of answers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from billing import apply, cases, check_codes, passcode_digest, passcodes, preferences, statements, verdicts
from billing.command_context import Context
from billing.commands import OpenCase, RecordPreference
from billing.own_hours import OwnHours
from billing.passcodes import WeakPasscode
from billing.preferences import PreferenceRefused
from billing.store.tables import Audit, Outbox, Passcode, Practice, Preference
from bot.write import Store
from tests.parties import scene as made
from tests.parties.scene import Scene, set_up, text, verdict

EVENINGS = OwnHours((("18:00", "24:00"),)).to_json()


@pytest.fixture
def scene(store: Store, practice: Practice, now: datetime) -> Scene:
    return store.write(set_up(practice, now))


def wish(session: Session, scene: Scene, kind: str, value: dict[str, Any], account_id: str | None = None) -> None:
    context = Context(scene.practice_id, scene.conversation_id, made.PHONE, scene.hashed, "sms", None, "en", scene.now)
    apply.carry_out(session, RecordPreference(kind, value, "only text me after 6 pm", account_id), context)


def ruled(session: Session, scene: Scene, key: str, now: datetime | None = None, **changes: Any) -> tuple[str, str]:
    found = verdict(session, text(session, scene, now or scene.now, key, **changes))
    return found.outcome, found.rule


def answer(session: Session, scene: Scene, key: str) -> tuple[str, str]:
    inbox = made.wrote(session, scene, scene.now)
    return ruled(session, scene, key, purpose="reply", template="thanks", body="You are welcome.", reply_to=inbox)


def test_t_21_a_demand_waits_for_the_patient_s_own_hours_and_the_verdict_says_which(
        store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        assert ruled(session, scene, "before") == ("send", "allowed")
        wish(session, scene, "hours", EVENINGS)
        row = text(session, scene, scene.now, "after")
        found = verdict(session, row)
        assert (found.outcome, found.rule) == ("defer", "T-21")
        assert found.until_at == datetime(2026, 11, 3, 23, 0, tzinfo=UTC)  # 18:00 in New York
        assert "preference" in found.reason and found.facts["recipient"]["own_hours"] == EVENINGS
        assert verdicts.explain_message(session, row.id)["verdicts"][-1]["citation"].startswith("12 CFR 1006.6")
        assert answer(session, scene, "reply") == ("send", "allowed")

    store.write(work)


def test_own_hours_bind_the_number_for_every_account_on_it_and_the_newest_wish_counts(
        store: Store, scene: Scene, practice: Practice) -> None:
    other = store.write(set_up(practice, scene.now, name="guar_bo", consent=made.WORDING))

    def work(session: Session) -> None:
        wish(session, scene, "hours", EVENINGS, scene.guarantor_id)
        assert ruled(session, other, "bo") == ("defer", "T-21")
        wish(session, scene, "hours", OwnHours(days=(0, 1, 2, 3, 4)).to_json())
        assert ruled(session, other, "bo again") == ("send", "allowed")

    store.write(work)


def test_hours_that_leave_no_legal_moment_keep_demands_back_altogether(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        wish(session, scene, "hours", OwnHours((("21:00", "24:00"),)).to_json())
        assert ruled(session, scene, "k") == ("withhold", "T-21")

    store.write(work)


def test_bills_on_paper_only_stop_demands_by_text_and_nothing_else(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        wish(session, scene, "way", {"way": "paper", "only": False})
        assert ruled(session, scene, "both") == ("send", "allowed")
        wish(session, scene, "way", {"way": "paper", "only": True})
        assert ruled(session, scene, "only") == ("withhold", "asked-another-way")
        assert answer(session, scene, "reply") == ("send", "allowed")
        wish(session, scene, "way", {"way": "text", "only": False})
        assert ruled(session, scene, "back") == ("send", "allowed")

    store.write(work)


def test_nothing_about_the_account_goes_to_the_number_until_a_person_has_agreed_on_it_again(
        store: Store, scene: Scene, practice: Practice) -> None:
    """45 CFR 164.522(b): at once, also from another number of the account, and closing the case alone lifts nothing."""
    other = store.write(set_up(practice, scene.now, name="guar_bo", consent=made.WORDING))

    def work(session: Session) -> None:
        context = Context(scene.practice_id, scene.conversation_id, made.PHONE, scene.hashed, "sms", None, "en",
                          scene.now)
        wish(session, scene, "confidential", {"on": True}, scene.guarantor_id)
        number = apply.carry_out(session, OpenCase("confidential", "Wants another way", "x", scene.guarantor_id,
                                                   hold="confidential_contact"), context)
        assert ruled(session, scene, "k1") == ("withhold", "hold:confidential_contact")
        assert ruled(session, scene, "k2", purpose="staff") == ("withhold", "confidential-contact")
        assert answer(session, scene, "reply") == ("send", "allowed")
        assert ruled(session, other, "bo") == ("send", "allowed")
        cases.close(session, scene.practice_id, str(number), by="dana", resolution="mail to PO box", now=scene.now)
        assert ruled(session, scene, "k3") == ("withhold", "confidential-contact")
        assert preferences.lift_confidential(session, scene.practice_id, scene.guarantor_id, by="dana",
                                             reason="agreed", now=scene.now) == 1
        assert ruled(session, scene, "k4") == ("send", "allowed")

    store.write(work)


def test_a_confidential_wish_of_somebody_unverified_is_every_account_s_on_the_number(
        store: Store, scene: Scene, practice: Practice) -> None:
    store.write(set_up(practice, scene.now, name="guar_bo", consent=made.WORDING))

    def work(session: Session) -> None:
        wish(session, scene, "confidential", {"on": True})
        kept = {row.guarantor_id for row in session.query(Preference)}
        assert kept == {"guar_ann", "guar_bo"}

    store.write(work)


def test_a_preference_of_no_known_kind_or_without_words_is_refused(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        with pytest.raises(PreferenceRefused):
            wish(session, scene, "colour", {})
        with pytest.raises(PreferenceRefused):
            wish(session, scene, "way", {"way": "pigeon"})

    store.write(work)


def test_a_check_code_is_stable_has_no_look_alikes_and_finds_the_last_text(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        code = check_codes.for_number(session, scene.practice_id, scene.hashed, scene.now)
        assert code == check_codes.for_number(session, scene.practice_id, scene.hashed, scene.now + timedelta(days=9))
        assert len(code) == 9 and set(code) - {"-"} <= set(check_codes.ALPHABET) and not set(code) & set("ILOU")
        assert check_codes.last_texted_at(session, scene.practice_id, code) is None
        row = text(session, scene, scene.now, "k")
        row.status, row.sending_at = "delivered", scene.now
        session.flush()
        for typed in (code, code.lower(), code.replace("-", " "), f" {code.replace('0', 'o').replace('1', 'l')} "):
            assert check_codes.last_texted_at(session, scene.practice_id, typed) == scene.now
        assert check_codes.last_texted_at(session, scene.practice_id, "AAAA-BBBB") is None
        assert check_codes.last_texted_at(session, scene.practice_id, "") is None

    store.write(work)


def test_the_statement_carries_the_code_of_the_number_that_it_is_texted_to(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        statement = statements.make(session, scene.guarantor_id, "en", scene.now)
        code = check_codes.for_number(session, scene.practice_id, scene.hashed, scene.now)
        assert statement.content["check_code"] == code

    store.write(work)


def test_a_passcode_is_kept_as_a_digest_alone_and_compared_as_one(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        passcodes.put(session, scene.practice_id, scene.guarantor_id, "482913", date(1980, 2, 3), actor="patient",
                      now=scene.now)
        row, known = session.query(Passcode).one(), passcodes.view(session, scene.guarantor_id)
        assert known is not None and "482913" not in f"{row.salt}{row.digest}{known.salt}"
        assert known.salt != row.salt, "the salt that counts is not in the database"
        assert passcode_digest.matches(known, "482913") and not passcode_digest.matches(known, "482914")
        assert not passcode_digest.matches(passcodes.NONE, "")
        first = row.digest
        passcodes.put(session, scene.practice_id, scene.guarantor_id, "482913", None, actor="patient", now=scene.now)
        assert session.query(Passcode).one().digest != first, "salted anew"
        assert passcodes.remove(session, scene.practice_id, scene.guarantor_id, actor="dana", reason="forgotten",
                                now=scene.now)
        assert passcodes.view(session, scene.guarantor_id) is None
        said = [(row.actor, row.action) for row in session.query(Audit) if row.action.startswith("passcode")]
        assert said == [("patient", "passcode_set"), ("patient", "passcode_set"), ("dana", "passcode_removed")]

    store.write(work)


@pytest.mark.parametrize(("digits", "why"), [
    ("12345", "form"), ("1234567", "form"), ("12a456", "form"), ("", "form"), ("\u0661\u0662\u0663\u0664\u0665\u0666",
    "form"), ("123456", "easy"), ("654321", "easy"), ("111111", "easy"), ("121212", "easy"), ("123123", "easy"),
    ("789012", "easy"), ("020380", "birth"), ("030280", "birth"), ("800203", "birth"), ("198002", "birth")])
def test_a_passcode_that_is_easy_to_guess_is_refused(digits: str, why: str) -> None:
    assert passcodes.weakness(digits, date(1980, 2, 3)) == why


def test_a_refusal_names_no_digits(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        with pytest.raises(WeakPasscode) as refused:
            passcodes.put(session, scene.practice_id, scene.guarantor_id, "123456", None, actor="patient",
                          now=scene.now)
        assert "123456" not in repr(refused.value)

    store.write(work)


def test_the_outbox_of_a_demand_that_waits_for_own_hours_wakes_inside_them(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        wish(session, scene, "hours", EVENINGS)
        row = text(session, scene, scene.now, "k")
        assert (row.status, row.due_at) == ("deferred", datetime(2026, 11, 3, 23, 0, tzinfo=UTC))
        assert session.query(Outbox).filter(Outbox.status == "queued").count() == 0

    store.write(work)
