"""Whoever is told that a payment failed can go on: the link in the text leads to a step that can be taken, and nothing
that was given up stands in the way of paying.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import checkout
from billing.store.tables import Outbox
from bot.write import Store
from tests.conftest import Clock
from tests.faults import calls
from tests.faults.calls import CALLS
from tests.faults.running import DAYS
from tests.faults.scene import Scene, opened
from tests.payments import world


async def _declined(scene: Scene, call: str, code: str) -> None:
    await CALLS[call].ready(scene)
    await scene.fault("decline", CALLS[call].path, decline_code=code)
    await CALLS[call].act(scene)


def _last_text(session: Session) -> str:
    rows = session.scalars(select(Outbox).where(Outbox.conversation_id == world.TALK, Outbox.status == "sent"))
    return max(rows, key=lambda row: (row.sending_at, row.id)).body


@pytest.mark.parametrize("call", ["charge_saved", "charge_autopay"])
@pytest.mark.parametrize("code", ["authentication_required", *(
    pytest.param(code, marks=pytest.mark.slow) for code in ("incorrect_cvc", "lost_card", "insufficient_funds"))])
async def test_a_text_about_a_decline_leads_to_a_step_that_can_be_taken(
        call: str, code: str, sqlite_url: str, sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    """By the link: a form, or the bank's own page; without one, by answering."""
    async with opened(sqlite_url, sqlite_store, clock, tmp_path) as scene, scene.serve():
        await _declined(scene, call, code)
        text = scene.store.read(_last_text)
        link = re.search(r"/l/[\w-]+", text)
        if link is None:
            assert "reply" in text.lower()
            return
        assert (await scene.site.prove(link.group()))[0] == 303
        _, body, _ = await scene.site.get(link.group())
        steps = re.findall(rf'<form[^>]* action="{link.group()}/\w+[?"]|href="{scene.server.url}/3ds/\w+"', body)
        assert steps, f"the text asks for a step, and its page has none: {re.findall('<h1[^>]*>(.*?)</h1>', body)}"


@pytest.mark.slow
async def test_a_charge_that_could_not_be_given_up_does_not_stop_the_patient_from_paying(
        sqlite_url: str, sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    """Stripe could not be reached for three days to cancel a charge that waits for the patient's bank: staff have a
    case, Stripe is well again, and the balance can be paid another way.
    """
    async with opened(sqlite_url, sqlite_store, clock, tmp_path) as scene, scene.serve():
        call = CALLS["cancel_charge"]
        await call.ready(scene)
        await scene.fault("500", call.path, times=9_999)
        for span in DAYS:
            await scene.wait(span)
        await scene.mend(call.path)
        await scene.pass_time()
        await calls.pay_link(scene)
        step = scene.store.write(lambda session: checkout.begin(
            session, world.PRACTICE, scene.made["payment"], scene.clock()))
        assert isinstance(step, checkout.Opening), step
