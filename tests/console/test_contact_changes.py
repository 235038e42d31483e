"""How an account is reached changes in steps that stay: the old number ends, the new one has agreed to nothing."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import consents, contacts, ways
from billing.phones import address_hash
from billing.store import account_queries
from billing.store.tables import Audit, ContactPoint, Conversation, Guarantor, Outbox, Preference
from tests.console.conftest import Desk
from tests.console.test_lists import rows
from tests.console.test_undo import ann as somebody_with_consent
from tests.parties.scene import PHONE
from tests.payments import world

ann = somebody_with_consent  # the fixture, under its own name
NEW = "+12125550177"
CONTACT = "cp_guar_ann"


def standing(desk: Desk, number: str, account: str | None = None) -> consents.Standing:
    return desk.store.read(lambda s: consents.standing(
        s, world.PRACTICE, "sms", address_hash(world.PRACTICE, "sms", number), account))


def trail(desk: Desk, action: str) -> list[str]:
    return list(desk.store.read(lambda s: s.scalars(select(Audit.reason).where(Audit.action == action)).all()))


async def change(desk: Desk, contact: str = CONTACT, **form: Any) -> tuple[int, str]:
    await desk.get(f"/console/contacts/{contact}")
    return await desk.post(f"/console/contacts/{contact}/change",
                           {"address": "(212) 555-0177", "reason": "changed", **form})


def points(desk: Desk) -> dict[str, str]:
    return {one.address: one.status for one in rows(desk, ContactPoint)}


async def test_a_changed_number_is_ended_and_another_one_opened_and_both_stay_on_record(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    status, body = await change(desk)
    assert status == 303 and "contact_changed" in desk.location, body
    assert points(desk) == {PHONE: "ended", NEW: "ok"}
    (new,) = [one for one in rows(desk, ContactPoint) if one.address == NEW]
    assert trail(desk, "contact_ended") == [f"changed, then {new.id}"]
    _, page = await desk.get(f"/console/accounts/{ann}")
    assert "(212) 555-0177" in page and "the account&#39;s no more" in page


async def test_t_10_a_consent_does_not_come_along_to_the_new_number(desk: Desk, ann: str) -> None:
    assert standing(desk, PHONE, ann).complete
    await desk.as_role("biller")
    assert "Consents do not come along" in (await desk.get(f"/console/contacts/{CONTACT}"))[1]
    assert (await change(desk))[0] == 303
    assert standing(desk, NEW, ann).consent_event_id is None and standing(desk, PHONE, ann).consent_event_id is None
    found = desk.store.read(lambda s: ways.choose(s, ann, ("sms",)))
    assert isinstance(found, ways.NoWay) and {one.why for one in found.passed} <= {"ended", "no_consent"}


async def test_what_the_patient_agrees_to_with_the_change_holds_for_the_new_number(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    assert (await change(desk, agreed="Yes, text me about my bills at this number.", medium="phone"))[0] == 303
    assert standing(desk, NEW, ann).complete
    found = desk.store.read(lambda s: ways.choose(s, ann, ("sms",)))
    assert isinstance(found, ways.Choice) and found.address == NEW


async def test_a_number_that_somebody_else_here_has_as_well_keeps_their_consent(desk: Desk, ann: str) -> None:
    desk.store.write(lambda s: world.anna(s, desk.clock()))
    desk.store.write(lambda s: contacts.add_phone(s, world.PRACTICE, world.ANNA, PHONE, source="csv", now=desk.clock()))
    desk.store.write(lambda s: contacts.add_consent(s, world.PRACTICE, world.ANNA, PHONE, contacts.Given(
        desk.clock(), "I agree to text messages.", "form", "ana")))
    await desk.as_role("biller")
    assert (await change(desk))[0] == 303
    assert standing(desk, PHONE, world.ANNA).complete
    at = desk.store.read(lambda s: [one.id for one in account_queries.guarantors_at(
        s, world.PRACTICE, "sms", address_hash(world.PRACTICE, "sms", PHONE))])
    assert at == [world.ANNA], "who texts from the old number is taken for somebody who has it"


async def test_a_number_that_was_taken_off_knows_the_account_no_more(desk: Desk, ann: str) -> None:
    hashed = address_hash(world.PRACTICE, "sms", PHONE)

    def talk(session: Session) -> None:
        row = session.get_one(Conversation, "conv_guar_ann")
        row.address_hash, row.guarantor_id, row.verified_at = hashed, ann, desk.clock()

    desk.store.write(talk)
    await desk.as_role("biller")
    await desk.get(f"/console/contacts/{CONTACT}")
    assert (await desk.post(f"/console/contacts/{CONTACT}/end", {"reason": "asked"}))[0] == 303
    kept = desk.store.read(lambda s: s.get_one(Conversation, "conv_guar_ann"))
    assert kept.guarantor_id is None and kept.verified_at is None
    status, body = await desk.post(f"/console/contacts/{CONTACT}/end", {"reason": "asked"})
    assert status == 409 and "no more" in body


async def test_a_file_does_not_bring_an_ended_number_back_and_a_person_does(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    assert (await change(desk))[0] == 303
    for source, back in (("csv", "ended"), ("staff", "ok")):
        desk.store.write(lambda s, source=source: contacts.add_phone(  # type: ignore[misc]
            s, world.PRACTICE, ann, PHONE, source=source, now=desk.clock()))
        assert points(desk)[PHONE] == back


async def test_a_number_to_which_messages_went_was_not_just_mistyped(desk: Desk, ann: str) -> None:
    desk.store.write(lambda s: s.add(Outbox(
        id="msg_went", practice_id=world.PRACTICE, channel="sms", address=PHONE,
        address_hash=address_hash(world.PRACTICE, "sms", PHONE), purpose="reply", template="balance",
        template_version="1", language="en", privacy="open", arguments={}, body="x", segments=1,
        idempotency_key="went", status="delivered", due_at=desk.clock(), created_at=desk.clock())))
    await desk.as_role("biller")
    status, body = await change(desk, reason="mistyped")
    assert status == 409 and "somebody else" in body and points(desk) == {PHONE: "ok"}


@pytest.mark.parametrize("form", [{"address": "none"}, {"address": PHONE}, {"agreed": "Yes, text me."},
                                  {"medium": "form"}])
async def test_a_change_to_what_is_no_number_or_with_half_a_consent_changes_nothing(
        desk: Desk, ann: str, form: dict[str, str]) -> None:
    await desk.as_role("biller")
    assert (await change(desk, **form))[0] == 409
    assert points(desk) == {PHONE: "ok"}


async def test_letters_go_to_the_address_that_took_the_place_of_the_files_own(desk: Desk, anna: str) -> None:
    await desk.as_role("biller")
    await desk.get(f"/console/accounts/{anna}")
    assert (await desk.post(f"/console/accounts/{anna}/address", {
        "address": "5 Oak St, Albany, NY 12207", "reason": "changed"}))[0] == 303
    found = desk.store.read(lambda s: ways.choose(s, anna, ("paper",)))
    assert isinstance(found, ways.Choice) and found.address == "5 Oak St, Albany, NY 12207"
    assert desk.store.read(lambda s: s.get_one(Guarantor, anna).address) == "1 Elm St"


async def test_t_24_nothing_about_a_bill_goes_to_a_number_that_is_an_employers(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    await desk.get(f"/console/contacts/{CONTACT}")
    assert (await desk.post(f"/console/contacts/{CONTACT}/at-work", {"at_work": "true"}))[0] == 303
    found = desk.store.read(lambda s: ways.choose(s, ann, ("sms",)))
    assert isinstance(found, ways.NoWay) and found.passed[0].why == "at_work"
    assert (await desk.post(f"/console/contacts/{CONTACT}/at-work"))[0] == 303
    assert trail(desk, "contact_at_work") == ["an employer's", "no employer's"]


async def test_t_33_the_wish_that_nothing_comes_there_is_kept_in_the_patients_words_and_taken_back_in_them(
        desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    where = f"/console/contacts/{CONTACT}"
    await desk.get(where)
    assert (await desk.post(f"{where}/confidential", {"on": "true", "wording": " "}))[0] == 422
    assert (await desk.post(f"{where}/confidential", {"on": "true", "wording": "My ex reads this phone."}))[0] == 303
    found = desk.store.read(lambda s: ways.choose(s, ann, ("sms",)))
    assert isinstance(found, ways.NoWay) and found.passed[0].why == "confidential"
    assert (await desk.post(f"{where}/confidential", {"wording": "It is mine alone again."}))[0] == 303
    assert [one.wording for one in rows(desk, Preference)] == ["My ex reads this phone.", "It is mine alone again."]
    assert isinstance(desk.store.read(lambda s: ways.choose(s, ann, ("sms",))), ways.Choice)


async def test_the_language_of_an_account_changes_with_a_line_in_the_trail(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    await desk.get(f"/console/accounts/{ann}")
    assert (await desk.post(f"/console/accounts/{ann}/language", {"language": "es"}))[0] == 303
    assert desk.store.read(lambda s: s.get_one(Guarantor, ann).language) == "es"
    assert trail(desk, "language") == ["en to es"]


async def test_who_only_reads_changes_no_number(desk: Desk, ann: str) -> None:
    await desk.as_role("reader")
    _, page = await desk.get(f"/console/contacts/{CONTACT}")
    assert "<form" not in page.partition("<main")[2].partition("</main")[0]
    for what in ("change", "end", "at-work", "confidential"):
        assert (await desk.post(f"/console/contacts/{CONTACT}/{what}", {"reason": "asked"}))[0] == 403
