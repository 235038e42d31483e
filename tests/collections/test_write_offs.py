"""What is written off was asked for by one person and approved by another, is posted once, and can be taken back."""

from __future__ import annotations

import pytest

from billing import assistance, explain, staff, write_offs
from billing.lives import IllegalMove
from billing.store.tables import WriteOff
from billing.write_offs import MOVES, WriteOffRefused
from tests.collections.office import OWED, VISIT, Office
from tests.dunning.house import ANNA
from tests.payments.world import PRACTICE


def ask(office: Office, kind: str, by: str = "bill", visits: tuple[tuple[str, int], ...] = ()) -> str:
    return office.do(lambda s: write_offs.ask(
        s, practice_id=PRACTICE, guarantor_id=ANNA, kind=kind, reason="by policy", by=by, now=office.clock(),
        visits=visits).id)


def approve(office: Office, one: str, by: str = "max") -> str:
    return office.do(lambda s: write_offs.approve(s, PRACTICE, one, by=by, now=office.clock()).status)


def status(office: Office, one: str) -> str:
    return office.do(lambda s: s.get_one(WriteOff, one).status)


@pytest.mark.parametrize(("kind", "account"), [("bad_debt", "bad_debt"), ("administrative", "discounts"),
                                               ("charity", "charity")])
def test_approved_it_is_posted_against_its_own_account(office: Office, kind: str, account: str) -> None:
    office.overdue()
    one = ask(office, kind)
    assert ask(office, kind) == one and office.owes() == OWED
    assert approve(office, one) == "approved"
    assert (office.owes(), office.cash()) == (0, {account: OWED})
    assert office.do(lambda s: explain.explain_visit(s, VISIT).foots)
    office.clean()


def test_a_small_balance_is_small_for_the_whole_account_and_late(office: Office) -> None:
    office.overdue(due_minor=1_000)
    approve(office, ask(office, "small_balance"))
    assert office.cash() == {"small_balances": 1_000}
    office.clean()


def test_above_the_policys_amount_nothing_is_a_small_balance(office: Office) -> None:
    office.overdue(due_minor=1_001)
    with pytest.raises(WriteOffRefused, match="at most"):
        ask(office, "small_balance", visits=((VISIT, 1_000),))


def test_help_comes_before_bad_debt(office: Office) -> None:
    office.overdue()
    office.do(lambda s: assistance.ask(s, practice_id=PRACTICE, guarantor_id=ANNA, by="bill", now=office.clock()))
    with pytest.raises(WriteOffRefused):
        ask(office, "bad_debt")


def test_before_the_final_notice_nothing_is_bad_debt(office: Office) -> None:
    office.account()
    with pytest.raises(WriteOffRefused, match="no bad debt yet"):
        ask(office, "bad_debt")


def test_nobody_approves_their_own(office: Office) -> None:
    office.overdue()
    one = ask(office, "administrative", by="max")
    for by in ("max", "sam", "bill"):
        with pytest.raises(staff.StaffRefused):
            approve(office, one, by=by)
    assert (status(office, one), office.cash()) == ("asked", {})


def test_what_was_paid_meanwhile_is_not_written_off(office: Office) -> None:
    office.overdue()
    one = ask(office, "administrative")
    office.pay(1)
    with pytest.raises(WriteOffRefused, match="at most"):
        approve(office, one)


def test_what_is_held_is_not_written_off(office: Office) -> None:
    office.overdue()
    office.hold("dispute")
    with pytest.raises(WriteOffRefused, match="nothing is due"):
        ask(office, "administrative")


def test_taken_back_it_is_owed_again(office: Office) -> None:
    office.overdue()
    one = ask(office, "bad_debt", visits=((VISIT, 4_000),))
    approve(office, one)
    assert office.owes() == 6_000
    office.do(lambda s: write_offs.take_back(s, PRACTICE, one, by="max", reason="they pay", now=office.clock()))
    assert (office.owes(), office.cash(), status(office, one)) == (OWED, {}, "taken_back")
    office.clean()


@pytest.mark.parametrize("before", sorted(MOVES))
def test_a_write_off_takes_no_step_that_its_life_does_not_have(office: Office, before: str) -> None:
    office.overdue()
    one, now = ask(office, "administrative"), office.clock()
    office.do(lambda s: setattr(s.get_one(WriteOff, one), "status", before))
    acts = {"approved": lambda s: write_offs.approve(s, PRACTICE, one, by="max", now=now),
            "refused": lambda s: write_offs.refuse(s, PRACTICE, one, by="max", reason="x", now=now),
            "taken_back": lambda s: write_offs.take_back(s, PRACTICE, one, by="max", reason="x", now=now)}
    for after, act in acts.items():
        if after not in MOVES[before]:
            with pytest.raises(IllegalMove):
                office.do(act)
