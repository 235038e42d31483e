"""At the command line a number changes as in the console: in steps that stay, and never another account's."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import consents, ways
from billing.contact_changes import Unreadable
from billing.contact_reading import agreement, read
from billing.phones import address_hash
from billing.store.practices import find_practice, policy_of, save_policy
from billing.store.tables import Audit, ContactPoint, Guarantor, Outbox, Practice, Preference
from bot.cli.exits import NOT_FOUND, OK, REFUSED, USAGE
from tests.cli.conftest import Office, Outcome, Run
from tests.conftest import TUESDAY
from tests.console.samples import changed, digest
from tests.parties.scene import PHONE, set_up

ACCOUNT, CONTACT, NEW = "AC-guar_ann", "cp_guar_ann", "+12125550177"
OAK = "5 Oak St, Apt 2, Albany, NY 12207"


@pytest.fixture
def contact(plainbill: Run, office: Office) -> Run:
    """Run ``plainbill accounts contact`` as a biller. Ann has a number with consent; A-1 has a postal address alone."""

    def ann(session: Session) -> None:
        practice = find_practice(session, "main")
        assert practice is not None
        set_up(practice, TUESDAY)(session)

    office().write(ann)
    return partial(plainbill, "accounts", "contact", STAFF="ana", CLOCK=TUESDAY.isoformat())


def points(office: Office) -> dict[str, str]:
    return office().read(lambda s: {one.address: one.status for one in s.scalars(select(ContactPoint))})


def agreed(office: Office, number: str) -> bool:
    return office().read(lambda s: consents.standing(s, "main", "sms", address_hash("main", "sms", number), "guar_ann")
                         ).complete


def acts(office: Office) -> list[str]:
    return office().read(lambda s: list(s.scalars(select(Audit.action).where(
        Audit.actor == "ana", Audit.object_kind == "contact").order_by(Audit.id))))


def shown(contact: Run, account: str = ACCOUNT) -> Any:
    return contact("show", account, "--json").json


def ok(done: Outcome) -> str:
    assert done.code == OK, done.err
    return done.out


def test_numbers_and_addresses_are_listed_with_ids_and_where_they_stand(contact: Run, office: Office) -> None:
    (one,) = shown(contact)["contacts"]
    assert (one["contact"], one["address"], one["status"], one["agreed"]) == (CONTACT, PHONE, "ok", "yes")
    assert (one["at_work"], one["confidential"], one["others"]) == (False, False, 0)
    assert CONTACT in ok(contact("show", ACCOUNT)) and "1 Elm St, New York, NY" in ok(contact("show", "A-1"))


def test_a_changed_number_is_ended_and_the_new_one_has_agreed_to_nothing(contact: Run, office: Office) -> None:
    assert "Consents do not come along" in ok(contact("change", ACCOUNT, CONTACT, "(212) 555-0177", "--reason",
                                                      "changed"))
    assert points(office) == {PHONE: "ended", NEW: "ok"}
    assert not agreed(office, NEW) and not agreed(office, PHONE)
    assert acts(office) == ["contact_ended", "contact.change"]


def test_what_is_agreed_to_with_the_change_holds_for_the_new_number(contact: Run, office: Office) -> None:
    done = contact("change", ACCOUNT, CONTACT, NEW, "--reason", "changed", "--medium", "phone", "--consent-wording",
                   "Yes, text me about my bills at this number.", "--json").json
    assert done["consent"] == "kept" and agreed(office, NEW)


def test_changed_twice_the_second_is_refused_and_opens_nothing(contact: Run, office: Office) -> None:
    ok(contact("change", ACCOUNT, CONTACT, NEW, "--reason", "changed"))
    before = office().read(digest)
    done = contact("change", ACCOUNT, CONTACT, "+12125550188", "--reason", "changed")
    assert done.code == REFUSED and "no more" in done.err and changed(before, office().read(digest)) == []


def test_a_number_is_ended_once(contact: Run, office: Office) -> None:
    ok(contact("end", ACCOUNT, CONTACT, "--reason", "asked"))
    assert points(office) == {PHONE: "ended"}
    done = contact("end", ACCOUNT, CONTACT, "--reason", "asked")
    assert done.code == REFUSED and "no more" in done.err and acts(office) == ["contact_ended", "contact.end"]


@pytest.mark.parametrize("asked", [("change", ACCOUNT, CONTACT, NEW), ("end", ACCOUNT, CONTACT)])
def test_a_number_to_which_messages_went_was_not_just_mistyped(contact: Run, office: Office, asked: tuple[str, ...],
                                                               ) -> None:
    office().write(lambda s: s.add(Outbox(
        id="msg_went", practice_id="main", channel="sms", address=PHONE, purpose="reply", template="balance",
        address_hash=address_hash("main", "sms", PHONE), template_version="1", language="en", privacy="open",
        arguments={}, body="x", segments=1, idempotency_key="went", status="delivered", due_at=TUESDAY,
        created_at=TUESDAY)))
    done = contact(*asked, "--reason", "mistyped")
    assert done.code == REFUSED and "somebody else" in done.err and points(office) == {PHONE: "ok"}
    assert "somebody else's" in ok(contact("wrong", ACCOUNT, CONTACT, "--wording", "I am not Ann."))
    assert points(office) == {PHONE: "wrong_number"} and not agreed(office, PHONE)


@pytest.mark.parametrize(("asked", "code"), [
    (("change", ACCOUNT, CONTACT, "none", "--reason", "changed"), USAGE),
    (("change", ACCOUNT, CONTACT, PHONE, "--reason", "changed"), REFUSED),
    (("change", ACCOUNT, CONTACT, NEW, "--reason", "moved"), USAGE),
    (("change", ACCOUNT, CONTACT, NEW, "--reason", "changed", "--medium", "phone"), USAGE),
    (("change", ACCOUNT, CONTACT, NEW, "--reason", "changed", "--medium", "pigeon", "--consent-wording", "Yes"), USAGE),
    (("end", ACCOUNT, CONTACT, "--reason", "x"), USAGE), (("move", "A-1", "5 Oak St", "--reason", "changed"), USAGE),
    (("move", ACCOUNT, OAK, "--reason", "changed"), REFUSED), (("language", ACCOUNT, "fr"), USAGE),
    (("confidential", ACCOUNT, CONTACT, "--wording", " "), USAGE),
    (("wrong", ACCOUNT, CONTACT, "--wording", ""), USAGE),
    (("show", "A-9"), NOT_FOUND), (("end", "A-9", CONTACT, "--reason", "asked"), NOT_FOUND)])
def test_what_cannot_be_done_is_a_sentence_and_changes_nothing(contact: Run, office: Office, asked: tuple[str, ...],
                                                               code: int) -> None:
    before = office().read(digest)
    done = contact(*asked)
    assert done.code == code and done.err.strip().endswith(".") and "Traceback" not in done.err
    assert changed(before, office().read(digest)) == []


@pytest.mark.parametrize("step", [("change", NEW, "--reason", "changed"), ("end", "--reason", "asked"), ("at-work",),
                                  ("confidential", "--wording", "Not here."), ("wrong", "--wording", "Not her.")])
def test_a_contact_of_another_account_or_practice_is_not_found(contact: Run, office: Office, step: tuple[str, ...],
                                                               ) -> None:
    def elsewhere(session: Session) -> None:
        policy = policy_of(session.get_one(Practice, "main")).model_copy(update={"sms_number": "+12125550101"})
        other = save_policy(session, "other", policy, True, TUESDAY)
        set_up(other, TUESDAY, name="guar_far")(session)

    office().write(elsewhere)
    before = office().read(digest)
    for account, contact_id in (("A-1", CONTACT), (ACCOUNT, "cp_guar_far"), ("AC-guar_far", "cp_guar_far")):
        done = contact(step[0], account, contact_id, *step[1:])
        assert done.code == NOT_FOUND and "There is no such" in done.err
    assert changed(before, office().read(digest)) == []


def test_t_24_a_number_is_an_employers_or_not_and_saying_so_again_changes_nothing(contact: Run, office: Office) -> None:
    ok(contact("at-work", ACCOUNT, CONTACT))
    assert isinstance(office().read(lambda s: ways.choose(s, "guar_ann", ("sms",))), ways.NoWay)
    assert "so before" in ok(contact("at-work", ACCOUNT, CONTACT)) and shown(contact)["contacts"][0]["at_work"]
    ok(contact("at-work", ACCOUNT, CONTACT, "--off"))
    assert isinstance(office().read(lambda s: ways.choose(s, "guar_ann", ("sms",))), ways.Choice)
    assert acts(office).count("contact_at_work") == 2


def test_t_33_the_wish_that_nothing_comes_there_is_kept_and_taken_back_in_the_patients_words(
        contact: Run, office: Office) -> None:
    said = ("My ex reads this phone.", "It is mine alone again.")
    for _ in range(2):
        ok(contact("confidential", ACCOUNT, CONTACT, "--wording", said[0]))
    assert shown(contact)["contacts"][0]["confidential"]
    assert isinstance(office().read(lambda s: ways.choose(s, "guar_ann", ("sms",))), ways.NoWay)
    ok(contact("confidential", ACCOUNT, CONTACT, "--off", "--wording", said[1]))
    kept = office().read(lambda s: list(s.scalars(select(Preference).order_by(Preference.id))))
    assert tuple(one.wording for one in kept) == said and not shown(contact)["contacts"][0]["confidential"]
    reasons = office().read(lambda s: list(s.scalars(select(Audit.reason))))
    assert not any(one in reason for one in said for reason in reasons), "the patient's words are no line of the trail"


def test_letters_go_to_the_address_that_took_the_place_of_the_files_own(contact: Run, office: Office) -> None:
    assert "Letters go to" in ok(contact("move", "A-1", OAK, "--reason", "changed"))
    found = office().read(lambda s: ways.choose(s, "acct_A-1", ("paper",)))
    assert isinstance(found, ways.Choice) and found.address == OAK
    assert office().read(lambda s: s.get_one(Guarantor, "acct_A-1").address) == "1 Elm St, New York, NY"
    again = contact("move", "A-1", "9 Fir St, Albany, NY 12207", "--reason", "changed")
    assert again.code == REFUSED and "change that one" in again.err
    newer = next(one["contact"] for one in shown(contact, "A-1")["contacts"] if one["status"] == "ok")
    ok(contact("change", "A-1", newer, "9 Fir St, Albany, NY 12207", "--reason", "mistyped"))
    assert points(office)["9 Fir St, Albany, NY 12207"] == "ok" and points(office)[OAK] == "ended"


def test_the_language_of_an_account_changes_once(contact: Run, office: Office) -> None:
    assert contact("language", ACCOUNT, "es", "--json").json["changed"]
    assert not contact("language", ACCOUNT, "es", "--json").json["changed"]
    assert shown(contact)["language"] == "es"
    assert office().read(lambda s: list(s.scalars(select(Audit.reason).where(Audit.action == "language")))) == [
        "en to es"]


def test_who_only_reads_looks_and_changes_no_number(contact: Run, office: Office) -> None:
    ok(contact("show", ACCOUNT, STAFF="aud"))
    before = office().read(digest)
    for step in (("change", ACCOUNT, CONTACT, NEW, "--reason", "changed"),
                 ("end", ACCOUNT, CONTACT, "--reason", "asked"), ("wrong", ACCOUNT, CONTACT, "--wording", "x"),
                 ("at-work", ACCOUNT, CONTACT),
                 ("confidential", ACCOUNT, CONTACT, "--wording", "x"), ("move", "A-1", OAK, "--reason", "changed"),
                 ("language", ACCOUNT, "es")):
        assert contact(*step, STAFF="aud").code == REFUSED
    assert changed(before, office().read(digest)) == []


@pytest.mark.parametrize(("channel", "text"), [("sms", "12"), ("email", "ann@"), ("paper", "5 Oak St"),
                                              ("telegram", "7")])
def test_what_is_no_address_is_refused_without_repeating_it(channel: str, text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(channel, text)
    assert text not in str(refused.value)


def test_half_a_consent_and_a_consent_to_letters_are_none() -> None:
    for channel, wording, medium in (("sms", "Yes", ""), ("sms", " ", "form"), ("paper", "Yes", "form")):
        with pytest.raises(Unreadable):
            agreement(channel, wording, medium, by="ana", now=TUESDAY)
    assert agreement("sms", "", "", by="ana", now=TUESDAY) is None
