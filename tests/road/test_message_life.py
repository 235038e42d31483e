"""The life of a message: every pair of states is either in the table or refused, and final means final."""

from __future__ import annotations

import itertools

import pytest

from billing.message_life import FINAL, MOVES, REPORTS, STATUSES, IllegalMove, check_move, report_moves

PAIRS = list(itertools.product(STATUSES, STATUSES))

#: Written out by hand, so that a slip in the table shows.
LEGAL = {
    ("queued", "claimed"), ("queued", "deferred"), ("queued", "withheld"), ("queued", "cancelled"),
    ("deferred", "queued"), ("deferred", "cancelled"),
    ("claimed", "queued"), ("claimed", "deferred"), ("claimed", "withheld"), ("claimed", "cancelled"),
    ("claimed", "sending"), ("claimed", "failed"),
    ("sending", "sent"), ("sending", "queued"), ("sending", "failed"), ("sending", "unknown"),
    ("unknown", "sent"), ("unknown", "queued"), ("unknown", "failed"),
}

REPORTED = {(before, after)
            for before in ("queued", "deferred", "claimed", "sending", "unknown")
            for after in ("sent", "delivered", "undelivered", "failed")} | {
    ("sent", "delivered"), ("sent", "undelivered"), ("sent", "failed")}


def test_the_table_speaks_of_every_state() -> None:
    assert set(MOVES) == set(STATUSES)
    assert {after for moves in [*MOVES.values(), *REPORTS.values()] for after in moves} <= set(STATUSES)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_our_work_makes_legal_moves_only(before: str, after: str) -> None:
    if (before, after) in LEGAL:
        check_move(before, after)
    else:
        with pytest.raises(IllegalMove, match=f"{before} cannot become {after}"):
            check_move(before, after)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_delivery_report_never_takes_a_later_state_back(before: str, after: str) -> None:
    assert report_moves(before, after) == ((before, after) in REPORTED)


@pytest.mark.parametrize("status", sorted(FINAL))
def test_final_means_final(status: str) -> None:
    assert not MOVES[status]
    assert status not in REPORTS


def test_nothing_leads_from_sent_back_to_the_queue() -> None:
    """Searching all moves of our own work from "sent": no way to a second sending."""
    assert MOVES["sent"] == frozenset()
    assert not {"queued", "claimed", "sending"} & {s for moves in REPORTS.values() for s in moves}
