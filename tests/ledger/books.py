"""A practice's books as a test works on them: files go in through the importer, and every step is replayed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from billing import accounts, figures, ledger, undoing
from billing.store.tables import Case, Coverage, Guarantor, Hold, Transfer, Visit
from billing.verify import Problem, verify
from billing.views import Figures
from bot.importing import files, report
from bot.write import Store
from config.practice import PracticePolicy
from tests.conftest import Clock, maple_clinic
from tests.ledger.paper import HARBOR, Bill, Clp, Payer, claims, remittance

PRACTICE = "prac_maple"


@dataclass
class Books:
    store: Store
    folder: Path
    clock: Clock
    policy: PracticePolicy = field(default_factory=maple_clinic)
    claims: list[dict[str, Any]] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def now(self) -> datetime:
        return self.clock()

    def give(self, content: str, name: str = "", *, dry: bool = False, skip: bool = False) -> report.Report:
        """Import a file of this content, as `plainbill import` does."""
        path = self.folder / (name or f"file{next(self.numbers)}.x12")
        path.write_text(content)
        job = files.Job(PRACTICE, self.policy, "ana", self.now, skip)
        how = files.dry_run if dry else files.import_file
        return how(path, self.store, job, self._keep)

    def _keep(self, done: report.Report) -> None:
        """The report's claims can be read only while the importer still has its file open."""
        self.claims = [claim for transaction in done.transactions() for claim in transaction["claims"]]

    def bill(self, *bills: Bill, **options: Any) -> report.Report:
        return self.must(self.give(claims(bills), **options))

    def pay(self, trace: str, *paid: Clp, payer: Payer = HARBOR, plb: Sequence[tuple[str, int]] = (),
            **options: Any) -> report.Report:
        return self.must(self.give(remittance(trace, paid, payer, plb=plb), **options))

    @staticmethod
    def must(done: report.Report) -> report.Report:
        assert done.outcome == "posted", (done.outcome, done.reason)
        return done

    def undo(self, import_id: str | None) -> dict[str, Any]:
        return self.store.write(lambda s: undoing.undo_import(
            s, PRACTICE, self.policy, import_id or "", actor="ana", now=self.now()))

    def confirm(self, claim_id: str) -> None:
        self.store.write(lambda s: accounts.confirm(s, PRACTICE, claim_id, by="ana", now=self.now()))

    def problems(self) -> list[Problem]:
        return self.store.read(lambda s: verify(s).problems)

    def visit(self, claim_id: str) -> Visit:
        found = self.store.read(lambda s: accounts.find_visit(s, PRACTICE, claim_id))
        assert found is not None
        return found

    def figures(self, claim_id: str) -> Figures:
        """The visit's figures."""
        visit = self.visit(claim_id)
        return self.store.read(lambda s: figures.visits_figures(s, PRACTICE, [visit.id], self.now().date())[visit.id])

    def account(self, claim_id: str) -> Figures:
        visit = self.visit(claim_id)
        return self.store.read(
            lambda s: figures.account_figures(s, visit.guarantor_id, self.now().date()).total)

    def stands(self, claim_id: str) -> tuple[int, int, int]:
        """(payers', patient's, credit) of a visit and its guarantor in cents, and nothing is wrong anywhere."""
        assert self.problems() == []
        visit = self.figures(claim_id)
        return visit.payer_minor, visit.patient_minor, self.account(claim_id).credit_minor

    def wide(self, key: str) -> int:
        return self.store.read(lambda s: ledger.balance(s, PRACTICE, ledger.Account(key)))

    def cases(self) -> list[str]:
        return self.store.read(lambda s: list(s.scalars(select(Case.kind).order_by(Case.number))))

    def holds(self, claim_id: str) -> list[tuple[str, int | None]]:
        """(kind, cents) of the visit's open holds."""
        visit = self.visit(claim_id)
        return self.store.read(lambda s: [(h.kind, h.amount_minor) for h in s.scalars(
            select(Hold).where(Hold.visit_id == visit.id, Hold.released_at.is_(None)).order_by(Hold.kind))])

    def coverages(self, claim_id: str) -> list[tuple[int, str, str]]:
        """(rank, payer, status)."""
        visit = self.visit(claim_id)
        return self.store.read(lambda s: [(c.rank, c.payer_name, c.status) for c in s.scalars(
            select(Coverage).where(Coverage.visit_id == visit.id).order_by(Coverage.rank))])

    def codes(self, claim_id: str) -> list[tuple[str, int, str]]:
        """(code, cents, reason) of the visit's transfers in order."""
        visit = self.visit(claim_id)
        return self.store.read(lambda s: [(t.code, t.amount_minor, t.reason) for t in s.scalars(
            select(Transfer).where(Transfer.visit_id == visit.id).order_by(Transfer.id))])

    @property
    def outcomes(self) -> list[str]:
        """What became of each claim of the file given last."""
        return [claim["outcome"] for claim in self.claims]

    def count(self, table: str) -> int:
        return self.store.read(lambda s: int(s.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()))

    def desk(self, claim_id: str, amount_minor: int, reference: str = "") -> str:
        """Cash at the desk for this visit; returns the payment's id."""
        from billing.payments import record_desk_payment

        visit = self.visit(claim_id)
        reference = reference or f"receipt {next(self.numbers)}"
        return self.store.write(lambda s: record_desk_payment(
            s, PRACTICE, visit.guarantor_id, amount_minor=amount_minor, currency="USD", tender="cash",
            reference=reference, recorded_by="ana", now=self.now(), split=((visit.id, amount_minor),)).id)

    def refund(self, payment_id: str, total_minor: int) -> None:
        """Give back so much of a payment in all."""
        from billing import refunds
        from billing.store.tables import Payment
        from tests.conftest import maple_clinic

        def back(session: Session) -> None:
            more = total_minor - session.get_one(Payment, payment_id).refunded_minor
            refunds.ask(session, practice_id=PRACTICE, payment_id=payment_id, amount_minor=more, tender="original",
                        reason="billing_error", note="", by="ana", dedupe=f"refund {next(self.numbers)}",
                        policy=maple_clinic(payments={"refund_approval_above_minor": 10_000_000}), now=self.now())

        self.store.write(back)

    def tamper(self, change: Callable[[Session], object]) -> None:
        self.store.write(change)

    def guarantor(self, claim_id: str) -> Guarantor:
        visit = self.visit(claim_id)
        return self.store.read(lambda s: s.get_one(Guarantor, visit.guarantor_id))
