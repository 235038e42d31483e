"""SQL of the daily close: locked days, drawers as booked and as counted, bank lines and what they are matched to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from billing.store.ledger_queries import TransferRow, chunks, transfers_where
from billing.store.tables import ImportRun, LedgerAccount, Payment, Practice, Refund, Remittance, Transfer
from billing.store.tables_money import BankLine, DayClose, DayCount, Difference, Payout

DRAWERS = "cash:manual:"
BANK_SOURCE = "bank"


@dataclass(frozen=True, slots=True)
class DeskMove:
    """A transfer in or out of a drawer; cents, positive came in."""

    tender: str
    code: str
    amount_minor: int
    source_ref: str
    payment_id: str | None


def zone_of(session: Session, practice_id: str) -> str:
    return session.get_one(Practice, practice_id).zone


def hold_days(session: Session, practice_id: str, *, to_close: bool) -> None:
    """Keep a day from being signed while something is posted into it, and the other way round; until the commit.

    SQLite's one writer needs no lock; on PostgreSQL postings share the practice's row and a sign-off has it alone.
    """
    query = select(Practice.id).where(Practice.id == practice_id)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(query.with_for_update(key_share=True) if to_close else query.with_for_update(read=True))


def find_close(session: Session, practice_id: str, day: date) -> DayClose | None:
    return session.get(DayClose, (practice_id, day))


def locked_from(session: Session, practice_id: str, on: date) -> list[date]:
    """Locked days at or after ``on``, oldest first."""
    return list(session.scalars(select(DayClose.day_on).where(
        DayClose.practice_id == practice_id, DayClose.day_on >= on).order_by(DayClose.day_on)))


def closes(session: Session, practice_id: str) -> list[DayClose]:
    """Oldest first."""
    return list(session.scalars(select(DayClose).where(DayClose.practice_id == practice_id).order_by(DayClose.day_on)))


def newest_closes(session: Session, practice_id: str, most: int) -> list[DayClose]:
    """The newest first."""
    return list(session.scalars(select(DayClose).where(DayClose.practice_id == practice_id)
                                .order_by(DayClose.day_on.desc()).limit(most)))


def add_close(session: Session, close: DayClose) -> DayClose:
    session.add(close)
    session.flush()
    return close


def desk_moves(session: Session, practice_id: str, day: date) -> list[DeskMove]:
    """What was posted into drawers for this day, in order; what the bank has had since then is left out."""
    debit, credit, undone = aliased(LedgerAccount), aliased(LedgerAccount), aliased(Transfer)
    query = (
        select(Transfer, undone.code, debit.key, credit.key)
        .join(debit, debit.id == Transfer.debit_id).join(credit, credit.id == Transfer.credit_id)
        .outerjoin(undone, undone.id == Transfer.reverses_id)
        .where(Transfer.practice_id == practice_id, Transfer.effective_on == day, Transfer.source != BANK_SOURCE,
               or_(debit.key.startswith(DRAWERS), credit.key.startswith(DRAWERS))).order_by(Transfer.id))
    found = []
    for row, undone_code, debit_key, credit_key in session.execute(query):
        for key, sign in ((debit_key, 1), (credit_key, -1)):
            if key.startswith(DRAWERS):
                found.append(DeskMove(key.removeprefix(DRAWERS), undone_code or row.code, sign * row.amount_minor,
                                      row.source_ref, row.payment_id))
    return found


def open_desk_days(session: Session, practice_id: str, before: date) -> list[date]:
    """Days with desk postings that nobody signed, before this one."""
    signed = select(DayClose.day_on).where(DayClose.practice_id == practice_id)
    drawers = select(LedgerAccount.id).where(LedgerAccount.practice_id == practice_id,
                                             LedgerAccount.key.startswith(DRAWERS))
    query = select(Transfer.effective_on).where(
        Transfer.practice_id == practice_id, Transfer.effective_on < before, Transfer.source != BANK_SOURCE,
        or_(Transfer.debit_id.in_(drawers), Transfer.credit_id.in_(drawers)), Transfer.effective_on.not_in(signed))
    return list(session.scalars(query.distinct().order_by(Transfer.effective_on)))


def payments(session: Session, payment_ids: Collection[str]) -> dict[str, Payment]:
    found: dict[str, Payment] = {}
    for part in chunks(payment_ids):
        found.update((row.id, row) for row in session.scalars(select(Payment).where(Payment.id.in_(part))))
    return found


def refunds_of(session: Session, payment_ids: Collection[str]) -> list[Refund]:
    return [row for part in chunks(payment_ids)
            for row in session.scalars(select(Refund).where(Refund.payment_id.in_(part)))]


def add_count(session: Session, count: DayCount) -> None:
    session.add(count)
    session.flush()


def counts(session: Session, practice_id: str, day: date) -> list[DayCount]:
    """Every count of the day, oldest first: the newest of a person and tender stands."""
    return list(session.scalars(select(DayCount).where(
        DayCount.practice_id == practice_id, DayCount.day_on == day).order_by(DayCount.id)))


def standing_counts(session: Session, practice_id: str, day: date) -> list[DayCount]:
    """The newest count of each person and tender."""
    return list({(one.person, one.tender): one for one in counts(session, practice_id, day)}.values())


def mailed_checks(session: Session, practice_id: str, since: datetime, until: datetime) -> list[Remittance]:
    """Insurers' checks that were posted by hand between two instants."""
    query = select(Remittance).join(ImportRun, ImportRun.id == Remittance.import_id).where(
        Remittance.practice_id == practice_id, Remittance.status == "posted", Remittance.method == "CHK",
        ImportRun.kind == "paper", Remittance.created_at >= since, Remittance.created_at < until,
        Remittance.paid_minor > 0)
    return list(session.scalars(query.order_by(Remittance.created_at, Remittance.id)))


