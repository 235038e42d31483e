"""A year's summary counts what was paid for care by the day it was paid, and nothing that a bank took back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from billing import payments, year_summary
from billing.store.tables import Practice, Visit
from bot.write import Store
from tests.payments import world
from tests.payments.test_events import ask, paid, tell
from tests.payments.test_places import desk
from tests.payments.world import ANNA, NEW, NEW_MINOR, OLD, OLD_MINOR, Event

#: 23:30 on New Year's Eve in New York is next year in London.
EVE = datetime(2027, 1, 1, 4, 30, tzinfo=UTC)


@pytest.fixture
def anna(store: Store, practice: Practice, now: datetime) -> Store:
    store.write(lambda session: world.anna(session, now))
    return store


def year(store: Store, number: int) -> dict[str, Any]:
    return store.read(lambda s: year_summary.year(s, ANNA, number))


def test_payments_refunds_and_credit_are_listed_by_patient_and_day(anna: Store, now: datetime) -> None:
    one = ask(anna, now)
    tell(anna, now, paid(one))
    anna.write(desk(now, NEW_MINOR + 300))
    tell(anna, now, Event("refunded", one, 1_000))
    found = year(anna, 2026)
    assert (found["paid_minor"], found["refunded_minor"], found["net_minor"]) == (14_850, 1_000, 13_850)
    anna_rows, credit = found["patients"]
    assert (anna_rows["name"], credit["name"], credit["net_minor"]) == ("Rivera, Anna", "", 300)
    assert [(row["on"], row["visit_id"], row["tender"], row["amount_minor"]) for row in anna_rows["rows"]] == [
        ("2026-11-03", OLD, "card", OLD_MINOR), ("2026-11-03", OLD, "card", -1_000),
        ("2026-11-03", NEW, "check", NEW_MINOR)]
    assert year(anna, 2025)["patients"] == []


def test_the_year_is_the_practices_own(anna: Store) -> None:
    one = ask(anna, EVE)
    tell(anna, EVE, paid(one, occurred_at=EVE))
    assert (year(anna, 2026)["net_minor"], year(anna, 2027)["net_minor"]) == (OLD_MINOR, 0)


@pytest.mark.parametrize("kind", ["returned", "disputed", "dispute_lost"])
def test_what_a_bank_took_back_is_not_counted_and_what_it_gave_back_is(anna: Store, now: datetime, kind: str) -> None:
    one = ask(anna, now)
    tell(anna, now, paid(one))
    tell(anna, now, Event(kind, one, OLD_MINOR, dispute_ref="du_1"))
    assert year(anna, 2026)["net_minor"] == 0
    tell(anna, now, Event("dispute_won", one, OLD_MINOR, dispute_ref="du_1"))
    found = year(anna, 2026)
    assert found["net_minor"] == (0 if kind == "returned" else OLD_MINOR)
    assert found["refunded_minor"] == 0


def test_money_that_was_put_elsewhere_counts_where_it_lies(anna: Store, now: datetime) -> None:
    one = anna.write(desk(now, 4_000))
    anna.write(lambda s: payments.reallocate(
        s, world.PRACTICE, one, ((NEW, 4_000),), by="ana", reason="wrong visit", now=now))
    assert [row["visit_id"] for row in year(anna, 2026)["patients"][0]["rows"]] == [NEW]


def test_a_confidential_visit_is_left_out_and_says_so(anna: Store, now: datetime) -> None:
    anna.write(desk(now, OLD_MINOR + 100))
    anna.write(lambda s: setattr(s.get_one(Visit, OLD), "confidential", True))
    found = year(anna, 2026)
    assert (found["private"], found["net_minor"]) == (True, 100)
    assert date(2026, 12, 31).isoformat() == found["made_on"]
    with pytest.raises(LookupError):
        anna.read(lambda s: year_summary.year(s, "acct_none", 2026))
