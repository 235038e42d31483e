"""SQL of the ledger. Nothing else inserts transfers or touches balances."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import NamedTuple, TypeVar, cast

from sqlalchemy import ColumnElement, Table, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from billing.store import driver
from billing.store.tables import LedgerAccount, Transfer, Visit

T = TypeVar("T")

#: Below SQLite's limit of bound variables, for any statement here.
CHUNK = 400

#: Up to so many balances are changed one by one.
FEW = 3


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part


@dataclass(frozen=True, slots=True)
class NewAccount:
    practice_id: str
    key: str
    kind: str
    practice_wide: bool
    guarantor_id: str | None
    visit_id: str | None
    coverage_id: str | None
    balance_minor: int


class Opened(NamedTuple):
    """Ids of accounts by key, and the keys of those whose balance began with what was posted."""

    ids: dict[str, int]
    begun_with: frozenset[str]


@dataclass(frozen=True, slots=True)
class AccountRow:
    key: str
    visit_id: str | None
    coverage_id: str | None
    guarantor_id: str | None


@dataclass(frozen=True, slots=True)
class TransferRow:
    """A posted transfer with its two accounts by key."""

    id: int
    practice_id: str
    debit: AccountRow
    credit: AccountRow
    amount_minor: int
    currency: str
    code: str
    effective_on: date
    source: str
    source_ref: str
    guarantor_id: str | None
    visit_id: str | None
    coverage_id: str | None
    service_line_id: str | None
    remittance_claim_id: str | None
    payment_id: str | None
    reason: str
    reverses_id: int | None
    import_id: str | None


def insert_ignoring(session: Session, table: type, rows: Sequence[Mapping[str, object]]) -> None:
    """INSERT ... ON CONFLICT DO NOTHING in the dialect at hand."""
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(make(table).on_conflict_do_nothing(), list(rows))


def lock_guarantors(session: Session, guarantor_ids: Sequence[str]) -> None:
    """SQLite's writer already has the whole database; PostgreSQL takes the rows in order of their ids."""
    if guarantor_ids and driver.is_postgresql(session):
        driver.run(session, _LOCK, list(guarantor_ids))


_LOCK = "SELECT id FROM guarantors WHERE id IN_LIST ORDER BY id FOR UPDATE"

_POSTED = """
SELECT t.source, t.source_ref, d.key, c.key, t.amount_minor, t.code FROM transfers t
JOIN ledger_accounts d ON d.id = t.debit_id JOIN ledger_accounts c ON c.id = t.credit_id
WHERE t.practice_id = ? AND t.source = ? AND t.source_ref IN_LIST"""

_ACCOUNTS = "SELECT key, id FROM ledger_accounts WHERE practice_id = ? AND key IN_LIST"


def look(session: Session, practice_id: str, guarantor_ids: Sequence[str], refs: Collection[tuple[str, str]],
         keys: Collection[str]) -> tuple[dict[tuple[str, str], tuple[str, str, int, str]], dict[str, int]]:
    """Lock the guarantors, then read what is posted under these references and which accounts there are, by key."""
    steps: list[tuple[str, Sequence[object]]] = []
    if guarantor_ids and driver.is_postgresql(session):
        steps.append((_LOCK, (list(guarantor_ids),)))
    by_source: dict[str, list[str]] = {}
    for source, ref in refs:
        by_source.setdefault(source, []).append(ref)
    posted = slice(len(steps), len(steps) + len(by_source))
    steps += [(_POSTED, (practice_id, source, driver.among(session, wanted))) for source, wanted in by_source.items()]
    steps.append((_ACCOUNTS, (practice_id, driver.among(session, keys))))
    found = driver.run_together(session, steps)
    return {(source, ref): (debit, credit, amount, code) for rows in found[posted]
            for source, ref, debit, credit, amount, code in rows}, dict(found[-1])