def open_differences(session: Session, practice_id: str, since: datetime, until: datetime) -> list[Difference]:
    return list(session.scalars(select(Difference).where(
        Difference.practice_id == practice_id, Difference.status == "open", Difference.found_at >= since,
        Difference.found_at < until).order_by(Difference.found_at, Difference.id)))


def known_lines(session: Session, practice_id: str, dedupes: Collection[str]) -> set[str]:
    return {d for part in chunks(dedupes) for d in session.scalars(select(BankLine.dedupe).where(
        BankLine.practice_id == practice_id, BankLine.dedupe.in_(part)))}


def add_lines(session: Session, lines: Sequence[BankLine]) -> None:
    session.add_all(lines)
    session.flush()


def find_line(session: Session, practice_id: str, line_id: str) -> BankLine | None:
    query = select(BankLine).where(BankLine.practice_id == practice_id, BankLine.id == line_id)
    return session.scalars(query.with_for_update()).one_or_none()


def lines(session: Session, practice_id: str, *, matched: bool | None = None) -> list[BankLine]:
    """Oldest first; ``matched`` None: all of them."""
    query = select(BankLine).where(BankLine.practice_id == practice_id)
    if matched is not None:
        query = query.where(BankLine.matched_kind.is_not(None) if matched else BankLine.matched_kind.is_(None))
    return list(session.scalars(query.order_by(BankLine.booked_on, BankLine.id)))


def newest_matched(session: Session, practice_id: str, most: int) -> list[BankLine]:
    """The newest lines that are matched to something, the newest first."""
    return list(session.scalars(select(BankLine).where(
        BankLine.practice_id == practice_id, BankLine.matched_kind.is_not(None))
        .order_by(BankLine.booked_on.desc(), BankLine.id.desc()).limit(most)))


def undone_matches(session: Session, practice_id: str) -> list[BankLine]:
    """Lines that are matched to a remittance that was undone since, or is not there."""
    standing = select(Remittance.id).where(Remittance.practice_id == practice_id, Remittance.status != "undone",
                                           Remittance.id == BankLine.matched_ref)
    return list(session.scalars(select(BankLine).where(
        BankLine.practice_id == practice_id, BankLine.matched_kind == "remittance", ~standing.exists())))


def bank_span(session: Session, practice_id: str) -> tuple[date | None, date | None]:
    """First and last day that the bank's files on file cover."""
    row = session.execute(select(func.min(BankLine.booked_on), func.max(BankLine.booked_on)).where(
        BankLine.practice_id == practice_id)).one()
    return row[0], row[1]


def taken_refs(session: Session, practice_id: str) -> set[tuple[str, str]]:
    """(kind, ref) of everything that a bank line is matched to."""
    rows = session.execute(select(BankLine.matched_kind, BankLine.matched_ref).where(
        BankLine.practice_id == practice_id, BankLine.matched_kind.is_not(None)))
    return {(str(kind), str(ref)) for kind, ref in rows}


def matched_sums(session: Session, practice_id: str, kind: str) -> dict[str, int]:
    """Cents of the bank's lines that are matched to something of this kind, by its ref."""
    return {str(ref): minor for ref, minor in session.execute(
        select(BankLine.matched_ref, BankLine.amount_minor).where(
            BankLine.practice_id == practice_id, BankLine.matched_kind == kind))}


def _matched(practice_id: str, kind: str) -> Select[str | None]:
    return select(BankLine.matched_ref).where(BankLine.practice_id == practice_id, BankLine.matched_kind == kind,
                                              BankLine.matched_ref.is_not(None))


def payouts(session: Session, practice_id: str) -> list[Payout]:
    """Those that should be at the bank or on their way, and that no line shows."""
    return list(session.scalars(select(Payout).where(
        Payout.practice_id == practice_id, Payout.status.not_in(["failed", "canceled"]),
        Payout.ref.not_in(_matched(practice_id, "payout")))
        .order_by(Payout.arrival_on, Payout.ref)))


def find_payout(session: Session, practice_id: str, ref: str) -> Payout | None:
    return session.get(Payout, (practice_id, ref))


def paid_remittances(session: Session, practice_id: str) -> list[Remittance]:
    """Remittances that announce money that no line shows, by the day that they name."""
    return list(session.scalars(select(Remittance).where(
        Remittance.practice_id == practice_id, Remittance.status == "posted", Remittance.paid_minor > 0,
        Remittance.method != "NON", Remittance.id.not_in(_matched(practice_id, "remittance")))
        .order_by(Remittance.paid_on, Remittance.id)))


def find_remittance(session: Session, practice_id: str, remittance_id: str) -> Remittance | None:
    return session.scalars(select(Remittance).where(
        Remittance.practice_id == practice_id, Remittance.id == remittance_id)).one_or_none()


def bank_transfers(session: Session, practice_id: str, line_id: str) -> list[TransferRow]:
    """What the matching of a line posted, reversals too."""
    return transfers_where(session, Transfer.practice_id == practice_id, Transfer.source == BANK_SOURCE,
                           Transfer.source_ref.startswith(f"{line_id}:", autoescape=True))


