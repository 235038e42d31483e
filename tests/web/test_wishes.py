"""Language and messages on the account's page: kept as by text; a stop is lifted by nothing that is pressed here."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import consents, page_wishes, preferences
from billing.phones import address_hash
from billing.store.tables import Case, Consent, ContactPoint, Conversation, Guarantor, Preference
from tests.payments import world
from tests.web.conftest import Site

PHONE, MAIL = "+12125550123", "anna@example.org"


def reachable(session: Session) -> None:
    """Anna has a number with a consent, and an e-mail address."""
    now = session.get_one(Guarantor, world.ANNA).created_at
    for channel, address in (("sms", PHONE), ("email", MAIL)):
        hashed = address_hash(world.PRACTICE, channel, address)
        session.add(ContactPoint(id=f"cp_{channel}", practice_id=world.PRACTICE, guarantor_id=world.ANNA,
                                 channel=channel, address=address, address_hash=hashed, status="ok", source="test",
                                 created_at=now))
        consents.record_given(session, world.PRACTICE, channel, hashed, guarantor_id=world.ANNA,
                              wording="I agree to text messages", medium="form", recorded_by="ana", now=now)
    session.get_one(Conversation, world.TALK).address_hash = address_hash(world.PRACTICE, "sms", PHONE)


async def opened(site: Site) -> str:
    site.store.write(reachable)
    path = site.link("account")
    await site.prove(path)
    return path


def standing(site: Site, channel: str = "sms", address: str = PHONE) -> consents.Standing:
    hashed = address_hash(world.PRACTICE, channel, address)
    return site.store.read(lambda s: consents.standing(s, world.PRACTICE, channel, hashed, world.ANNA))


async def test_stop_pressed_on_the_page_binds_the_number_with_its_words(site: Site) -> None:
    path = await opened(site)
    status, _, answer = await site.post(f"{path}/preferences", {"do": "stop_texts"})
    assert status == 303 and standing(site).opted_out and not standing(site, "email", MAIL).opted_out
    event = site.store.read(lambda s: s.scalars(select(Consent).where(Consent.event == "revoked")).one())
    assert (event.medium, event.recorded_by) == ("form", "patient")
    assert "Stop all texts" in event.wording and "also for other people on it" in event.wording
    _, body, _ = await site.get(answer.headers["Location"])
    assert "Text messages are stopped" in body and "text START from that phone" in body and "ends in 0123" in body
    assert 'value="stop_texts"' not in body


async def test_nothing_that_can_be_pressed_lifts_a_stop(site: Site) -> None:
    path = await opened(site)
    for do in ("stop_texts", "stop_mail"):
        await site.post(f"{path}/preferences", {"do": do})
    for form in ({"do": "start"}, {"do": "start_texts"}, {"do": "language", "language": "es"}, {"do": "amounts",
                 "amounts": "yes"}, {"do": "way", "way": "text"}, {"do": "stop_texts", "again": "yes"},
                 {"do": "hours", "from": "08:00", "until": "21:00", "day_0": "yes"}):
        await site.post(f"{path}/preferences", form)
    assert standing(site).opted_out and standing(site, "email", MAIL).opted_out
    events = site.store.read(lambda s: [e.event for e in s.scalars(select(Consent).where(
        Consent.purpose == "texts", Consent.event != "given"))])
    assert events == ["revoked", "revoked"]  # once each, however often it is pressed


async def test_e_mails_are_stopped_for_every_address_of_the_account(site: Site) -> None:
    path = await opened(site)
    _, body, _ = await site.get(f"{path}/preferences")
    assert "a…\u2060@example.org" in body and MAIL not in body
    await site.post(f"{path}/preferences", {"do": "stop_mail"})
    assert standing(site, "email", MAIL).opted_out and not standing(site).opted_out


async def test_the_language_is_kept_for_the_account_and_its_conversation(site: Site) -> None:
    path = await opened(site)
    status, _, answer = await site.post(f"{path}/preferences", {"do": "language", "language": "es"})
    assert status == 303 and "lang=es" in answer.headers["Location"]
    kept = site.store.read(lambda s: (s.get_one(Guarantor, world.ANNA).language,
                                      s.get_one(Conversation, world.TALK).language,
                                      s.get_one(Conversation, world.TALK).language_chosen))
    assert kept == ("es", "es", True)
    _, body, _ = await site.get(f"{path}/account")
    assert "<h1>Su cuenta</h1>" in body


async def test_a_conversation_that_somebody_else_is_verified_in_keeps_its_language(site: Site) -> None:
    path = await opened(site)

    def share(session: Session) -> None:
        world.account(session, "acct_ben", "B2", site.clock())
        session.get_one(Conversation, world.TALK).guarantor_id = "acct_ben"

    site.store.write(share)
    await site.post(f"{path}/preferences", {"do": "language", "language": "es"})
    kept = site.store.read(lambda s: (s.get_one(Guarantor, world.ANNA).language,
                                      s.get_one(Guarantor, "acct_ben").language))
    assert kept == ("es", "en")


async def test_hours_and_way_are_kept_as_by_text(site: Site) -> None:
    path = await opened(site)
    days = {f"day_{n}": "yes" for n in (0, 1, 2)}
    await site.post(f"{path}/preferences", {"do": "hours", "from": "18:00", "until": "21:00", **days})
    await site.post(f"{path}/preferences", {"do": "way", "way": "paper", "only": "yes"})
    wishes = site.store.read(lambda s: page_wishes.standing(s, world.PRACTICE, world.ANNA)).wishes
    assert wishes.hours is not None and (wishes.hours.spans, wishes.hours.days) == ((("18:00", "21:00"),), (0, 1, 2))
    assert (wishes.way, wishes.only) == ("paper", True)
    assert site.store.read(lambda s: s.scalars(select(Case.kind)).all()) == ["preferences"]
    words = site.store.read(lambda s: [one.wording for one in s.scalars(select(Preference).order_by(Preference.id))])
    assert "18:00-21:00 Monday Tuesday Wednesday" in words[0] and "By letter Only this way" in words[1]


async def test_hours_that_leave_no_lawful_moment_are_said_at_once(site: Site) -> None:
    path = await opened(site)
    for form in ({"from": "18:00", "until": "18:00", "day_0": "yes"}, {"from": "09:00", "until": "12:00"},
                 {"from": "22:00", "until": "23:00", "day_0": "yes"}):
        status, body, _ = await site.post(f"{path}/preferences", {"do": "hours", **form})
        assert status == 422 and 'id="hours-wrong"' in body and 'aria-describedby="hours-wrong"' in body
    assert site.store.read(lambda s: s.scalars(select(Preference)).all()) == []


async def test_amounts_in_texts_need_the_warning_and_are_taken_back_as_easily(site: Site) -> None:
    path = await opened(site)
    await site.post(f"{path}/preferences", {"do": "amounts", "amounts": "yes"})
    assert standing(site).detail_event_id is not None
    said = site.store.read(lambda s: s.scalars(select(Consent.wording).where(Consent.purpose == "detail")).one())
    assert "Texts are not private. Other people could read them." in said and "Yes, text me amounts" in said
    await site.post(f"{path}/preferences", {"do": "amounts", "amounts": "no"})
    assert standing(site).detail_event_id is None


async def test_without_a_number_wishes_about_texts_are_refused_in_words(site: Site) -> None:
    path = site.link("account")
    await site.prove(path)
    _, body, _ = await site.get(f"{path}/preferences")
    assert "We have no number to text you at" in body and 'value="hours"' not in body
    status, body, _ = await site.post(f"{path}/preferences", {"do": "way", "way": "paper"})
    assert status == 422 and "is missing" in body
    assert preferences.KINDS and site.store.read(lambda s: s.scalars(select(Case)).all()) == []
