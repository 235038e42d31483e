"""A posting made alone takes one step instead of several, and comes to the same: rows, balances, versions, refusals."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from billing.ledger import Account, LedgerConflict, Posting, balance, credit, patient, payer, post, wide
from billing.store.tables import Guarantor, Practice
from bot.write import Store

OWNER = "gua_elm"


def _posting(debit: Account, to: Account, ref: str, minor: int = 12_34, owner: str | None = OWNER) -> Posting:
    return Posting("prac_maple", debit, to, minor, "USD", "payer_payment", date(2026, 11, 3), "test", ref, owner,
                   "vis_1", reason="CO-45", payment_id="pay_1")


POSTINGS = (
    _posting(wide("payer_clearing"), patient("vis_1"), "first"),
    _posting(wide("payer_clearing"), patient("vis_1"), "second", 5),
    _posting(payer("cov_1", "vis_1"), wide("revenue"), "charge", 99_00),
    _posting(patient("vis_1"), credit(OWNER), "to credit", 7),
    _posting(wide("fees"), wide("payer_clearing"), "fee", 31, None),
    _posting(wide("payer_clearing"), patient("vis_1"), "first"),
)


@pytest.fixture
def owned(store: Store, practice: Practice, now: datetime) -> Store:
    store.write(lambda session: session.add(Guarantor(
        id=OWNER, practice_id=practice.id, external="E", external_hash="e", name="Elm", surname_hash="s",
        language="en", origin="csv", balance_version=0, created_at=now)))
    return store


def _post(store: Store, postings: Sequence[Posting], now: datetime) -> int:
    return store.write(lambda session: post(session, postings, now))


def _books(session: Session) -> dict[str, Any]:
    return {
        "transfers": session.execute(text(
            "SELECT d.key, c.key, t.amount_minor, t.currency, t.code, t.effective_on, t.posted_at, t.source, "
            "t.source_ref, t.guarantor_id, t.visit_id, t.reason, t.payment_id, t.reverses_id FROM transfers t "
            "JOIN ledger_accounts d ON d.id = t.debit_id JOIN ledger_accounts c ON c.id = t.credit_id "
            "ORDER BY t.source_ref")).all(),
        "accounts": session.execute(text(
            "SELECT key, balance_minor, practice_wide FROM ledger_accounts ORDER BY key")).all()}


def _version(session: Session) -> int:
    return int(session.execute(text("SELECT balance_version FROM guarantors")).scalar_one())


def test_one_by_one_or_together_the_books_are_the_same(owned: Store, now: datetime) -> None:
    """What a batch writes is the measure: posted again one by one, beginning with no accounts and then with all."""
    made = [_post(owned, [one], now) for one in POSTINGS]
    alone = owned.read(_books)
    assert made == [1, 1, 1, 1, 1, 0]

    def together(session: Session) -> Any:
        """Under other references, in one call, and taken back: the same rows but for their names."""
        count = post(session, [replace(one, source_ref=f"{one.source_ref}!") for one in POSTINGS], now)
        return count, _books(session)

    count, both = owned.write(together)
    assert count == 5
    old = [tuple(row) for row in alone["transfers"]]
    new = [(*row[:8], row[8].removesuffix("!"), *row[9:]) for row in both["transfers"] if row[8].endswith("!")]
    assert new == old
    assert [(key, 2 * minor, shared) for key, minor, shared in alone["accounts"]] == [
        tuple(row) for row in both["accounts"]]


def test_the_same_document_twice_moves_nothing_the_second_time(owned: Store, now: datetime) -> None:
    one = POSTINGS[0]
    assert [_post(owned, [one], now), _post(owned, [one], now), _post(owned, [one, one], now)] == [1, 0, 0]
    assert owned.read(lambda s: balance(s, "prac_maple", patient("vis_1"))) == -12_34
    assert owned.read(_version) == 1


def test_the_version_counts_every_posting_of_the_account_and_no_other(owned: Store, now: datetime) -> None:
    for one in POSTINGS:
        _post(owned, [one], now)
    assert owned.read(_version) == 4


def test_the_same_reference_with_other_content_is_refused_and_nothing_moves(owned: Store, now: datetime) -> None:
    _post(owned, [POSTINGS[0]], now)
    before = owned.read(_books)
    for other in (_posting(wide("payer_clearing"), patient("vis_1"), "first", 12_35),
                  _posting(wide("suspense"), patient("vis_1"), "first")):
        with pytest.raises(LedgerConflict):
            _post(owned, [other], now)
    assert owned.read(_books) == before
    assert owned.read(_version) == 1


def test_many_at_once_on_one_account_each_count_once(owned: Store, now: datetime) -> None:
    """Eight writers, the same fifteen documents each, and one of its own: whoever waited sees what came before."""
    _post(owned, [POSTINGS[0]], now)

    def work(writer: int) -> int:
        refs = [f"shared {n}" for n in range(15)] + [f"own {writer}"]
        return sum(_post(owned, [_posting(wide("payer_clearing"), patient("vis_1"), ref, 100)], now) for ref in refs)

    with ThreadPoolExecutor(8) as pool:
        made = sum(pool.map(work, range(8)))
    assert made == 15 + 8
    assert owned.read(lambda s: balance(s, "prac_maple", patient("vis_1"))) == -12_34 - 23 * 100
    assert owned.read(_version) == 1 + 23


def test_a_reversal_alone_stands_only_once(owned: Store, now: datetime) -> None:
    """Another reference that reverses the same row is the database's to refuse: it is no repetition."""
    _post(owned, [POSTINGS[0]], now)
    number = owned.read(lambda s: s.execute(text("SELECT id FROM transfers")).scalar_one())

    def undo(ref: str) -> Posting:
        return Posting("prac_maple", patient("vis_1"), wide("payer_clearing"), 12_34, "USD", "reversal",
                       date(2026, 11, 3), "reversal", ref, OWNER, "vis_1", reverses_id=number)

    assert _post(owned, [undo("a")], now) == 1
    with pytest.raises(IntegrityError):
        _post(owned, [undo("b")], now)
    assert owned.read(lambda s: balance(s, "prac_maple", patient("vis_1"))) == 0
