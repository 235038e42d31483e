"""The worklist of unapplied credit: whose it is, where it came from, since when, and by when it has to be reported.

All accounts are read together, as what is to be reported first stands on top, and that is known of none before its
payments and visits are: as many queries for thousands of accounts as for one. A page is a part of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from billing.store import credit_set_queries as store
from billing.store.ledger_queries import TransferRow

#: Kinds of payer (SBR09, CLP06) whose money is the United States': Medicare A and B, its plans, Medicaid, TRICARE,
#: maternal and child health, other federal programs, veterans. [M]: a practice's biller may know of others.
FEDERAL = frozenset({"MA", "MB", "16", "MC", "CH", "TV", "OF", "VA"})

REPORT_WITHIN = timedelta(days=60)

#: (report by, since, account): the order of the list.
Place = tuple[date, date, str]
Sources = tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class CreditLine:
    """Unapplied credit of one account, in cents. ``sources``: (payment id or "", visit id or "", cents); days are
    practice-local. ``report_by_on`` stands where a payer of a visit it came from is federal.
    """

    guarantor_id: str
    external: str
    amount_minor: int
    since_on: date
    sources: Sources
    federal: bool
    report_by_on: date | None

    @property
    def place(self) -> Place:
        """By when it has to be reported, then since when it is there."""
        return self.report_by_on or date.max, self.since_on, self.guarantor_id


def credits(session: Session, practice_id: str) -> list[CreditLine]:  # noqa: A001  (payments.credits reads as it should)
    """Every account with credit, what has to be reported first on top, then the oldest."""
    accounts, moves = store.accounts_with_credit(session, practice_id), _by_owner(store.moves(session, practice_id))
    sources = _sources(session, practice_id, {owner: minor for owner, _, minor in accounts}, moves)
    federal = _federal(session, sources)
    lines = []
    for owner, number, minor in accounts:
        since, own = _since(moves.get(owner, ()), f"credit:{owner}"), owner in federal
        lines.append(CreditLine(owner, number, minor, since, sources[owner], own,
                                since + REPORT_WITHIN if own else None))
    return sorted(lines, key=lambda line: line.place)


def page(session: Session, practice_id: str, after: Place | None, size: int) -> tuple[list[CreditLine], bool]:
    """The lines behind that place, and whether more come."""
    rest = [line for line in credits(session, practice_id) if after is None or line.place > after]
    return rest[:size], len(rest) > size


def _by_owner(rows: Iterable[TransferRow]) -> dict[str, list[TransferRow]]:
    """What touched each account's credit, in order of posting."""
    found: dict[str, list[TransferRow]] = {}
    for row in rows:
        for key in {side.key for side in (row.credit, row.debit) if side.key.startswith("credit:")}:
            found.setdefault(key.removeprefix("credit:"), []).append(row)
    return found


def _sources(session: Session, practice_id: str, amounts: dict[str, int],
             moves: dict[str, list[TransferRow]]) -> dict[str, Sources]:
    """By account: payments that were put to credit, then visits that gave some up, newest first, up to what is
    there.
    """
    found: dict[str, list[tuple[str, str, int]]] = {owner: [] for owner in amounts}
    for owner, payment, minor in store.on_credit(session, practice_id):
        found.setdefault(owner, []).append((payment, "", minor))
    gave = store.remembered(session, practice_id)
    for owner in amounts:
        newest = dict.fromkeys(row.visit_id for row in reversed(moves.get(owner, ()))
                               if row.code == "to_credit" and row.visit_id and row.guarantor_id == owner)
        found[owner] += [("", visit, gave[visit]) for visit in newest if visit and gave.get(visit, 0) > 0]
    return {owner: tuple(_up_to(amounts[owner], found[owner])) for owner in amounts}


def _up_to(amount_minor: int, sources: Iterable[tuple[str, str, int]]) -> Iterable[tuple[str, str, int]]:
    left = amount_minor
    for payment, visit, minor in sources:
        share = min(minor, left)
        if share > 0:
            yield payment, visit, share
            left -= share


def _federal(session: Session, sources: dict[str, Sources]) -> set[str]:
    """Accounts whose credit came from a visit with a federal payer."""
    paid = store.visits_of_payments(session, {one for rows in sources.values() for one, _, _ in rows if one})
    visits = {owner: {visit for _, visit, _ in rows if visit}.union(*(paid.get(one, ()) for one, _, _ in rows))
              for owner, rows in sources.items()}
    known = store.visits_with_payer(session, set().union(*visits.values()), FEDERAL)
    return {owner for owner, own in visits.items() if own & known}


def _since(moves: Sequence[TransferRow], key: str) -> date:
    """The day on which the oldest cent that is still credit came: what is used is the oldest first. What a payment has
    on credit keeps its first day when some of it is put elsewhere: no clock starts anew by that.
    """
    queue, first, last = list[tuple[date, int]](), dict[str, date](), date.min
    for row in moves:
        last = row.effective_on
        if row.credit.key == key:
            came = first.setdefault(row.payment_id, last) if row.payment_id else last
            queue = sorted([*queue, (came, row.amount_minor)], key=lambda one: one[0])
        else:
            queue = _without(queue, row.amount_minor)
    return queue[0][0] if queue else last


def _without(queue: Sequence[tuple[date, int]], amount_minor: int) -> list[tuple[date, int]]:
    """What is left of the queue when so many cents are used."""
    kept, left = list[tuple[date, int]](), amount_minor
    for came, minor in queue:
        share = min(minor, left)
        left -= share
        if minor > share:
            kept.append((came, minor - share))
    return kept
