"""Segments: each filter chooses whom it says, versions never change, and a list names its bad lines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from billing import segments
from billing.phones import address_hash
from billing.segments import SegmentRefused
from billing.store.tables import Conversation, Coverage, Guarantor, Plan, Statement, Visit
from tests.campaigns.world import Town
from tests.payments.world import PRACTICE

Change = Callable[[Session], None]


@pytest.fixture
def three(town: Town) -> Town:
    """Accounts 1 to 3, which owe $10, $100 and $1,000."""
    for number, due in enumerate((1_000, 10_000, 100_000), 1):
        town.account(number, due_minor=due)
    return town


def chosen(town: Town, **filters: Any) -> list[int]:
    def read(session: Session) -> list[str]:
        row = segments.keep(session, PRACTICE, "s", segments.parse(filters), by="ana", now=town.clock())
        found = segments.members(session, row, town.policy.local_day(town.clock()))
        assert segments.count(session, row, town.policy.local_day(town.clock())) == len(found)
        return found

    return [int(one.removeprefix("acct_")) for one in town.do(read)]


def statement(number: int, on: date, town: Town) -> Change:
    def make(session: Session) -> None:
        session.add(Statement(
            id=f"st_{number}", practice_id=PRACTICE, guarantor_id=f"acct_{number}", number=number, statement_on=on,
            due_on=on + timedelta(days=30), language="en", currency="USD", total_minor=100, balance_version=1,
            content={}, created_at=town.clock()))
        session.get_one(Visit, f"visit_{number}").first_statement_on = on

    return make


def test_nothing_asked_for_is_everybody_in_the_order_of_their_opening(three: Town) -> None:
    assert chosen(three) == [1, 2, 3]


@pytest.mark.parametrize(("filters", "whom"), [
    ({"minimum_minor": 10_000}, [2, 3]), ({"maximum_minor": 10_000}, [1, 2]),
    ({"minimum_minor": 1_001, "maximum_minor": 99_999}, [2])])
def test_by_what_the_patient_owes(three: Town, filters: dict[str, Any], whom: list[int]) -> None:
    assert chosen(three, **filters) == whom


@pytest.mark.parametrize(("bucket", "whom"), [("0-30", [1]), ("31-60", [2]), ("121+", [3])])
def test_by_days_since_the_first_statement(three: Town, bucket: str, whom: list[int]) -> None:
    today = three.policy.local_day(three.clock())
    for number, days in ((1, 30), (2, 31), (3, 121)):
        three.do(statement(number, today - timedelta(days=days), three))
    assert chosen(three, aging=[bucket]) == whom


def test_a_paid_visit_makes_nobody_older(three: Town) -> None:
    three.do(statement(3, three.policy.local_day(three.clock()) - timedelta(days=200), three))
    three.pay("acct_3", 100_000)
    assert chosen(three, aging=["121+"]) == []


def test_by_days_since_the_service(three: Town) -> None:
    three.do(lambda s: setattr(s.get_one(Visit, "visit_2"), "service_from_on", date(2026, 10, 20)))
    assert chosen(three, aging=["0-30"], aging_from="service") == [2]


def test_by_the_newest_statement(three: Town) -> None:
    today = three.policy.local_day(three.clock())
    three.do(statement(1, today - timedelta(days=40), three))
    three.do(statement(2, today - timedelta(days=10), three))
    assert chosen(three, statement="never") == [3]
    assert chosen(three, statement="sent") == [1, 2]
    assert chosen(three, statement_older_days=28) == [1]
    assert chosen(three, statement_newer_days=28) == [2]


def test_by_language_and_state(three: Town) -> None:
    def change(session: Session) -> None:
        session.get_one(Guarantor, "acct_2").language = "es"
        session.get_one(Guarantor, "acct_3").region = "TX"

    three.do(change)
    assert chosen(three, languages=["es"]) == [2]
    assert chosen(three, regions=["TX"]) == [3]


def test_by_plan(three: Town) -> None:
    def plan(number: int, status: str) -> Change:
        return lambda session: session.add(Plan(
            id=f"plan_{number}", practice_id=PRACTICE, number=number, guarantor_id=f"acct_{number}", status=status,
            currency="USD", total_minor=100, interval="month", days=[], first_on=date(2026, 12, 1), collects="link",
            balance_version=1, language="en", offered_by="ana", offered_at=three.clock(),
            offer_ends_at=three.clock(), idempotency_key=f"k{number}"))

    three.do(plan(1, "behind"))
    three.do(plan(2, "defaulted"))
    assert chosen(three, plans=["none"]) == [2, 3]
    assert chosen(three, plans=["running"]) == chosen(three, plans=["behind"]) == [1]
    assert chosen(three, plans=["defaulted", "behind"]) == [1, 2]


def test_by_whether_somebody_wrote_back(three: Town) -> None:
    today = three.policy.local_day(three.clock())

    def wrote(number: int, hours: int) -> Change:
        phone = f"+1212555{number:04}"
        return lambda session: session.add(Conversation(
            id=f"conv_{number}", practice_id=PRACTICE, channel="sms", address=phone, language="en", state={},
            address_hash=address_hash(PRACTICE, "sms", phone), created_at=three.clock(),
            last_inbound_at=three.clock() + timedelta(hours=hours)))

    for number in (1, 2):
        three.do(statement(number, today, three))
    three.do(wrote(1, -2))
    three.do(wrote(2, 2))
    assert chosen(three, replied="never") == [3]
    assert chosen(three, replied="since_statement") == [2]
    assert chosen(three, replied="not_since_statement") == [1, 3]


def test_by_visit_type_provider_and_payer(three: Town) -> None:
    def change(session: Session) -> None:
        session.get_one(Visit, "visit_1").place_of_service = "23"
        session.get_one(Visit, "visit_2").provider_npi = "1234567893"
        session.add(Coverage(id="cov_3", practice_id=PRACTICE, visit_id="visit_3", rank=1, payer_name="x",
                             payer_id="1", filing_code="MB", status="answered", import_id="imp_1"))

    three.do(change)
    assert chosen(three, visit_types=["23"]) == [1]
    assert chosen(three, providers=["1234567893"]) == [2]
    assert chosen(three, payers=["medicare"]) == [3]
    assert chosen(three, payers=["self_pay"]) == [1, 2]
    assert chosen(three, payers=["other"]) == []


def test_the_same_definition_again_is_no_new_version_and_another_one_is(three: Town) -> None:
    def keep(minimum: int) -> tuple[int, str]:
        row = three.do(lambda s: segments.keep(s, PRACTICE, "x", segments.parse({"minimum_minor": minimum}), by="ana",
                                               now=three.clock()))
        return row.version, row.id

    first = keep(100)
    assert keep(100) == first
    assert keep(200)[0] == 2
    old = three.do(lambda s: segments.find(s, PRACTICE, "x", 1))
    assert old is not None and old.definition == {"minimum_minor": 100}


@pytest.mark.parametrize(("definition", "named"), [
    ({"minimum_minor": 200, "maximum_minor": 100}, "minimum_minor is above"), ({"agign": ["0-30"]}, "agign"),
    ({"aging": ["0-29"]}, "aging.0"), ({"statement": "never", "statement_older_days": 3}, "no age"),
    ({"statement_older_days": 9, "statement_newer_days": 3}, "nobody would be left"),
    ({"providers": ["12"]}, "providers.0")])
def test_a_definition_that_cannot_be_used_names_its_field(definition: dict[str, Any], named: str) -> None:
    with pytest.raises(SegmentRefused, match=named):
        segments.parse(definition)


def listed(town: Town, text: str) -> segments.Listed:
    return town.do(lambda session: segments.read_list(session, PRACTICE, text.splitlines()))


def test_a_list_names_every_line_that_cannot_be_used_and_never_what_stands_in_it(three: Town) -> None:
    found = listed(three, "name,account\nx,N00002\n\ny,\nz,N99999\nx,N00002\nx, N00001 \n")
    assert found.members == (("acct_2", 2), ("acct_1", 7))
    assert [(fault.line, fault.reason) for fault in found.faults] == [
        (4, "no account number in this line"), (5, "there is no such account in this practice"),
        (6, "the same account as in line 2")]


def test_a_list_of_several_columns_needs_its_heading(three: Town) -> None:
    assert [fault.line for fault in listed(three, "N00001,12\nN00002,13").faults] == [1]
    assert listed(three, "N00001\nN00002").members == (("acct_1", 1), ("acct_2", 2))


def test_a_list_is_a_segment_that_stays_as_it_was(three: Town) -> None:
    def keep(session: Session) -> list[str]:
        filters = segments.parse({"listed": True, "minimum_minor": 5_000})
        row = segments.keep(session, PRACTICE, "few", filters, by="ana", now=three.clock(),
                            members=(("acct_1", 1), ("acct_3", 2)))
        assert segments.keep(session, PRACTICE, "few", filters, by="ana", now=three.clock(),
                             members=(("acct_3", 1), ("acct_1", 2))).id == row.id
        return segments.members(session, row, three.policy.local_day(three.clock()))

    assert three.do(keep) == ["acct_3"]
