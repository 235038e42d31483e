"""A practice with an agency, a written policy of assistance and of discounts, and accounts long past due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import agency_files, holds, ledger, payments, placements, staff, verify
from billing.commands import RequestPayment
from billing.figures import account_figures
from billing.payment_requests import RequestContext
from billing.store import collection_queries
from billing.store.tables import Coverage, Guarantor, Placement, Visit
from billing.views import Figures
from bot.write import Store
from tests.conftest import Clock
from tests.dunning.house import ANNA, POLICY, House, make_house
from tests.payments.world import PRACTICE

T = TypeVar("T")

START, FINAL = date(2026, 11, 3), date(2026, 12, 13)  # the statement is due on December 3rd
RIPE = date(2027, 2, 5)
VISIT, OWED = "visit_A1", 10_000

COLLECTING: dict[str, Any] = {
    **POLICY,
    "dunning": {"statement_every_days": 120, "steps": [
        {"name": "final", "day": 10, "template": "reminder_final", "ways": ["paper"], "final": True}]},
    "collections": {"small_balance_minor": 10_00, "small_balance_days": 30, "place_after_days": 60,
                    "final_notice_days": 15, "agencies": [
                        {"key": "acme", "name": "Acme Recovery", "contract_on": "2026-01-01", "baa_on": "2026-01-01",
                         "fee_percent": 25, "minimum_minor": 20_00},
                        {"key": "nobaa", "name": "No Paper", "contract_on": "2026-01-01"}]},
    "assistance": [{"since": "2026-01-01", "tiers": [{"fpl_percent": 200, "discount_percent": 100},
                                                     {"fpl_percent": 300, "discount_percent": 50}]}],
    "settlement": {"written_on": "2026-01-01", "signed_by": "Dr. Rowan", "prompt_pay_percent": 10,
                   "past_due_percent": 25, "past_due_from_days": 30},
}


class Office(House):
    """Beside a House: its steps in collections, each in a transaction of its own."""

    def overdue(self, account_id: str = ANNA, number: str = "A1", due_minor: int = OWED) -> None:
        """An account whose statement and final notice have gone out, on the day on which it may be placed."""
        self.account(account_id, number, due_minor=due_minor)
        self.live(1, START)
        self.live(1, FINAL)
        self.at(RIPE, 11)

    def figures(self, account_id: str = ANNA) -> Figures:
        return self.do(lambda s: account_figures(s, account_id, self.policy.local_day(self.clock())).total)

    def balance(self, key: str) -> int:
        return self.do(lambda s: ledger.balance(s, PRACTICE, ledger.wide(key)))

    def owes(self, visit_id: str = VISIT) -> int:
        return self.do(lambda s: ledger.balance(s, PRACTICE, ledger.patient(visit_id)))

    def propose(self, account_id: str = ANNA, agency: str = "acme", by: str = "bill") -> list[placements.Proposal]:
        return self.do(lambda s: placements.propose(
            s, practice_id=PRACTICE, guarantor_id=account_id, agency=agency, by=by, now=self.clock()))

    def approve(self, placement_id: str, by: str = "max") -> Placement:
        return self.do(lambda s: placements.approve(s, PRACTICE, placement_id, by=by, now=self.clock()))

    def gather(self) -> agency_files.AgencyFile | None:
        return self.do(lambda s: agency_files.gather(s, PRACTICE, "acme", by="max", now=self.clock()))

    def place(self, account_id: str = ANNA) -> str:
        """Proposed, approved and in a file; return the placement's id."""
        made = self.propose(account_id)
        for one in made:
            assert one.placement_id, one.obstacles
            self.approve(one.placement_id)
        assert self.gather() is not None
        return made[0].placement_id

    def placement(self, placement_id: str) -> Placement:
        return self.do(lambda s: s.get_one(Placement, placement_id))

    def events(self, placement_id: str) -> list[tuple[str, int, str]]:
        return self.do(lambda s: [(e.kind, e.amount_minor, e.reason)
                                  for e in collection_queries.events_of(s, placement_id)])

    def ask_to_pay(self, minor: int, *, early: bool = True) -> str:
        """The patient says yes to paying so much on the page."""
        def work(session: Session) -> str:
            version = session.get_one(Guarantor, ANNA).balance_version
            command = RequestPayment(ANNA, minor, ((VISIT, minor),), version, "en", early=early)
            return payments.request(session, command, RequestContext(PRACTICE, self.policy, self.clock())).id
        return self.do(work)

    def hold(self, kind: str, visit_id: str | None = VISIT, account_id: str = ANNA) -> str:
        return self.do(lambda s: holds.place(
            s, practice_id=PRACTICE, guarantor_id=account_id, kind=kind, visit_id=visit_id, reason="test",
            source="test", placed_by="bill", now=self.clock()).id)

    def release(self, hold_id: str) -> None:
        self.do(lambda s: holds.release(s, PRACTICE, hold_id, released_by="bill", reason="done", now=self.clock()))

    def insure(self, filing_code: str, visit_id: str = VISIT) -> None:
        """A payer of that kind has answered for the visit."""
        def add(session: Session) -> None:
            visit = session.get_one(Visit, visit_id)
            session.add(Coverage(
                id=f"cov_{visit_id}_{filing_code}", practice_id=PRACTICE, visit_id=visit_id, rank=1, payer_name="Payer",
                payer_id="P1", filing_code=filing_code, status="answered", claim_of_record="",
                import_id=visit.import_id))
        self.do(add)

    def clean(self) -> None:
        """The independent replay of the whole ledger finds nothing."""
        found = self.do(lambda s: verify.verify(s, PRACTICE))
        assert found.problems == []

    def cash(self) -> dict[str, int]:
        keys = ("agency", "bad_debt", "charity", "small_balances", "discounts", "fees")
        return {key: minor for key in keys if (minor := self.balance(key))}

    def all(self, what: Callable[[Session], T]) -> T:
        return self.do(what)


def make_office(store: Store, clock: Clock, **changes: Any) -> Office:
    house = make_house(store, clock, **{**COLLECTING, **changes})
    office = Office(house.store, house.clock, house.policy, house.channel)
    office.do(lambda session: staff.add(session, PRACTICE, login="max", name="Max", role="manager", actor="setup",
                                        now=clock()))
    return office


def statuses(office: Office) -> list[str]:
    return office.do(lambda s: list(s.scalars(select(Placement.status).order_by(Placement.proposed_at, Placement.id))))
