"""The day's money as the console shows it: drawers, deposits and the bank, and what does not agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from billing import closing_worklist, credit_lines, ledger
from billing.closing_batch import Batch, batch
from billing.closing_matching import expected
from billing.store import close_queries, console_list_queries, credit_queries
from billing.store import console_import_queries as suspense_queries
from billing.store.tables_money import BankLine, DayClose

SIGNED_SHOWN = 31
MATCHED_SHOWN = 50
PAGE = 50


@dataclass(frozen=True, slots=True)
class Signed:
    day: date
    by: str
    at: datetime
    over_short_minor: int
    note: str


@dataclass(frozen=True, slots=True)
class Overview:
    """What waits, by page. Cents."""

    open_days: list[date]
    signed: list[Signed]
    bank_waiting: int
    differences: int
    refunds: int
    write_offs: int
    placements: int
    credits: int
    credits_minor: int
    suspense_minor: int
    disputes: int


@dataclass(frozen=True, slots=True)
class Drawer:
    person: str
    tender: str
    payments: int
    returns: int
    booked_minor: int
    counted_minor: int | None
    over_short_minor: int


@dataclass(frozen=True, slots=True)
class Check:
    number: str
    payer: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Agency:
    agency: str
    paid_minor: int
    reversed_minor: int
    fees_minor: int
    owed_minor: int


@dataclass(frozen=True, slots=True)
class Sum:
    tender: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class DayPage:
    """A practice-local day. ``signed`` is None while it is open."""

    day: date
    drawers: list[Drawer]
    checks: list[Check]
    agencies: list[Agency]
    deposit: list[Sum]
    open_differences: int
    earlier_open_days: list[date]
    over_short_minor: int
    signed: Signed | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """At the bank without a reason, or a reason that the bank does not show. ``fits``: what a line could be."""

    kind: str
    ref: str
    on: date
    amount_minor: int
    text: str
    is_line: bool
    fits: list[str]


@dataclass(frozen=True, slots=True)
class Matched:
    line_id: str
    on: date
    amount_minor: int
    text: str
    kind: str
    ref: str
    by: str


@dataclass(frozen=True, slots=True)
class BankPage:
    """``more_waiting``: how many come after this page."""

    first_on: date | None
    last_on: date | None
    waiting: list[Waiting]
    more_waiting: int
    matched: list[Matched]


@dataclass(frozen=True, slots=True)
class Suspended:
    claim_row_id: str
    trace: str
    payer: str
    claim_id: str
    paid_minor: int
    reason: str
    since: datetime
    account_id: str
    case_id: str
    import_id: str


@dataclass(frozen=True, slots=True)
class SuspensePage:
    total_minor: int
    rows: list[Suspended]
    more: bool


@dataclass(frozen=True, slots=True)
class Credit:
    account_id: str
    account: str
    amount_minor: int
    since: date
    federal: bool
    report_by: date | None


def overview(session: Session, practice_id: str, today: date) -> Overview:
    closes = close_queries.newest_closes(session, practice_id, SIGNED_SHOWN)
    waiting = console_list_queries.in_state(session, practice_id, console_list_queries.MONEY)
    return Overview(
        close_queries.open_desk_days(session, practice_id, today + timedelta(days=1)),
        [_signed(close) for close in closes],
        len(closing_worklist.worklist(session, practice_id)),
        waiting["differences"], waiting["refunds"], waiting["write_offs"], waiting["placements"],
        *credit_queries.credit_of_all(session, practice_id), suspense_minor(session, practice_id),
        waiting["chargebacks"])


def day(session: Session, practice_id: str, on: date) -> DayPage:
    found, close = batch(session, practice_id, on), close_queries.find_close(session, practice_id, on)
    return DayPage(
        on, [Drawer(d.person, d.tender, d.payments, d.returns, d.booked_minor, d.counted_minor, d.over_short_minor)
             for d in found.drawers],
        _checks(found), [Agency(a.agency, a.paid_minor, a.reversed_minor, a.fees_minor, a.owed_minor)
                         for a in found.agencies],
        [Sum(tender, minor) for tender, minor in found.deposit().items()], len(found.open_differences),
        list(found.earlier_open_days), found.over_short_minor, _signed(close) if close else None)


def _checks(found: Batch) -> list[Check]:
    return [Check(c.number, c.payer, c.amount_minor) for c in (*found.checks, *found.insurer_checks)]


def _signed(close: DayClose) -> Signed:
    return Signed(close.day_on, close.signed_by, close.signed_at, close.over_short_minor, close.note)


def bank(session: Session, practice_id: str, start: int = 0) -> BankPage:
    """``start``: how many of those that wait came before this page."""
    first, last = close_queries.bank_span(session, practice_id)
    free = expected(session, practice_id)
    waiting = closing_worklist.worklist(session, practice_id, free)
    fits: dict[int, list[str]] = {}
    for one in free:
        fits.setdefault(one.amount_minor, []).append(f"{one.kind}:{one.ref}")
    return BankPage(first, last, [_waiting(one, fits) for one in waiting[start:start + PAGE]],
                    max(len(waiting) - start - PAGE, 0),
                    [_matched(line) for line in close_queries.newest_matched(session, practice_id, MATCHED_SHOWN)])


def _waiting(one: closing_worklist.Waiting, fits: Mapping[int, list[str]]) -> Waiting:
    is_line = one.kind in ("line", "eft_without_remittance", "money_out")
    return Waiting(one.kind, one.ref, one.on, one.amount_minor, one.text, is_line,
                   fits.get(one.amount_minor, []) if is_line else [])


def _matched(line: BankLine) -> Matched:
    return Matched(line.id, line.booked_on, line.amount_minor, line.text, line.matched_kind or "",
                   line.matched_ref or "", line.matched_by or "")


def suspense_minor(session: Session, practice_id: str) -> int:
    """Cents in remittance suspense."""
    return -ledger.balance(session, practice_id, ledger.wide("suspense"))


def suspense(session: Session, practice_id: str, after: tuple[datetime, str] | None) -> SuspensePage:
    rows = suspense_queries.in_suspense(session, practice_id, after, PAGE + 1)
    return SuspensePage(suspense_minor(session, practice_id), [
        Suspended(claim.id, remittance.trace, remittance.payer_name, claim.claim_id, claim.paid_minor, claim.reason,
                  remittance.created_at, account_id or "", case_id or "", remittance.import_id)
        for claim, remittance, account_id, case_id in rows[:PAGE]], len(rows) > PAGE)


def credits_page(session: Session, practice_id: str, after: credit_lines.Place | None) -> tuple[list[Credit], bool]:
    """Money that nobody needs, what has to be reported first on top, behind that place; and whether more comes."""
    lines, more = credit_lines.page(session, practice_id, after, PAGE)
    return [Credit(one.guarantor_id, one.external, one.amount_minor, one.since_on, one.federal, one.report_by_on)
            for one in lines], more
