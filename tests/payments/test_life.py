"""The life of a payment: what may follow what, and that nothing else may."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest

from billing import payment_status as life

ALLOWED = {
    ("created", "link_sent"), ("created", "pending"), ("created", "succeeded"), ("created", "failed"),
    ("created", "expired"), ("created", "cancelled"),
    ("link_sent", "pending"), ("link_sent", "succeeded"), ("link_sent", "failed"), ("link_sent", "expired"),
    ("link_sent", "cancelled"),
    ("pending", "succeeded"), ("pending", "failed"), ("pending", "expired"), ("pending", "cancelled"),
    ("failed", "pending"), ("failed", "succeeded"), ("failed", "expired"), ("failed", "cancelled"),
    ("expired", "pending"), ("expired", "succeeded"), ("expired", "cancelled"),
    ("cancelled", "succeeded"),
    ("succeeded", "partly_refunded"), ("succeeded", "refunded"), ("succeeded", "disputed"),
    ("partly_refunded", "refunded"), ("partly_refunded", "disputed"),
    ("disputed", "succeeded"), ("disputed", "partly_refunded"), ("disputed", "refunded"),
}


@dataclass
class Row:
    status: str


@pytest.mark.parametrize(("before", "after"), sorted(product(life.MOVES, repeat=2)))
def test_every_move_is_either_in_the_list_or_refused(before: str, after: str) -> None:
    row = Row(before)
    if (before, after) in ALLOWED:
        life.move(row, after)
        assert row.status == after
    else:
        with pytest.raises(life.IllegalMove, match="cannot become"):
            life.move(row, after)
        assert row.status == before


def test_nothing_follows_a_full_refund_and_only_money_reopens_a_cancelled_payment() -> None:
    assert life.MOVES["refunded"] == frozenset()
    assert life.MOVES["cancelled"] == {"succeeded"}


def test_a_payment_that_took_money_never_goes_back_to_asking() -> None:
    assert all(not (life.MOVES[status] & life.OPEN) for status in life.TOOK_MONEY)
