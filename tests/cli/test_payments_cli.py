"""Staff record and give back payments by name, with amounts read exactly, and nobody approves their own request."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from billing.store.tables import Audit, Payment, PaymentDispute
from bot.cli.exits import NOT_FOUND, OK, REFUSED, USAGE
from tests.cli.conftest import Office, Run
from tests.conftest import TUESDAY


def record(plainbill: Run, amount: str = "40", *more: str, reference: str = "r1", tender: str = "cash") -> str:
    done = plainbill("payments", "record", "A-1", amount, "--tender", tender, "--reference", reference, *more, "--json",
                     STAFF="ana")
    assert done.code == OK, done.err
    return str(done.json["payment"])


def test_a_recorded_payment_pays_the_visit_once_and_is_listed(plainbill: Run, office: Office) -> None:
    first = record(plainbill, "40.50")
    again = plainbill("payments", "record", "A-1", "40.50", "--tender", "cash", "--reference", "r1", "--json",
                      STAFF="ana")
    assert (again.json["payment"], again.json["again"]) == (first, True)
    listed = plainbill("payments", "list", "--account", "A-1", "--json").json
    assert [(r["payment"], r["amount_minor"], r["status"], r["recorded_by"]) for r in listed] == [
        (first, 4050, "succeeded", "ana")]
    assert plainbill("balance", "A-1", "--json").json["due_now_minor"] == 10_500
    assert "$40.50" in plainbill("payments", "list").out
    story = plainbill("payments", "show", first, "--json").json
    assert story["amount_minor"] == 4050 and "Rivera" not in str(story)
    assert "$40.50" in plainbill("payments", "show", first.removeprefix("pay_").upper()).out


@pytest.mark.parametrize(("wrong", "field"), [
    (("12.345",), "AMOUNT"), (("0",), "AMOUNT"), (("1e3",), "AMOUNT"), (("1,000",), "AMOUNT"),
    (("5", "--visit", "nonsense"), "--visit"), (("5", "--visit", "other=5"), "--visit"),
    (("5", "--visit", "visit_A-1=6"), "--visit"), (("5", "--plan", "77"), "--plan"),
    (("5", "--statement", "77"), "--statement"), (("5", "--instalment", "1"), "--instalment"),
])
def test_what_cannot_be_read_is_refused_with_the_fields_name(
    plainbill: Run, office: Office, wrong: tuple[str, ...], field: str,
) -> None:
    done = plainbill("payments", "record", "A-1", *wrong, "--tender", "cash", "--reference", "r", STAFF="ana")
    assert done.code in (USAGE, NOT_FOUND) and field in done.err and "Traceback" not in done.err
    assert plainbill("payments", "list", "--json").json == []


def test_tender_reference_and_account_have_to_be_there(plainbill: Run, office: Office) -> None:
    for wrong, said in ((("A-1", "5", "--tender", "gold", "--reference", "1"), "--tender"),
                        (("A-1", "5", "--tender", "cash", "--reference", " "), "--reference"),
                        (("A-9", "5", "--tender", "cash", "--reference", "1"), "account")):
        done = plainbill("payments", "record", *wrong, STAFF="ana")
        assert done.code != OK and said in done.err


def test_one_reference_is_not_used_for_two_payments(plainbill: Run, office: Office) -> None:
    record(plainbill, "40")
    done = plainbill("payments", "record", "A-1", "41", "--tender", "cash", "--reference", "r1", STAFF="ana")
    assert done.code == REFUSED and "--reference" in done.err


def under_way(office: Office, payment_id: str, **how: object) -> None:
    """A payment of the patient's own, as it is while they are paying."""
    office().write(lambda session: session.execute(update(Payment).where(Payment.id == payment_id).values(
        status="pending", session_url="https://checkout.example/1", attempt=1,
        link_expires_at=TUESDAY.replace(year=2090), **how)))


@pytest.mark.parametrize("how", [{"way": "saved"}, {"way": "page", "processor_ref": "pi_1"}])
def test_the_desk_takes_no_second_payment_unasked_while_a_card_is_charged(
    plainbill: Run, office: Office, how: dict[str, object],
) -> None:
    under_way(office, record(plainbill, "10"), **how)
    asked = ("payments", "record", "A-1", "20", "--tender", "check", "--reference", "77", "--json")
    done = plainbill(*asked, STAFF="ana")
    assert done.code == REFUSED and "--anyway" in done.err
    assert plainbill(*asked, "--anyway", STAFF="ana").json["status"] == "succeeded"


def test_the_desk_is_told_of_a_page_that_the_patient_has_open(plainbill: Run, office: Office) -> None:
    under_way(office, record(plainbill, "10"), way="page")
    done = plainbill("payments", "record", "A-1", "20", "--tender", "check", "--reference", "77", STAFF="ana")
    assert done.code == OK and "payment page open" in done.out


