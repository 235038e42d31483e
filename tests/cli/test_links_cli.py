"""A link leaves for one account as the console sends it: seen first, by the gate, once a day."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import holds
from billing.store.practices import find_practice
from billing.store.tables import Audit, Link, Outbox, Payment
from bot.cli.exits import NOT_FOUND, OK, REFUSED, USAGE
from tests.cli.conftest import EXAMPLE, Office, Outcome, Run
from tests.conftest import TUESDAY
from tests.console.samples import changed, digest
from tests.parties.scene import set_up

ACCOUNT = "AC-guar_ann"


def begin(plainbill: Run, office: Office, sending: str = "on") -> Office:
    text = Path(EXAMPLE).read_text("utf-8").replace('sending = "shadow"', f'sending = "{sending}"')
    Path("mine.toml").write_text(text + "\n[plans]\nminimum_instalment_minor = 2000\n", encoding="utf-8")
    assert plainbill("practice", "set", "mine.toml").code == OK

    def ann(session: Session) -> None:
        practice = find_practice(session, "main")
        assert practice is not None
        set_up(practice, TUESDAY)(session)

    office().write(ann)
    return office


@pytest.fixture
def desk(plainbill: Run, office: Office) -> Office:
    """A practice that sends and offers plans; Ann owes $70.00 and $50.00 and agreed to texts. Call it for its store,
    anew after each command: those bring keys of their own.
    """
    return begin(plainbill, office)


@pytest.fixture
def told(plainbill: Run) -> Run:
    """Run a command as a biller on a Tuesday."""
    return partial(plainbill, STAFF="ana", CLOCK=TUESDAY.isoformat())


def kept(store: Office) -> tuple[list[Payment], list[Outbox], list[Link]]:
    def read(session: Session) -> tuple[list[Payment], list[Outbox], list[Link]]:
        return (list(session.scalars(select(Payment))), list(session.scalars(select(Outbox))),
                list(session.scalars(select(Link).where(Link.purpose.in_(("pay", "plan"))))))

    return store().read(read)


def acts(store: Office) -> list[tuple[str, str, str]]:
    return store().read(lambda s: [(row.actor, row.action, row.object_id) for row in s.scalars(
        select(Audit).where(Audit.action.contains("send_link")))])


def said(done: Outcome) -> str:
    assert done.code == OK, done.err
    return done.out


def test_without_send_the_message_is_shown_and_nothing_but_the_trail_changes(told: Run, desk: Office) -> None:
    before = desk().read(digest)
    out = said(told("pay-link", ACCOUNT, "--amount", "40"))
    assert "$40.00" in out and "/l/…" in out and "2 segments" in out and "it may go" in out
    assert "Nothing was sent" in out
    assert changed(before, desk().read(digest)) == ["audit"]
    assert acts(desk) == [("ana", "payment.send_link.tried", "guar_ann")]


def test_a_look_as_json_names_no_payment_and_no_message_as_neither_stays(told: Run, desk: Office) -> None:
    shown = told("pay-link", ACCOUNT, "--json").json
    assert (shown["was_sent"], shown["payment"], shown["message"]["message_id"]) == (False, None, None)
    assert (shown["amount_minor"], shown["message"]["outcome"], shown["message"]["segments"]) == (12_000, "send", 2)


def test_with_send_the_payment_is_made_ready_and_the_message_queued_with_its_link(told: Run, desk: Office) -> None:
    done = told("pay-link", ACCOUNT, "--amount", "12.50", "--send", "--json").json
    ((payment,), (message,), (link,)) = kept(desk)
    assert (payment.id, payment.amount_minor, payment.status) == (done["payment"], 1250, "link_sent")
    assert (payment.recorded_by, payment.processor, link.object_id) == ("ana", "stripe", payment.id)
    assert (message.id, message.status, message.guarantor_id) == (done["message"]["message_id"], "queued", "guar_ann")
    assert "$" not in message.body and "/l/…" in done["message"]["body"]
    assert acts(desk) == [("ana", "payment.send_link", message.id)]


def test_only_the_visits_that_are_named_are_asked_for(told: Run, desk: Office) -> None:
    done = told("pay-link", ACCOUNT, "--visit", "guar_ann_v2", "--send", "--json").json
    assert (done["amount_minor"], done["visits"]) == (5000, ["guar_ann_v2"])
    assert kept(desk)[0][0].amount_minor == 5000


def test_the_same_link_is_sent_once_a_day_and_makes_no_second_payment(told: Run, desk: Office) -> None:
    said(told("pay-link", ACCOUNT, "--amount", "40", "--send"))
    before = desk().read(digest)
    again = told("pay-link", ACCOUNT, "--amount", "40", "--send")
    assert again.code == REFUSED and "today already" in again.err
    assert changed(before, desk().read(digest)) == []


def test_what_the_gate_withholds_is_shown_and_refused_and_makes_nothing_ready(told: Run, desk: Office) -> None:
    desk().write(partial(holds.place, practice_id="main", guarantor_id="guar_ann", kind="handover", reason="told",
                       source="test", placed_by="test", now=TUESDAY))
    out = said(told("pay-link", ACCOUNT))
    assert "it may not go" in out and "a person has this conversation in hand" in out and "would be refused" in out
    before = desk().read(digest)
    done = told("pay-link", ACCOUNT, "--send")
    assert done.code == REFUSED and "does not let it go" in done.err
    assert changed(before, desk().read(digest)) == [] and kept(desk) == ([], [], [])


def test_a_practice_that_only_tries_out_sending_sends_no_link_and_hears_that_it_would_have_gone_out(
        plainbill: Run, told: Run, office: Office) -> None:
    store = begin(plainbill, office, "shadow")
    assert "would have gone out" in said(told("pay-link", ACCOUNT))
    assert told("pay-link", ACCOUNT, "--send").code == REFUSED and kept(store) == ([], [], [])


@pytest.mark.parametrize(("asked", "code", "words"), [
    ((ACCOUNT, "--amount", "400"), REFUSED, "more than the $120.00"),
    ((ACCOUNT, "--amount", "1.234"), USAGE, "--amount"),
    ((ACCOUNT, "--visit", "none"), NOT_FOUND, "--visit"), ((ACCOUNT, "--visit", "visit_A-1"), NOT_FOUND, "--visit"),
    (("A-1",), REFUSED, "no way to reach them"), (("A-9",), NOT_FOUND, "no such account")])
def test_what_cannot_be_asked_for_is_a_sentence_and_changes_nothing(
        told: Run, desk: Office, asked: tuple[str, ...], code: int, words: str) -> None:
    before = desk().read(digest)
    done = told("pay-link", *asked, "--send")
    assert done.code == code and words in done.err and "Traceback" not in done.err
    assert changed(before, desk().read(digest)) == []


def test_a_plan_on_offer_is_sent_after_a_look_that_changes_nothing(told: Run, desk: Office) -> None:
    plan = told("plans", "offer", ACCOUNT, "--count", "3", "--json").json["plan"]
    before = desk().read(digest)
    assert "/l/…" in said(told("plans", "link", "1")) and changed(before, desk().read(digest)) == ["audit"]
    done = told("plans", "link", plan["plan"], "--send", "--json").json
    ((), (message,), links) = kept(desk)
    assert (message.id, message.purpose, message.status) == (done["message"]["message_id"], "notice", "queued")
    assert {one.object_id for one in links} == {plan["plan"]} and done["number"] == 1
    assert acts(desk) == [("ana", "plan.send_link.tried", plan["plan"]), ("ana", "plan.send_link", message.id)]
    again = told("plans", "link", "1", "--send")
    assert again.code == REFUSED and "today already" in again.err


def test_a_plan_that_waits_for_approval_or_was_cancelled_or_is_none_is_not_sent(told: Run, desk: Office) -> None:
    told("plans", "offer", ACCOUNT, "--amount", "10", "--every", "month", "--exception", "small pension")
    waits = told("plans", "link", "1", "--send")
    assert waits.code == REFUSED and "approval" in waits.err
    told("plans", "cancel", "1", "--reason", "asked")
    ended = told("plans", "link", "1", "--send")
    assert ended.code == REFUSED and "not on offer any more" in ended.err
    assert told("plans", "link", "2").code == NOT_FOUND and kept(desk)[1] == []


def test_what_the_gate_withholds_of_a_plan_leaves_no_message(plainbill: Run, told: Run, office: Office) -> None:
    desk = begin(plainbill, office, "shadow")
    told("plans", "offer", ACCOUNT, "--count", "3")
    assert "it may not go" in said(told("plans", "link", "1"))
    done = told("plans", "link", "1", "--send")
    assert done.code == REFUSED and "does not let it go" in done.err and kept(desk)[1] == []


def test_nobody_without_the_right_to_send_looks_or_sends(told: Run, desk: Office) -> None:
    told("plans", "offer", ACCOUNT, "--count", "3")
    before = desk().read(digest)
    for asked in (("pay-link", ACCOUNT), ("pay-link", ACCOUNT, "--send"), ("plans", "link", "1", "--send")):
        assert told(*asked, STAFF="aud").code == REFUSED
    assert changed(before, desk().read(digest)) == []