def open_accounts(session: Session, accounts: Sequence[NewAccount]) -> Opened:
    """Make the accounts, in order of their keys, with their balances. One that somebody else made meanwhile keeps its
    own balance: it is not among those begun with theirs.
    """
    if not accounts:
        return Opened({}, frozenset())
    wanted = sorted(accounts, key=attrgetter("key"))
    practice_id, keys = wanted[0].practice_id, [a.key for a in wanted]
    rows = [(a.practice_id, a.key, a.kind, a.guarantor_id, a.visit_id, a.coverage_id, a.practice_wide, a.balance_minor)
            for a in wanted]
    if not driver.is_postgresql(session):
        driver.run_many(session, _NEW_ACCOUNT, rows)  # nobody else writes meanwhile
        return Opened(dict(driver.run(session, _ACCOUNTS, practice_id, driver.among(session, keys))), frozenset(keys))
    made: dict[str, int] = dict(driver.run(session, _NEW_ACCOUNTS, json.dumps(rows)))
    rest = [key for key in keys if key not in made]
    return Opened({**made, **dict(driver.run(session, _ACCOUNTS, practice_id, rest) if rest else ())}, frozenset(made))


_NEW_ACCOUNT = """
INSERT INTO ledger_accounts (practice_id, key, kind, guarantor_id, visit_id, coverage_id, practice_wide, balance_minor,
snapshot_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)"""

_NEW_ACCOUNTS = """
INSERT INTO ledger_accounts (practice_id, key, kind, guarantor_id, visit_id, coverage_id, practice_wide, balance_minor,
snapshot_id) SELECT r->>0, r->>1, r->>2, r->>3, r->>4, r->>5, (r->>6)::boolean, (r->>7)::bigint, 0
FROM json_array_elements(?::json) r ON CONFLICT DO NOTHING RETURNING key, id"""


def post_one(session: Session, row: Mapping[str, object], debit: str, credit: str, delta_minor: int) -> bool:
    """Insert one transfer between two accounts by their keys, of which at most one keeps a balance; move that by
    ``delta_minor`` and the guarantor's version with it. False, and nothing written, where an account is not there yet
    or the reference is taken.

    ``row`` is without the accounts' ids. What ``look`` and ``write_down`` do in two steps for several postings.
    """
    values = (*driver.bound(session, cast(Table, Transfer.__table__), row), row["practice_id"], debit, credit)
    names, owner = tuple(row), row["guarantor_id"]
    if driver.is_postgresql(session):
        return bool(driver.run(session, _all_of_one(names), owner, *values, delta_minor, owner)[0][0])
    made = driver.run(session, _insert(names), *values)
    if made:
        driver.run_together(session, [(_ADD_KEPT, (delta_minor, *made[0])), (_BUMP_ONE, (owner,))])
    return bool(made)


@cache
def _insert(names: tuple[str, ...], when: str = "") -> str:
    """``reverses_id`` is said to be a number: elsewhere the value or the text's column tells PostgreSQL the type."""
    marks = ", ".join("CAST(? AS bigint)" if name == "reverses_id" else "?" for name in names)
    return f"""
INSERT INTO transfers ({", ".join(names)}, debit_id, credit_id) SELECT {marks}, d.id, c.id
FROM ledger_accounts d JOIN ledger_accounts c ON c.practice_id = d.practice_id
WHERE d.practice_id = ? AND d.key = ? AND c.key = ? {when}
ON CONFLICT (practice_id, source, source_ref) DO NOTHING RETURNING debit_id, credit_id"""  # noqa: S608 - column names


_ADD_KEPT = "UPDATE ledger_accounts SET balance_minor = balance_minor + ? WHERE id IN (?, ?) AND NOT practice_wide"
_BUMP_ONE = "UPDATE guarantors SET balance_version = balance_version + 1 WHERE id = ?"


@cache
def _all_of_one(names: tuple[str, ...]) -> str:
    """One statement for the server: the guarantor is locked before anything is inserted, and the balance moves after
    that, which is the lock order.
    """
    return f"""
WITH locked AS MATERIALIZED (SELECT id FROM guarantors WHERE id = ? FOR UPDATE),
made AS ({_insert(names, "AND (SELECT count(*) FROM locked) < 2")}),
kept AS (UPDATE ledger_accounts a SET balance_minor = a.balance_minor + ? FROM made
         WHERE a.id IN (made.debit_id, made.credit_id) AND NOT a.practice_wide),
bumped AS (UPDATE guarantors g SET balance_version = g.balance_version + 1 FROM made WHERE g.id = ?)
SELECT count(*) FROM made"""  # noqa: S608 - statements from above


