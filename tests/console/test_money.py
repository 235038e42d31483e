"""Money: counted, signed and locked; the bank's lines explained; nobody approves what they asked for."""

from __future__ import annotations

import io
import re
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import reconciling_differences as differences
from billing import refunds
from billing.console import money
from billing.payments import record_desk_payment
from billing.reconciling_differences import Found
from billing.store.tables import BankLine, Case, DayClose, Difference, Reconciliation, Refund
from tests.console.conftest import Desk, next_page
from tests.payments import world

DAY = "2026-11-03"


@pytest.fixture
def office(desk: Desk) -> Desk:
    """Ana took cash and a check from Anna."""
    desk.store.write(lambda s: world.anna(s, desk.clock()))
    for amount, tender, reference in ((5_000, "cash", "R-1"), (2_500, "check", "1042")):
        desk.store.write(partial(_pay, desk=desk, amount=amount, tender=tender, reference=reference))
    desk.hire("ana", "biller")
    return desk


def _pay(session: Any, desk: Desk, amount: int, tender: str, reference: str) -> str:
    return record_desk_payment(session, world.PRACTICE, world.ANNA, amount_minor=amount, currency="USD", tender=tender,
                               reference=reference, recorded_by="ana", now=desk.clock()).id


async def count(desk: Desk, tender: str, amount: str) -> int:
    return (await desk.post("/console/money/day/counts", {"on": DAY, "person": "ana", "tender": tender,
                                                           "amount": amount}))[0]


async def test_a_day_is_signed_once_it_is_counted_and_takes_nothing_more(office: Desk) -> None:
    await office.as_role("supervisor")
    _, body = await office.get(f"/console/money/day?on={DAY}")
    assert "$50.00" in body and "$25.00" in body and "1042" in body
    status, refused = await office.post("/console/money/day/sign", {"on": DAY})
    assert status == 409 and "has not counted" in refused and "--" not in refused.partition("</title>")[2]
    office.forget()
    await office.sign_in("ana")
    assert await count(office, "cash", "49.00") == 303
    assert await count(office, "check", "25.00") == 303
    office.forget()
    await office.as_role("supervisor")
    signing = "/console/money/day/sign"
    assert (await office.post(signing, {"on": DAY}))[0] == 409, "a dollar is short and nobody says why"
    assert (await office.post(signing, {"on": DAY, "note": "a dollar fell behind the desk"}))[0] == 303
    assert await count(office, "cash", "50.00") == 409
    close = office.store.read(lambda s: s.scalars(select(DayClose)).one())
    assert close.over_short_minor == -100
    _, money = await office.get("/console/money")
    assert "a dollar fell behind the desk" in money


async def test_a_day_that_is_short_is_signed_by_somebody_else_than_counted_it(office: Desk) -> None:
    office.hire("sue", "supervisor")
    await office.as_role("supervisor")
    assert (await count(office, "cash", "49.00"), await count(office, "check", "25.00")) == (303, 303)
    form = {"on": DAY, "note": "a dollar fell behind the desk"}
    status, body = await office.post("/console/money/day/sign", form)
    assert status == 409 and "whoever counted it does not sign it" in body
    assert office.store.read(lambda s: s.scalars(select(DayClose)).all()) == []
    office.forget()
    await office.sign_in("sue")
    assert (await office.post("/console/money/day/sign", form))[0] == 303


async def test_a_biller_counts_and_does_not_sign(office: Desk) -> None:
    await office.sign_in("ana")
    assert await count(office, "cash", "50.00") == 303
    assert (await office.post("/console/money/day/sign", {"on": DAY}))[0] == 403


async def test_the_deposit_slip_is_a_pdf(office: Desk) -> None:
    await office.as_role("supervisor")
    status, body = await office.get(f"/console/money/slip.pdf?on={DAY}")
    assert status == 200 and body.startswith("%PDF-")


async def test_the_banks_file_is_read_matched_and_what_is_left_gets_its_reason_by_hand(office: Desk) -> None:
    await office.as_role("supervisor")
    await office.get("/console/money/bank")
    await count(office, "cash", "50.00")
    await count(office, "check", "25.00")
    await office.post("/console/money/day/sign", {"on": DAY})
    text = b"date,amount,text\n2026-11-04,75.00,DEPOSIT\n2026-11-04,12.34,SOMETHING\n"
    for note in ("bank_taken", "bank_known"):
        status, body = await office.post("/console/money/bank", {"file": io.BytesIO(text)})
        assert status == 303 and office.location.endswith(note), body
    lines = {row.amount_minor: row for row in office.store.read(lambda s: s.scalars(select(BankLine)).all())}
    assert (lines[7_500].matched_kind, lines[1_234].matched_kind) == ("deposit", None)
    _, page = await office.get("/console/money/bank")
    assert "SOMETHING" in page
    path = f"/console/money/bank/{lines[1_234].id}/match"
    assert (await office.post(path, {"what": "payout:po_1", "reason": "a guess"}))[0] == 409
    assert (await office.post(path, {"what": "other", "reason": "interest of the bank"}))[0] == 303
    assert office.store.read(lambda s: s.get_one(BankLine, lines[1_234].id)).matched_kind == "other"
    status, told = await office.post("/console/money/bank", {"file": io.BytesIO(b"day,amount\n1,2\n")})
    assert status == 422 and "lacks the columns" in told


