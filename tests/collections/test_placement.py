"""A debt goes to an agency only after every step before it, by two persons, once; the patient may still pay here."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from billing import agency_files, explain, ledger, payments, placements, staff, statements
from billing.commands import CommandRefused
from billing.lives import IllegalMove
from billing.placement_money import MOVES
from billing.placements import PlacementRefused
from billing.settlement import settle
from billing.store import collection_queries
from billing.store.tables import Placement
from tests.collections.office import FINAL, OWED, RIPE, START, VISIT, Office, statuses
from tests.dunning.house import ANNA
from tests.payments.world import PRACTICE, Event


def codes(office: Office, account_id: str = ANNA, agency: str = "acme") -> list[str]:
    return [o.code for one in office.propose(account_id, agency) for o in one.obstacles]


def test_proposed_approved_and_in_the_file_the_debt_stands_with_the_agency_to_the_cent(office: Office) -> None:
    office.overdue()
    one = office.place()
    assert (office.owes(), office.cash()) == (0, {"agency": OWED})
    assert (office.placement(one).status, office.placement(one).left_minor) == ("placed", OWED)
    assert office.holds() == [("agency", one)]
    figures = office.figures()
    assert (figures.due_now_minor, figures.patient_minor, figures.placed_minor) == (0, 0, OWED)
    office.clean()


def test_nobody_approves_their_own_proposal_and_a_manager_alone_approves(office: Office) -> None:
    office.overdue()
    one = office.propose(by="max")[0].placement_id
    with pytest.raises(staff.StaffRefused, match="manager"):
        office.approve(one, by="sam")
    with pytest.raises(staff.StaffRefused, match="a night"):
        office.approve(one, by="max")
    office.at(RIPE + timedelta(days=1), 11)
    assert office.approve(one, by="max").status == "approved"


def test_a_colleague_who_could_approve_is_the_only_second_person(office: Office) -> None:
    office.overdue()
    office.do(lambda s: staff.add(s, PRACTICE, login="mia", name="Mia", role="manager", actor="max",
                                  now=office.clock()))
    one = office.propose(by="max")[0].placement_id
    office.at(RIPE + timedelta(days=9), 11)
    with pytest.raises(staff.StaffRefused, match="own request"):
        office.approve(one, by="max")
    assert office.approve(one, by="mia").status == "approved"


def test_before_the_final_notice_and_its_days_nothing_is_placed(office: Office) -> None:
    office.account()
    office.live(1, START)
    office.at(RIPE, 11)
    assert codes(office) == ["final_notice"]
    office.at(FINAL, 9)
    office.live(1, FINAL)
    office.at(FINAL + timedelta(days=14), 11)
    assert codes(office) == ["past_due", "final_notice"]
    office.at(date(2027, 1, 31), 11)
    assert codes(office) == ["past_due"]
    office.at(date(2027, 2, 1), 11)
    assert codes(office) == []


def test_without_a_statement_that_is_known_to_have_arrived_nothing_is_placed(office: Office) -> None:
    office.account()
    office.at(RIPE, 11)
    assert codes(office) == ["no_statement", "final_notice"]


@pytest.mark.parametrize("kind", ["dispute", "insurance_update", "ppdr", "litigation", "staff_flag", "paid_already",
                                  "waiver_check", "settlement"])
def test_nothing_held_is_placed(office: Office, kind: str) -> None:
    office.overdue()
    office.hold(kind)
    assert f"hold:{kind}" in codes(office)
    assert statuses(office) == []


@pytest.mark.parametrize("kind", ["bankruptcy", "deceased", "attorney", "cease", "assistance_pending", "qmb",
                                  "address", "lender", "emergency"])
def test_nothing_of_an_account_on_hold_is_placed(office: Office, kind: str) -> None:
    office.overdue()
    office.hold(kind, None)
    assert f"hold:{kind}" in codes(office)


def test_t_37_an_agency_without_a_business_associate_agreement_gets_nothing(office: Office) -> None:
    office.overdue()
    assert codes(office, agency="nobaa") == ["T-37"]
    with pytest.raises(PlacementRefused, match="names no agency"):
        office.propose(agency="other")


def test_what_comes_up_between_proposal_and_file_keeps_it_out_of_the_file(office: Office) -> None:
    office.overdue()
    one = office.propose()[0].placement_id
    office.approve(one)
    office.hold("dispute")
    assert office.gather() is None
    assert (office.placement(one).status, office.owes()) == ("refused", OWED)
    assert "disputes" in office.placement(one).end_reason
    office.clean()


def test_a_balance_that_moved_is_proposed_again(office: Office) -> None:
    office.overdue()
    one = office.propose()[0].placement_id
    office.pay(1_000)
    with pytest.raises(PlacementRefused):
        office.approve(one)


@pytest.mark.parametrize("before", sorted(MOVES))
def test_a_placement_takes_no_step_that_its_life_does_not_have(office: Office, before: str) -> None:
    office.overdue()
    one = office.propose()[0].placement_id
    office.do(lambda s: setattr(s.get_one(Placement, one), "status", before))
    acts = {"approved": lambda s: placements.approve(s, PRACTICE, one, by="max", now=office.clock()),
            "refused": lambda s: placements.refuse(s, PRACTICE, one, by="max", reason="no", now=office.clock()),
            "recalled": lambda s: placements.recall(s, PRACTICE, one, by="max", reason="no", now=office.clock())}
    for after, act in acts.items():
        if after not in MOVES[before]:
            with pytest.raises(IllegalMove):
                office.do(act)


def rows(office: Office, file_id: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(office.do(lambda s: agency_files.content(s, file_id)))))


def test_the_file_has_the_debt_its_history_and_its_dispute_state_and_is_the_same_for_ever(office: Office) -> None:
    office.overdue()
    dispute = office.hold("dispute")
    office.release(dispute)
    one = office.propose()[0].placement_id
    office.approve(one)
    file = office.gather()
    assert file is not None and (file.rows, file.amount_minor) == (len(rows(office, file.file_id)), OWED)
    first, *history = rows(office, file.file_id)
    assert (first["record"], first["amount"], first["reason"], first["account"]) == ("PLACE", "100.00", "undisputed",
                                                                                  "A1")
    assert (first["past_due_on"], first["final_notice_on"]) == ("2026-12-03", "2026-12-13")
    assert {row["kind"] for row in history} >= {"charge", "statement", "reminder", "disputed", "dispute_closed"}
    before = office.do(lambda s: agency_files.content(s, file.file_id))
    office.pay(2_500)
    assert office.do(lambda s: agency_files.content(s, file.file_id)) == before
    for secret in ("1976", "99213", "Office visit"):
        assert secret not in before, "the minimum that is necessary: no birth date, no procedure (T-32)"


def test_recalled_it_is_due_here_again_and_the_agency_is_told_once(office: Office) -> None:
    office.overdue()
    one = office.place()
    office.do(lambda s: placements.recall(s, PRACTICE, one, by="max", reason="asked back", now=office.clock()))
    assert (office.owes(), office.cash(), office.holds()) == (OWED, {}, [])
    file = office.gather()
    assert file is not None
    assert [(r["record"], r["kind"], r["amount"], r["balance"]) for r in rows(office, file.file_id)] == [
        ("NEWS", "recalled", "100.00", "0.00")]
    assert office.gather() is None
    office.clean()


def test_a_patient_pays_here_while_it_is_placed_and_the_agency_hears_of_it(office: Office) -> None:
    office.overdue()
    one = office.place()
    asked = office.ask_to_pay(4_000)
    office.do(lambda s: payments.apply_event(s, PRACTICE, Event("paid", asked, 4_000), office.clock()))
    assert (office.owes(), office.cash(), office.placement(one).left_minor) == (0, {"agency": 6_000}, 6_000)
    file = office.gather()
    assert file is not None
    assert [(r["kind"], r["amount"], r["balance"]) for r in rows(office, file.file_id)] == [
        ("paid_here", "40.00", "60.00")]
    steps = office.do(lambda s: {x.kind: x.amount_minor for x in explain.explain_visit(s, VISIT).steps})
    assert (steps["patient_paid"], steps["placed"], steps["left"]) == (-4_000, -6_000, 0)
    office.clean()


def test_more_than_is_placed_or_not_by_the_patients_own_wish_is_not_taken(office: Office) -> None:
    office.overdue()
    office.place()
    for minor, early in ((OWED + 1, True), (1_000, False)):
        with pytest.raises(CommandRefused):
            office.ask_to_pay(minor, early=early)


def test_cash_at_the_desk_pays_what_is_placed_when_nothing_else_is_owed(office: Office) -> None:
    office.overdue()
    one = office.place()
    office.pay(OWED + 500)
    assert (office.owes(), office.cash(), office.figures().credit_minor) == (0, {}, 500)
    assert (office.placement(one).status, office.holds()) == ("paid", [])
    assert office.events(one)[-1] == ("paid_here", OWED, "")
    office.clean()


def test_an_insurer_that_pays_late_is_taken_off_at_the_agency_and_is_no_credit(office: Office) -> None:
    office.overdue()
    one = office.place()
    now = office.clock()

    def late(session: Session) -> None:
        ledger.post(session, [ledger.Posting(
            PRACTICE, ledger.wide("contractual"), ledger.patient(VISIT), 3_000, "USD", "adjustment",
            office.policy.local_day(now), "test", "late", ANNA, VISIT)], now)
        settle(session, PRACTICE, [VISIT], now=now, today=office.policy.local_day(now))

    office.do(late)
    assert (office.owes(), office.figures().credit_minor, office.placement(one).left_minor) == (0, 0, 7_000)
    assert office.events(one)[-1] == ("reduced", 3_000, "adjustment")
    office.clean()


def test_a_dispute_suspends_the_agency_a_bankruptcy_brings_the_debt_home(office: Office) -> None:
    office.overdue()
    one = office.place()
    dispute = office.hold("dispute")
    work = lambda s: placements.note_changes(s, PRACTICE, office.clock())  # noqa: E731
    assert [office.do(work), office.do(work)] == [1, 0]
    assert office.events(one)[-1] == ("suspended", 0, "dispute")
    office.release(dispute)
    office.do(work)
    assert office.events(one)[-1] == ("resumed", 0, "dispute")
    office.hold("bankruptcy", None)
    office.do(work)
    assert (office.placement(one).status, office.owes()) == ("recalled", OWED)
    assert office.events(one)[-1] == ("recalled", OWED, "bankruptcy")
    office.clean()


def test_a_statement_after_placement_shows_where_the_money_is_and_asks_for_nothing_of_it(office: Office) -> None:
    office.overdue()
    office.place()
    made = office.do(lambda s: statements.make(s, ANNA, "en", office.clock()))
    assert made.total_minor == 0
    assert made.content["summary"]["taken_off_minor"] == -OWED
    office.clean()


def test_live_placements_and_the_agency_account_are_the_same_sum(office: Office) -> None:
    office.overdue()
    office.place()
    office.pay(1_234)
    placed = office.do(lambda s: collection_queries.placed_minor(s, [VISIT]))
    assert placed == {VISIT: OWED - 1_234} and office.balance("agency") == OWED - 1_234
