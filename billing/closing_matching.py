"""Lines of the bank matched to payouts, remittances, deposits and agencies' reports; the ledger's bank account follows
what was matched.

A payout stands in the ledger's bank account since the processor made it (billing/reconciling.py), so its match posts
nothing. A remittance's money leaves payer clearing, a deposit's money the drawers, what an agency took
``cash:agency:agency``, when the bank has it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from billing import audit, closing_agencies, ledger
from billing.closing import CloseRefused
from billing.closing_pairs import Expected, Line, Pair, pair
from billing.ledger import Posting
from billing.money import dollars
from billing.store import close_queries as store
from billing.store.reconcile_queries import currency_of
from billing.store.tables_money import BankLine, DayClose

KINDS = ("payout", "remittance", "deposit", closing_agencies.KIND, "other")
ALL = "all"


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money of a closed day that goes to the bank in one sum. ``ref`` is DAY:TENDER, or DAY:all for cash and checks
    together. Cents per ledger account that it comes from.
    """

    ref: str
    day: date
    parts: Mapping[str, int]

    @property
    def amount_minor(self) -> int:
        return sum(self.parts.values())


def deposits(closes: Sequence[DayClose], alone: Collection[str] = ()) -> list[Deposit]:
    """Every deposit that signed days announce. ``alone``: remittances whose check the bank shows as a sum of its own,
    so that it was not part of the day's deposit.
    """
    found: list[Deposit] = []
    for close in closes:
        checks = close.totals["insurer_checks"]
        with_it = sum(int(c["amount_minor"]) for c in checks if c["remittance_id"] not in alone)
        every = sum(int(c["amount_minor"]) for c in checks)
        parts: dict[str, dict[str, int]] = {}
        for tender, amount in close.totals["deposit"].items():
            own = int(amount) - (every if tender == "check" else 0)
            moves = {f"cash:manual:{tender}": own, "payer_clearing": with_it if tender == "check" else 0}
            parts[tender] = {key: cents for key, cents in moves.items() if cents}
            found.append(Deposit(f"{close.day_on}:{tender}", close.day_on, parts[tender]))
        if "cash" in parts and "check" in parts:
            found.append(Deposit(f"{close.day_on}:{ALL}", close.day_on, parts["cash"] | parts["check"]))
    return [d for d in found if d.amount_minor > 0]


def free_deposits(session: Session, practice_id: str) -> list[Deposit]:
    """Deposits that no line of the bank shows yet; cash and checks are there together or each alone."""
    return _free(store.closes(session, practice_id), store.taken_refs(session, practice_id))


def _free(closes: Sequence[DayClose], taken: Collection[tuple[str, str]]) -> list[Deposit]:
    gone = _of("deposit", taken)
    return [d for d in _announced(closes, taken) if not gone & _rivals(d.ref)]


def _announced(closes: Sequence[DayClose], taken: Collection[tuple[str, str]]) -> list[Deposit]:
    return deposits(closes, _of("remittance", taken))


def _of(kind: str, taken: Collection[tuple[str, str]]) -> set[str]:
    """The refs of this kind that a line of the bank is matched to."""
    return {ref for one, ref in taken if one == kind}


def _rivals(ref: str) -> set[str]:
    """Refs that hold some of the same money."""
    day, _, tender = ref.rpartition(":")
    alone = {f"{day}:cash", f"{day}:check"}
    if tender == ALL:
        return {ref, *alone}
    return {ref, f"{day}:{ALL}"} if tender in ("cash", "check") else {ref}


def _banked(closes: Sequence[DayClose], taken: Collection[tuple[str, str]]) -> set[str]:
    """Remittances whose check went to the bank with a day's deposit that the bank shows."""
    shown = _of("deposit", taken)
    return {str(check["remittance_id"]) for close in closes
            if shown & {f"{close.day_on}:check", f"{close.day_on}:{ALL}"}
            for check in close.totals["insurer_checks"]}


def expected(session: Session, practice_id: str) -> list[Expected]:
    """All money that the bank should show and no line is matched to."""
    taken, closes = store.taken_refs(session, practice_id), store.closes(session, practice_id)
    banked = _banked(closes, taken)
    found = [Expected("payout", p.ref, p.amount_minor, p.arrival_on) for p in store.payouts(session, practice_id)]
    for row in store.paid_remittances(session, practice_id):
        if row.id not in banked:
            check = row.method == "CHK"  # a check is dated before it is mailed
            found.append(Expected("remittance", row.id, row.paid_minor, row.paid_on or row.created_at.date(), row.trace,
                                  -1 if check else -3, 20 if check else 3))
    found += [Expected("deposit", d.ref, d.amount_minor, d.day, "", 0, 5) for d in _free(closes, taken)]
    found += closing_agencies.expected(session, practice_id, store.matched_sums(session, practice_id,
                                                                                closing_agencies.KIND))
    return [e for e in found if (e.kind, e.ref) not in taken]


