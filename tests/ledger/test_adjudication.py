"""Who owes what after a payer's answer (DESIGN.md, "Who owes"; receivables.md D1)."""

from __future__ import annotations

from datetime import date

import pytest

from billing.adjudication import PayerState, Plan, adjudicate, contractual_reasons
from billing.importers.records import Adjustment, PaidClaim, PaidLine, Person
from config.practice import CONTRACTUAL_DEFAULT

FIRST = PayerState("cov_1", 1, "pending", 10_000)
SECOND = PayerState("cov_2", 2, "pending", 0)
THIRD = PayerState("cov_3", 3, "pending", 0)
WRITTEN_OFF = frozenset({"45", "253"})


def claim(paid: int, *cas: tuple[str, str, int], status: str = "1", remarks: tuple[str, ...] = (),
          line_remarks: tuple[str, ...] = ()) -> PaidClaim:
    """All adjustments on one line."""
    adjustments = tuple(Adjustment(group, reason, amount, n) for n, (group, reason, amount) in enumerate(cas, 1))
    charge = paid + sum(amount for _, _, amount in cas)
    line = PaidLine(2, "99213", (), "", charge, paid, "1", None, "", adjustments, line_remarks)
    return PaidClaim(1, "A1", status, charge, paid, None, "12", "P1", Person(), Person(), date(2026, 9, 15), None, (),
                     (line,), remarks, "", "")


def plan(answer: PaidClaim, this: PayerState = FIRST, later: tuple[PayerState, ...] = (), *, restates: bool = False,
         opened: bool = False) -> Plan:
    return adjudicate(answer, this, later, restates=restates, opened=opened, contractual=WRITTEN_OFF)


def moves(p: Plan) -> list[tuple[str, int, str]]:
    return [(m.code, m.amount_minor, m.reason) for m in p.moves]


def test_payment_credits_the_payer_and_pr_goes_to_the_patient_with_its_reason() -> None:
    p = plan(claim(6000, ("CO", "45", 1500), ("PR", "1", 1000), ("PR", "2", 900), ("PR", "3", 600)))
    assert moves(p) == [("payer_payment", 6000, ""), ("patient_share", 1000, "PR-1"), ("patient_share", 900, "PR-2"),
                        ("patient_share", 600, "PR-3"), ("contractual", 1500, "CO-45")]
    assert (p.coverage_status, p.waiver_minor, p.stays_with_payer_minor, p.excess_minor) == ("answered", 0, 0, 0)


def test_treatments_keep_the_order_of_the_file_although_pr_is_posted_before_co() -> None:
    p = plan(claim(6000, ("CO", "45", 1500), ("PR", "1", 1000), ("OA", "18", 1500)))
    assert p.treatments == ("contractual", "patient", "payer")


@pytest.mark.parametrize(("group", "reason"), [("CO", "50"), ("CO", "197"), ("PI", "45"), ("OA", "45"), ("OA", "18"),
                                               ("CR", "45"), ("PI", "96")])
def test_co_of_other_reasons_and_pi_and_oa_stay_with_the_payer_as_a_denial(group: str, reason: str) -> None:
    p = plan(claim(0, (group, reason, 10_000)))
    assert (p.moves, p.treatments, p.stays_with_payer_minor) == ((), ("payer",), 10_000)


def test_a_denial_is_an_answer_that_leaves_the_coverage_denied() -> None:
    assert plan(claim(0, ("CO", "50", 10_000), status="4")).coverage_status == "denied"


def test_the_contractual_list_is_dated_by_the_day_of_service() -> None:
    rows = [(c.reason, c.since.isoformat(), c.until.isoformat() if c.until else None) for c in CONTRACTUAL_DEFAULT]
    assert "253" not in contractual_reasons(rows, "2013-03-31")
    assert "253" in contractual_reasons(rows, "2013-04-01")
    assert "42" in contractual_reasons(rows, "2007-05-31")
    assert "42" not in contractual_reasons(rows, "2007-06-01"), "the end is the first day without it"


@pytest.mark.parametrize("reason", ["96", "204", "27", "31"])
def test_pr_of_any_other_reason_is_the_patients_under_a_waiver_check(reason: str) -> None:
    p = plan(claim(0, ("PR", reason, 10_000), status="4"))
    assert moves(p) == [("patient_share", 10_000, f"PR-{reason}")]
    assert (p.treatments, p.waiver_minor) == (("waiver_check",), 10_000)


