"""Undoing shows first what it would post; whoever was told a wrong amount hears it put right once, reviewed."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from billing import corrections, ledger, payments, statements
from billing.phones import address_hash
from billing.store.practices import find_practice
from billing.store.tables import (
    Audit,
    Conversation,
    Correction,
    ImportRun,
    Outbox,
    PrivacyIncident,
    Transfer,
    Visit,
)
from tests.console.conftest import Desk
from tests.console.samples import changed, digest
from tests.console.test_inbox import text
from tests.console.test_lists import confirm, rows
from tests.console.test_looked import trail
from tests.parties.scene import PHONE, set_up
from tests.payments import world

IMPORT = "imp_2"


@pytest.fixture
def ann(desk: Desk) -> str:
    """Somebody who consented to texts, with another $30.00 that came with an import of its own, and was told of all."""
    practice = desk.store.read(lambda s: find_practice(s, world.PRACTICE))
    assert practice is not None
    desk.store.write(set_up(practice, desk.clock()))
    desk.store.write(lambda s: _import(s, desk))
    return "guar_ann"


def _import(session: Session, desk: Desk) -> None:
    now = desk.clock()
    session.add(ImportRun(id=IMPORT, practice_id=world.PRACTICE, file_name="june.csv", digest="2", kind="csv",
                          status="finished", outcome="posted", options={}, started_by="ana", started_at=now))
    session.flush()
    first = session.get_one(Visit, "guar_ann_v1")
    session.add(Visit(id="visit_wrong", practice_id=world.PRACTICE, guarantor_id="guar_ann",
                      patient_id=first.patient_id, external="W1", external_hash="hash_w1", origin="charges", kind="csv",
                      charge_minor=3000, service_from_on=date(2026, 6, 1), import_id=IMPORT, created_at=now))
    session.flush()
    ledger.post(session, [ledger.Posting(
        world.PRACTICE, ledger.patient("visit_wrong"), ledger.wide("revenue"), 3000, "USD", "charge",
        date(2026, 6, 1), "csv", "charge:wrong", "guar_ann", "visit_wrong", import_id=IMPORT)], now)
    statements.make(session, "guar_ann", "en", now + timedelta(minutes=1))


def transfers(desk: Desk) -> int:
    return len(rows(desk, Transfer))


async def undo(desk: Desk) -> str:
    """Look, press, and return the page of the look."""
    await desk.get(f"/console/undo/{IMPORT}")
    status, preview = await desk.post(f"/console/undo/{IMPORT}", {"reason": "the wrong month"})
    assert status == 200, preview
    return preview


async def test_the_look_at_undoing_shows_postings_and_accounts_and_changes_nothing(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    before = desk.store.read(digest)
    preview = await undo(desk)
    assert changed(before, desk.store.read(digest)) == ["audit"]
    assert "$150.00" in preview and "$120.00" in preview and "reversal" in preview and "$30.00" in preview


async def test_the_look_at_undoing_never_holds_the_one_writer(desk: Desk, ann: str) -> None:
    """It posts everything to see what comes of it: minutes for a large import, and on a copy."""
    await desk.as_role("biller")
    written = list[str]()

    def note(_conn: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE", "SAVEPOINT")):
            written.append(statement)

    await desk.get(f"/console/undo/{IMPORT}")
    event.listen(desk.store._writer, "before_cursor_execute", note)
    try:
        assert (await desk.post(f"/console/undo/{IMPORT}", {"reason": "the wrong month"}))[0] == 200
    finally:
        event.remove(desk.store._writer, "before_cursor_execute", note)
    undone = [one for one in written if one.startswith("UPDATE imports")]
    assert bool(undone) == (desk.store.engine.dialect.name == "postgresql"), "there it is in the way of its rows alone"
    assert [one for one in rows(desk, Audit) if one.action.endswith(".tried")], "the look stands in the trail"


async def test_undoing_posts_what_the_look_showed_and_proposes_one_correction_to_who_was_told(
        desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    count = transfers(desk)
    assert (await confirm(desk, await undo(desk)))[0] == 303
    assert transfers(desk) == count + 1
    (asked,) = rows(desk, Correction)
    assert (asked.said_minor, asked.right_minor, asked.status) == (15_000, 12_000, "proposed")
    status, _ = await desk.post(f"/console/undo/{IMPORT}", {"reason": "once more", "sure": "true"})
    assert status == 409 and len(rows(desk, Correction)) == 1
    assert not [one for one in rows(desk, Outbox) if "correction" in one.template]


async def test_a_correction_leaves_after_a_second_person_and_only_once(desk: Desk, ann: str) -> None:
    desk.hire("sue", "supervisor")
    await desk.as_role("supervisor")
    await confirm(desk, await undo(desk))
    (asked,) = rows(desk, Correction)
    await desk.get("/console/corrections")
    form = {"tell": "true", "note": "checked against the file"}
    assert (await desk.post(f"/console/corrections/{asked.id}/review", form))[0] == 409
    desk.forget()
    await desk.sign_in("sue")
    assert (await desk.post(f"/console/corrections/{asked.id}/review", form))[0] == 303
    (sent,) = [one for one in rows(desk, Outbox) if "correction" in one.template]
    assert "was wrong" in sent.body and "$" not in sent.body and sent.purpose == "notice"
    assert sent.status in ("queued", "deferred")
    assert (await desk.post(f"/console/corrections/{asked.id}/review", form))[0] == 409
    assert rows(desk, Correction)[0].status == "told"


async def test_a_payment_is_moved_as_the_look_showed(desk: Desk) -> None:
    desk.store.write(lambda s: world.anna(s, desk.clock()))
    payment = desk.store.write(lambda s: payments.record_desk_payment(
        s, world.PRACTICE, world.ANNA, amount_minor=2000, currency="USD", tender="cash", reference="R1",
        recorded_by="test", now=desk.clock()).id)
    await desk.as_role("biller")
    _, page = await desk.get(f"/console/payments/{payment}/move")
    assert "20.00" in page
    before = desk.store.read(world.balances)
    form: dict[str, Any] = {"visit_ids": [world.OLD, world.NEW, "credit"], "amounts": ["0", "20.00", "0"],
                            "reason": "it was for June"}
    status, preview = await desk.post(f"/console/payments/{payment}/move", form)
    assert status == 200 and desk.store.read(world.balances) == before
    assert (await confirm(desk, preview))[0] == 303
    after = desk.store.read(world.balances)
    assert (after["old"], after["new"]) == (world.OLD_MINOR, world.NEW_MINOR - 2000)
    short = {**form, "amounts": ["0", "10.00", "0"]}
    assert (await desk.post(f"/console/payments/{payment}/move", short))[0] == 409


async def test_an_incident_has_its_last_day_and_ends_only_once_it_is_assessed_and_people_are_told(desk: Desk) -> None:
    desk.store.write(lambda s: world.anna(s, desk.clock()))
    await desk.as_role("supervisor")
    await desk.get("/console/incidents")
    found = {"kind": "wrong_party", "what": "A letter went next door.", "account_ids": "A1"}
    assert (await desk.post("/console/incidents", found))[0] == 303
    (row,) = rows(desk, PrivacyIncident)
    where, today = f"/console/incidents/{row.id}", desk.clock().date()
    assert row.tell_by_on == today + timedelta(days=60) and list(row.accounts) == [world.ANNA]
    assert (await desk.post(f"{where}/close"))[0] == 409
    factors = {"nature": "a bill", "recipient": "a neighbour", "seen": "opened", "mended": "given back"}
    assert (await desk.post(f"{where}/assessment", {**factors, "seen": " ", "conclusion": "breach"}))[0] == 422
    assert (await desk.post(f"{where}/assessment", {**factors, "conclusion": "breach"}))[0] == 303
    assert (await desk.post(f"{where}/close"))[0] == 409
    desk.clock.advance(days=61)
    desk.forget()
    await desk.as_role("supervisor")
    assert 'class="alert" role="alert"' in (await desk.get(where))[1]
    told = {"on": (desk.clock().date() + timedelta(days=5)).isoformat(), "how": "letter"}
    assert (await desk.post(f"{where}/told", told))[0] == 409
    assert (await desk.post(f"{where}/told", {**told, "on": (today + timedelta(days=3)).isoformat()}))[0] == 303
    assert (await desk.post(f"{where}/close"))[0] == 303
    assert rows(desk, PrivacyIncident)[0].status == "closed"


async def test_whoever_texts_that_it_is_the_wrong_number_after_amounts_went_there_opens_an_incident(
        desk: Desk, ann: str) -> None:
    hashed = address_hash(world.PRACTICE, "sms", PHONE)

    def told(session: Session) -> None:
        talk = session.get_one(Conversation, "conv_guar_ann")
        talk.address_hash, talk.last_inbound_at = hashed, desk.clock()
        session.add(Outbox(
            id="msg_told", practice_id=world.PRACTICE, channel="sms", address=PHONE, address_hash=hashed,
            purpose="reply", template="balance", template_version="1", language="en", privacy="amounts", arguments={},
            body="x", segments=1, idempotency_key="told", status="delivered", due_at=desk.clock(),
            created_at=desk.clock()))

    desk.store.write(told)
    text(desk, "Wrong number", 1)
    (found,) = rows(desk, PrivacyIncident)
    assert (found.kind, list(found.accounts), found.status) == ("wrong_party", [ann], "open")


def test_t_35_a_wrong_number_that_read_amounts_opens_one_incident_and_one_that_read_none_opens_none(
        desk: Desk) -> None:
    from billing import privacy_incidents

    desk.store.write(lambda s: world.anna(s, desk.clock()))

    def tell(session: Session, key: str, privacy: str) -> None:
        session.add(Outbox(
            id=key, practice_id=world.PRACTICE, channel="sms", address="+12125550142", address_hash=f"hash_{privacy}",
            purpose="reply", template="balance", template_version="1", language="en", privacy=privacy, arguments={},
            body="x", segments=1, idempotency_key=key, status="delivered", due_at=desk.clock(),
            created_at=desk.clock()))

    for key, privacy in (("msg_a", "amounts"), ("msg_o", "open")):
        desk.store.write(lambda s, key=key, privacy=privacy: tell(s, key, privacy))  # type: ignore[misc]
    for _ in range(2):
        for privacy in ("amounts", "open"):
            desk.store.write(lambda s, privacy=privacy: privacy_incidents.from_wrong_number(  # type: ignore[misc]
                s, world.PRACTICE, f"hash_{privacy}", [world.ANNA], by="conversation", now=desk.clock()))
    found = desk.store.read(lambda s: s.scalars(select(PrivacyIncident.dedupe)).all())
    assert found == ["wrong_number:hash_amounts"]


async def test_an_import_is_undone_as_the_look_showed_or_not_at_all(desk: Desk, ann: str) -> None:
    await desk.as_role("biller")
    preview = await undo(desk)
    assert trail(desk, "import.undo") == [] and trail(desk, "import.undo.tried") == [("import.undo.tried", IMPORT)]
    desk.store.write(lambda s: ledger.post(s, [ledger.Posting(
        world.PRACTICE, ledger.wide("charity"), ledger.patient("guar_ann_v1"), 1000, "USD", "charity",
        date(2026, 11, 2), "test", "relief:2", ann, "guar_ann_v1")], desk.clock()))
    before = len(rows(desk, Transfer))
    status, body = await confirm(desk, preview)
    assert status == 409 and "changed since you looked" in body and len(rows(desk, Transfer)) == before
    assert (await confirm(desk, await undo(desk)))[0] == 303


async def test_a_correction_of_what_is_right_again_is_not_sent(desk: Desk, ann: str) -> None:
    desk.hire("sue", "supervisor")
    await desk.as_role("biller")
    await confirm(desk, await undo(desk))
    (asked,) = rows(desk, Correction)
    desk.store.write(lambda s: ledger.post(s, [ledger.Posting(
        world.PRACTICE, ledger.patient("guar_ann_v1"), ledger.wide("revenue"), 3000, "USD", "charge",
        date(2026, 11, 2), "csv", "charge:again", ann, "guar_ann_v1")], desk.clock()))
    desk.forget()
    await desk.sign_in("sue")
    await desk.get("/console/corrections")
    status, body = await desk.post(f"/console/corrections/{asked.id}/review", {"tell": "true", "note": "looked"})
    assert status == 409 and "due again" in body
    assert [one for one in rows(desk, Outbox) if "correction" in one.template] == []


def test_what_is_on_its_way_to_a_patient_counts_as_said(desk: Desk, ann: str) -> None:
    desk.clock.advance(minutes=2)  # after the statement
    at = desk.clock()
    desk.store.write(lambda s: s.add(Outbox(
        id="msg_going", practice_id=world.PRACTICE, channel="sms", address="+12125550142", address_hash="x",
        purpose="reply", template="balance", template_version="1", language="en", privacy="amounts", arguments={},
        body="x", segments=1, idempotency_key="going", status="sending", due_at=at, created_at=at, guarantor_id=ann,
        amount_minor=99_99)))
    (row,) = desk.store.write(lambda s: corrections.propose(
        s, world.PRACTICE, [ann], "test:1", "wrong", since=at, by="ana", today=date(2026, 11, 3), now=at))
    assert (row.said_minor, row.right_minor) == (99_99, 150_00)


async def test_every_import_there_ever_was_can_be_reached_page_by_page(desk: Desk, ann: str) -> None:
    """Many began in one moment: none is shown twice, none is left out."""
    def add(session: Session) -> None:
        for number in range(120):
            session.add(ImportRun(
                id=f"imp_old{number:03}", practice_id=world.PRACTICE, file_name=f"old{number}.csv", digest=f"o{number}",
                kind="csv", status="finished", outcome="posted", options={}, started_by="ana",
                started_at=desk.clock() - timedelta(hours=1 + number // 30)))

    desk.store.write(add)
    await desk.as_role("biller")
    found = list[str]()
    async for body in desk.pages("/console/undo"):
        found += re.findall(r"href=\"/console/undo/(\w+)\"", body)
    assert sorted(found) == sorted(row.id for row in rows(desk, ImportRun))
    assert IMPORT in found[:2] and found[-1] == "imp_old090"
