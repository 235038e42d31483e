"""Disputes at the bank: by the day on which evidence is due, with what answers the bank, and what was done about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing import cases
from billing.store.tables import Case, CaseNote, Hold, Payment, PaymentDispute
from tests.console.conftest import Desk
from tests.console.test_lists import rows
from tests.console.test_looked import trail
from tests.payments import world
from tests.payments.test_disputes import told
from tests.payments.test_events import tell
from tests.payments.world import OLD_MINOR, Event


@pytest.fixture
def disputed(desk: Desk, anna: str) -> str:
    """A payment of $100.00 that its owner disputes; evidence is due in ten days."""
    told(desk.store, desk.clock(), "disputed", reason="fraudulent", fee_minor=1_500,
         evidence_due_at=desk.clock() + timedelta(days=10))
    return str(rows(desk, PaymentDispute)[0].id)


async def press(desk: Desk, dispute: str, what: str, **form: Any) -> tuple[int, str]:
    await desk.get(f"/console/money/disputes/{dispute}")
    return await desk.post(f"/console/money/disputes/{dispute}/{what}", form)


async def test_a_dispute_is_on_the_list_with_its_account_day_and_case_and_the_overview_counts_it(
        desk: Desk, disputed: str) -> None:
    await desk.as_role("reader")
    _, page = await desk.get("/console/money/disputes")
    (case,) = [one for one in rows(desk, Case) if one.kind == "chargeback"]
    for told_of in ("$100.00", "$15.00", f"/console/accounts/{world.ANNA}", f"/console/cases/{case.id}", "Nov 13"):
        assert told_of in page, told_of
    assert "the card&#39;s owner says it was not them" in page and "too late" not in page
    assert 'href="/console/money/disputes"><p class="figure">1</p>' in (await desk.get("/console/money"))[1]
    assert "/console/money/disputes" in (await desk.get("/console/worklists"))[1]


async def test_evidence_that_was_not_handed_in_by_its_day_is_shown_as_late(desk: Desk, disputed: str) -> None:
    desk.clock.advance(days=11)
    await desk.as_role("biller")
    assert "too late" in (await desk.get("/console/money/disputes"))[1]


async def test_the_pack_has_our_own_words_alone_and_handing_it_in_is_written_down_with_who(
        desk: Desk, disputed: str) -> None:
    await desk.as_role("biller")
    _, page = await desk.get(f"/console/money/disputes/{disputed}")
    assert "What answers the bank" in page and "visit_old" in page
    assert (await press(desk, disputed, "sent"))[0] == 303
    assert rows(desk, PaymentDispute)[0].status == "evidence_sent"
    assert [what for what, _ in trail(desk, "evidence_sent")] == ["evidence_sent"]
    _, page = await desk.get(f"/console/money/disputes/{disputed}")
    assert "evidence was handed in, biller-" in page and "/accept" not in page


async def test_letting_a_dispute_go_keeps_the_hold_and_the_reason_and_the_bank_still_has_the_last_word(
        desk: Desk, disputed: str) -> None:
    await desk.as_role("supervisor")
    assert (await press(desk, disputed, "accept", reason="it was our mistake"))[0] == 303
    assert rows(desk, PaymentDispute)[0].status == "accepted"
    assert [one.kind for one in rows(desk, Hold) if one.released_at is None] == ["dispute"]
    assert "Not contested: it was our mistake" in [one.body for one in rows(desk, CaseNote)]
    assert [what for what, _ in trail(desk, "dispute_accepted")] == ["dispute_accepted"]
    status, body = await press(desk, disputed, "sent")
    assert status == 409 and "while it is open" in body
    payment = rows(desk, Payment)[0].id
    assert rows(desk, Payment)[0].status == "disputed"
    tell(desk.store, desk.clock(), Event("dispute_lost", payment, OLD_MINOR, dispute_ref="du_1"))
    assert (rows(desk, PaymentDispute)[0].status, rows(desk, Payment)[0].status) == ("lost", "dispute_lost")
    assert disputed in (await desk.get("/console/money/disputes?state=over"))[1]


async def test_a_biller_lets_no_dispute_go(desk: Desk, disputed: str) -> None:
    await desk.as_role("biller")
    assert (await press(desk, disputed, "accept", reason="it was our mistake"))[0] == 403
    assert rows(desk, PaymentDispute)[0].status == "open"


async def test_a_note_goes_into_the_disputes_case_and_opens_one_again_where_it_was_closed(
        desk: Desk, disputed: str) -> None:
    await desk.as_role("biller")
    assert (await press(desk, disputed, "notes", body="Asked the front desk for the form."))[0] == 303
    (first,) = [one for one in rows(desk, Case) if one.kind == "chargeback"]
    desk.store.write(lambda s: cases.close(s, world.PRACTICE, first.id, by="bob", resolution="done", now=desk.clock()))
    _, page = await desk.get(f"/console/money/disputes/{disputed}")
    assert "Its case was closed" in page
    assert (await press(desk, disputed, "notes", body="The form was found."))[0] == 303
    found = [one for one in rows(desk, Case) if one.kind == "chargeback"]
    assert sorted(one.status for one in found) == ["closed", "open"]
    assert {one.body for one in rows(desk, CaseNote)} >= {"Asked the front desk for the form.", "The form was found."}
