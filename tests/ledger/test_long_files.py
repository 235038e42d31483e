"""A remittance too long to stay in memory is read twice, and comes to the same report and the same books."""

from __future__ import annotations

import gc

import pytest

from bot.importing import checking
from tests.ledger.books import Books
from tests.ledger.paper import Bill, Clp, remittance

CLAIMS = [Clp(f"A{number}", 100_00, [("CO", "45", 60_00), ("PR", "1", number)], pcn=f"P{number}")
          for number in range(1, 8)]


@pytest.mark.parametrize("kept", [1, 4, 8])
def test_a_long_remittance_is_reported_and_posted_as_a_short_one(
        lite: Books, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    lite.bill(*(Bill(claim.claim_id, [("99213", claim.charged)]) for claim in CLAIMS))
    content = remittance("T1", CLAIMS)
    lite.give(content, dry=True)
    short = lite.claims
    monkeypatch.setattr(checking, "KEPT", kept)
    lite.must(lite.give(content))
    assert lite.claims == short
    assert [(claim["claim_id"], claim["patient_due_minor"]) for claim in short] == [
        (f"A{number}", number) for number in range(1, 8)]
    assert lite.problems() == []


def test_an_import_leaves_the_search_for_garbage_as_it_was(lite: Books) -> None:
    before = gc.get_threshold(), gc.get_freeze_count() > 0
    lite.bill(Bill("A1", [("99213", 100_00)]))
    lite.give("no file that anybody can read")
    assert (gc.get_threshold(), gc.get_freeze_count() > 0) == before