def match_all(session: Session, practice_id: str, *, now: datetime) -> list[Pair]:
    """Match what can be matched without a doubt; again it does nothing more."""
    rows = {row.id: row for row in store.lines(session, practice_id, matched=False)}
    lines = [Line(row.id, row.booked_on, row.amount_minor, row.text) for row in rows.values()]
    found: list[Pair] = []
    for one in pair(lines, expected(session, practice_id)):
        if one.kind != "deposit" or one.ref in {d.ref for d in free_deposits(session, practice_id)}:
            _take(session, rows[one.line_id], one.kind, one.ref, "plainbill", now)
            found.append(one)
    return found


def match(session: Session, practice_id: str, line_id: str, kind: str, ref: str, *, by: str, reason: str,
          now: datetime) -> BankLine:
    """Match a line by hand. ``other`` says that it is none of the practice's takings. Raises CloseRefused."""
    if kind not in KINDS or not reason.strip():
        raise CloseRefused(f"a line is matched to {', '.join(KINDS)}, with a reason", "--reason")
    line = _line(session, practice_id, line_id)
    if line.matched_kind is not None:
        raise CloseRefused(f"this line is matched to {line.matched_kind} {line.matched_ref}; take that back first",
                           "plainbill close unmatch")
    if kind != "other":
        wanted = next((e for e in expected(session, practice_id) if (e.kind, e.ref) == (kind, ref)), None)
        if wanted is None:
            raise CloseRefused(f"there is no {kind} {ref} that waits for the bank", "plainbill close worklist")
        if wanted.amount_minor != line.amount_minor:
            raise CloseRefused(f"the line is {dollars(line.amount_minor)} and the {kind} "
                               f"{dollars(wanted.amount_minor)}: one line is one sum; match it as other with a reason, "
                               "and settle the difference with whoever paid")
    _take(session, line, kind, ref or line.id, by, now)
    audit.record(session, practice_id, by, "match", "bank_line", line.id, f"{kind}: {reason.strip()}", now)
    return line


def unmatch(session: Session, practice_id: str, line_id: str, *, by: str, reason: str, now: datetime,
            today: date) -> BankLine:
    """Take a match back; what it posted is reversed. Raises CloseRefused."""
    line = _line(session, practice_id, line_id)
    if line.matched_kind is None or not reason.strip():
        raise CloseRefused("the line is matched to nothing" if line.matched_kind is None else "give a reason")
    rows = [t for t in store.bank_transfers(session, practice_id, line.id) if t.reverses_id is None]
    ledger.post(session, ledger.reversals(session, rows, source=store.BANK_SOURCE, ref=f"{line.id}:unmatch",
                                          effective_on=today), now)
    audit.record(session, practice_id, by, "unmatch", "bank_line", line.id,
                 f"{line.matched_kind} {line.matched_ref}: {reason.strip()}", now)
    line.matched_kind = line.matched_ref = line.matched_by = line.matched_at = None
    session.flush()
    return line


def _line(session: Session, practice_id: str, line_id: str) -> BankLine:
    line = store.find_line(session, practice_id, line_id)
    if line is None:
        raise CloseRefused("there is no such line of the bank", "plainbill close worklist")
    return line


def _take(session: Session, line: BankLine, kind: str, ref: str, by: str, now: datetime) -> None:
    parts = _parts(session, line, kind, ref)
    currency = currency_of(session, line.practice_id)
    ledger.post(session, [Posting(
        line.practice_id, ledger.wide("bank"), ledger.wide(key), amount, currency, "deposit", line.booked_on,
        store.BANK_SOURCE, f"{line.id}:{now.isoformat()}:{key}", reason=kind)
        for key, amount in parts.items()], now)
    line.matched_kind, line.matched_ref, line.matched_by, line.matched_at = kind, ref, by, now
    session.flush()


def _parts(session: Session, line: BankLine, kind: str, ref: str) -> Mapping[str, int]:
    """Which accounts the money comes from; a payout is in the bank account already."""
    if kind == "remittance":
        return {"payer_clearing": line.amount_minor}
    if kind == closing_agencies.KIND:
        return {closing_agencies.ACCOUNT: line.amount_minor}
    if kind == "deposit":
        announced = _announced(store.closes(session, line.practice_id), store.taken_refs(session, line.practice_id))
        return next(d.parts for d in announced if d.ref == ref)
    return {}
