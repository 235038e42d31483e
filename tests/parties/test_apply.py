"""Commands carried out: each does what it says, in one transaction, or refuses with a reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import cases, consents, holds, links
from billing.apply import carry_out
from billing.command_context import Context
from billing.commands import (
    CancelPayment,
    Command,
    CommandRefused,
    ForgetVerification,
    MakeLink,
    MakeStatement,
    MarkVerified,
    MarkWrongNumber,
    OpenCase,
    PlaceHold,
    RecordDetailPreference,
    RecordIdentityFailure,
    RecordOptOut,
    RequestPayment,
    RestoreConsent,
    SetLanguage,
)
from billing.consents import Standing
from billing.store import consent_queries
from billing.store.tables import Audit, Conversation, Guarantor, Payment, Practice, Statement
from bot.write import Store
from tests.parties import scene as made
from tests.parties.scene import Scene, set_up

Do = Callable[[Command], str | None]


@pytest.fixture
def scene(store: Store, practice: Practice, now: datetime) -> Scene:
    return store.write(set_up(practice, now))


def doing(session: Session, scene: Scene, inbox_id: int | None = 1) -> Do:
    context = Context(practice_id=scene.practice_id, conversation_id=scene.conversation_id, address=made.PHONE,
                      address_hash=scene.hashed, channel="sms", inbox_id=inbox_id, language="en", now=scene.now)
    return lambda command: carry_out(session, command, context)


def run(store: Store, scene: Scene, *commands: Command) -> list[str | None]:
    return store.write(lambda session: [doing(session, scene)(command) for command in commands])


def standing(store: Store, scene: Scene) -> Standing:
    return store.read(lambda session: consents.standing(session, scene.practice_id, "sms", scene.hashed,
                                                        scene.guarantor_id))


def talk(store: Store, scene: Scene) -> Conversation:
    found = store.read(lambda session: session.get(Conversation, scene.conversation_id))
    assert found is not None
    return found


def test_stop_and_start(store: Store, scene: Scene) -> None:
    run(store, scene, RecordOptOut("Please stop"))
    assert standing(store, scene).opted_out
    run(store, scene, RestoreConsent("START"))
    assert not standing(store, scene).opted_out


def test_yes_after_stop_is_refused_even_if_a_conversation_asked_for_it(store: Store, scene: Scene) -> None:
    run(store, scene, RecordOptOut("stop"))
    with pytest.raises(consents.ConsentRefused):
        run(store, scene, RestoreConsent("yes"))
    assert standing(store, scene).opted_out


def test_the_wish_for_amounts_is_kept_with_the_warning_s_version(store: Store, scene: Scene) -> None:
    run(store, scene, RecordDetailPreference(scene.guarantor_id, True, "detail_warning 3"))
    assert standing(store, scene).detail_event_id is not None
    run(store, scene, RecordDetailPreference(scene.guarantor_id, False, "detail_warning 3"))
    assert standing(store, scene).detail_event_id is None


def test_verification_is_kept_forgotten_and_audited(store: Store, scene: Scene) -> None:
    run(store, scene, RecordIdentityFailure(None), RecordIdentityFailure(None))
    assert talk(store, scene).tries == 2
    run(store, scene, MarkVerified(scene.guarantor_id))
    found = talk(store, scene)
    assert (found.guarantor_id, found.verified_at, found.tries) == (scene.guarantor_id, scene.now, 0)
    run(store, scene, ForgetVerification("asked to"))
    assert talk(store, scene).guarantor_id is None
    entries = store.read(lambda session: [a.action for a in session.scalars(select(Audit))])
    assert "verified" in entries


def test_a_lock_stands_in_place_of_the_count(store: Store, scene: Scene) -> None:
    until = scene.now + timedelta(hours=1)
    run(store, scene, *[RecordIdentityFailure(None)] * 4, RecordIdentityFailure(until))
    found = talk(store, scene)
    assert (found.tries, found.locked_until) == (0, until)


def test_a_language_is_the_conversation_s_and_the_verified_account_s(store: Store, scene: Scene) -> None:
    run(store, scene, SetLanguage("es"))
    assert (talk(store, scene).language, talk(store, scene).language_chosen) == ("es", True)
    language = store.read(lambda session: session.scalars(select(Guarantor.language)).one())
    assert language == "en"
    run(store, scene, MarkVerified(scene.guarantor_id), SetLanguage("es"))
    assert store.read(lambda session: session.scalars(select(Guarantor.language)).one()) == "es"


def test_a_change_is_seen_by_whoever_holds_the_conversation_s_row(store: Store, scene: Scene) -> None:
    def work(session: Session) -> None:
        held = session.get(Conversation, scene.conversation_id)
        assert held is not None
        doing(session, scene)(MarkVerified(scene.guarantor_id))
        session.refresh(held)
        assert held.guarantor_id == scene.guarantor_id

    store.write(work)


def test_a_case_with_its_hold_stands_until_it_is_closed(store: Store, scene: Scene) -> None:
    [number] = run(store, scene, OpenCase("handover", "A person is asked for", "please call", hold="handover",
                                          account_id=scene.guarantor_id))
    assert number == "1"

    def work(session: Session) -> None:
        assert holds.open_account_kinds(session, scene.guarantor_id) == ("handover",)
        cases.close(session, scene.practice_id, "1", by="bea", resolution="called", now=scene.now)
        assert holds.open_account_kinds(session, scene.guarantor_id) == ()

    store.write(work)


def test_the_same_cause_in_the_same_conversation_is_one_case(store: Store, scene: Scene) -> None:
    asked = OpenCase("handover", "A person is asked for", "please call", account_id=scene.guarantor_id)
    assert run(store, scene, asked, asked) == ["1", "1"]


@pytest.mark.parametrize("account_id", [None, "guar_ann"])
def test_an_emergency_stops_demands_to_everybody_on_the_number(
        store: Store, practice: Practice, scene: Scene, account_id: str | None) -> None:
    store.write(set_up(practice, scene.now, name="guar_bob"))
    run(store, scene, OpenCase("emergency", "Emergency message", "see the thread", hold="emergency", urgent=True,
                               account_id=account_id))
    for guarantor_id in ("guar_ann", "guar_bob"):
        kinds = store.read(lambda session, g=guarantor_id: holds.open_account_kinds(session, g))  # type: ignore[misc]  # a lambda with a default
        assert kinds == ("emergency",)


def test_a_wrong_number_loses_consent_links_and_verification_and_becomes_a_case(store: Store, scene: Scene) -> None:
    [_, token] = run(store, scene, MarkVerified(scene.guarantor_id), MakeLink("statement", scene.guarantor_id, "s"))
    assert token is not None
    run(store, scene, MarkWrongNumber("wrong number"), MarkWrongNumber("wrong number!"))
    assert standing(store, scene).consent_event_id is None
    assert store.read(lambda session: links.open(session, token, scene.now)) is None
    assert talk(store, scene).guarantor_id is None

    def look(session: Session) -> tuple[set[str], list[str]]:
        statuses = consent_queries.contact_statuses(session, scene.practice_id, scene.hashed, None)
        return statuses, [case.kind for case in cases.list_cases(session, scene.practice_id)]

    assert store.read(look) == ({"wrong_number"}, ["wrong_number"])


def test_a_link_opens_what_it_was_made_for_as_long_as_the_policy_says(store: Store, scene: Scene) -> None:
    [token] = run(store, scene, MakeLink("receipt", scene.guarantor_id, "pay_1"))
    assert token is not None
    found = store.read(lambda session: links.open(session, token, scene.now))
    assert found is not None and (found.purpose, found.object_id) == ("receipt", "pay_1")
    assert found.expires_at == scene.now + timedelta(days=30)


def test_a_hold_can_be_placed(store: Store, scene: Scene) -> None:
    run(store, scene, PlaceHold(scene.guarantor_id, "insurance_update", "new card", scene.visits[0]))
    assert store.read(lambda s: holds.open_visit_kinds(s, scene.visits[0])) == ("insurance_update",)


def pay(scene: Scene, version: int, minor: int = 7_000) -> RequestPayment:
    return RequestPayment(scene.guarantor_id, minor, ((scene.visits[0], minor),), version, "en")


def current(store: Store, scene: Scene) -> int:
    return store.write(lambda session: made.version(session, scene))


def test_a_payment_is_written_down_with_its_link_and_can_be_cancelled(store: Store, scene: Scene) -> None:
    [token] = run(store, scene, pay(scene, current(store, scene)))
    assert token is not None
    door = store.read(lambda session: links.open(session, token, scene.now))
    assert door is not None and door.purpose == "pay"

    def status(session: Session) -> tuple[str, int]:
        row = session.get(Payment, door.object_id)
        assert row is not None
        return row.status, row.amount_minor

    assert store.read(status) == ("link_sent", 7_000)
    run(store, scene, CancelPayment(door.object_id, "changed their mind"))
    assert store.read(status) == ("cancelled", 7_000)


@pytest.mark.parametrize(("change", "reason"), [({}, "stale_balance"), ({"minor": 7_001}, "too_much")])
def test_a_payment_agreed_on_another_balance_is_refused(
        store: Store, scene: Scene, change: dict[str, Any], reason: str) -> None:
    version = current(store, scene)
    with pytest.raises(CommandRefused) as refused:
        run(store, scene, pay(scene, version if change else version - 1, **change))
    assert refused.value.refused.reason == reason
    assert store.read(lambda session: list(session.scalars(select(Payment.id)))) == []


def test_a_payment_for_a_disputed_visit_is_refused_and_for_the_other_one_taken(store: Store, scene: Scene) -> None:
    run(store, scene, PlaceHold(scene.guarantor_id, "dispute", "asked", scene.visits[1]))
    version = current(store, scene)
    other = RequestPayment(scene.guarantor_id, 5_000, ((scene.visits[1], 5_000),), version, "en")
    with pytest.raises(CommandRefused):
        run(store, scene, other)
    assert run(store, scene, pay(scene, version))[0] is not None


def test_a_statement_decided_on_another_balance_is_refused(store: Store, scene: Scene) -> None:
    stale = MakeStatement(scene.guarantor_id, "en", current(store, scene) - 1)
    with pytest.raises(CommandRefused) as refused:
        run(store, scene, stale)
    assert refused.value.refused.reason == "stale_balance"


def test_a_statement_is_made_with_a_link_to_it(store: Store, scene: Scene) -> None:
    [token] = run(store, scene, MakeStatement(scene.guarantor_id, "en", current(store, scene)))
    assert token is not None
    door = store.read(lambda session: links.open(session, token, scene.now))
    assert door is not None and door.purpose == "statement"
    row = store.read(lambda session: session.get(Statement, door.object_id))
    assert row is not None and row.total_minor == 12_000
