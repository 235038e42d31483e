"""Whether a visit's balance may be placed with an agency or called bad debt, and everything that stands in the way.

Nothing disputed, on a plan, in assistance, held, pending or confidential is; assistance and the final notice come
first and have their days (policy.collections), and the clocks that are switched on have run (billing/clocks.py). Asked
when a placement is proposed, when it is approved, and once more in the transaction that puts it into a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from billing import clocks, dunning_facts
from billing.clocks import ClockFacts
from billing.dunning import DunningFacts
from billing.dunning_facts import Gathered
from billing.figures import AccountFigures, VisitFigures
from billing.hold_kinds import KINDS
from billing.statement_content import ITEMISED_BY_LAW
from billing.store import collection_queries as store
from billing.store import dunning_queries
from billing.store.dunning_queries import ContentRow
from billing.store.tables import AssistanceApplication, Guarantor
from config.dunning_policy import AgencyPolicy
from config.practice import PracticePolicy

#: An application in one of these states is being decided.
OPEN_APPLICATION = frozenset({"asked", "received", "incomplete", "appealed"})


@dataclass(frozen=True, slots=True)
class Obstacle:
    """``until_on`` empty: no day ends it. ``words`` hold no PHI."""

    code: str
    words: str
    until_on: date | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """One account as it is in this moment. Days practice-local, by visit."""

    guarantor: Guarantor
    policy: PracticePolicy
    today: date
    figures: AccountFigures
    stop: tuple[str, str] | None  # (rule, words): the gate's own objection to asking this account
    facts: DunningFacts  # what the calendar of reminders goes by
    past_due: dict[str, date] = field(default_factory=dict)
    first_bill: dict[str, date] = field(default_factory=dict)
    notice: dict[str, date] = field(default_factory=dict)  # when the final notice that named the visit left
    itemised: dict[str, date] = field(default_factory=dict)
    application: str = ""
    applied_on: date | None = None
    fpl_percent: int | None = None
    write_off: bool = False
    in_flight: bool = False


def standing(session: Session, guarantor_id: str, policy: PracticePolicy, now: datetime) -> Standing:
    """Read the account. Raises LookupError for an unknown one."""
    guarantor = session.get(Guarantor, guarantor_id)
    if guarantor is None:
        raise LookupError("no such account")
    return standings(session, guarantor.practice_id, [guarantor_id], policy, now)[guarantor_id]


def standings(session: Session, practice_id: str, guarantor_ids: Sequence[str], policy: PracticePolicy,
              now: datetime) -> dict[str, Standing]:
    """Many accounts of one practice, in as many queries as one; an unknown one is left out."""
    gathered = dunning_facts.gather_all(session, practice_id, guarantor_ids, policy, now)
    contents = {one.statement_id: one for one in dunning_queries.contents(
        session, {wanted for one in gathered.values() for wanted in _wanted(one.facts, policy)})}
    first_bills = store.first_bills(session, guarantor_ids)
    applied = store.newest_applications(session, guarantor_ids)
    writing_off = store.writing_off(session, guarantor_ids)
    return {id_: _standing(one, policy, now, contents, first_bills.get(id_, {}), applied.get(id_), id_ in writing_off)
            for id_, one in gathered.items()}


def _wanted(facts: DunningFacts, policy: PracticePolicy) -> set[str]:
    """The statements whose content has to be read: those that arrived; all of them where they are itemised bills."""
    itemised = policy.region in ITEMISED_BY_LAW
    noticed = {one.statement_id for one in facts.told if one.statement_id and one.step in _final(policy)}
    return {one.statement_id for one in facts.statements if one.arrived or itemised} | noticed


def _final(policy: PracticePolicy) -> set[str]:
    return {one.name for one in policy.dunning.steps if one.final} if policy.dunning else set()


def _standing(one: Gathered, policy: PracticePolicy, now: datetime, contents: Mapping[str, ContentRow],
              first_bill: dict[str, date], newest: AssistanceApplication | None, write_off: bool) -> Standing:
    percent = (newest.household or {}).get("fpl_percent") if newest is not None else None
    facts = one.facts
    arrived = [contents[said.statement_id] for said in facts.statements if said.arrived]
    return Standing(
        one.guarantor, policy, policy.local_day(now), one.figures,
        (facts.stop.rule, facts.stop.words) if facts.stop else None, facts,
        past_due=dunning_facts.past_due_of(sorted(arrived, key=lambda row: (row.due_on, row.number))),
        first_bill=first_bill, notice=_notices(facts, policy, contents), itemised=_itemised(facts, policy, contents),
        application=newest.status if newest is not None else "",
        applied_on=newest.received_on or newest.asked_on if newest is not None else None,
        fpl_percent=int(percent) if percent is not None else None, write_off=write_off, in_flight=one.in_flight)


def _notices(facts: DunningFacts, policy: PracticePolicy, contents: Mapping[str, ContentRow]) -> dict[str, date]:
    """The newest final notice that left and is not known to have failed, by the visits of its statement."""
    final = _final(policy)
    return {visit_id: one.on for one in facts.told if one.step in final and one.state == "left" and one.statement_id
            for visit_id in dunning_facts.visits_asked(contents[one.statement_id].content)}


def _itemised(facts: DunningFacts, policy: PracticePolicy, contents: Mapping[str, ContentRow]) -> dict[str, date]:
    """Statements list every service with its code and charge where a state's law asks for it: that is the itemised
    bill (billing/statement_content.py).
    """
    found: dict[str, date] = {}
    for one in facts.statements if policy.region in ITEMISED_BY_LAW else ():
        for visit in contents[one.statement_id].content.get("visits") or []:
            found.setdefault(str(visit["visit_id"]), one.on)
    return found


def past_due_days(session: Session, guarantor_id: str, policy: PracticePolicy, today: date) -> dict[str, int]:
    """Days past the due day of the first statement that asked for each visit and is not known to have failed."""
    since = dunning_facts.visits_past_due_from(session, guarantor_id, policy)
    return {visit_id: (today - due_on).days for visit_id, due_on in since.items()}


def standing_in_the_way(session: Session, guarantor_id: str, visit_id: str, policy: PracticePolicy, now: datetime,
                        agency: AgencyPolicy | None = None) -> tuple[Obstacle, ...]:
    """Everything that keeps this visit from being placed with ``agency`` (None: from being called bad debt)."""
    return obstacles(standing(session, guarantor_id, policy, now), visit_id, agency)


def obstacles(here: Standing, visit_id: str, agency: AgencyPolicy | None = None) -> tuple[Obstacle, ...]:
    """Pure; in the order in which a person would clear them."""
    visit = here.figures.visit(visit_id)
    if visit is None:
        return (Obstacle("unknown", "there is no such visit on this account"),)
    return (*_parties(here, visit), *_stops(here, visit), *_amounts(here, visit), *_days(here, visit_id),
            *(_contract(agency, visit, here.today) if agency is not None else ()))


def _parties(here: Standing, visit: VisitFigures) -> Iterator[Obstacle]:
    if here.guarantor.confirmed_at is None:
        yield Obstacle("unconfirmed", "staff have not confirmed who answers for this account")
    if visit.confidential:
        yield Obstacle("confidential", "a confidential visit is nobody else's to see")
    if here.guarantor.capacity == "collector":
        yield Obstacle("collector", "this account is collected for another creditor, who decides about placement")


def _stops(here: Standing, visit: VisitFigures) -> Iterator[Obstacle]:
    for hold in (*here.figures.account_holds, *visit.holds):
        yield Obstacle(f"hold:{hold.kind}", KINDS[hold.kind].why)
    if here.application in OPEN_APPLICATION:
        yield Obstacle("assistance", "an application for financial assistance is being decided")
    if here.write_off:
        yield Obstacle("write_off", "a write-off of this account waits for its approval")
    if here.in_flight:
        yield Obstacle("payment", "a payment is on its way")
    if here.stop is not None and not here.stop[0].startswith("hold:"):
        yield Obstacle(here.stop[0], here.stop[1])


def _amounts(here: Standing, visit: VisitFigures) -> Iterator[Obstacle]:
    figures = visit.figures
    if figures.pending_minor:
        yield Obstacle("pending", "an insurer still has to answer for this visit")
    if figures.on_plan_minor:
        yield Obstacle("plan", "this visit is on a payment plan")
    if here.figures.total.credit_minor > 0:
        yield Obstacle("credit", "the account holds a credit, to be applied or refunded first")
    if figures.due_now_minor <= 0:
        yield Obstacle("nothing_due", "nothing is due now on this visit")


def _days(here: Standing, visit_id: str) -> Iterator[Obstacle]:
    rules, since = here.policy.collections, here.past_due.get(visit_id)
    if since is None:
        yield Obstacle("no_statement", "no statement that asked for it is known to have arrived")
    elif here.today < since + timedelta(days=rules.place_after_days):
        yield Obstacle("past_due", f"not yet {rules.place_after_days} days past due",
                       since + timedelta(days=rules.place_after_days))
    notice = here.notice.get(visit_id)
    if notice is None:
        yield Obstacle("final_notice", "the final notice has not gone out")
    elif here.today < notice + timedelta(days=rules.final_notice_days):
        yield Obstacle("final_notice", f"the final notice's {rules.final_notice_days} days have not passed",
                       notice + timedelta(days=rules.final_notice_days))
    for reason in clocks.clock(clock_facts(here, visit_id), rules).stops(here.today):
        yield Obstacle(f"clock:{reason.rule}", f"{reason.words} ({reason.citation})", reason.until_on)


def clock_facts(here: Standing, visit_id: str) -> ClockFacts:
    """Episodes are placed together, so the newest first bill of all that is due counts (T-43)."""
    due = [v.visit_id for v in here.figures.visits if v.figures.due_now_minor > 0] or [visit_id]
    bills = [here.first_bill[v] for v in due if v in here.first_bill]
    owed = sum(v.figures.due_now_minor for v in here.figures.visits)
    return ClockFacts(max(bills, default=None), here.notice.get(visit_id), here.guarantor.region or here.policy.region,
                      owed, here.itemised.get(visit_id), here.application, here.applied_on, here.fpl_percent)


def _contract(agency: AgencyPolicy, visit: VisitFigures, today: date) -> Iterator[Obstacle]:
    if agency.baa_on is None or agency.baa_on > today:
        yield Obstacle("T-37", "this agency has signed no business associate agreement (45 CFR 164.504(e))")
    if agency.contract_on > today:
        yield Obstacle("contract", "this agency's contract has not begun", agency.contract_on)
    if visit.figures.due_now_minor < agency.minimum_minor:
        yield Obstacle("minimum", f"less than the {agency.minimum_minor} cents from which this agency takes a debt")
