"""An account as staff see it: found by what people say, shown with its derivation, acted on once."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from billing import payments
from billing.phones import address_hash
from billing.store.practices import find_practice
from billing.store.tables import Hold, Refund
from tests.console.conftest import Desk
from tests.parties.scene import PHONE, Scene, set_up, text
from tests.payments import world


@pytest.fixture
def ann(desk: Desk) -> str:
    practice = desk.store.read(lambda s: find_practice(s, world.PRACTICE))
    assert practice is not None
    desk.store.write(set_up(practice, desk.clock()))
    return "guar_ann"


@pytest.mark.parametrize("words", ["AC-guar_ann", "Lee", "ann lee", "Lee, Ann", "(212) 555-0142", PHONE, "2/3/1980",
                                   "1980-02-03", "guar_ann_v1"])
async def test_an_account_is_found_by_what_people_say(desk: Desk, ann: str, words: str) -> None:
    await desk.as_role("reader")
    await desk.get("/console/accounts")
    status, body = await desk.post("/console/accounts/search", {"q": words})
    assert (status, f"/console/accounts/{ann}" in body) == (200, True)


async def test_an_account_shows_each_visit_down_to_the_rows_that_it_was_read_from(desk: Desk, ann: str) -> None:
    await desk.as_role("reader")
    status, body = await desk.get(f"/console/accounts/{ann}")
    assert status == 200
    for said in ("$120.00", "$70.00", "G0463", "Ann Lee", "September 1", "service line"):
        assert said in body or said.replace("September", "Sep") in body, said


async def test_a_hold_is_placed_with_its_reason_and_released_again(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    await desk.get(f"/console/accounts/{ann}")
    path = f"/console/accounts/{ann}/holds"
    assert (await desk.post(path, {"kind": "staff_flag", "reason": "called about it", "visit_id": ""}))[0] == 303
    hold = desk.store.read(lambda s: s.scalars(select(Hold)).one())
    assert (hold.kind, hold.placed_by[:6], hold.visit_id) == ("staff_flag", "biller", None)
    assert (await desk.post(path, {"kind": "nonsense", "reason": "called about it"}))[0] == 409
    assert (await desk.post(path, {"kind": "dispute", "reason": "x"}))[0] == 422
    assert (await desk.post(path, {"kind": "dispute", "reason": "says so", "visit_id": "visit_of_another"}))[0] == 404
    assert (await desk.post(f"/console/holds/{hold.id}/release", {"reason": "sorted out"}))[0] == 303
    assert desk.store.read(lambda s: s.scalars(select(Hold)).one()).released_at is not None


async def test_a_message_is_shown_with_the_rules_that_were_asked(desk: Desk, ann: str) -> None:
    scene = Scene(world.PRACTICE, ann, ("guar_ann_v1", "guar_ann_v2"), "conv_guar_ann",
                  address_hash(world.PRACTICE, "sms", PHONE), desk.clock())
    message_id = desk.store.write(lambda session: text(session, scene, desk.clock(), "k").id)
    await desk.as_role("reader")
    status, body = await desk.get(f"/console/messages/{message_id}")
    assert (status, "may go" in body) == (200, True)


async def test_a_refund_that_one_page_asks_for_twice_is_asked_for_once(desk: Desk) -> None:
    desk.store.write(lambda s: world.anna(s, desk.clock()))
    payment = desk.store.write(lambda s: payments.record_desk_payment(
        s, world.PRACTICE, world.ANNA, amount_minor=2000, currency="USD", tender="cash", reference="R1",
        recorded_by="test", now=desk.clock()).id)
    await desk.as_role("biller")
    _, page = await desk.get(f"/console/accounts/{world.ANNA}")
    once = re.search(r'name="once" value="([^"]+)"', page)
    assert once is not None
    form = {"amount": "10.00", "tender": "original", "reason": "overpaid", "note": "paid too much", "once": once[1]}
    for _ in range(2):
        assert (await desk.post(f"/console/payments/{payment}/refunds", form))[0] == 303
    refunds = desk.store.read(lambda s: s.scalars(select(Refund)).all())
    assert [(one.amount_minor, one.reason) for one in refunds] == [(1000, "overpaid")]
    status, body = await desk.post(f"/console/payments/{payment}/refunds", {**form, "amount": "ten", "once": "other"})
    assert (status, "amount" in body) == (422, True)
