"""A small account on real books, made through the ledger's own posting: what explain and statements are tested on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import imports, payments
from billing.importers.records import (
    Adjustment,
    BilledClaim,
    ClaimCoverage,
    ClaimLine,
    PaidClaim,
    PaidLine,
    Person,
    RemittanceOpened,
)
from billing.store.tables import Guarantor, Practice, Visit
from bot.write import Store
from tests.conftest import maple_clinic

ANA = Person("Núñez", "Ana", born_on=date(1984, 5, 6), postal_code="10027")
BLUE, STAR = "Blue Harbor Health", "Star Supplement"


@dataclass
class Books:
    """Post claims and answers; every call is one transaction of its own."""

    store: Store
    practice: Practice
    now: datetime
    policy: dict[str, Any] = field(default_factory=dict)
    _numbers: Any = field(default_factory=lambda: count(1))

    def bill(self, claim_id: str, lines: Sequence[tuple[str, int]], payers: Sequence[str] = (BLUE,), *,
             on: date = date(2026, 9, 14), frequency: str = "1", desk_minor: int = 0,
             provider: str = "Priya Raman MD") -> str:
        """Import a claim of ``lines`` (procedure, cents); return its visit's id."""
        claim = BilledClaim(
            1, "837P", claim_id, sum(c for _, c in lines), "11", frequency, "", ANA,
            tuple(ClaimCoverage("PST"[n], name, name[:4].upper(), f"M{n}", "CI", "18", ANA, n == 0)
                  for n, name in enumerate(payers)),
            tuple(ClaimLine(n, n, code, (), "", cents, "1", on, f"L{n}") for n, (code, cents) in enumerate(lines, 1)),
            desk_minor, on, on, "Maple Clinic PLLC", "1234567893", provider, "CH")
        self._run("837P", lambda session, poster: imports.post_billed_claims(session, poster, [(1, claim, "")], 0,
                                                                              self.now))
        return self.visit_id(claim_id)

    def answer(self, claim_id: str, lines: Sequence[tuple[str, int, int, Sequence[tuple[str, int]]]], *,
               payer: str = BLUE, status: str = "1", remarks: tuple[str, ...] = ()) -> None:
        """Import a payer's answer; each line is (procedure, charge, paid, [("PR-1", cents), ...])."""
        paid = sum(line[2] for line in lines)
        claim = PaidClaim(
            5, claim_id, status, sum(line[1] for line in lines), paid, None, "CI", f"P{next(self._numbers)}", ANA, ANA,
            date(2026, 9, 14), date(2026, 9, 14), (), tuple(_paid_line(n, *line) for n, line in enumerate(lines, 1)),
            remarks, "", "")
        head = RemittanceOpened(2, "0001", f"T{next(self._numbers)}", "1999", paid, "I", "ACH", self.now.date(), payer,
                                payer[:4].upper(), "Maple Clinic PLLC", "1234567893")

        def post(session: Session, poster: imports.Poster) -> None:
            remittance = imports.open_remittance(session, poster, head, "digest", self.now)
            imports.post_paid_claims(session, poster, remittance, head, [(1, claim, "")], 0, self.now)

        self._run("835", post)

    def _run(self, kind: str, post: Callable[[Session, imports.Poster], Any]) -> None:
        def work(session: Session) -> None:
            run = imports.begin(session, self.practice.id, file_name=f"{kind}.edi", digest=f"d{next(self._numbers)}",
                                kind=kind, options={}, actor="biller", now=self.now, total=1)
            poster = imports.Poster(self.practice.id, maple_clinic(**self.policy), run, "biller")
            post(session, poster)
            imports.finish(session, run, "posted", "", self.now)

        self.store.write(work)

    def confirm(self, **changes: Any) -> str:
        """Staff confirm the one account; return its id."""
        def work(session: Session) -> str:
            row = session.scalars(select(Guarantor)).one()
            row.confirmed_at, row.confirmed_by = self.now, "biller"
            row.address = "450 Riverside Drive, Apt 9C, New York, NY"
            for name, value in changes.items():
                setattr(row, name, value)
            session.flush()
            return row.id

        return self.store.write(work)

    def confirm_all(self) -> list[str]:
        """Staff confirm every account as it stands; return their ids."""
        def work(session: Session) -> list[str]:
            rows = session.scalars(select(Guarantor).order_by(Guarantor.id)).all()
            for row in rows:
                row.confirmed_at, row.confirmed_by = self.now, "biller"
            return [row.id for row in rows]

        return self.store.write(work)

    def pay(self, account: str, amount_minor: int, visit: str | None = None) -> str:
        return self.store.write(lambda s: payments.record_desk_payment(
            s, self.practice.id, account, amount_minor=amount_minor, currency="USD", tender="cash",
            reference=f"R{next(self._numbers)}", recorded_by="biller", now=self.now,
            split=((visit, amount_minor),) if visit else ()).id)

    def visit_id(self, claim_id: str) -> str:
        def work(session: Session) -> str:
            return next(v.id for v in session.scalars(select(Visit).order_by(Visit.created_at, Visit.id))
                        if v.external == claim_id)

        return self.store.read(work)


def _paid_line(number: int, code: str, charge: int, paid: int, adjustments: Sequence[tuple[str, int]]) -> PaidLine:
    pairs = tuple(Adjustment(*_group_and_reason(code), cents, 10 + number) for code, cents in adjustments)
    return PaidLine(10 + number, code, (), "", charge, paid, "1", date(2026, 9, 14), f"L{number}", pairs, ())


def _group_and_reason(code: str) -> tuple[str, str]:
    group, _, reason = code.partition("-")
    return group, reason
