"""The first word holds widely, the next one what was meant, in one case all along; on both databases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import cases, holds, narrowing
from billing.apply import carry_out
from billing.command_context import Context
from billing.commands import Command, OpenCase, SpecifyCase
from billing.figures import account_figures
from billing.store.tables import Audit, Case, Practice
from bot.write import Store
from tests.parties import scene as made
from tests.parties.scene import Scene, set_up

KEY, FIRST = "dispute:guar_ann", "dispute:conv_guar_ann"


@pytest.fixture
def scene(store: Store, practice: Practice, now: datetime) -> Scene:
    return store.write(set_up(practice, now))


def run(store: Store, scene: Scene, *commands: Command) -> list[str | None]:
    context = Context(practice_id=scene.practice_id, conversation_id=scene.conversation_id, address=made.PHONE,
                      address_hash=scene.hashed, channel="sms", inbox_id=1, language="en", now=scene.now)
    return store.write(lambda session: [carry_out(session, one, context) for one in commands])


def disputed(scene: Scene, account_id: str | None = "guar_ann", **more: Any) -> OpenCase:
    values: dict[str, Any] = {
        "detail": "this is wrong", "hold": "dispute", "dedupe": KEY if account_id else FIRST, **more}
    return OpenCase("dispute", "Patient disputes a bill", account_id=account_id, **values)


def specified(*visits: str, **more: str) -> SpecifyCase:
    return SpecifyCase("dispute", "Patient disputes a bill", KEY, "guar_ann", visits, **more)


def held(store: Store, scene: Scene) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Kinds on the account, and on each visit."""
    return store.read(lambda s: (holds.open_account_kinds(s, scene.guarantor_id),
                                 [holds.open_visit_kinds(s, visit) for visit in scene.visits]))


def due(store: Store, scene: Scene) -> int:
    return store.read(lambda s: account_figures(s, scene.guarantor_id, scene.now.date()).total.due_now_minor)


def only_case(store: Store) -> Case:
    return store.read(lambda session: session.scalars(select(Case)).one())


def said(store: Store, case: Case) -> list[str]:
    return store.read(lambda session: [note.body for note in cases.notes(session, case.id)])


def test_the_hold_moves_from_the_account_to_the_visit_and_the_rest_is_due_again(store: Store, scene: Scene) -> None:
    run(store, scene, disputed(scene))
    assert (held(store, scene), due(store, scene)) == ((("dispute",), [(), ()]), 0)
    run(store, scene, specified(scene.visits[0]))
    assert (held(store, scene), due(store, scene)) == (((), [("dispute",), ()]), 5_000)
    assert only_case(store).visit_id == scene.visits[0]


def test_narrowing_and_its_reason_are_staff_s_to_see_and_audited(store: Store, scene: Scene) -> None:
    run(store, scene, disputed(scene), specified(scene.visits[0]), specified(reason="no_visit", words="I was at work"))
    case = only_case(store)
    assert (case.reason, said(store, case)) == ("no_visit", ["reason: no_visit\nI was at work"])
    actions = store.read(lambda s: [row.action for row in s.scalars(select(Audit).where(Audit.object_id == case.id))])
    assert actions == ["case_narrowed"]


def test_a_second_dispute_of_the_same_visit_adds_to_the_case(store: Store, scene: Scene) -> None:
    first = disputed(scene, visit_id=scene.visits[0])
    assert run(store, scene, first, disputed(scene, visit_id=scene.visits[0], detail="still wrong")) == ["1", "1"]
    assert said(store, only_case(store)) == ["still wrong"]
    assert held(store, scene) == ((), [("dispute",), ()])


def test_another_visit_in_the_same_case_is_held_at_the_first_word_as_well(store: Store, scene: Scene) -> None:
    run(store, scene, disputed(scene), specified(scene.visits[0]))
    run(store, scene, disputed(scene, detail="another one is wrong"))
    assert held(store, scene) == (("dispute",), [("dispute",), ()])
    run(store, scene, specified(scene.visits[1]))
    assert held(store, scene) == ((), [("dispute",), ("dispute",)])
    assert only_case(store).visit_id is None


def test_closing_the_case_ends_every_hold_that_it_moved(store: Store, scene: Scene) -> None:
    run(store, scene, disputed(scene), specified(*scene.visits))
    store.write(lambda s: cases.close(s, scene.practice_id, "1", by="bea", resolution="right as it is", now=scene.now))
    assert (held(store, scene), due(store, scene)) == (((), [(), ()]), 12_000)


def test_a_visit_of_somebody_else_is_never_held_by_it(store: Store, practice: Practice, scene: Scene) -> None:
    other = store.write(set_up(practice, scene.now, name="guar_bob"))
    run(store, scene, disputed(scene), specified(other.visits[0], "visit_of_nobody"))
    assert held(store, scene) == (("dispute",), [(), ()])
    assert held(store, other) == ((), [(), ()])


def test_a_dispute_before_identity_holds_the_number_and_becomes_the_account_s_when_proved(
        store: Store, practice: Practice, scene: Scene) -> None:
    other = store.write(set_up(practice, scene.now, name="guar_bob"))
    run(store, scene, disputed(scene, None))
    assert held(store, scene)[0] == held(store, other)[0] == ("dispute",)
    assert run(store, scene, disputed(scene, adopts=FIRST), specified(scene.visits[0])) == ["1", "1"]
    case = only_case(store)
    assert (case.guarantor_id, case.dedupe, said(store, case)) == (scene.guarantor_id, KEY, [])
    assert held(store, scene) == ((), [("dispute",), ()])
    assert held(store, other) == ((), [(), ()])


def test_a_dispute_before_identity_joins_the_one_that_is_open_already(store: Store, scene: Scene) -> None:
    run(store, scene, disputed(scene, visit_id=scene.visits[0]))
    run(store, scene, disputed(scene, None, detail="wrong again"))
    assert run(store, scene, disputed(scene, detail="wrong again", adopts=FIRST)) == ["1"]

    def look(session: Session) -> list[tuple[int, str]]:
        return [(case.number, case.status) for case in session.scalars(select(Case).order_by(Case.number))]

    assert store.read(look) == [(1, "open"), (2, "closed")]
    found = store.read(lambda s: cases.find(s, scene.practice_id, "1"))
    assert said(store, found)[0] == "wrong again"


def test_what_is_added_to_a_case_that_staff_have_closed_opens_another_one(store: Store, scene: Scene) -> None:
    run(store, scene, disputed(scene))
    store.write(lambda s: cases.close(s, scene.practice_id, "1", by="bea", resolution="done", now=scene.now))
    assert run(store, scene, specified(words="but it is wrong")) == ["2"]
    found = store.read(lambda s: cases.find(s, scene.practice_id, "2"))
    assert (found.detail, found.status) == ("but it is wrong", "open")


def test_nothing_is_specified_of_a_case_that_never_was(store: Store, scene: Scene) -> None:
    nothing = store.write(lambda s: narrowing.specify(s, scene.practice_id, "dispute:nobody", visits=(), reason="x",
                                                      words="y", by="patient", now=scene.now))
    assert nothing is None


def test_a_hold_that_lies_on_the_account_by_its_kind_stays_there(store: Store, scene: Scene) -> None:
    run(store, scene, OpenCase("deceased", "A death was reported", "x", "guar_ann", None, "deceased",
                               dedupe="deceased:guar_ann"),
        SpecifyCase("deceased", "A death was reported", "deceased:guar_ann", "guar_ann", scene.visits[:1]))
    assert held(store, scene)[0] == ("deceased",)
