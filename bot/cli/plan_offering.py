"""``plainbill plans offer``: from what a patient asks at the desk to a plan with a link on which it is agreed to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.amounts import day_of, dollars, minor_of
from bot.cli.edge import AsJson, Edge, context, found, print_json, require_configured, require_right
from bot.cli.exits import NOT_FOUND, REFUSED, USAGE, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.plan_offers import Answer, Ask, Offer
    from billing.plan_terms import Collects, PlanTerms
    from billing.store.tables import Guarantor, Plan
    from config.payment_policy import PlanPolicy

#: As staff say them.
INTERVALS = {"week": "week", "two-weeks": "two_weeks", "twice-a-month": "twice_month", "month": "month"}

#: Why an ask is outside the policy, in words for staff.
WHYS = {
    "nothing_due": "nothing is due that a plan could pay", "below_minimum_balance": "the balance is below the minimum",
    "above_maximum_balance": "the balance is above the maximum", "interval_not_offered": "that rhythm is not offered",
    "instalment_too_small": "each payment would be too small", "too_long": "it would take too long",
    "does_not_add_up": "the number of payments and the amount do not come to the balance",
    "first_too_soon": "the first payment would be too soon", "first_too_late": "the first payment would be too late",
    "autopay_not_offered": "automatic payments are not offered", "balance_moved": "the balance has changed",
}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was typed."""

    account: str
    ask: Ask
    collects: Collects
    visits: Sequence[str]
    exception: str
    show_only: bool
    replaces: str


