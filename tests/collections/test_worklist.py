"""The worklist says for each account what a person does next, the most valuable first, and help before bad debt."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import event

from billing import assistance, collections_pages, collections_worklist, placement_checks, write_offs
from billing.collections_pages import LAST
from billing.collections_worklist import ACTIONS, Line
from tests.collections.office import RIPE, START, Office
from tests.dunning.house import ANNA
from tests.payments.world import PRACTICE


def lines(office: Office) -> list[tuple[str, str, int]]:
    """The whole list; the pages have the same lines, in the same order up to those that wait for nobody here."""
    found = whole(office)
    assert paged(office) == sorted(found, key=lambda one: (
        ACTIONS.index(one.action) if one.action not in LAST else len(ACTIONS),
        -one.due_minor - one.at_agency_minor, one.guarantor_id))
    for action in {one.action for one in found}:
        assert paged(office, action) == [one for one in paged(office) if one.action == action]
    return [(one.account, one.action, one.due_minor + one.at_agency_minor) for one in found]


def whole(office: Office) -> list[Line]:
    return office.do(lambda s: collections_worklist.worklist(s, PRACTICE, office.clock()))


def paged(office: Office, action: str = "", size: int = 2) -> list[Line]:
    """Every page, one after the other."""
    found, start = list[Line](), None
    while True:
        page = office.do(lambda s, at=start: collections_pages.page(  # type: ignore[misc]
            s, PRACTICE, office.clock(), action=action, start=at, size=size))
        assert len(page.lines) <= size
        found, start = [*found, *page.lines], page.following
        if start is None:
            return found


def test_each_step_of_an_account_has_its_own_action(office: Office) -> None:
    office.account()
    office.live(1, START)
    office.at(RIPE, 11)
    assert lines(office) == [("A1", "dunning", 10_000)]
    office.live(1, RIPE)
    office.at(RIPE, 13)
    assert lines(office) == [("A1", "wait", 10_000)]
    office.live(1, RIPE.replace(month=3))
    office.at(RIPE.replace(month=3), 13)
    assert lines(office) == [("A1", "propose_placement", 10_000)]
    one = office.propose()[0].placement_id
    assert lines(office) == [("A1", "approve_placement", 10_000)]
    office.approve(one)
    assert lines(office) == [("A1", "export_placement", 10_000)]
    office.gather()
    assert lines(office) == [("A1", "at_agency", 10_000)]


def test_what_is_held_waits_for_a_look_and_an_application_for_its_decision(office: Office) -> None:
    office.overdue()
    hold = office.hold("dispute")
    assert lines(office) == [("A1", "review_hold", 10_000)]
    office.release(hold)
    office.do(lambda s: assistance.ask(s, practice_id=PRACTICE, guarantor_id=ANNA, by="bill", now=office.clock()))
    assert lines(office) == [("A1", "decide_assistance", 10_000)]


def test_a_write_off_waits_for_the_other_person(office: Office) -> None:
    office.overdue()
    office.do(lambda s: write_offs.ask(s, practice_id=PRACTICE, guarantor_id=ANNA, kind="administrative", reason="x",
                                       by="bill", now=office.clock()))
    assert lines(office) == [("A1", "approve_write_off", 10_000)]


def test_twenty_accounts_are_read_in_as_many_queries_as_two(office: Office) -> None:
    """Whatever stands with each: nothing, a hold, an application, a plan's proposal, a statement and its notices."""
    for number in range(2):
        office.account(f"acct_a{number}", f"X{number}", phone="", due_minor=5_000 + number)
    office.overdue()
    few, few_of_pages = statements(office, whole), statements(office, paged)
    for number in range(18):
        office.account(f"acct_b{number}", f"Y{number}", phone="", due_minor=7_000 + number)
    office.live(1, RIPE)
    office.hold("dispute", "visit_Y3", "acct_b3")
    office.do(lambda s: assistance.ask(s, practice_id=PRACTICE, guarantor_id="acct_b4", by="bill", now=office.clock()))
    assert len(lines(office)) > 3
    assert statements(office, whole) <= few + 3, "kinds of rows may be new; nothing is asked account by account"
    more = statements(office, lambda office: paged(office, size=50))
    assert more <= few_of_pages + 2 * (few + 3), "two actions more have accounts; nothing is asked account by account"
    for one in whole(office):
        here = office.do(lambda s, id_=one.guarantor_id: placement_checks.standing(  # type: ignore[misc]
            s, id_, office.policy, office.clock()))
        assert collections_worklist.line_of(here) == one


def statements(office: Office, read: Callable[[Office], list[Line]]) -> int:
    """How many SQL statements this way of reading the worklist takes."""
    engine, seen = office.store.engine, list[str]()

    def note(_conn: object, _cursor: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        read(office)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def test_the_larger_comes_first_and_the_small_is_a_small_balance(office: Office) -> None:
    office.account("acct_b", "B2", phone="", due_minor=30_000)
    office.account("acct_c", "C3", phone="", due_minor=900)
    office.overdue()
    assert [(account, action) for account, action, _ in lines(office)] == [
        ("C3", "write_off_small"), ("B2", "propose_placement"), ("A1", "propose_placement")]
