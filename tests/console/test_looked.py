"""What is done is what was looked at, and the trail tells a look, a try and a deed apart, thing by thing."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import cases, claim_work, holds, ledger, preferences, write_offs
from billing.phones import address_hash
from billing.store.tables import (
    Audit,
    Case,
    ClaimWork,
    Consent,
    ContactPoint,
    Hold,
    Preference,
    Remittance,
    RemittanceClaim,
    WriteOff,
)
from tests.console.conftest import Desk
from tests.console.test_lists import confirm, covered, rows
from tests.payments import world


def trail(desk: Desk, *actions: str) -> list[tuple[str, str]]:
    """(action, what) of these actions, oldest first."""
    return [(row[0], row[1]) for row in desk.store.read(lambda s: s.execute(select(
        Audit.action, Audit.object_id).where(Audit.action.in_(actions)).order_by(Audit.id)).all())]


def held(desk: Desk, *kinds: str) -> list[str]:
    for kind in kinds:
        desk.store.write(partial(holds.place, practice_id=world.PRACTICE, guarantor_id=world.ANNA, kind=kind,
                                 reason="look at it", source="test", placed_by="test", now=desk.clock()))
    return [one.id for one in rows(desk, Hold)]


async def test_each_row_of_a_bulk_step_has_a_line_in_the_trail_and_a_look_at_it_is_no_deed(
        desk: Desk, anna: str) -> None:
    ids = held(desk, "audit", "first_look")
    await desk.as_role("biller")
    await desk.get("/console/worklists/holds")
    form = {"hold_ids": ids, "what": "release", "reason": "looked and right"}
    _, preview = await desk.post("/console/worklists/holds", form)
    assert trail(desk, "holds.review") == []
    assert trail(desk, "holds.review.tried") == [("holds.review.tried", one) for one in ids]
    assert (await confirm(desk, preview))[0] == 303
    assert trail(desk, "holds.review") == [("holds.review", one) for one in ids]


async def test_a_bulk_step_does_what_the_look_showed_or_nothing(desk: Desk, anna: str) -> None:
    desk.hire("sue", "manager")
    await desk.as_role("manager")
    await desk.get("/console/worklists/collections")
    form = {"account_ids": anna, "what": "administrative", "reason": "our own mistake"}
    _, preview = await desk.post("/console/worklists/collections", form)
    assert "$145.50" in preview
    desk.store.write(lambda s: ledger.post(s, [ledger.Posting(
        world.PRACTICE, ledger.wide("charity"), ledger.patient(world.OLD), 1000, "USD", "charity", date(2026, 11, 2),
        "test", "relief:1", world.ANNA, world.OLD)], desk.clock()))
    status, body = await confirm(desk, preview)
    assert status == 409 and "changed since you looked" in body
    assert trail(desk, "write_off_asked") == []


async def test_two_requests_for_the_same_money_are_shown_as_one_that_goes_and_one_that_does_not(
        desk: Desk, anna: str) -> None:
    desk.hire("bob", "biller")
    for kind in ("administrative", "charity"):
        desk.store.write(partial(write_offs.ask, practice_id=world.PRACTICE, guarantor_id=anna, kind=kind,
                                 reason="our mistake", by="bob", now=desk.clock()))
    await desk.as_role("manager")
    await desk.get("/console/worklists/collections")
    _, preview = await desk.post("/console/worklists/collections/write-offs", {
        "write_off_ids": [one.id for one in rows(desk, WriteOff)], "what": "approve"})
    assert preview.count('name="write_off_ids"') == 1 and "not possible" in preview
    assert (await confirm(desk, preview))[0] == 303
    assert sorted(one.status for one in rows(desk, WriteOff)) == ["approved", "asked"]


async def test_no_page_that_renews_itself_shows_a_thing_without_saying_which() -> None:
    from bot.web.console import catalog
    from bot.web.console.table import View

    default = View.__dataclass_fields__["seen"].default
    assert [one.name for one in catalog.VIEWS if isinstance(one, View) and one.quiet and one.seen is default] == []


async def test_a_new_denial_brings_a_claim_back_that_somebody_was_done_with(desk: Desk, anna: str) -> None:
    covered(desk, "cov_no", "denied")
    await desk.as_role("biller")
    await desk.get("/console/worklists/claims")
    form = {"coverage_ids": "cov_no", "outcome": "paid", "sure": "true"}
    assert (await desk.post("/console/worklists/claims", form))[0] == 303
    assert "cov_no" not in (await desk.get("/console/worklists/claims"))[1]
    assert [one.outcome for one in rows(desk, ClaimWork)] == ["paid"] and claim_work.DONE[0] == "paid"
    desk.clock.advance(minutes=5)
    desk.store.write(lambda s: _answer(s, desk, "cov_no"))
    assert "cov_no" in (await desk.get("/console/worklists/claims"))[1]


def _answer(session: Session, desk: Desk, coverage_id: str) -> None:
    now = desk.clock()
    session.add(Remittance(
        id="rem_1", practice_id=world.PRACTICE, import_id="imp_1", identity="r1", digest="r1", position=1, trace="T1",
        payer_identifier="1", payer_name="Blue Shield", payer_id="BS", paid_minor=0, method="ACH",
        paid_on=date(2026, 11, 3), status="posted", created_at=now))
    session.flush()
    session.add(RemittanceClaim(
        id="rc_1", practice_id=world.PRACTICE, remittance_id="rem_1", visit_id=world.NEW, coverage_id=coverage_id,
        position=1, number=1, claim_hash="c1", claim_id="C1", payer_claim_id="P1", status_code="4", charge_minor=100,
        paid_minor=0, outcome="posted", reason="denied", details={}))


NUMBER = "+12125550123"


def reachable(desk: Desk) -> None:
    desk.store.write(lambda s: s.add(ContactPoint(
        id="cp_1", practice_id=world.PRACTICE, guarantor_id=world.ANNA, channel="sms", address=NUMBER,
        address_hash=address_hash(world.PRACTICE, "sms", NUMBER), status="ok", source="import",
        created_at=desk.clock())))


def suppressed(desk: Desk) -> tuple[list[str], list[str]]:
    """How the number stands, and what was last said of texts to it."""
    return [one.status for one in rows(desk, ContactPoint)], [one.event for one in rows(desk, Consent)][-1:]


@pytest.mark.parametrize("way", ["account", "call"])
async def test_a_number_that_somebody_else_has_gets_nothing_more_whoever_found_out(
        desk: Desk, anna: str, way: str) -> None:
    reachable(desk)
    await desk.as_role("biller")
    if way == "account":
        _, body = await desk.get(f"/console/accounts/{anna}")
        assert "/console/contacts/cp_1" in body
        _, body = await desk.get("/console/contacts/cp_1")
        assert "/console/contacts/cp_1/wrong" in body
        assert (await desk.post("/console/contacts/cp_1/wrong", {"reason": "a stranger called us"}))[0] == 303
    else:
        case = desk.store.write(partial(
            cases.open_case, practice_id=world.PRACTICE, kind="no_way", title="Call", detail="", now=desk.clock(),
            guarantor_id=anna, dedupe="no_way:9")).id
        await desk.get("/console/worklists/calls")
        assert (await desk.post("/console/worklists/calls", {
            "case_ids": case, "outcome": "wrong_person", "sure": "true"}))[0] == 303
    assert suppressed(desk) == (["wrong_number"], ["voided"])
    assert "wrong_number" in {one.kind for one in rows(desk, Case)}


async def test_a_person_to_call_has_a_number_without_ever_having_written_and_a_no_to_calls_stays(
        desk: Desk, anna: str) -> None:
    def wanted(number: int) -> str:
        return desk.store.write(partial(
            cases.open_case, practice_id=world.PRACTICE, kind="no_way", title="A bill can be sent by no channel",
            detail="", now=desk.clock(), guarantor_id=anna, dedupe=f"no_way:{number}")).id

    reachable(desk)
    first = wanted(1)
    await desk.as_role("biller")
    _, body = await desk.get("/console/worklists/calls")
    assert "(212) 555-0123" in body and "Asked not to be called" not in body
    form = {"case_ids": first, "outcome": "no_calls", "sure": "true"}
    assert (await desk.post("/console/worklists/calls", form))[0] == 303
    assert {one.kind for one in rows(desk, Preference)} == {preferences.PLACE}
    wanted(2)
    assert "Asked not to be called" in (await desk.get("/console/worklists/calls"))[1]