async def test_a_refund_waits_for_somebody_else(office: Desk) -> None:
    payment = office.store.write(partial(_pay, desk=office, amount=6_000, tender="cash", reference="R-9"))
    policy = office.store.read(lambda s: _policy(s))
    row = office.store.write(lambda s: refunds.ask(
        s, practice_id=world.PRACTICE, payment_id=payment, amount_minor=6_000, tender="cash", reason="overpaid",
        note="paid twice", by="sue", dedupe="x", policy=policy, now=office.clock()))
    assert row.status == "waiting"
    office.hire("sue", "supervisor")
    await office.sign_in("sue")
    _, body = await office.get("/console/money/waiting")
    assert "$60.00" in body and "paid twice" in body
    assert (await office.post(f"/console/refunds/{row.id}/approve"))[0] == 409
    office.forget()
    await office.as_role("manager")
    assert (await office.post(f"/console/refunds/{row.id}/approve"))[0] == 303
    assert office.store.read(lambda s: s.get_one(Refund, row.id)).status == "succeeded"
    _, again = await office.post(f"/console/refunds/{row.id}/decline", {"reason": "too late"})
    assert "waits for nobody" in again


def _policy(session: Any) -> Any:
    from billing.store.practices import find_practice, policy_of

    row = find_practice(session, world.PRACTICE)
    assert row is not None
    policy = policy_of(row)
    return policy.model_copy(update={"payments": policy.payments.model_copy(
        update={"refund_approval_above_minor": 2_000})})


async def test_a_difference_gets_its_case_or_its_reason(desk: Desk, practice: Any) -> None:
    row = desk.store.write(lambda s: differences.left_open(
        s, world.PRACTICE, "run_1", Found("stranger", "ch_1", 1_500, None), desk.clock(), case=False))
    await desk.as_role("biller")
    _, body = await desk.get("/console/money/differences")
    assert "money of no payment of ours" in body and "$15.00" in body
    assert (await desk.post(f"/console/money/differences/{row.id}/case"))[0] == 303
    assert desk.store.read(lambda s: [one.kind for one in s.scalars(select(Case))]) == ["reconciliation"]
    assert (await desk.post(f"/console/money/differences/{row.id}/explain", {"reason": "our other clinic's"}))[0] == 303
    found = desk.store.read(lambda s: (s.get_one(Difference, row.id).status, s.scalars(select(Case.status)).one()))
    assert found == ("explained", "closed")
    _, after = await desk.get("/console/money/differences")
    assert "agree" in after


async def test_a_processor_that_does_not_answer_leaves_a_run_that_says_so(desk: Desk, practice: Any) -> None:
    await desk.as_role("biller")
    await desk.get("/console/money/differences")
    assert (await desk.post("/console/money/differences"))[0] == 303
    run = desk.store.read(lambda s: s.scalars(select(Reconciliation)).one())
    assert run.finished_at is None
    assert (await desk.post("/console/money/differences"))[0] == 409, "one at a time"
    desk.clock.advance(seconds=660)
    _, body = await desk.get("/console/money/differences")
    assert "It did not end" in body


async def test_credit_is_used_on_what_is_due_and_what_is_left_stays_listed(office: Desk) -> None:
    office.store.write(partial(_pay, desk=office, amount=20_000, tender="cash", reference="R-77"))
    await office.sign_in("ana")
    _, body = await office.get("/console/money/credits")
    assert "$129.50" in body
    status, _ = await office.post(f"/console/accounts/{world.ANNA}/use-credit")
    assert status == 303 and office.location.endswith("credit_kept")


async def test_credits_are_listed_page_by_page_with_the_sum_of_all(
        office: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money, "PAGE", 2)

    def add(session: Session) -> None:
        for number in range(5):
            world.account(session, f"acct_{number}", f"N{number}", office.clock())
            record_desk_payment(session, world.PRACTICE, f"acct_{number}", amount_minor=1_000, currency="USD",
                                tender="cash", reference=f"N{number}", recorded_by="ana", now=office.clock())

    office.store.write(add)
    await office.sign_in("ana")
    found, path = list[str](), "/console/money/credits"
    for _ in range(3):
        _, body = await office.get(path)
        assert "$50.00" in body, "of all pages"
        found += re.findall(r"accounts/(acct_\d)\?via=money#payments\">N", body)
        path = "/console/money/credits" + next_page(body)
    assert found == [f"acct_{number}" for number in range(5)]
    assert path == "/console/money/credits", "the last page leads nowhere"


async def test_a_banks_file_of_any_length_is_explained_page_by_page(office: Desk) -> None:
    """A hundred and twenty lines that nothing on file explains: each stands on exactly one page."""
    await office.as_role("supervisor")
    await office.get("/console/money/bank")
    lines = "".join(f"2026-11-{1 + number % 20:02},{number + 1}.11,LINE-{number:03}\n" for number in range(120))
    file = io.BytesIO(f"date,amount,text\n{lines}".encode())
    assert (await office.post("/console/money/bank", {"file": file}))[0] == 303
    found = [line async for body in office.pages("/console/money/bank") for line in re.findall(r"LINE-\d{3}", body)]
    assert sorted(found) == [f"LINE-{number:03}" for number in range(120)]


async def test_a_line_whose_remittance_was_undone_since_waits_to_be_taken_back(office: Desk) -> None:
    def add(session: Session) -> None:
        session.add(BankLine(id="bl_gone", practice_id=world.PRACTICE, booked_on=office.clock().date(),
                             amount_minor=7_700, text="HCCLAIMPMT", dedupe="d1", import_ref="x", line=1,
                             matched_kind="remittance", matched_ref="rem_gone", matched_by="ana",
                             matched_at=office.clock()))

    office.store.write(add)
    await office.sign_in("ana")
    _, body = await office.get("/console/money/bank")
    assert body.count("/console/money/bank/bl_gone/unmatch") == 2, "among what waits, and among what is matched"
