"""SQL of the ledger. Nothing else inserts transfers or touches balances."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, bindparam, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from billing.store.tables import Guarantor, LedgerAccount, Transfer, Visit

T = TypeVar("T")

#: Below SQLite's limit of bound variables, for any statement here.
CHUNK = 400


def chunks(items: Collection[T], size: int = CHUNK) -> Iterator[list[T]]:
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
    if session.get_bind().dialect.name != "postgresql":
        return
    for part in chunks(guarantor_ids):
        session.execute(select(Guarantor.id).where(Guarantor.id.in_(part)).order_by(Guarantor.id).with_for_update())


def find_posted(session: Session, practice_id: str, refs: Collection[tuple[str, str]],
                ) -> dict[tuple[str, str], tuple[str, str, int, str]]:
    debit, credit = aliased(LedgerAccount), aliased(LedgerAccount)
    found: dict[tuple[str, str], tuple[str, str, int, str]] = {}
    for part in chunks(refs):
        query = (
            select(Transfer.source, Transfer.source_ref, debit.key, credit.key, Transfer.amount_minor, Transfer.code)
            .join(debit, debit.id == Transfer.debit_id).join(credit, credit.id == Transfer.credit_id)
            .where(Transfer.practice_id == practice_id, tuple_(Transfer.source, Transfer.source_ref).in_(part)))
        for source, ref, debit_key, credit_key, amount, code in session.execute(query):
            found[source, ref] = (debit_key, credit_key, amount, code)
    return found


def ensure_accounts(session: Session, accounts: Sequence[NewAccount]) -> dict[str, int]:
    """Make the accounts that are missing and return the ids of all by key."""
    practice_id = accounts[0].practice_id
    known = _account_ids(session, practice_id, [a.key for a in accounts])
    missing = [a for a in accounts if a.key not in known]
    if missing:
        rows = [asdict(a) | {"balance_minor": 0, "snapshot_id": 0} for a in sorted(missing, key=lambda a: a.key)]
        insert_ignoring(session, LedgerAccount, rows)
        known |= _account_ids(session, practice_id, [a.key for a in missing])
    return known


def _account_ids(session: Session, practice_id: str, keys: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in chunks(keys):
        query = select(LedgerAccount.key, LedgerAccount.id).where(
            LedgerAccount.practice_id == practice_id, LedgerAccount.key.in_(part))
        found.update((key, id_) for key, id_ in session.execute(query))
    return found


def insert_transfers(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    session.execute(insert(Transfer.__table__), list(rows))  # type: ignore[arg-type]  # a Table, typed FromClause


def add_to_balances(session: Session, deltas: Mapping[int, int]) -> None:
    """In order of account ids: the lock order. Core, because the ORM would look for each row first."""
    table = LedgerAccount.__table__
    change = (
        update(table).where(table.c.id == bindparam("account"))  # type: ignore[arg-type]
        .values(balance_minor=table.c.balance_minor + bindparam("delta")))
    rows = [{"account": id_, "delta": delta} for id_, delta in sorted(deltas.items()) if delta]
    if rows:
        _connection(session).execute(change, rows)


def bump_versions(session: Session, guarantor_ids: Sequence[str]) -> None:
    table = Guarantor.__table__
    change = (
        update(table).where(table.c.id == bindparam("guarantor"))  # type: ignore[arg-type]
        .values(balance_version=table.c.balance_version + 1))
    if guarantor_ids:
        _connection(session).execute(change, [{"guarantor": id_} for id_ in guarantor_ids])


def _connection(session: Session) -> Connection:
    session.flush()
    return session.connection()


def reversed_ids(session: Session, transfer_ids: Collection[int]) -> set[int]:
    found: set[int] = set()
    for part in chunks(transfer_ids):
        found.update(i for i in session.scalars(select(Transfer.reverses_id).where(Transfer.reverses_id.in_(part)))
                     if i is not None)
    return found


def transfers_where(session: Session, *conditions: object) -> list[TransferRow]:
    """Posted transfers in order of posting; ``conditions`` are SQLAlchemy expressions over Transfer."""
    debit, credit = aliased(LedgerAccount), aliased(LedgerAccount)
    query = (
        select(Transfer, debit.key, debit.visit_id, debit.coverage_id, debit.guarantor_id,
               credit.key, credit.visit_id, credit.coverage_id, credit.guarantor_id)
        .join(debit, debit.id == Transfer.debit_id).join(credit, credit.id == Transfer.credit_id)
        .where(*conditions).order_by(Transfer.id))  # type: ignore[arg-type]
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
    row = session.execute(
        select(LedgerAccount.id, LedgerAccount.balance_minor, LedgerAccount.snapshot_id)
        .where(LedgerAccount.practice_id == practice_id, LedgerAccount.key == key)).one_or_none()
    if row is None:
        return 0
    return int(row.balance_minor) + (_tail(session, row.id, row.snapshot_id) if practice_wide else 0)


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
    for part in chunks(keys):
        query = select(LedgerAccount.key, LedgerAccount.balance_minor).where(
            LedgerAccount.practice_id == practice_id, LedgerAccount.key.in_(part))
        found.update((key, amount) for key, amount in session.execute(query))
    return found
