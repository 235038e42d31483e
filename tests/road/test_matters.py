"""Disputes and new insurance on the whole road: what the patient writes, what is held, whom it waits for."""

from __future__ import annotations

import re
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import cases, holds, links
from billing.figures import account_figures
from billing.ids import new_id
from billing.store.tables import Case, Outbox, Practice
from bot.accept import accept_message, keep
from bot.channels.base import Inbound
from bot.channels.console import ConsoleChannel
from bot.road import Road
from bot.worker import drain
from bot.write import Store
from tests.conftest import Clock
from tests.parties.scene import PHONE, Scene, set_up

PROOF = "02/03/1980 10001"


@pytest.fixture
def road(store: Store, practice: Practice, clock: Clock) -> Road:
    return Road(store, clock, "w1", "https://bills.example", {"console": ConsoleChannel(clock)})


@pytest.fixture
def scene(road: Road, practice: Practice, clock: Clock) -> Scene:
    return road.store.write(set_up(practice, clock()))


async def write(road: Road, *texts: str) -> None:
    for body in texts:
        message = Inbound(new_id("in"), PHONE, "", body)
        await keep(road, partial(accept_message, channel="console", message=message, now=road.clock.now(),
                                 practice_id="prac_maple"))
        await drain(road)


def said(road: Road) -> list[str]:
    return road.store.read(lambda s: [row.body for row in s.scalars(
        select(Outbox).order_by(Outbox.reply_to, Outbox.sequence))])


def due(road: Road, scene: Scene) -> tuple[int, int]:
    """Cents due now and held."""
    total = road.store.read(lambda s: account_figures(s, scene.guarantor_id, scene.now.date()).total)
    return total.due_now_minor, total.held_minor


def file_of(road: Road) -> list[tuple[str, str, str | None, list[str]]]:
    """Each case: kind, status, reason, notes."""
    def read(session: Session) -> list[tuple[str, str, str | None, list[str]]]:
        return [(row.kind, row.status, row.reason, [note.body for note in cases.notes(session, row.id)])
                for row in session.scalars(select(Case).order_by(Case.number))]

    return road.store.read(read)


async def test_a_dispute_is_held_before_identity_and_stays_one_case_to_its_end(
        road: Road, scene: Scene) -> None:
    await write(road, "this bill is wrong")
    assert due(road, scene) == (0, 12_000)
    await write(road, PROOF, "no")
    assert due(road, scene) == (0, 12_000)
    await write(road, "all", "1")
    assert file_of(road) == [("dispute", "open", "no_visit", ["all", "reason: no_visit"])]
    assert due(road, scene) == (0, 12_000)


async def test_the_link_for_papers_opens_this_account_s_door(road: Road, scene: Scene) -> None:
    await write(road, "this bill is wrong", PROOF, "no", "all", "1")
    found = re.search(r"https://bills\.example/l/(\S+)", said(road)[-1])
    assert found is not None
    door = road.store.read(lambda s: links.open(s, found[1], scene.now))
    assert door is not None and (door.purpose, door.guarantor_id) == ("papers", scene.guarantor_id)


async def test_a_member_number_is_kept_for_staff_and_never_said_again(road: Road, scene: Scene) -> None:
    await write(road, "i have new insurance", PROOF, "no", "Aetna", "W123456789")
    assert not any("W123456789" in body or "Aetna" in body for body in said(road))
    (only,) = file_of(road)
    assert only[0] == "insurance_update" and only[3][-2:] == ["plan: Aetna", "member number: W123456789"]
    assert due(road, scene) == (0, 12_000)


async def test_after_a_death_is_told_nothing_in_the_thread_is_about_money(road: Road, scene: Scene) -> None:
    await write(road, "my mother passed away", "how much do i owe", PROOF, "pay")
    after = said(road)[-3:]
    assert not any(re.search(r"\$|\b(?:pay|bill|owe)", body) for body in after)
    assert road.store.read(lambda s: holds.open_account_kinds(s, scene.guarantor_id)) == ("deceased",)
