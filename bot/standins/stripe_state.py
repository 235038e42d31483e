"""What the stand-in knows besides its tables: their order, what falls due, and the running balance.

All of it can be rebuilt from the tables. It exists so that three simulated years of charges stay quick: no list, no
look at the clock and no question for the balance walks through everything that ever happened.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.standins.journal import Journal, Row

#: The fields by which lists are asked for often and that pick few rows of many.
INDEXED = ("customer", "payment_intent", "charge", "source")


@dataclass
class Shelf:
    """The rows of one table in the order they were made, and by the fields of INDEXED."""

    order: list[str] = field(default_factory=list)
    created: list[int] = field(default_factory=list)
    place: dict[str, int] = field(default_factory=dict)
    by: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    in_time: bool = True

    def note(self, row: Row, old: Row | None) -> None:
        """`row` has just been put in the place of `old`."""
        key = row["id"]
        if old is None:
            self.in_time = self.in_time and (not self.created or self.created[-1] <= row["created"])
            self.place[key] = len(self.order)
            self.order.append(key)
            self.created.append(row["created"])
        for name in INDEXED:
            value = row.get(name)
            if isinstance(value, str) and (old is None or old.get(name) != value):
                insort(self.by.setdefault((name, value), []), key, key=self.place.__getitem__)

    def among(self, name: str, value: str) -> list[str]:
        return self.by.get((name, value), [])

    def before(self, ids: Sequence[str], place: int) -> int:
        """How many of these ids (in the order they were made) were made before that place."""
        return bisect_left(ids, place, key=self.place.__getitem__)

    def since(self, ids: Sequence[str], instant: int) -> int:
        """How many of these ids were made before that instant; 0 where the clock once went back."""
        if not self.in_time:
            return 0
        return bisect_left(ids, instant, key=lambda one: self.created[self.place[one]])


def shelve(journal: Journal, table: str) -> Shelf:
    shelf = Shelf()
    for row in journal.table(table).values():
        shelf.note(row, None)
    return shelf


@dataclass
class Agenda:
    """What happens by itself at an instant: sessions expire, bank debits settle, payouts arrive.

    Kept in the journal's table "due" ({"at", "kind", "id"} by kind and id), so that a restart forgets nothing.
    """

    journal: Journal
    heap: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.heap = [(row["at"], key) for key, row in self.journal.table("due").items()]
        heapq.heapify(self.heap)

    def add(self, at: float, kind: str, identifier: str, **more: Any) -> None:
        key = f"{kind}:{identifier}"
        self.journal.put("due", key, {"at": at, "kind": kind, "id": identifier, **more})
        heapq.heappush(self.heap, (at, key))

    def drop(self, kind: str, identifier: str) -> Row | None:
        """Take it off before its time; None when it is not on the agenda."""
        row = self.journal.table("due").get(f"{kind}:{identifier}")
        if row is not None:
            self.journal.remove("due", f"{kind}:{identifier}")
        return row

    def take(self, now: float) -> Row | None:
        """The next thing that is due, taken off."""
        while self.heap and self.heap[0][0] <= now:
            at, key = heapq.heappop(self.heap)
            row = self.journal.table("due").get(key)
            # A row that was dropped, or put off since, leaves its old entry in the heap.
            if row is not None and row["at"] == at:
                self.journal.remove("due", key)
                return row
        return None


@dataclass
class Totals:
    """The balance by currency in minor units, without adding everything up each time."""

    available: dict[str, int] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)
    unpaid: dict[str, list[str]] = field(default_factory=dict)
    heap: list[tuple[int, str, str, int]] = field(default_factory=list)

    def add(self, entry: Row) -> None:
        """A balance transaction that has just been made."""
        currency, net = entry["currency"], entry["net"]
        self.pending[currency] = self.pending.get(currency, 0) + net
        heapq.heappush(self.heap, (entry["available_on"], entry["id"], currency, net))

    def ripen(self, now: int) -> None:
        """Move what has become available by now."""
        while self.heap and self.heap[0][0] <= now:
            _, identifier, currency, net = heapq.heappop(self.heap)
            self.pending[currency] -= net
            self.available[currency] = self.available.get(currency, 0) + net
            self.unpaid.setdefault(currency, []).append(identifier)

    def pay_out(self, currency: str) -> list[str]:
        """The available entries that no payout has taken yet; they count as taken from now on."""
        return self.unpaid.pop(currency, [])


def add_up(journal: Journal, now: int) -> Totals:
    """The totals of the tables as they are."""
    totals = Totals()
    taken = {entry for entries in journal.table("payout_entries").values() for entry in entries["ids"]}
    for row in journal.table("balance_transactions").values():
        totals.add(row)
    totals.ripen(now)
    for currency, ids in totals.unpaid.items():
        totals.unpaid[currency] = [one for one in ids if one not in taken]
    return totals


Filter = Callable[[Row], bool]
