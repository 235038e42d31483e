"""Taking a practice over: the old aging to the cent or nothing at all, held until somebody else lets it go."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import ledger
from billing.importers.opening_columns import EXAMPLE
from billing.opening_release import ReleaseRefused
from billing.phones import address_hash
from billing.staff import StaffRefused
from billing.store.tables import Guarantor
from billing.undoing import UndoRefused
from tests.csv.world import charge
from tests.opening.takeover import Takeover, person, totals, visit


def test_the_example_of_the_template_is_taken_over_whole_and_the_ledger_adds_up(move: Takeover) -> None:
    report = move.take(*EXAMPLE)
    assert (report.outcome, report.reason) == ("posted", None)
    account = move.account("A-1")
    assert (account.total.open_minor, account.total.credit_minor, account.total.placed_minor) == (
        12_000 - 1_500, 1_500, 8_000)
    assert move.open_holds() == ["agency", "attorney", "carried_over", "carried_over"]
    assert [(v.line, v.balance_minor, v.standing) for v in sorted(move.taken(), key=lambda v: v.line)] == [
        (3, 12_000, ""), (4, 8_000, "agency")]
    move.check()


def test_twice_does_nothing(move: Takeover) -> None:
    move.take(*EXAMPLE)
    before = move.account("A-1").total
    assert move.take(*EXAMPLE).outcome == "duplicate"
    assert move.account("A-1").total == before
    assert len(move.taken()) == 2
    move.check()


@pytest.mark.parametrize(("first", "name", "bucket"), [
    ("2026-11-02", "b0", "0-30"), ("2026-10-03", "b0", "0-30"), ("2026-10-02", "b31", "31-60"),
    ("2026-09-03", "b31", "31-60"), ("2026-09-02", "b61", "61-90"), ("2026-08-04", "b61", "61-90"),
    ("2026-08-03", "b91", "91-120"), ("2026-07-05", "b91", "91-120"), ("2026-07-04", "b121", "121+"),
    ("", "not_billed", "not_billed")])
def test_a_bucket_ends_where_the_old_aging_ends_it(small_move: Takeover, first: str, name: str, bucket: str) -> None:
    rows = (person(), visit("V-1", "50.00", first))
    refused = small_move.take(*rows, *totals(**{name: "50.01"}))
    assert refused.outcome == "refused"
    said = f"control total {bucket}: the old aging says $50.01, the rows come to $50.00: $0.01 less"
    assert said in str(refused.reason)
    assert small_move.taken() == []
    assert small_move.take(*rows, *totals(**{name: "50.00"})).outcome == "posted"


@pytest.mark.parametrize(("row", "name", "said"), [
    ({"record": "credit", "account_id": "P-1", "amount": "15.00"}, "credits", "control total credits"),
    (visit("V-2", "0.00", payer_balance="70.00", payer="Aetna"), "payers", "control total payers")])
def test_credits_and_what_insurers_owe_are_compared_too(small_move: Takeover, row: dict[str, str], name: str,
                                                        said: str) -> None:
    rows = (person(), visit("V-1", "50.00"), row)
    assert said in str(small_move.take(*rows, *totals(b0="50.00")).reason)
    right = {"credits": "15.00", "payers": "70.00"}[name]
    assert small_move.take(*rows, *totals(b0="50.00", **{name: right})).outcome == "posted"
    small_move.check()


def test_a_missing_total_refuses_the_file(small_move: Takeover) -> None:
    rows = [row for row in totals(b0="50.00") if row["bucket"] != "121+"]
    assert "there is no total for 121+" in str(small_move.take(person(), visit("V-1", "50.00"), *rows).reason)
    assert "no control totals" in str(small_move.take(person(), visit("V-1", "50.00")).reason)


def test_totals_may_stand_in_a_file_of_their_own(small_move: Takeover) -> None:
    control = "bucket,amount,as_of\n" + "".join(f"{row['bucket']},{row['amount']},{row['as_of']}\n"
                                                 for row in totals(b0="50.00"))
    rows = (person(), visit("V-1", "50.00"))
    wrong = small_move.take(*rows, control=control.replace("50.00", "51.00"))
    assert "0-30: the old aging says $51.00" in str(wrong.reason)
    assert small_move.take(*rows, control=control).outcome == "posted"


def test_a_dry_run_takes_nothing_over(move: Takeover) -> None:
    assert move.take(*EXAMPLE, dry=True).outcome == "posted"
    assert move.taken() == []


def test_only_another_person_releases_and_the_agency_stays(move: Takeover) -> None:
    report = move.take(*EXAMPLE)
    move.hire("ana")
    move.hire("bea")
    with pytest.raises(StaffRefused, match="ask a colleague"):
        move.release(report, by="ana")
    move.hire("carl", "biller")
    with pytest.raises(StaffRefused, match="this needs supervisor"):
        move.release(report, by="carl")
    assert move.cases() == [("opening_release", "open")]
    assert [(one.visits, one.holds) for one in move.release(report)] == [(2, 2)]
    assert move.cases() == [("opening_release", "closed")]
    assert move.open_holds() == ["agency", "attorney"]
    assert move.release(report) == []
    move.check()


def test_what_is_no_opening_import_is_not_released(move: Takeover) -> None:
    report = move.give("charges", charge("V-9", "1.00"))
    move.hire()
    with pytest.raises(ReleaseRefused, match="no opening file"):
        move.release(report)


def test_undone_it_is_as_if_it_had_not_come_but_for_the_refusals(move: Takeover) -> None:
    report = move.take(*EXAMPLE)
    move.undo(report)
    assert move.open_holds() == []
    assert [(plan.status, plan.end_reason) for plan in move.plans()] == [("cancelled", "import undone")]
    assert move.account("A-1").total.open_minor == 0
    assert len(move.revocations()) == 1
    move.check()
    assert move.take(*EXAMPLE).outcome == "posted"
    assert (move.account("A-1").total.open_minor, move.account("A-1").total.placed_minor) == (10_500, 8_000)
    move.check()


def test_credit_that_was_used_since_keeps_the_import_from_being_undone(move: Takeover) -> None:
    report = move.take(person(), {"record": "credit", "account_id": "P-1", "amount": "20.00"},
                       *totals(credits="20.00"))

    def pay_back(session: Session) -> None:
        account = session.scalars(select(Guarantor)).one()
        ledger.post(session, [ledger.Posting(
            move.practice_id, ledger.credit(account.id), ledger.wide("cash:manual:check"), 500, "USD", "refund",
            move.at.date(), "desk", "r1", account.id)], move.at)

    move.store.write(pay_back)
    with pytest.raises(UndoRefused, match="credit that this import brought"):
        move.undo(report)
    assert move.account("P-1").total.credit_minor == 1_500


def test_a_refusal_binds_a_number_that_belongs_to_nobody_we_know(move: Takeover) -> None:
    stranger, mail = {"record": "opt_out", "phone": "518-555-0177"}, {"record": "opt_out", "email": "x@example.org"}
    rows = (person(), visit("V-1", "1.00"), *totals(b0="1.00"))
    assert move.take(stranger, mail, *rows).outcome == "posted"
    found = {(one.channel, one.address_hash, one.guarantor_id) for one in move.revocations()}
    assert found == {("sms", address_hash(move.practice_id, "sms", "+15185550177"), None),
                     ("email", address_hash(move.practice_id, "email", "x@example.org"), None)}
