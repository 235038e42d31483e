"""Books made by chance: every kind of posting that the ledger knows, on any day, some of it undone again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import ledger
from billing.ledger import Account, Posting, credit, patient, payer, wide
from billing.store.ledger_queries import transfers_where
from billing.store.tables import Coverage, Guarantor, ImportRun, OpeningVisit, Patient, Transfer, Visit
from tests.payments.world import PRACTICE

TODAY = date(2028, 3, 15)  # a leap day lies between the visits and today


@dataclass
class Chance:
    """Adds to one practice; every choice comes from ``dice``."""

    session: Session
    dice: random.Random
    now: datetime
    count: int = 0
    waiting: list[Posting] = field(default_factory=list)

    def number(self) -> int:
        self.count += 1
        return self.count

    def maybe(self, percent: int) -> bool:
        return self.dice.randrange(100) < percent

    def day(self, since: date | None) -> date:
        """From then to a little after today."""
        first = since or TODAY - timedelta(days=500)
        return first + timedelta(days=self.dice.randint(0, max((TODAY - first).days + 5, 0)))

    def cents(self) -> int:
        return self.dice.choice((1, 99, 2_500, 10_000, 12_345, 40_001))

    def post(self, debit: Account, credited: Account, code: str, on: date, owner: str, visit_id: str | None,
             minor: int | None = None) -> None:
        self.waiting.append(Posting(PRACTICE, debit, credited, minor or self.cents(), "USD", code, on, "chance",
                                    f"c{self.number()}", owner, visit_id))


def fill(seed: int, accounts: int, now: datetime) -> Callable[[Session], None]:
    """Return a function for ``store.write``."""

    def work(session: Session) -> None:
        chance = Chance(session, random.Random(seed), now)
        session.add(ImportRun(id="imp_1", practice_id=PRACTICE, file_name="x.csv", digest="0", kind="csv",
                              status="finished", options={}, cursor=0, total=0, started_by="ana", started_at=now))
        session.flush()
        for number in range(accounts):
            _account(chance, f"acct_{number}")
        ledger.post(session, chance.waiting, now)
        _undo(chance)

    return work


def _account(chance: Chance, owner: str) -> None:
    session = chance.session
    session.add(Guarantor(id=owner, practice_id=PRACTICE, external=owner, external_hash=owner, name="Rivera, Anna",
                          surname_hash="x", origin="patients", created_at=chance.now))
    session.flush()
    session.add(Patient(id=f"pat_{owner}", practice_id=PRACTICE, guarantor_id=owner, name="Rivera, Anna", given="Anna",
                        surname_hash="x", given_hash="y", created_at=chance.now))
    session.flush()
    for _ in range(chance.dice.randint(0, 4)):
        _visit(chance, owner)
    if chance.maybe(30):
        chance.post(wide("cash:manual:cash"), credit(owner), "patient_payment", chance.day(None), owner, None)
    if chance.maybe(10):
        chance.post(wide("refunds_payable"), wide("cash:stripe:card"), "refund", chance.day(None), owner, None)
    if chance.maybe(20):
        chance.post(wide("fees"), wide("cash:stripe:card"), "processor_fee", chance.day(None), owner, None, 300)


def _visit(chance: Chance, owner: str) -> None:
    session, visit_id = chance.session, f"visit_{chance.number()}"
    on = None if chance.maybe(8) else TODAY - timedelta(days=chance.dice.choice((0, 30, 31, 60, 61, 90, 91, 120, 121,
                                                                                  chance.dice.randint(0, 600))))
    stated = None if chance.maybe(20) else (on or TODAY - timedelta(days=200)) + timedelta(
        days=chance.dice.choice((0, 5, 30, 31, 60, 90, 120, 121)))
    session.add(Visit(
        id=visit_id, practice_id=PRACTICE, guarantor_id=owner, patient_id=f"pat_{owner}", external=visit_id,
        external_hash=visit_id, origin="charges", kind="csv", charge_minor=0, service_from_on=on, void=chance.maybe(4),
        service_to_on=on + timedelta(days=2) if on and chance.maybe(20) else None, first_statement_on=stated,
        import_id="imp_1", created_at=chance.now))
    session.flush()
    if chance.maybe(8):
        session.add(OpeningVisit(visit_id=visit_id, practice_id=PRACTICE, guarantor_id=owner, import_id="imp_1",
                                 line=1, balance_minor=0))
    payers = [f"cov_{visit_id}_{rank}" for rank in range(1, chance.dice.choice((1, 2, 2, 3)))]
    for rank, coverage_id in enumerate(payers, 1):
        session.add(Coverage(id=coverage_id, practice_id=PRACTICE, visit_id=visit_id, rank=rank, payer_name="Acme",
                             payer_id="1", filing_code="CI", status="answered", import_id="imp_1"))
    session.flush()
    first = payer(payers[0], visit_id) if payers else patient(visit_id)
    chance.post(first, wide("revenue"), "charge", on or chance.day(None), owner, visit_id, 100_000)
    for _ in range(chance.dice.randint(0, 8)):
        _move(chance, visit_id, owner, on, payers)


def _move(chance: Chance, visit_id: str, owner: str, on: date | None, payers: list[str]) -> None:
    mine, own_credit = patient(visit_id), credit(owner)
    choices: list[tuple[Account, Account, str]] = [
        (wide("cash:manual:cash"), mine, "patient_payment"), (wide("cash:stripe:card"), mine, "patient_payment"),
        (wide("cash:stripe:card"), mine, "patient_payment"), (mine, wide("cash:stripe:card"), "refund"),
        (mine, own_credit, "to_credit"), (own_credit, mine, "from_credit"), (wide("charity"), mine, "charity"),
        (wide("bad_debt"), mine, "bad_debt"), (wide("small_balances"), mine, "small_balance"),
        (wide("discounts"), mine, "discount"), (wide("agency"), mine, "placement"), (mine, wide("agency"), "recall"),
        (mine, wide("opening"), "opening"), (wide("contractual"), mine, "adjustment")]
    if payers:
        one = payer(chance.dice.choice(payers), visit_id)
        choices += [(wide("payer_clearing"), one, "payer_payment"), (wide("contractual"), one, "contractual"),
                    (mine, one, "patient_share"), (mine, one, "patient_share"), (one, mine, "next_payer"),
                    (one, wide("payer_clearing"), "takeback"), (wide("opening"), one, "prior_payer"),
                    (wide("bad_debt"), one, "adjustment")]
    debit, credited, code = chance.dice.choice(choices)
    when = chance.day(on - timedelta(days=3) if on and chance.maybe(20) else on)
    chance.post(debit, credited, code, when, owner, visit_id)


def _undo(chance: Chance) -> None:
    """One transfer in ten is reversed, on a later day."""
    ids = list(chance.session.scalars(select(Transfer.id).order_by(Transfer.id)))
    chosen = [one for one in ids if chance.maybe(10)]
    rows = transfers_where(chance.session, Transfer.id.in_(chosen)) if chosen else []
    ledger.post(chance.session, [posting for row in rows for posting in ledger.reversals(
        chance.session, [row], source="chance", ref="undo", effective_on=chance.day(row.effective_on))], chance.now)