def write_down(session: Session, names: tuple[str, ...], rows: Sequence[tuple[object, ...]],
               deltas: Mapping[int, int], guarantor_ids: Sequence[str]) -> None:
    """Insert transfers, at least one, as values of the columns ``names``, and move the balances and versions with them;
    the guarantors are locked.
    """
    table = cast(Table, Transfer.__table__)
    changes = _changes(session, deltas)
    if guarantor_ids:
        changes.append((_BUMP, (driver.among(session, guarantor_ids),)))
    if len(rows) <= FEW:
        changes = [driver.insertion(session, table, dict(zip(names, row, strict=True))) for row in rows] + changes
    else:
        driver.insert_values(session, table, names, rows)
    driver.run_together(session, changes)


def _changes(session: Session, deltas: Mapping[int, int]) -> list[tuple[str, Sequence[object]]]:
    """What changes the balances, in order of account ids: the lock order."""
    rows = [(delta, id_) for id_, delta in sorted(deltas.items()) if delta]
    if len(rows) > FEW and driver.is_postgresql(session):
        return [(_ADD_MANY, (json.dumps(rows),))]
    if len(rows) <= FEW:
        return [(_ADD, row) for row in rows]
    driver.run_many(session, _ADD, rows)
    return []


_ADD = "UPDATE ledger_accounts SET balance_minor = balance_minor + ? WHERE id = ?"

_ADD_MANY = """
WITH d AS (SELECT a.id, (r->>0)::bigint AS delta FROM json_array_elements(?::json) r
           JOIN ledger_accounts a ON a.id = (r->>1)::bigint ORDER BY a.id FOR UPDATE OF a)
UPDATE ledger_accounts a SET balance_minor = a.balance_minor + d.delta FROM d WHERE a.id = d.id"""

_BUMP = "UPDATE guarantors SET balance_version = balance_version + 1 WHERE id IN_LIST"


def bump_versions(session: Session, guarantor_ids: Sequence[str]) -> None:
    if len(guarantor_ids) > 1:
        lock_guarantors(session, guarantor_ids)
    if guarantor_ids:
        driver.run(session, _BUMP, driver.among(session, guarantor_ids))


def reversed_ids(session: Session, transfer_ids: Collection[int]) -> set[int]:
    found: set[int] = set()
    for part in chunks(transfer_ids):
        found.update(i for i in session.scalars(select(Transfer.reverses_id).where(Transfer.reverses_id.in_(part)))
                     if i is not None)
    return found


def transfers_where(session: Session, *conditions: ColumnElement[bool]) -> list[TransferRow]:
    """Posted transfers in order of posting; ``conditions`` are SQLAlchemy expressions over Transfer."""
    debit, credit = aliased(LedgerAccount), aliased(LedgerAccount)
    query = (
        select(Transfer, debit.key, debit.visit_id, debit.coverage_id, debit.guarantor_id,
               credit.key, credit.visit_id, credit.coverage_id, credit.guarantor_id)
        .join(debit, debit.id == Transfer.debit_id).join(credit, credit.id == Transfer.credit_id)
        .where(*conditions).order_by(Transfer.id))
    return [_transfer_row(row[0], AccountRow(*row[1:5]), AccountRow(*row[5:])) for row in session.execute(query)]


def _transfer_row(t: Transfer, debit: AccountRow, credit: AccountRow) -> TransferRow:
    return TransferRow(t.id, t.practice_id, debit, credit, t.amount_minor, t.currency, t.code, t.effective_on, t.source,
                       t.source_ref, t.guarantor_id, t.visit_id, t.coverage_id, t.service_line_id,
                       t.remittance_claim_id, t.payment_id, t.reason, t.reverses_id, t.import_id)


def of_remittance_claim(session: Session, remittance_claim_id: str) -> list[TransferRow]:
    return transfers_where(session, Transfer.remittance_claim_id == remittance_claim_id)


def of_visit_charges(session: Session, visit_id: str) -> list[TransferRow]:
    return transfers_where(session, Transfer.visit_id == visit_id, Transfer.code == "charge")


