"""python-accounting on SQLite, in an environment of its own: ``python peer_accounting.py FILE ENTRIES RUNS``, JSON out.

Its own way to post two legs is a JournalEntry with one line item, posted; its ledger rows are chained by hashes.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import UTC, datetime

from python_accounting.database.session import get_session
from python_accounting.models import Account, Base, Currency, Entity, LineItem
from python_accounting.transactions import JournalEntry
from sqlalchemy import create_engine


def main(file: str, entries: int, runs: int) -> None:
    engine = create_engine(f"sqlite:///{file}").execution_options(include_deleted=False, ignore_isolation=False)
    Base.metadata.create_all(engine)
    with get_session(engine) as session:
        post = prepare(session)
        for _ in range(5):  # warm
            post()
        print(json.dumps({"single": statistics.median(timed(post, entries) for _ in range(runs))}))


def timed(post, entries):  # type: ignore[no-untyped-def]
    began = time.perf_counter()
    for _ in range(entries):
        post()
    return entries / (time.perf_counter() - began)


def prepare(session):  # type: ignore[no-untyped-def]
    entity = Entity(name="Bench")
    session.add(entity)
    session.flush()
    currency = Currency(name="US Dollars", code="USD", entity_id=entity.id)
    session.add(currency)
    session.flush()
    entity.currency_id = currency.id
    session.flush()
    bank, revenue = (Account(name=name, account_type=kind, currency_id=currency.id, entity_id=entity.id)
                     for name, kind in (("Bank", Account.AccountType.BANK),
                                        ("Revenue", Account.AccountType.OPERATING_REVENUE)))
    session.add_all([bank, revenue])
    session.commit()
    ids = entity.id, bank.id, revenue.id

    def post() -> None:
        entity_id, bank_id, revenue_id = ids
        entry = JournalEntry(narration="Bench", account_id=bank_id, entity_id=entity_id,
                             transaction_date=datetime.now(UTC).replace(tzinfo=None))
        session.add(entry)
        session.flush()
        line = LineItem(narration="Bench line", account_id=revenue_id, amount=12, entity_id=entity_id)
        session.add(line)
        session.flush()
        entry.line_items.add(line)
        session.add(entry)
        entry.post(session)
        session.commit()

    return post


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
