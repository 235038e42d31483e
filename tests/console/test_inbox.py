"""Threads as staff see them: read, taken over from the bot, answered by the same gate, handed back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import inbox, thread_care
from billing.phones import address_hash
from billing.store.tables import Audit, Conversation, Inbox, Outbox
from bot.receive import work
from tests.console.conftest import Desk
from tests.console.test_looked import trail
from tests.parties.scene import PHONE, set_up
from tests.payments import world


@pytest.fixture
def talk(desk: Desk) -> Conversation:
    """Somebody who has texted us, from a number that is on an account."""
    practice = desk.store.read(lambda s: _practice(s))
    desk.store.write(set_up(practice, desk.clock()))

    def known(session: Session) -> Conversation:
        row = session.get_one(Conversation, "conv_guar_ann")
        row.address_hash = address_hash(world.PRACTICE, "sms", PHONE)
        row.guarantor_id, row.verified_at, row.last_inbound_at = "guar_ann", desk.clock(), desk.clock()
        return row

    return desk.store.write(known)


def _practice(session: Session) -> Any:
    from billing.store.practices import find_practice

    found = find_practice(session, world.PRACTICE)
    assert found is not None
    return found


def text(desk: Desk, body: str, number: int) -> None:
    """The patient writes, and whatever follows is worked, as bot/receive.py does it."""
    desk.clock.advance(seconds=5)

    def accept(session: Session) -> int:
        row = Inbox(practice_id=world.PRACTICE, source="sms", external_id=f"SM{number}", kind="message",
                    thread=f"talk:sms:{world.PRACTICE}:{address_hash(world.PRACTICE, 'sms', PHONE)}",
                    payload={"body": body, "sender": PHONE, "media": 0}, status="accepted",
                    received_at=desk.clock(), due_at=desk.clock())
        session.add(row)
        session.flush()
        (claimed,) = inbox.claim(session, "test", desk.clock(), 1)
        return claimed.inbox_id

    inbox_id = desk.store.write(accept)
    desk.store.write(lambda session: work(session, desk.wiring.road, inbox_id))


def sent(desk: Desk) -> list[tuple[str, str]]:
    rows = desk.store.read(lambda s: s.scalars(select(Outbox).order_by(Outbox.created_at, Outbox.id)).all())
    return [(row.template, row.status) for row in rows]


async def test_a_thread_shows_both_sides_and_every_look_is_in_the_trail(desk: Desk, talk: Conversation) -> None:
    text(desk, "what do I owe", 1)
    await desk.as_role("biller")
    _, listed = await desk.get("/console/inbox")
    assert f"/console/inbox/{talk.id}" in listed
    status, body = await desk.get(f"/console/inbox/{talk.id}")
    assert status == 200
    assert "what do I owe" in body
    seen = desk.store.read(lambda s: [(r.action, r.object_id) for r in s.scalars(select(Audit))])
    assert ("read", talk.id) in seen


async def test_while_a_person_has_the_thread_the_bot_keeps_still_and_answers_again_afterwards(
        desk: Desk, talk: Conversation) -> None:
    await desk.as_role("biller")
    await desk.get(f"/console/inbox/{talk.id}")
    assert (await desk.post(f"/console/inbox/{talk.id}/take"))[0] == 303
    text(desk, "hello is anybody there", 1)
    assert sent(desk) == []
    assert desk.store.read(lambda s: thread_care.is_taken(s, talk.id))
    _, waiting = await desk.get("/console/inbox?show=person")
    assert talk.id in waiting
    await desk.get(f"/console/inbox/{talk.id}")
    assert (await desk.post(f"/console/inbox/{talk.id}/hand-back"))[0] == 303
    text(desk, "hello", 2)
    assert len(sent(desk)) == 1


@pytest.mark.parametrize(("words", "template"), [("STOP", "stop_confirmation"), ("HELP", "help"),
                                                 ("i want to kill myself", "emergency")])
async def test_the_words_that_must_be_answered_are_answered_in_a_taken_thread_too(
        desk: Desk, talk: Conversation, words: str, template: str) -> None:
    await desk.as_role("biller")
    await desk.get(f"/console/inbox/{talk.id}")
    await desk.post(f"/console/inbox/{talk.id}/take")
    text(desk, words, 1)
    assert [name for name, _ in sent(desk)][:1] == [template]


async def test_a_reply_leaves_by_the_gate_and_pressed_twice_leaves_once(desk: Desk, talk: Conversation) -> None:
    text(desk, "hello", 1)
    await desk.as_role("biller")
    _, page = await desk.get(f"/console/inbox/{talk.id}")
    once = re.search(r'name="once" value="([^"]+)"', page)
    assert once is not None
    for _ in range(2):
        status, _ = await desk.post(f"/console/inbox/{talk.id}/replies", {"words": "We will call.", "once": once[1]})
        assert status == 303
    assert [one for one in sent(desk) if one[0] == "staff_reply"] == [("staff_reply", "queued")]


async def test_what_the_gate_would_say_is_shown_before_sending_and_nothing_is_written(
        desk: Desk, talk: Conversation) -> None:
    text(desk, "STOP", 1)
    await desk.as_role("biller")
    await desk.get(f"/console/inbox/{talk.id}")
    before = sent(desk)
    form = {"words": "Please call us.", "once": "as_the_page_sends_it"}
    status, body = await desk.post(f"/console/inbox/{talk.id}/foresee", form)
    assert status == 200
    assert "Please call us." in body
    assert "may not go" in body
    assert sent(desk) == before


async def test_two_people_do_not_take_the_same_thread_and_see_each_other(desk: Desk, talk: Conversation) -> None:
    await desk.as_role("biller")
    (first,) = desk.secrets
    await desk.get(f"/console/inbox/{talk.id}")
    await desk.post(f"/console/inbox/{talk.id}/take")
    desk.forget()
    desk.hire("second", "biller")
    await desk.sign_in("second")
    desk.clock.advance(seconds=-30)
    _, body = await desk.get(f"/console/inbox/{talk.id}")
    assert f"{first} is reading" in body
    status, body = await desk.post(f"/console/inbox/{talk.id}/take")
    assert (status, first in body.casefold()) == (409, True)


async def test_a_note_is_for_colleagues_and_never_leaves(desk: Desk, talk: Conversation) -> None:
    await desk.as_role("biller")
    await desk.get(f"/console/inbox/{talk.id}")
    await desk.post(f"/console/inbox/{talk.id}/notes", {"body": "Called twice, voicemail."})
    assert "Called twice, voicemail." in (await desk.get(f"/console/inbox/{talk.id}"))[1]
    assert sent(desk) == []


async def test_a_search_by_number_stands_in_no_address(desk: Desk, talk: Conversation) -> None:
    await desk.as_role("biller")
    await desk.get("/console/inbox")
    status, body = await desk.post("/console/inbox/search", {"q": "(212) 555-0142"})
    assert (status, talk.id in body) == (200, True)
    assert (await desk.get("/console/inbox?q=2125550142"))[0] == 422


async def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(desk: Desk, talk: Conversation) -> None:
    await desk.as_role("biller")
    for _ in range(14):
        desk.clock.advance(minutes=1)
        assert (await desk.get(f"/console/inbox/{talk.id}/live"))[0] == 200
    desk.clock.advance(minutes=1)
    assert (await desk.get(f"/console/inbox/{talk.id}/live"))[0] == 303


async def test_a_page_that_renews_itself_leaves_a_line_once_an_hour_for_each_who_reads_it(
        desk: Desk, talk: Conversation) -> None:
    where = "/console/inbox/conv_guar_ann/live"
    await desk.as_role("reader")
    for _ in range(3):
        assert (await desk.get(where))[0] == 200
    assert trail(desk, "read").count(("read", "conv_guar_ann")) == 1
    await desk.as_role("reader")
    await desk.get(where)
    assert trail(desk, "read").count(("read", "conv_guar_ann")) == 2