def of_import(session: Session, import_id: str) -> list[TransferRow]:
    return transfers_where(session, Transfer.import_id == import_id, Transfer.reverses_id.is_(None))


def reversing_others(session: Session, import_id: str) -> list[TransferRow]:
    """Rows by which an import took back what other imports had posted."""
    original = aliased(Transfer)
    theirs = select(original.id).where(original.import_id.is_distinct_from(import_id))
    return transfers_where(session, Transfer.import_id == import_id, Transfer.code == "reversal",
                           Transfer.source != "undo", Transfer.reverses_id.in_(theirs))


def by_ids(session: Session, transfer_ids: Collection[int]) -> list[TransferRow]:
    return [row for part in chunks(transfer_ids) for row in transfers_where(session, Transfer.id.in_(part))]


def of_visit(session: Session, visit_id: str) -> list[TransferRow]:
    return transfers_where(session, Transfer.visit_id == visit_id)


def of_guarantor(session: Session, guarantor_id: str) -> list[TransferRow]:
    """Transfers of the account's own visits, whoever had them when they were posted, and of its credit."""
    visits = select(Visit.id).where(Visit.guarantor_id == guarantor_id)
    account = select(LedgerAccount.id).where(LedgerAccount.key == f"credit:{guarantor_id}")
    return transfers_where(session, or_(Transfer.visit_id.in_(visits), Transfer.debit_id.in_(account),
                                        Transfer.credit_id.in_(account)))


def balance_of(session: Session, practice_id: str, key: str, practice_wide: bool) -> int:
    rows = driver.run(session, "SELECT id, balance_minor, snapshot_id FROM ledger_accounts WHERE practice_id = ? AND "
                               "key = ?", practice_id, key)
    if not rows:
        return 0
    account_id, balance_minor, snapshot_id = rows[0]
    return int(balance_minor) + (_tail(session, account_id, snapshot_id) if practice_wide else 0)


def _tail(session: Session, account_id: int, after: int) -> int:
    """What was posted to a practice-wide account since its snapshot, by the (account, id) indexes."""
    total = 0
    for column, sign in ((Transfer.debit_id, 1), (Transfer.credit_id, -1)):
        amount = session.scalar(
            select(func.coalesce(func.sum(Transfer.amount_minor), 0)).where(column == account_id, Transfer.id > after))
        total += sign * int(amount or 0)
    return total


def last_posted_before(session: Session, practice_id: str, before: datetime) -> int:
    """The highest id that may be folded: posted before that instant, and so is everything below it; 0 for none."""
    mine = Transfer.practice_id == practice_id
    old = session.scalar(select(func.max(Transfer.id)).where(mine, Transfer.posted_at < before))
    newer = session.scalar(select(func.min(Transfer.id)).where(mine, Transfer.posted_at >= before))
    return min(int(old or 0), int(newer) - 1) if newer else int(old or 0)


def take_snapshots(session: Session, practice_id: str, up_to_id: int) -> None:
    """Fold transfers up to ``up_to_id`` into the practice-wide balances. The caller picks an id old enough that no
    transaction with a lower one can still commit.
    """
    query = select(LedgerAccount).where(LedgerAccount.practice_id == practice_id, LedgerAccount.practice_wide,
                                        LedgerAccount.snapshot_id < up_to_id).with_for_update()
    for account in session.scalars(query):
        for column, sign in ((Transfer.debit_id, 1), (Transfer.credit_id, -1)):
            amount = session.scalar(select(func.coalesce(func.sum(Transfer.amount_minor), 0)).where(
                column == account.id, Transfer.id > account.snapshot_id, Transfer.id <= up_to_id))
            account.balance_minor += sign * int(amount or 0)
        account.snapshot_id = up_to_id


def balances_by_key(session: Session, practice_id: str, keys: Collection[str]) -> dict[str, int]:
    """Kept balances (visits and guarantors only), 0 where nothing was posted."""
    found = dict.fromkeys(keys, 0)
    if found:
        found.update(driver.run(session, "SELECT key, balance_minor FROM ledger_accounts WHERE practice_id = ? AND "
                                         "key IN_LIST", practice_id, driver.among(session, found)))
    return found
