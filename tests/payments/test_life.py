"""The life of a payment: what may follow what, and that nothing else may."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest

from billing import payment_status as life
from billing import refund_status as refund_life
from billing.lives import IllegalMove

_UNPAID = ("succeeded", "failed", "expired", "cancelled")
_BANK = ("disputed", "dispute_lost", "returned")

ALLOWED = {(before, after) for before, afters in {
    "created": ("link_sent", "pending", "needs_patient", *_UNPAID),
    "link_sent": ("pending", *_UNPAID),
    "pending": ("needs_patient", *_UNPAID),
    "needs_patient": ("pending", *_UNPAID),
    "failed": ("pending", "succeeded", "expired", "cancelled"),
    "expired": ("pending", "succeeded", "cancelled"),
    "cancelled": ("pending", "succeeded"),
    "succeeded": ("partly_refunded", "refunded", *_BANK),
    "partly_refunded": ("succeeded", "refunded", *_BANK),
    "refunded": ("succeeded", "partly_refunded", *_BANK),
    "disputed": ("succeeded", "partly_refunded", "refunded", "dispute_lost", "returned"),
    "dispute_lost": ("succeeded", "partly_refunded", "refunded", "disputed", "returned"),
    "returned": (),
}.items() for after in afters}


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
        with pytest.raises(IllegalMove, match="cannot become"):
            life.move(row, after)
        assert row.status == before


def test_final_means_final_and_only_money_overrules_an_ending() -> None:
    assert life.MOVES["returned"] == frozenset()
    assert life.MOVES["cancelled"] == {"pending", "succeeded"}
    for ended in ("refunded", "dispute_lost"):
        assert life.MOVES[ended] <= life.TOOK_MONEY


def test_a_payment_that_took_money_never_goes_back_to_asking() -> None:
    assert all(not (life.MOVES[status] & life.UNDER_WAY) for status in life.TOOK_MONEY)


REFUND_ALLOWED = {
    ("waiting", "approved"), ("waiting", "declined"), ("approved", "sent"), ("approved", "succeeded"),
    ("approved", "failed"), ("sent", "succeeded"), ("sent", "failed"), ("succeeded", "failed"),
}


@pytest.mark.parametrize(("before", "after"), sorted(product(refund_life.MOVES, repeat=2)))
def test_every_step_of_a_refund_is_either_in_the_list_or_refused(before: str, after: str) -> None:
    row = Row(before)
    if (before, after) in REFUND_ALLOWED:
        refund_life.move(row, after)
        assert row.status == after
    else:
        with pytest.raises(IllegalMove, match="cannot become"):
            refund_life.move(row, after)
        assert row.status == before