def run(
    account: Annotated[str, typer.Argument(help="The account: our id, its number, or a claim number on it.")],
    amount: Annotated[str, typer.Option("--amount", help="Of each payment, such as 50 or 12.34.")] = "",
    every: Annotated[str, typer.Option("--every", help="week, two-weeks, twice-a-month or month.")] = "",
    day: Annotated[list[int] | None, typer.Option("--day", min=1, max=31, help="Day of the month; two for "
                                                                              "twice-a-month.")] = None,
    count: Annotated[int, typer.Option("--count", min=0, help="How many payments.")] = 0,
    months: Annotated[int, typer.Option("--months", min=0, help="Over how many months.")] = 0,
    first: Annotated[str, typer.Option("--first", metavar="DAY", help="Day of the first payment.")] = "",
    collects: Annotated[str, typer.Option("--collects", help="link or autopay; the patient may choose on the "
                                                             "page.")] = "link",
    visit: Annotated[list[str] | None, typer.Option("--visit", help="Only these visits; may be given again.")] = None,
    replaces: Annotated[str, typer.Option("--replaces", metavar="PLAN", help="A running plan, such as one taken over: "
                                          "the new one is about its visits and takes its place once agreed to.")] = "",
    exception: Annotated[str, typer.Option("--exception", metavar="REASON", help="Outside the policy: why. Another "
                                                                                "person approves it.")] = "",
    show_only: Annotated[bool, typer.Option("--show-only", help="Print the offers and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Offer an instalment plan. Inside the policy a plan is made with the link on which the patient agrees to it; an
    ask outside it is answered with the nearest offers.
    """
    if every and every not in INTERVALS:
        raise Stop(f"--every is {every!r}: one of {', '.join(INTERVALS)}.", USAGE)
    if collects not in ("link", "autopay"):
        raise Stop(f"--collects is {collects!r}: link or autopay.", USAGE)
    if replaces and visit:
        raise Stop("--replaces takes the visits of that plan; give no --visit with it.", USAGE)
    from billing.plan_offers import Ask

    ask = Ask(minor_of(amount, "--amount") if amount else None, count or None, INTERVALS.get(every),
              tuple(sorted(day or ())), day_of(first, "--first") if first else None, months or None)
    with context() as edge:
        require_configured(edge)
        wanted = _Wanted(account, ask, "autopay" if collects == "autopay" else "link", visit or (), exception,
                         show_only or ask == Ask(), replaces)
        carry_out, owner = partial(_carry_out, edge=edge, wanted=wanted), _account_of
        done = (edge.read(carry_out, "account", owner, "plan offers") if wanted.show_only
                else edge.write(carry_out, "plan.offer", "account", owner, exception))
    print_json(done) if as_json else _print(done)
    if not done["plan"] and not wanted.show_only:
        raise typer.Exit(REFUSED)


def _account_of(done: dict[str, Any]) -> str:
    return str(done["account_id"])


def _carry_out(session: Session, edge: Edge, wanted: _Wanted) -> dict[str, Any]:
    """In one transaction, so that the offer is of the balance that is read."""
    from billing.accounts import find_account

    require_right(session, edge, "cases")
    policy = edge.policy.plans
    if policy is None:
        raise Stop("This practice offers no plans: its policy has no [plans]; a manager writes one with "
                   "`plainbill practice set`.", REFUSED)
    owner = found(find_account(session, edge.practice_id, wanted.account), "such account")
    older = _older(session, edge, owner, wanted.replaces) if wanted.replaces else None
    shares = _shares(session, edge, owner, wanted.visits) if older is None else _shares_of(session, edge, older)
    answer = _answer(shares, policy, edge, wanted.ask)
    facts: dict[str, Any] = {
        "account": owner.external, "account_id": owner.id, "total_minor": sum(minor for _, minor in shares),
        "fits": answer.fits, "why": answer.why, "offers": [_facts(one) for one in answer.offers], "plan": None}
    if wanted.show_only or not (answer.fits or wanted.exception):
        return facts
    chosen = answer.offers[0] if answer.fits else _outside(shares, policy, edge, wanted.ask)
    exception = "" if answer.fits else wanted.exception
    return facts | {"plan": _offer(session, edge, owner, chosen.terms(
        wanted.collects, replaces=older.id if older is not None else None), policy, exception) | _facts(chosen)}


def _older(session: Session, edge: Edge, owner: Guarantor, ref: str) -> Plan:
    """The running plan of this account whose place the new one takes."""
    from billing.plan_status import RUNNING
    from billing.store import plan_queries

    plan = plan_queries.find(session, edge.practice_id, ref)
    if plan is None or plan.guarantor_id != owner.id or plan.status not in RUNNING:
        raise Stop(f"--replaces {ref!r} is no running plan of this account; `plainbill plans list` lists them.",
                   NOT_FOUND)
    return plan


def _shares_of(session: Session, edge: Edge, older: Plan) -> list[tuple[str, int]]:
    """What the visits of a plan owe that may be asked for, in the plan's own order."""
    from billing.figures import account_figures
    from billing.store import plan_queries

    figures = {v.visit_id: v.figures for v in account_figures(session, older.guarantor_id, edge.today()).visits}
    owed = [(visit_id, figures[visit_id].due_now_minor + figures[visit_id].on_plan_minor)
            for visit_id, _ in plan_queries.visits(session, older.id) if visit_id in figures]
    return [(visit_id, minor) for visit_id, minor in owed if minor > 0]


def _offer(session: Session, edge: Edge, owner: Guarantor, terms: PlanTerms, policy: PlanPolicy,
           exception: str) -> dict[str, Any]:
    from billing import links, plans, talks
    from billing.store.payment_queries import latest_conversation

    now = edge.now()
    talk = (latest_conversation(session, edge.practice_id, owner.id)
            or talks.talk_of_account(session, edge.practice_id, owner.id, now))
    try:
        plan = plans.offer(
            session, practice_id=edge.practice_id, guarantor_id=owner.id, terms=terms, policy=policy,
            balance_version=owner.balance_version, language=owner.language, offered_by=edge.actor,
            key=f"desk:{owner.id}:{owner.balance_version}:{now.isoformat()}", conversation_id=talk, now=now,
            exception_reason=exception or None)
    except plans.PlanRefused as refused:
        why = WHYS.get(refused.why, refused.why) or refused.reason.replace("_", " ")
        raise Stop(f"The plan was not offered: {why}.", REFUSED) from refused
    token = links.make(session, edge.practice_id, owner.id, "plan", plan.id, edge.policy.link_days, now)
    return {"plan": plan.id, "number": plan.number, "status": plan.status, "offer_ends_at": plan.offer_ends_at,
            "link": f"{edge.settings.public_url.rstrip('/')}/l/{token}"}


def _shares(session: Session, edge: Edge, owner: Guarantor, wanted: Sequence[str]) -> list[tuple[str, int]]:
    """What is due now, oldest visit first; confidential care is for a person to settle."""
    from billing.dues import due_visits
    from billing.figures import account_figures
    from billing.store import payment_list_queries

    names = payment_list_queries.visits_named(session, owner.id)
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise Stop(f"--visit {unknown[0]!r} is not on this account; `plainbill balance ACCOUNT` lists its visits.",
                   NOT_FOUND)
    only = {names[name] for name in wanted}
    hidden = {v.visit_id for v in account_figures(session, owner.id, edge.today()).visits if v.confidential}
    return [(visit_id, minor) for visit_id, minor in due_visits(session, edge.practice_id, owner.id, edge.now())
            if visit_id not in hidden and (not only or visit_id in only)]


def _answer(shares: list[tuple[str, int]], policy: PlanPolicy, edge: Edge, ask: Ask) -> Answer:
    from billing import plan_offers

    return plan_offers.make(sum(minor for _, minor in shares), shares, policy, edge.today(), ask)


def _outside(shares: list[tuple[str, int]], policy: PlanPolicy, edge: Edge, ask: Ask) -> Offer:
    """The plan as it was asked for, by the widest limits that a policy can have. Raises Stop."""
    wide = policy.model_copy(update={
        "minimum_balance_minor": 1, "maximum_balance_minor": 10**9, "minimum_instalment_minor": 1_00,
        "maximum_months": 60, "maximum_instalments": 260, "intervals": tuple(INTERVALS.values()),
        "first_within_days": 62})
    answer = _answer(shares, wide, edge, ask)
    if not answer.fits:
        answer = _answer(shares, wide, edge, replace(ask, interval=ask.interval or "month"))
    if not answer.fits:
        raise Stop(f"Not even as an exception: {WHYS.get(answer.why, answer.why)}.", REFUSED)
    return answer.offers[0]


def _facts(one: Offer) -> dict[str, Any]:
    return {"interval": one.interval, "days": list(one.days), "instalments": one.count,
            "amount_minor": one.amount_minor, "last_minor": one.last_minor, "deposit_minor": one.deposit_minor,
            "first_on": one.instalments[0].due_on, "last_on": one.instalments[-1].due_on,
            "needs_disclosures": one.needs_disclosures,
            "parts": [[part.number, part.due_on, part.amount_minor] for part in one.parts]}


def _print(done: dict[str, Any]) -> None:
    plan = done["plan"]
    if plan is None:
        if done["why"]:
            print(f"Not as asked: {WHYS.get(done['why'], done['why'])}.")
        for number, one in enumerate(done["offers"], 1):
            print(f"{number}) {_line(one)}")
        if not done["offers"]:
            print("No plan fits the policy; --exception REASON asks another person to approve one.")
        return
    print(f"Plan {plan['number']} is {plan['status'].replace('_', ' ')}: {_line(plan)}")
    for number, due_on, minor in plan["parts"]:
        print(f"  {'deposit' if number == 0 else number:>7}  {due_on}  {dollars(minor):>12}")
    if plan["status"] == "offered":
        print(f"Another person approves it first: plainbill plans approve {plan['number']} --reason WHY")
    print(f"The patient reads it and agrees to it here: {plan['link']}")


def _line(one: dict[str, Any]) -> str:
    last = f", the last {dollars(one['last_minor'])}" if one["last_minor"] != one["amount_minor"] else ""
    deposit = f"{dollars(one['deposit_minor'])} today and " if one["deposit_minor"] else ""
    return (f"{deposit}{one['instalments']} payments of {dollars(one['amount_minor'])}{last}, every "
            f"{one['interval'].replace('_', ' ')}, from {one['first_on']} to {one['last_on']}")
