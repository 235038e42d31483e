"""The worklists: how much waits where; every bulk step is looked at first, and the look changes nothing."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import select

from billing import cases, holds
from billing.store.tables import Case, ClaimWork, Coverage, Hold, Outbox, Visit
from bot.web.console import catalog
from bot.web.console.table import View
from tests.console.conftest import Desk
from tests.console.samples import changed, digest
from tests.payments import world


def covered(desk: Desk, coverage_id: str, status: str, visit_id: str = world.NEW, rank: int = 1) -> None:
    desk.store.write(lambda s: s.add(Coverage(
        id=coverage_id, practice_id=world.PRACTICE, visit_id=visit_id, rank=rank, payer_name="Blue Shield",
        payer_id="BS", filing_code="CI", status=status, import_id="imp_1")))


def unsure(desk: Desk, message_id: str) -> None:
    """A message that may or may not have left."""
    desk.store.write(lambda s: s.add(Outbox(
        id=message_id, practice_id=world.PRACTICE, channel="sms", address="+12125550142", address_hash="x",
        purpose="statement", template="statement_ready", template_version="1", language="en", privacy="open",
        arguments={}, body="A text.", segments=1, idempotency_key=message_id, status="unknown", due_at=desk.clock(),
        created_at=desk.clock(), guarantor_id=world.ANNA, conversation_id=world.TALK)))


def rows(desk: Desk, kind: Any) -> list[Any]:
    return list(desk.store.read(lambda s: s.scalars(select(kind)).all()))


async def confirm(desk: Desk, preview: str) -> tuple[int, str]:
    """Press the button of a preview, with everything that stands in its form."""
    action, found, form = preview.partition('<form class="panel" method="post" action="')[2].partition('">')
    assert found, preview
    pairs = [(name, html.unescape(value)) for name, value in
             re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)]
    async with desk.browser.post(desk.url + action, data=pairs, allow_redirects=False) as answer:
        return answer.status, await answer.text()


async def test_the_overview_counts_every_list_and_each_of_its_addresses_is_a_page(desk: Desk, anna: str) -> None:
    covered(desk, "cov_no", "denied")
    unsure(desk, "msg_unsure")
    await desk.as_role("reader")
    status, body = await desk.get("/console/worklists")
    assert status == 200
    pages = {one.path for one in catalog.VIEWS if isinstance(one, View)}
    linked = re.findall(r'<a data-open href="/console([^"?]+)', body)
    assert len(linked) >= 18 and set(linked) <= pages
    for where in ("/worklists/claims?show=denied", "/worklists/unknown"):
        assert re.search(rf'href="/console{re.escape(where)}".*?<td class="money"[^>]*>1</td>', body), where


async def test_a_claim_is_late_after_the_practices_days_and_a_second_payer_only_after_the_first(
        desk: Desk, anna: str) -> None:
    covered(desk, "cov_first", "pending")
    covered(desk, "cov_second", "pending", rank=2)
    await desk.as_role("biller")
    assert "Blue Shield" not in (await desk.get("/console/worklists/claims"))[1]
    desk.store.write(lambda s: s.query(Visit).update({"created_at": desk.clock() - timedelta(days=31)}))
    _, body = await desk.get("/console/worklists/claims?show=unanswered")
    assert "cov_first" in body and "cov_second" not in body


async def test_work_on_a_claim_is_looked_at_first_then_kept_and_what_is_done_leaves_the_list(
        desk: Desk, anna: str) -> None:
    covered(desk, "cov_no", "denied")
    desk.hire("bob", "biller")
    desk.hire("olga", "reader")
    await desk.as_role("biller")
    await desk.get("/console/worklists/claims")
    form = {"coverage_ids": "cov_no", "owner": "bob", "appeal_by_on": "2026-12-01", "note": "asked for the letter"}
    before = desk.store.read(digest)
    status, preview = await desk.post("/console/worklists/claims", form)
    assert status == 200 and changed(before, desk.store.read(digest)) == ["audit"]
    assert (await confirm(desk, preview))[0] == 303
    (kept,) = rows(desk, ClaimWork)
    assert (kept.owner, str(kept.appeal_by_on), kept.note) == ("bob", "2026-12-01", "asked for the letter")
    _, refused = await desk.post("/console/worklists/claims", {"coverage_ids": "cov_no", "owner": "olga"})
    assert "is reader; this needs" in refused
    _, preview = await desk.post("/console/worklists/claims", {"coverage_ids": "cov_no", "outcome": "paid"})
    await confirm(desk, preview)
    assert "cov_no" not in (await desk.get("/console/worklists/claims"))[1]


async def test_a_call_that_reached_somebody_ends_its_case_and_one_that_did_not_keeps_it(desk: Desk, anna: str) -> None:
    ids = [desk.store.write(partial(
        cases.open_case, practice_id=world.PRACTICE, kind="call", title="Call them", detail="", now=desk.clock(),
        guarantor_id=world.ANNA, conversation_id=world.TALK, dedupe=f"call:{one}")).id for one in (1, 2)]
    await desk.as_role("biller")
    _, body = await desk.get("/console/worklists/calls")
    assert "(212) 555-0123" in body
    for case_id, outcome in zip(ids, ("no_answer", "reached"), strict=True):
        await desk.post("/console/worklists/calls", {"case_ids": case_id, "outcome": outcome, "sure": "true"})
    assert {one.id: one.status for one in rows(desk, Case)} == {ids[0]: "open", ids[1]: "closed"}


async def test_holds_are_kept_or_ended_together_or_not_at_all(desk: Desk, anna: str) -> None:
    for kind in ("audit", "first_look"):
        desk.store.write(partial(holds.place, practice_id=world.PRACTICE, guarantor_id=anna, kind=kind,
                                 reason="look at it", source="test", placed_by="test", now=desk.clock()))
    ids = [one.id for one in rows(desk, Hold)]
    await desk.as_role("biller")
    await desk.get("/console/worklists/holds")
    form = {"hold_ids": ids, "what": "release", "reason": "looked and right"}
    await desk.post("/console/worklists/holds", {**form, "hold_ids": [ids[0], "hold_of_nobody"], "sure": "true"})
    assert [one.released_at for one in rows(desk, Hold)] == [None, None]
    _, preview = await desk.post("/console/worklists/holds", form)
    assert [one.released_at for one in rows(desk, Hold)] == [None, None]
    assert (await confirm(desk, preview))[0] == 303
    assert all(one.released_at is not None for one in rows(desk, Hold))


async def test_a_message_of_unknown_outcome_is_settled_once_by_what_the_log_shows(desk: Desk, anna: str) -> None:
    unsure(desk, "msg_unsure")
    await desk.as_role("biller")
    await desk.get("/console/worklists/unknown")
    form = {"message_ids": "msg_unsure", "left": "yes", "reason": "it is in the log", "sure": "true"}
    assert (await desk.post("/console/worklists/unknown", form))[0] == 303
    assert rows(desk, Outbox)[0].status == "sent"
    assert (await desk.post("/console/worklists/unknown", form))[0] == 409


async def test_a_write_off_that_was_asked_for_in_bulk_is_approved_by_somebody_else(desk: Desk, anna: str) -> None:
    desk.hire("sue", "manager")
    await desk.as_role("manager")
    await desk.get("/console/worklists/collections")
    form = {"account_ids": anna, "what": "administrative", "reason": "our own mistake"}
    _, preview = await desk.post("/console/worklists/collections", form)
    assert "$145.50" in preview
    assert (await confirm(desk, preview))[0] == 303
    _, body = await desk.get("/console/worklists/collections")
    (wanted,) = set(re.findall(r'name="write_off_ids" value="(\w+)"', body))
    decide = {"write_off_ids": wanted, "what": "approve", "sure": "true"}
    assert (await desk.post("/console/worklists/collections/write-offs", decide))[0] == 409
    desk.forget()
    await desk.sign_in("sue")
    assert (await desk.post("/console/worklists/collections/write-offs", decide))[0] == 303
    assert "written_off" not in desk.store.read(world.balances) and "old" not in desk.store.read(world.balances)


async def test_an_application_is_measured_and_the_look_at_a_yes_says_what_is_missing(desk: Desk, anna: str) -> None:
    from billing import assistance

    asked = desk.store.write(partial(assistance.ask, practice_id=world.PRACTICE, guarantor_id=anna, by="test",
                                     now=desk.clock()))
    await desk.as_role("supervisor")
    _, body = await desk.get("/console/worklists/assistance")
    assert f'value="{asked.id}"' in body
    form = {"application_ids": asked.id, "what": "approve"}
    status, preview = await desk.post("/console/worklists/assistance/decisions", form)
    assert status == 200 and "not possible" in preview and "assistance policy" in preview
    back = {"application_ids": asked.id, "what": "withdraw", "reason": "they want none", "sure": "true"}
    assert (await desk.post("/console/worklists/assistance/steps", back))[0] == 303
    assert "withdrawn" in (await desk.get("/console/worklists/assistance?state=decided"))[1]
