"""``plainbill plans offer``: from what a patient asks at the desk to a plan with a link on which it is agreed to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.amounts import day_of, dollars, minor_of, visits_of
from bot.cli.edge import AsJson, Edge, context, found, print_json, require_configured, require_right
from bot.cli.exits import NOT_FOUND, REFUSED, USAGE, Stop, refusal

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.plan_offers import Ask, Offer
    from billing.plan_terms import Collects, PlanTerms
    from billing.store.tables import Guarantor, Plan
    from config.payment_policy import PlanPolicy

#: As staff say them.
INTERVALS = {"week": "week", "two-weeks": "two_weeks", "twice-a-month": "twice_month", "month": "month"}

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
    from billing import plan_desk
    from billing.accounts import find_account

    require_right(session, edge, "cases")
    policy = edge.policy.plans
    if policy is None:
        raise Stop("This practice offers no plans: its policy has no [plans]; a manager writes one with "
                   "`plainbill practice set`.", REFUSED)
    owner = found(find_account(session, edge.practice_id, wanted.account), "such account")
    older = _older(session, edge, owner, wanted.replaces) if wanted.replaces else None
    shares = (plan_desk.shares_of(session, older, edge.today()) if older is not None
              else _shares(session, edge, owner, wanted.visits))
    answer = plan_desk.answer(shares, policy, edge.today(), wanted.ask)
    facts: dict[str, Any] = {
        "account": owner.external, "account_id": owner.id, "total_minor": sum(minor for _, minor in shares),
        "fits": answer.fits, "why": answer.why, "offers": [_facts(one) for one in answer.offers], "plan": None}
    if wanted.show_only or not (answer.fits or wanted.exception):
        return facts
    try:
        chosen = answer.offers[0] if answer.fits else plan_desk.exception(shares, policy, edge.today(), wanted.ask)
        made = _offer(session, edge, owner, chosen.terms(
            wanted.collects, replaces=older.id if older is not None else None), policy,
            "" if answer.fits else wanted.exception)
    except plan_desk.NotOffered as refused:
        raise refusal(refused) from refused
    return facts | {"plan": made | _facts(chosen)}


def _older(session: Session, edge: Edge, owner: Guarantor, ref: str) -> Plan:
    """The running plan of this account whose place the new one takes."""
    from billing import plan_desk

    plan = plan_desk.running_plan(session, edge.practice_id, owner.id, ref)
    if plan is None:
        raise Stop(f"--replaces {ref!r} is no running plan of this account; `plainbill plans list` lists them.",
                   NOT_FOUND)
    return plan


def _offer(session: Session, edge: Edge, owner: Guarantor, terms: PlanTerms, policy: PlanPolicy,
           exception: str) -> dict[str, Any]:
    from billing import links, plan_desk

    now = edge.now()
    plan = plan_desk.offer(session, owner, terms, policy, by=edge.actor, now=now, reason=exception,
                           key=f"desk:{owner.id}:{owner.balance_version}:{now.isoformat()}")
    token = links.make(session, edge.practice_id, owner.id, "plan", plan.id, edge.policy.link_days, now)
    return {"plan": plan.id, "number": plan.number, "status": plan.status, "offer_ends_at": plan.offer_ends_at,
            "link": f"{edge.settings.public_url.rstrip('/')}/l/{token}"}


def _shares(session: Session, edge: Edge, owner: Guarantor, wanted: Sequence[str]) -> list[tuple[str, int]]:
    """What is due now, of the visits ``wanted`` where any are named."""
    from billing import plan_desk
    from billing.store import payment_list_queries

    only = visits_of(wanted, payment_list_queries.visits_named(session, owner.id))
    return plan_desk.due_shares(session, owner.id, edge.today(), only)


def _facts(one: Offer) -> dict[str, Any]:
    return {"interval": one.interval, "days": list(one.days), "instalments": one.count,
            "amount_minor": one.amount_minor, "last_minor": one.last_minor, "deposit_minor": one.deposit_minor,
            "first_on": one.instalments[0].due_on, "last_on": one.instalments[-1].due_on,
            "needs_disclosures": one.needs_disclosures,
            "parts": [[part.number, part.due_on, part.amount_minor] for part in one.parts]}


def _print(done: dict[str, Any]) -> None:
    from billing.plan_desk import WHYS

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
