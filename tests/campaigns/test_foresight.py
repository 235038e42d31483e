"""The preview and the run say the same of every account: what holds a bill back, what its statement would hold, why
nothing is due.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing import consents, holds, ledger
from billing.phones import address_hash
from billing.store.tables import Case, ContactPoint, Coverage, Estimate, Guarantor, Hold, Outbox, Verdict, Visit
from bot import campaign_previews
from tests.campaigns.world import Town
from tests.payments import world
from tests.payments.world import PRACTICE

LATE = date(2025, 11, 3)


@pytest.fixture
def mixed(town: Town) -> Town:
    """Twenty-odd accounts, each with something else about it."""
    for number in range(1, 21):
        town.account(number, on=LATE if number in (3, 4) else date(2026, 8, 3), phone=number != 5,
                     due_minor=90_000 if number in (6, 7) else 10_000)
    now = town.clock()
    for number, kind in ((8, "dispute"), (9, "bankruptcy"), (10, "qmb"), (11, "paid_already"), (12, "first_look"),
                         (13, "assistance_pending")):
        town.do(lambda s, number=number, kind=kind: holds.place(  # type: ignore[misc]
            s, practice_id=PRACTICE, guarantor_id=f"acct_{number}", kind=kind, reason="as told", source="desk",
            placed_by="ana", now=now, visit_id=f"visit_{number}" if kind == "dispute" else None))
    town.do(lambda s: _unlike(s, town))
    town.pay("acct_18", 10_000)
    town.do(lambda s: world.visit(s, "visit_new", "acct_18", "N00018", date(2026, 10, 20), 8_000, now))
    town.do(lambda s: ledger.post(s, [ledger.Posting(
        PRACTICE, ledger.patient("visit_18"), ledger.wide("revenue"), 2_500, "USD", "charge",
        town.policy.local_day(now), "desk", "charge:again", "acct_18", "visit_18")], now))
    town.clock.advance(seconds=1)
    town.pay("acct_19", 10_000)
    return town


def _unlike(session: Session, town: Town) -> None:
    now = town.clock()
    for number, estimate in ((6, 20_000), (7, 80_000)):
        session.add(Estimate(
            id=f"est_{number}", practice_id=PRACTICE, provider="", amount_minor=estimate, given_on=date(2026, 7, 1),
            visit_external_hash=session.get_one(Visit, f"visit_{number}").external_hash, created_at=now))
    session.get_one(Guarantor, "acct_14").confirmed_at = None
    phone = address_hash(PRACTICE, "sms", session.scalars(select(ContactPoint.address).where(
        ContactPoint.guarantor_id == "acct_15")).one())
    consents.record_revoked(session, PRACTICE, "sms", phone, wording="STOP", medium="text", recorded_by="x", now=now)
    session.get_one(Guarantor, "acct_16").language = "fr"
    session.add(Coverage(id="cov_17", practice_id=PRACTICE, visit_id="visit_17", rank=1, payer_name="Acme",
                         payer_id="1", filing_code="CI", status="pending", claim_of_record="", import_id="imp_1"))


def foreseen(town: Town, campaign_id: str) -> dict[str, str]:
    """By account, the rule that leaves it out, or nothing where it would be told."""
    row = town.row(campaign_id)

    def look(session: Session) -> dict[str, str]:
        before = _everything(session)
        found = campaign_previews.preview(session, town.road, town.policy, row, town.clock())
        session.flush()
        assert _everything(session) == before, "a preview writes nothing"
        return {id_: "" if one.outcome in ("send", "defer") else one.rule
                for one in found.groups for id_ in found.ids(one.outcome, one.rule)}

    return town.do(look)


def _everything(session: Session) -> list[int]:
    return [session.scalar(select(func.count()).select_from(table)) or 0 for table in (Hold, Case, Outbox, Verdict)]


def come_true(town: Town, campaign_id: str) -> dict[str, str]:
    """By account, the rule that left it out of the run, or the gate's when its message was queued."""
    while town.feed():
        pass
    fates = town.fates(campaign_id)

    def read(session: Session) -> dict[str, str]:
        ruled = {one.guarantor_id: "" if verdict.outcome != "withhold" else verdict.rule
                 for one, verdict in session.execute(
                     select(Outbox, Verdict).join(Verdict, Verdict.outbox_id == Outbox.id)
                     .where(Outbox.campaign_id == campaign_id).order_by(Verdict.id))}
        return {id_: rule or ruled.get(id_, "") for id_, (_, rule) in fates.items()}

    return town.do(read)


def test_a_run_of_statements_does_to_each_account_what_its_preview_has_said(mixed: Town) -> None:
    campaign_id = mixed.campaign(ways=("sms",))
    said = foreseen(mixed, campaign_id)
    mixed.preview(campaign_id)
    mixed.approve(campaign_id)
    mixed.start(campaign_id)
    assert come_true(mixed, campaign_id) == said
    assert {said[f"acct_{number}"] for number in (1, 2, 7)} == {""}
    assert [said[f"acct_{number}"] for number in (3, 4, 5, 8, 9, 14, 17, 18, 19)] == [
        "hold:first_look", "hold:first_look", "no-way", "nothing-due", "hold:bankruptcy", "guarantor-unconfirmed",
        "insurance-pending", "hold:first_look", "nothing-due"]
    assert said["acct_6"] in ("hold:gfe_exceeded", "nothing-due")


def test_a_run_of_reminders_does_to_each_account_what_its_preview_has_said(mixed: Town) -> None:
    mixed.settle(dunning={"very_old_days": 180})
    mixed.account(21, on=mixed.policy.local_day(mixed.clock()) - timedelta(days=170))
    mixed.launched(ways=("sms",))
    mixed.work()
    mixed.clock.advance(days=20)
    mixed.do(lambda s: world.visit(s, "visit_more", "acct_2", "N00002", mixed.policy.local_day(mixed.clock())
                                   - timedelta(days=3), 5_000, mixed.clock()))
    campaign_id = mixed.campaign(purpose="reminder", template="reminder_first", ways=("sms",))
    said = foreseen(mixed, campaign_id)
    mixed.preview(campaign_id)
    mixed.approve(campaign_id)
    mixed.start(campaign_id)
    assert come_true(mixed, campaign_id) == said
    assert [said[f"acct_{number}"] for number in (1, 2, 3, 20, 21)] == [
        "", "statement-first", "statement-first", "", "hold:audit"]
