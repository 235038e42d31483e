"""T-16's example: 5,000 texts to T-Mobile numbers on a brand of 2,000 a day spread over three days, never past quiet
hours, each balance read again on its own day. On the stand-in's journal.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.write import Store
from tests.campaigns.world import make_town
from tests.conftest import TUESDAY, Clock
from tests.scenarios.three_days import Brand

EVENING = datetime(2026, 11, 4, 1, 30, tzinfo=UTC)  # a Tuesday, 20:30 in New York, 17:30 in Los Angeles


def brand(store: Store, clock: Clock, folder: Path, accounts: int, **carrier: int | None) -> Brand:
    """A town of accounts in four time zones and a brand with these caps; a tenth of each is for answers."""
    made = Brand(make_town(store, clock), folder / "twilio.jsonl")
    made.town.settle(carrier=carrier, bulk={"approval_above": 2})
    made.populate(accounts)
    return made


def three_days(made: Brand, begins: datetime, payers: int) -> str:
    """Send to everybody. In each evening one of ``payers`` who wait pays (0: nobody does), and another pays a part."""
    made.town.clock.at = begins
    campaign_id = made.town.launched()
    midnight = datetime(2026, 11, 4, 7, 30, tzinfo=UTC)  # half past eleven in the night, in Los Angeles
    for day in range(3):
        made.run(midnight + timedelta(days=day))
        if payers:
            owing = [one for one in made.waiting(campaign_id) if made.owed[one]]
            made.pay({one: 2_500 for one in owing[1::payers] if made.owed[one] == 10_000})
            made.pay({one: made.owed[one] for one in owing[::payers]})
    return campaign_id


@pytest.mark.slow
def test_t_16_5000_texts_on_a_brand_of_2000_a_day_leave_over_three_days_and_who_pays_in_between_is_not_texted(
        sqlite_store: Store, clock: Clock, tmp_path: Path) -> None:
    # A number that is as fast as it likes: the day's cap alone spreads them.
    made = brand(sqlite_store, clock, tmp_path, 5_000, per_day=2_000, segments_per_second=None)
    campaign_id = three_days(made, TUESDAY, 3)
    days = made.per_day()
    assert days[:2] == [1_800, 1_800] and len(days) == 3
    assert len(made.paid_at) > 1_000 and len(made.left) + len(made.paid_at) == 5_000
    assert made.town.row(campaign_id).status == "done"
    made.check()


@pytest.mark.parametrize("begins", [TUESDAY, EVENING], ids=["morning", "evening"])
def test_t_16_on_a_brand_of_20_a_day_50_texts_take_three_days(
        store: Store, clock: Clock, tmp_path: Path, begins: datetime) -> None:
    """A tenth of the cap is kept for answers. Begun in the evening, when New York is asleep, it is three days too."""
    made = brand(store, clock, tmp_path, 50, per_day=20)
    campaign_id = three_days(made, begins, 0)
    assert made.per_day() == [18, 18, 14]
    assert made.town.row(campaign_id).status == "done"
    made.check()


def test_t_16_who_pays_before_their_own_day_is_not_texted_and_who_pays_a_part_is_asked_for_the_rest(
        store: Store, clock: Clock, tmp_path: Path) -> None:
    made = brand(store, clock, tmp_path, 50, per_day=20)
    three_days(made, TUESDAY, 3)
    assert len(made.paid_at) == 12 and len(made.left) == 38 and made.per_day()[:2] == [18, 18]
    assert sum(one.asked_minor == 7_500 for one in made.left) > 5
    made.check()