def test_a_small_refund_goes_at_once_and_a_large_one_waits_for_somebody_else(plainbill: Run, office: Office) -> None:
    payment = record(plainbill, "145.50")
    small = plainbill("payments", "refund", payment, "5", "--reason", "overpaid", "--tender", "cash", "--json",
                      STAFF="ana").json
    assert small["status"] == "succeeded"
    large = plainbill("payments", "refund", payment, "120", "--reason", "overpaid", "--tender", "check", STAFF="sue")
    assert large.code == OK and "another person" in large.out and "$100.00" in large.out
    (waiting,) = plainbill("payments", "refunds", "--status", "waiting", "--json").json
    for login in ("sue", "ana"):  # her own request; a biller may not
        assert plainbill("payments", "approve", waiting["refund"], STAFF=login).code == REFUSED
    done = plainbill("payments", "approve", waiting["refund"], "--json", STAFF="sam").json
    assert (done["status"], done["approved_by"]) == ("succeeded", "sam")
    assert plainbill("payments", "approve", waiting["refund"], STAFF="sam").code == REFUSED
    listed = plainbill("payments", "list", "--json").json
    assert listed[0]["refunded_minor"] == 12_500 and "$125.00" in plainbill("payments", "list").out


def test_the_same_refund_twice_on_one_day_is_one_unless_it_is_said(plainbill: Run, office: Office) -> None:
    payment = record(plainbill, "100")
    asked = ("payments", "refund", payment, "5", "--reason", "overpaid", "--tender", "cash", "--json")
    one, two = (plainbill(*asked, STAFF="ana").json["refund"] for _ in range(2))
    assert one == two and plainbill(*asked, "--again", "2", STAFF="ana").json["refund"] != one


def test_a_declined_refund_is_over_and_says_why(plainbill: Run, office: Office) -> None:
    payment = record(plainbill, "145.50")
    asked = plainbill("payments", "refund", payment, "120", "--reason", "overpaid", "--json", STAFF="ana").json
    assert plainbill("payments", "decline", asked["refund"], "--reason", "not owed", "--json",
                     STAFF="sue").json["status"] == "declined"
    assert plainbill("payments", "approve", asked["refund"], STAFF="sue").code == REFUSED


@pytest.mark.parametrize("wrong", [
    ("0",), ("200",), ("5", "--reason", "because"), ("5", "--tender", "gold"), ("5.001",)])
def test_a_refund_that_cannot_be_is_refused(plainbill: Run, office: Office, wrong: tuple[str, ...]) -> None:
    payment = record(plainbill, "100")
    more = () if "--reason" in wrong else ("--reason", "overpaid")
    done = plainbill("payments", "refund", payment, *wrong, *more, STAFF="ana")
    assert done.code in (USAGE, REFUSED) and "Traceback" not in done.err
    assert plainbill("payments", "refunds", "--json").json == []


def test_money_is_put_elsewhere_with_a_reason(plainbill: Run, office: Office) -> None:
    payment = record(plainbill, "40")
    done = plainbill("payments", "reallocate", payment, "--to", "visit_A-1=30", "--to", "credit=10", "--reason",
                     "wrong visit", "--json", STAFF="sue")
    assert done.code == OK, done.err
    assert plainbill("payments", "credits", "--json").json[0]["amount_minor"] == 1_000
    for wrong in (("--to", "visit_A-1=39"), ("--to", "other=40"), ("--to", "visit_A-1")):
        assert plainbill("payments", "reallocate", payment, *wrong, "--reason", "x", STAFF="sue").code != OK


def test_auditors_look_and_strangers_change_nothing(plainbill: Run, office: Office) -> None:
    payment = record(plainbill, "40")
    assert plainbill("payments", "show", payment, STAFF="aud").code == OK
    for login in ("aud", "nobody"):
        for asked in (("record", "A-1", "1", "--tender", "cash", "--reference", "z"),
                      ("refund", payment, "1", "--reason", "overpaid"),
                      ("reallocate", payment, "--to", "credit=40", "--reason", "x"), ("credits", "--use", "A-1")):
            assert plainbill("payments", *asked, STAFF=login).code == REFUSED


def test_everything_leaves_a_line_in_the_audit_trail(plainbill: Run, office: Office) -> None:
    payment = record(plainbill, "40")
    plainbill("payments", "show", payment, STAFF="aud")
    rows = office().read(lambda s: [(a.actor, a.action, a.object_id) for a in s.scalars(select(Audit))])
    assert ("ana", "payment.record", payment) in rows and any(a == "aud" and o == payment for a, _, o in rows)


@pytest.mark.parametrize("asked", [("show", "pay_none"), ("refund", "pay_none", "1", "--reason", "overpaid"),
                                   ("approve", "rf_none"), ("evidence", "none"), ("evidence", "none", "--sent"),
                                   ("evidence", "none", "--accept", "our mistake")])
def test_what_is_not_there_is_not_found(plainbill: Run, office: Office, asked: tuple[str, ...]) -> None:
    done = plainbill("payments", *asked, STAFF="sue")
    assert done.code == NOT_FOUND and "Traceback" not in done.err


def test_a_dispute_that_is_not_contested_says_so_and_takes_a_supervisor(plainbill: Run, office: Office) -> None:
    payment = record(plainbill, "40")
    store = office()
    store.write(lambda s: s.add(PaymentDispute(
        id="disp_1", practice_id=s.get_one(Payment, payment).practice_id, payment_id=payment, processor_ref="du_1",
        amount_minor=40_00, fee_minor=0, reason="fraudulent", status="open", opened_at=TUESDAY)))
    accept = ("payments", "evidence", "disp_1", "--accept", "our mistake")
    assert plainbill(*accept, STAFF="ana").code == REFUSED
    assert "accepted" in plainbill(*accept, STAFF="sue").out
    again = plainbill("payments", "evidence", "disp_1", "--sent", STAFF="ana")
    assert (again.code, "while it is open" in again.err) == (REFUSED, True)
