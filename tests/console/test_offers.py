"""From an account: a plan with every date before it is offered, and links whose message is seen before it goes."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
from sqlalchemy.orm import Session

from billing import figures, holds, preferences
from billing.phones import address_hash
from billing.store.tables import Case, Instalment, Link, Outbox, Payment, Plan, Practice, Visit
from tests.conftest import maple_clinic
from tests.console.conftest import Desk
from tests.console.samples import changed, digest
from tests.console.test_lists import rows
from tests.console.test_undo import ann as somebody_with_consent
from tests.parties.scene import PHONE
from tests.payments import world

ann = somebody_with_consent  # the fixture, under its own name


@pytest.fixture(autouse=True)
def plans_are_offered(desk: Desk) -> None:
    def put(session: Session) -> None:
        session.get_one(Practice, world.PRACTICE).settings = maple_clinic(plans={}).model_dump(mode="json")

    desk.store.write(put)


def hidden(page: str, number: int = 0) -> dict[str, Any]:
    """What stands in the form of a look with this number; several of a name as a list."""
    form = re.findall(r'<form[^>]*method="post".*?</form>', page.partition("<main")[2], re.DOTALL)[number]
    found: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(value)
    return {name: values if name == "visit_ids" else values[0] for name, values in found.items()}


async def looked(desk: Desk, where: str, **form: Any) -> str:
    """Look, and see that nothing but the trail says so."""
    await desk.get("/console/me")
    before = desk.store.read(digest)
    status, page = await desk.post(where, form)
    assert status == 200, page
    assert changed(before, desk.store.read(digest)) == ["audit"]
    return page


async def test_a_plan_is_offered_as_the_look_showed_it_with_every_date_and_amount(desk: Desk, anna: str) -> None:
    await desk.as_role("biller")
    where = f"/console/accounts/{anna}/plans"
    assert "$145.50" in (await desk.get(where))[1]
    page = await looked(desk, where, amount="50", interval="month", day="15")
    assert page.count('<section class="panel">') == 1
    shown = re.findall(r'<tr><th scope="row">\d+</th><td[^>]*>([^<]+)</td><td[^>]*>(\$[\d.]+)</td>', page)
    assert [amount for _, amount in shown] == ["$50.00", "$50.00", "$45.50"] and "15" in shown[0][0]
    status, made = await desk.post(where, hidden(page))
    assert status == 200 and "/l/" in made
    (plan,) = rows(desk, Plan)
    assert (plan.status, plan.total_minor, plan.guarantor_id) == ("awaiting_authorization", 14_550, anna)
    assert plan.offered_by.startswith("biller-") and plan.agreed_at is None
    kept = sorted((one.number, one.amount_minor) for one in rows(desk, Instalment))
    assert kept == [(1, 5000), (2, 5000), (3, 4550)]


async def test_pressed_twice_the_same_plan_is_offered_once(desk: Desk, anna: str) -> None:
    await desk.as_role("biller")
    where = f"/console/accounts/{anna}/plans"
    form = hidden(await looked(desk, where, count="3"))
    for _ in range(2):
        assert (await desk.post(where, form))[0] == 200
    assert len(rows(desk, Plan)) == 1


async def test_what_the_policy_does_not_allow_is_answered_with_the_nearest_and_offered_only_to_be_approved(
        desk: Desk, anna: str) -> None:
    desk.hire("sue", "supervisor")
    await desk.as_role("biller")
    where = f"/console/accounts/{anna}/plans"
    page = await looked(desk, where, amount="10", interval="month")
    assert "each payment would be too small" in page and 'value="as_asked"' not in page
    page = await looked(desk, where, amount="10", interval="month", reason="lives on a small pension")
    outside = hidden(page, 1)
    assert outside["choice"] == "as_asked"
    assert (await desk.post(where, outside))[0] == 200
    (plan,) = rows(desk, Plan)
    assert (plan.status, plan.exception_reason) == ("offered", "lives on a small pension")
    assert "plan_exception" in {one.kind for one in rows(desk, Case)}
    status, refused = await desk.post(f"/console/plans/{plan.id}/link")
    assert status == 409 and "approval" in refused
    desk.forget()
    await desk.sign_in("sue")
    await desk.get("/console/worklists/plans")
    yes = {"plan_ids": plan.id, "reason": "fair", "sure": "true"}
    assert (await desk.post("/console/worklists/plans/approvals", yes))[0] == 303
    assert rows(desk, Plan)[0].status == "awaiting_authorization"


async def test_a_plan_that_was_looked_at_is_not_offered_once_the_balance_is_another(desk: Desk, anna: str) -> None:
    await desk.as_role("biller")
    where = f"/console/accounts/{anna}/plans"
    form = hidden(await looked(desk, where, count="3"))
    desk.store.write(partial(holds.place, practice_id=world.PRACTICE, guarantor_id=anna, kind="dispute",
                             reason="asked", source="test", placed_by="test", now=desk.clock(), visit_id=world.NEW))
    status, body = await desk.post(where, form)
    assert status == 409 and rows(desk, Plan) == [], body


async def test_no_plan_and_no_link_is_about_confidential_care(desk: Desk, anna: str) -> None:
    desk.store.write(lambda s: s.query(Visit).filter_by(id=world.NEW).update({"confidential": True}))
    await desk.as_role("biller")
    for where in (f"/console/accounts/{anna}/plans", f"/console/accounts/{anna}/payment-link"):
        _, page = await desk.get(where)
        assert "$100.00" in page and "$145.50" not in page
    status, body = await desk.post(f"/console/accounts/{anna}/payment-link", {"visit_ids": world.NEW})
    assert status == 409 and "Nothing is due" in body


async def test_a_payment_link_leaves_as_the_look_showed_it_and_asks_for_what_was_said(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    where = f"/console/accounts/{ann}/payment-link"
    page = await looked(desk, where, amount="40")
    assert "$40.00" in page and "/l/…" in page and re.search(r'class="tag (good|warn)"', page)
    assert (await desk.post(where, hidden(page)))[0] == 303
    (payment,) = rows(desk, Payment)
    assert (payment.amount_minor, payment.status, payment.tender) == (4000, "link_sent", "card")
    assert payment.recorded_by.startswith("biller-") and payment.consent_message_id is None
    (sent,) = [one for one in rows(desk, Outbox) if one.template.startswith("pay_here")]
    assert sent.status in ("queued", "deferred") and sent.privacy == "open" and "$" not in sent.body
    assert [one.object_id for one in rows(desk, Link) if one.purpose == "pay"] == [payment.id]


async def test_the_same_link_is_told_of_once_a_day_and_makes_no_second_payment(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    where = f"/console/accounts/{ann}/payment-link"
    form = hidden(await looked(desk, where, amount="40"))
    assert (await desk.post(where, form))[0] == 303
    status, body = await desk.post(where, form)
    assert status == 409 and "today already" in body
    assert len(rows(desk, Payment)) == 1


async def test_nobody_is_asked_for_more_than_is_due_and_a_refusal_leaves_nothing_behind(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    await desk.get("/console/me")
    due = desk.store.read(lambda s: figures.account_figures(s, ann, desk.clock().date())).total.due_now_minor
    status, body = await desk.post(f"/console/accounts/{ann}/payment-link", {"amount": f"{due // 100 + 1}.00"})
    assert status == 409 and "more than" in body and rows(desk, Payment) == []


async def test_t_33_a_link_never_goes_where_the_patient_asked_that_nothing_comes(desk: Desk, ann: str) -> None:
    hashed = address_hash(world.PRACTICE, "sms", PHONE)
    desk.store.write(lambda s: preferences.record(
        s, world.PRACTICE, "sms", hashed, kind=preferences.CONFIDENTIAL, value={"on": True}, wording="Not here.",
        recorded_by="ana", now=desk.clock(), guarantor_id=ann))
    await desk.as_role("biller")
    await desk.get("/console/me")
    before = desk.store.read(digest)
    status, body = await desk.post(f"/console/accounts/{ann}/payment-link", {"amount": "40", "sure": "true"})
    assert status == 409 and "the patient asked that nothing comes there" in body
    assert changed(before, desk.store.read(digest)) == []


async def test_what_the_gate_withholds_is_shown_has_no_button_and_makes_nothing_ready(desk: Desk, ann: str) -> None:
    desk.store.write(partial(holds.place, practice_id=world.PRACTICE, guarantor_id=ann, kind="handover",
                             reason="told", source="test", placed_by="test", now=desk.clock()))
    await desk.as_role("biller")
    where = f"/console/accounts/{ann}/payment-link"
    page = await looked(desk, where, amount="40")
    assert "may not go" in page and "a person has this conversation in hand" in page and 'name="sure"' not in page
    status, body = await desk.post(where, {"amount": "40", "sure": "true"})
    assert status == 409 and "does not let it go" in body
    assert rows(desk, Payment) == [] and not [one for one in rows(desk, Outbox) if one.template.startswith("pay_here")]


async def test_a_plans_link_leaves_by_the_gate_after_its_words_were_seen(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    where = f"/console/accounts/{ann}/plans"
    await desk.post(where, hidden(await looked(desk, where, count="2")))
    (plan,) = rows(desk, Plan)
    assert f"/console/plans/{plan.id}/link" in (await desk.get(f"/console/accounts/{ann}"))[1]
    page = await looked(desk, f"/console/plans/{plan.id}/link")
    assert "/l/…" in page
    assert (await desk.post(f"/console/plans/{plan.id}/link", hidden(page)))[0] == 303
    (sent,) = [one for one in rows(desk, Outbox) if one.template.startswith("plan_here")]
    assert sent.purpose == "notice" and "$" not in sent.body


@pytest.mark.parametrize("role", ["reader", "auditor"])
async def test_nobody_who_only_reads_offers_a_plan_or_sends_a_link(desk: Desk, anna: str, role: str) -> None:
    await desk.as_role(role)
    _, page = await desk.get(f"/console/accounts/{anna}")
    assert "/plans" not in page.partition("<main")[2].replace("/worklists/plans", "") and "payment-link" not in page
    for where in ("plans", "payment-link"):
        assert (await desk.get(f"/console/accounts/{anna}/{where}"))[0] == 403
        assert (await desk.post(f"/console/accounts/{anna}/{where}"))[0] == 403