def test_pr_moves_to_the_next_pending_payer_not_to_the_patient() -> None:
    p = plan(claim(8000, ("PR", "1", 2000)), later=(SECOND, THIRD))
    assert moves(p) == [("payer_payment", 8000, ""), ("next_payer", 2000, "PR-1")]
    assert p.moves[1].to_coverage_id == "cov_2"
    assert p.treatments == ("next_payer",)


def test_pr_of_another_reason_with_a_next_payer_needs_no_waiver_check_yet() -> None:
    p = plan(claim(0, ("PR", "96", 10_000)), later=(SECOND,))
    assert (p.waiver_minor, p.treatments) == (0, ("next_payer",))


def test_a_payer_that_answered_before_takes_only_what_its_answer_stands_on() -> None:
    answered = PayerState("cov_2", 2, "answered", -1500)
    p = plan(claim(8000, ("PR", "1", 2000)), later=(answered,))
    assert moves(p) == [("payer_payment", 8000, ""), ("next_payer", 1500, "PR-1"), ("patient_share", 500, "PR-1")]


def test_a_closed_payer_takes_nothing() -> None:
    p = plan(claim(8000, ("PR", "1", 2000)), later=(PayerState("cov_2", 2, "closed", 0),))
    assert moves(p)[1] == ("patient_share", 2000, "PR-1")


def test_a_later_payer_posts_payment_pr_and_co_up_to_what_is_left() -> None:
    second = PayerState("cov_2", 2, "pending", 2000)
    p = plan(claim(1500, ("OA", "23", 8000), ("CO", "45", 300), ("PR", "2", 200), status="2"), second, restates=True)
    assert moves(p) == [("payer_payment", 1500, ""), ("patient_share", 200, "PR-2"), ("contractual", 300, "CO-45")]
    assert (p.treatments, p.excess_minor) == (("prior_payer", "contractual", "patient"), 0)


def test_what_a_later_payer_answers_above_what_is_left_is_excess_co_first() -> None:
    second = PayerState("cov_2", 2, "pending", 2000)
    p = plan(claim(1500, ("CO", "45", 900), ("PR", "2", 400), status="2"), second, restates=True)
    assert moves(p) == [("payer_payment", 1500, ""), ("patient_share", 400, "PR-2"), ("contractual", 100, "CO-45")]
    assert p.excess_minor == 800


def test_a_later_payers_payment_above_what_is_left_goes_to_suspense() -> None:
    second = PayerState("cov_2", 2, "pending", 1000)
    p = plan(claim(1500, ("PR", "2", 400), status="2"), second, restates=True)
    assert moves(p) == [("payer_payment", 1000, ""), ("suspense", 500, "")]
    assert p.excess_minor == 900


def test_oa_23_of_a_known_claim_is_stored_and_not_posted() -> None:
    p = plan(claim(1000, ("OA", "23", 9000), status="2"), PayerState("cov_2", 2, "pending", 1000), restates=True)
    assert moves(p) == [("payer_payment", 1000, "")]
    assert p.treatments == ("prior_payer",)


def test_oa_23_of_an_unknown_secondary_claim_is_the_prior_payers_part() -> None:
    p = plan(claim(1000, ("OA", "23", 9000), status="2"), PayerState("cov_2", 2, "pending", 10_000), opened=True)
    assert moves(p) == [("payer_payment", 1000, ""), ("prior_payer", 9000, "OA-23")]


def test_oa_23_from_the_first_payer_stays_with_it() -> None:
    assert plan(claim(1000, ("OA", "23", 9000))).stays_with_payer_minor == 9000


@pytest.mark.parametrize("remark", ["N781", "N782", "N783"])
def test_qmb_remarks_are_seen_on_the_claim_and_on_its_lines_t_57(remark: str) -> None:
    assert plan(claim(100, remarks=(remark,))).qmb
    assert plan(claim(100, line_remarks=(remark,))).qmb
    assert not plan(claim(100, remarks=("N780",))).qmb


def test_oa_209_is_a_qmb_sign_t_57() -> None:
    assert plan(claim(100, ("OA", "209", 50))).qmb
    assert not plan(claim(100, ("PR", "209", 50))).qmb
