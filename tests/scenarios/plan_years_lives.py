"""What patients, insurers and their banks do to a plan, drawn per customer. Every refusal is kept as a fact as well."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from billing import (
    consents,
    figures,
    holds,
    ledger,
    methods,
    plan_changes,
    plan_offers,
    plans,
    refunds,
    settlement,
)
from billing.command_context import Context
from billing.commands import ChangePlan, CommandRefused
from billing.phones import address_hash
from billing.plan_offers import Ask
from billing.plan_terms import PlanTerms
from billing.refunds import RefundRefused
from billing.store.tables import Guarantor, PaymentMethod, Plan
from tests.scenarios import plan_years_money as money
from tests.scenarios.plan_years_facts import Story
from tests.scenarios.plan_years_world import PRACTICE, World

#: How often each act is drawn.
WEIGHTS: Mapping[str, int] = {
    "pay_next": 5, "pay_all": 3, "pay_desk": 4, "skip": 5, "move": 5, "pause": 4, "new_card": 4, "by_link": 3,
    "cancel": 2, "remove_card": 2, "opt_out": 2, "lower": 3, "hold": 4, "insurer_up": 4, "insurer_down": 5,
    "reverse": 1, "refund": 3, "chargeback": 3, "extend": 3,
}
#: These may also come after the day's charges were written down and before they are made.
BETWEEN = frozenset({"by_link", "cancel", "remove_card", "hold", "insurer_down", "pause", "opt_out", "reverse"})

RUNNING = ("active", "cured", "behind", "paused")


def asks(draw: random.Random, today: date, longest: int) -> Ask:
    """As patients ask: by count, by amount, by months, on days, by weeks; at most ``longest`` instalments."""
    kind, count = draw.randrange(8), draw.randrange(2, longest + 1)
    friday = today + timedelta(days=(4 - today.weekday()) % 7 + 7)
    if kind == 0:
        return Ask(count=min(count, 4), days=(31,))
    if kind == 1 and longest > 4:
        return Ask(amount_minor=draw.randrange(30, 200) * 100, days=(draw.choice((1, 15, 29, 30, 31)),))
    if kind == 2:
        return Ask(months=draw.choice((3, 6, 9, 12)) if longest > 4 else 3)
    if kind == 3:
        return Ask(count=count, interval="twice_month", days=draw.choice(((1, 15), (15, 31), (14, 28))))
    if kind == 4:
        return Ask(count=count, interval="week", first_on=friday)
    if kind == 5:
        return Ask(count=count, interval="two_weeks", first_on=friday)
    return Ask(count=count, days=(draw.choice((1, 15, 31)),))


def sign(world: World, story: Story, replaces: str | None = None) -> str | None:
    """An offer asked for, perhaps agreed to; the plan's id when it runs."""
    draw, rules = world.draw(story), world.policy.plans
    assert rules is not None
    autopay = draw.random() < 0.72
    card = give_card(world, story) if autopay else None
    terms = world.do(partial(_terms, world=world, story=story, ask=asks(draw, world.today, world.longest), card=card,
                             replaces=replaces))
    if terms is None:
        world.note(story, "no_offer")
        return None
    try:
        plan_id = world.do(lambda session: plans.offer(
            session, practice_id=PRACTICE, guarantor_id=story.account_id, terms=terms, policy=rules,
            balance_version=session.get_one(Guarantor, story.account_id).balance_version, language="en",
            offered_by="patient", key=f"{story.name}:{len(story.plans)}", conversation_id=story.conversation_id,
            now=world.clock()).id)
    except plans.PlanRefused as error:
        world.note(story, "refused", what="offer", why=str(error))
        return None
    story.plans.append(plan_id)
    world.note(story, "offered", plan=plan_id, replaces=replaces)
    if draw.random() < 0.04:
        return None
    return plan_id if _agree(world, story, plan_id, terms, card) else None


def _terms(session: Session, world: World, story: Story, ask: Ask, card: str | None,
           replaces: str | None) -> PlanTerms | None:
    account = figures.account_figures(session, story.account_id, world.today)
    shares = [(v.visit_id, v.figures.due_now_minor + (v.figures.on_plan_minor if replaces else 0))
              for v in account.visits]
    shares = [(visit_id, minor) for visit_id, minor in shares if minor > 0]
    assert world.policy.plans is not None
    answer = plan_offers.make(sum(minor for _, minor in shares), shares, world.policy.plans, world.today, ask)
    if not answer.offers:
        return None
    return answer.offers[0].terms("autopay" if card else "link", card, replaces)


def _agree(world: World, story: Story, plan_id: str, terms: PlanTerms, card: str | None) -> bool:
    number = world.number()

    def act(session: Session, disclosed: bool) -> None:
        method = session.get_one(PaymentMethod, card) if card else None
        plans.agree(session, session.get_one(Plan, plan_id), words=f"Yes. Card {method.last4 if method else ''}",
                    words_version="plan_ask:en:1", given_by="page", message_id=f"inbox:{number}", method=method,
                    disclosures_version="2026-11" if disclosed else None,
                    esign_at=world.clock() if disclosed else None, now=world.clock())

    if len([part for part in terms.parts if part.number > 0]) >= 5:
        try:
            world.do(partial(act, disclosed=False))
            world.note(story, "undisclosed", plan=plan_id)
        except plans.PlanRefused as error:
            if error.reason != "disclosures":
                raise
    before = story.plans[-2] if terms.replaces else None
    world.note(story, "signed", plan=plan_id, interval=terms.interval, days=terms.days, collects=terms.collects,
               parts=[(part.number, part.due_on, part.amount_minor) for part in terms.parts],
               most=max(part.amount_minor for part in terms.parts), visits=dict(terms.visits), replaces=before,
               card=world.do(lambda session: session.get_one(PaymentMethod, card).method_ref) if card else None)
    try:
        world.do(partial(act, disclosed=True))
    except plans.PlanRefused as error:
        world.note(story, "unsigned", plan=plan_id, why=str(error))
        return False
    return True


def give_card(world: World, story: Story) -> str:
    """Another card or bank account at the bank, kept here; our id of it."""
    known = world.bank.give_card(story.account_id, story.method_kind, story.luck)
    story.cards.append(known.method_ref)
    return world.do(lambda session: methods.keep(session, PRACTICE, story.account_id, known, world.clock()).id)


# A day in a life -----------------------------------------------------------------------------------------------------

def draw_acts(world: World, story: Story) -> None:
    """What will happen to this customer while their plan runs, and a little after."""
    draw, signed = world.draw(story), [one for one in story.facts if one.kind == "signed"]
    last = max((due for _, due, _ in signed[-1].parts), default=world.today) if signed else world.today
    for _ in range(draw.choice((0, 0, 1, 2, 3, 5, 8))):
        day = world.today + timedelta(days=draw.randrange(1, (last - world.today).days + 30))
        name = draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        story.acts.append((day, f"{name}!" if name in BETWEEN and draw.random() < 0.4 else name))
        world.soon.add(day)


def act(world: World, story: Story, *, between: bool) -> bool:
    """Do what this customer's days say, up to today; tells whether anything was tried."""
    due = [one for one in story.acts if one[0] <= world.today and one[1].endswith("!") == between]
    story.acts = [one for one in story.acts if one not in due]
    for _, name in due:
        kind, _, about = name.rstrip("!").partition(":")
        if kind == "release":
            release(world, story, about)
        else:
            ACTS[kind](world, story)
    return bool(due)


def later(world: World, story: Story, days: int, name: str) -> None:
    story.acts.append((world.today + timedelta(days=days), name))
    world.soon.add(world.today + timedelta(days=days))


def running(world: World, story: Story) -> str | None:
    """The customer's plan, if it runs."""
    if not story.plans:
        return None
    status = world.rows("select status from plans where id = :id", id=story.plans[-1])[0][0]
    return story.plans[-1] if status in RUNNING else None


def open_parts(world: World, plan_id: str) -> list[tuple[int, int]]:
    """(number, open cents)."""
    return [(int(n), int(minor)) for n, minor in world.rows(
        "select number, amount_minor - paid_minor from instalments where plan_id = :id and amount_minor > paid_minor"
        " order by due_on, number", id=plan_id)]


def change(world: World, story: Story, name: str, **values: Any) -> bool:
    """What a patient asks for in the thread."""
    plan_id = running(world, story)
    if plan_id is None:
        return False
    version = world.rows("select version from plans where id = :id", id=plan_id)[0][0]
    command = ChangePlan(story.account_id, plan_id, version, name, "please", **values)  # type: ignore[arg-type]  # a name from a table
    context = Context(PRACTICE, story.conversation_id, story.phone, address_hash(PRACTICE, "sms", story.phone), "sms",
                      None, "en", world.clock())
    try:
        world.do(lambda session: plan_changes.apply_change(session, command, context))
    except CommandRefused as error:
        world.note(story, "refused", what=name, why=str(error))
        return False
    world.note(story, "change", what=name, plan=plan_id, **values)
    return True


def _skip(world: World, story: Story) -> None:
    change(world, story, "skip")


def _move(world: World, story: Story) -> None:
    plan_id = running(world, story)
    if plan_id is None:
        return
    interval = world.rows('select "interval" from plans where id = :id', id=plan_id)[0][0]
    draw = world.draw(story)
    if interval == "month":
        change(world, story, "move_day", days=(draw.choice((1, 10, 15, 31)),))
    elif interval == "twice_month":
        change(world, story, "move_day", days=draw.choice(((1, 15), (10, 25), (15, 31))))
    else:
        change(world, story, "move_day", on=world.today + timedelta(days=draw.randrange(1, 8)))


def _pause(world: World, story: Story) -> None:
    draw = world.draw(story)
    if change(world, story, "pause", on=world.today + timedelta(days=draw.randrange(5, 40))) and draw.random() < 0.3:
        later(world, story, draw.randrange(1, 30), "resume")


def _resume(world: World, story: Story) -> None:
    change(world, story, "resume")


def _new_card(world: World, story: Story) -> None:
    plan_id = running(world, story)
    if plan_id is None:
        return
    story.luck = (97, 5) if world.draw(story).random() < 0.7 else story.luck
    method_id = give_card(world, story)
    if change(world, story, "use_card", method_id=method_id):
        asked = max((minor for _, minor in open_parts(world, plan_id)), default=0)
        world.note(story, "card", plan=plan_id, card=story.cards[-1], most=asked)


def _by_link(world: World, story: Story) -> None:
    change(world, story, "pay_by_link")


def _cancel(world: World, story: Story) -> None:
    change(world, story, "cancel")


def _lower(world: World, story: Story) -> None:
    change(world, story, "on_extra", value=world.draw(story).choice(("lower", "shorten")))


def _remove_card(world: World, story: Story) -> None:
    found = world.rows("select id, method_ref from payment_methods where guarantor_id = :who and status = 'active'"
                       " order by created_at desc, id desc limit 1", who=story.account_id)
    for method_id, ref in found:
        world.do(partial(methods.remove, practice_id=PRACTICE, method_id=method_id, by="patient", now=world.clock()))
        world.note(story, "card_removed", card=ref)


def _opt_out(world: World, story: Story) -> None:
    """STOP; sometimes only the carrier hears it."""
    hashed, ours = address_hash(PRACTICE, "sms", story.phone), world.draw(story).random() < 0.7

    def stop(session: Session) -> None:
        consents.record_revoked(session, PRACTICE, "sms", hashed, wording="STOP", medium="sms", recorded_by="patient",
                                now=world.clock())
        if ours:
            plan_changes.stop_for_opt_out(session, PRACTICE, hashed, world.clock(), "STOP")

    world.do(stop)
    world.note(story, "opt_out")


def _hold(world: World, story: Story) -> None:
    draw = world.draw(story)
    visit_id = draw.choice((None, *story.visits))
    hold_id = world.do(lambda session: holds.place(
        session, practice_id=PRACTICE, guarantor_id=story.account_id, kind="dispute", reason="they dispute it",
        source="test", placed_by="ana", now=world.clock(), visit_id=visit_id, dedupe=f"test:{world.number()}").id)
    world.note(story, "hold", hold=hold_id, visit=visit_id)
    later(world, story, draw.randrange(2, 45), f"release:{hold_id}")


def release(world: World, story: Story, hold_id: str) -> None:
    world.do(lambda session: holds.release(session, PRACTICE, hold_id, released_by="ana", reason="looked at",
                                           now=world.clock()))
    world.note(story, "released", hold=hold_id)


def insurer(world: World, story: Story, visit_id: str, minor: int) -> None:
    """The insurer's new answer moves a visit's patient balance by so many cents; what falls below nothing is credit."""
    if not minor:
        return
    sides = (ledger.patient(visit_id), ledger.wide("contractual"))
    debit, credit = sides if minor > 0 else sides[::-1]
    ref = f"ins:{world.number()}"

    def post(session: Session) -> None:
        ledger.post(session, [ledger.Posting(PRACTICE, debit, credit, abs(minor), "USD", "adjustment", world.today,
                                             "test", ref, story.account_id, visit_id)], world.clock())
        settlement.settle(session, PRACTICE, {visit_id}, now=world.clock(), today=world.today, currency="USD")

    world.do(post)
    world.note(story, "insurer", visit=visit_id, minor=minor)


def _insurer_up(world: World, story: Story) -> None:
    draw = world.draw(story)
    insurer(world, story, draw.choice(list(story.visits)), draw.randrange(5_00, 200_00))


def _insurer_down(world: World, story: Story) -> None:
    draw = world.draw(story)
    visit_id = draw.choice(list(story.visits))
    owed = world.owed(story)[visit_id]
    insurer(world, story, visit_id, -min(owed, draw.randrange(1_00, max(owed, 2_00))) if owed > 0 else 0)


def _reverse(world: World, story: Story) -> None:
    """A visit is not billed after all, whatever was paid of it."""
    draw = world.draw(story)
    visit_id = draw.choice(list(story.visits))
    charged = story.visits[visit_id] + sum(
        one.minor for one in story.facts if one.kind == "insurer" and one.visit == visit_id)
    insurer(world, story, visit_id, -charged)


# Acts of money ------------------------------------------------------------------------------------------------------

def _pay_next(world: World, story: Story) -> None:
    plan_id = running(world, story)
    parts = open_parts(world, plan_id) if plan_id else []
    if parts:
        money.pay_page(world, story, parts[0][1], plan_id, parts[0][0])


def _pay_all(world: World, story: Story) -> None:
    plan_id = running(world, story)
    parts = open_parts(world, plan_id) if plan_id else []
    if parts:
        money.pay_page(world, story, sum(minor for _, minor in parts), plan_id, None)


def _pay_desk(world: World, story: Story) -> None:
    plan_id = running(world, story)
    parts = open_parts(world, plan_id) if plan_id else []
    if parts:
        draw = world.draw(story)
        most = sum(minor for _, minor in parts)
        money.pay_desk(world, story, draw.randrange(1_00, most + most // 10 + 2_00), plan_id)


def _refund(world: World, story: Story) -> None:
    draw = world.draw(story)
    found = world.rows("select id, amount_minor - refunded_minor, processor from payments where guarantor_id = :who and"
                       " status in ('succeeded', 'partly_refunded') order by paid_at, id", who=story.account_id)
    if not found:
        return
    payment_id, left, processor = draw.choice([tuple(one) for one in found])
    minor = int(left) if draw.random() < 0.4 else draw.randrange(1, int(left) + 1)
    key = f"test:{world.number()}"
    try:
        world.do(lambda session: refunds.ask(
            session, practice_id=PRACTICE, payment_id=payment_id, amount_minor=minor, tender="original",
            reason="billing_error", note="", by="ana", dedupe=key, policy=world.policy, now=world.clock()))
    except RefundRefused as error:
        world.note(story, "refused", what="refund", why=str(error))
        return
    world.note(story, "refund_asked", payment=payment_id, minor=minor)
    if processor == "manual" and minor <= world.policy.payments.refund_approval_above_minor:
        world.note(story, "desk_back", minor=minor)


def _chargeback(world: World, story: Story) -> None:
    own = [ref for ref, taken in world.bank.charges.items() if taken.customer == story.account_id]
    for ref in reversed(own):
        if world.bank.dispute(ref):
            world.note(story, "chargeback", payment=world.bank.charges[ref].payment_id)
            return


def _extend(world: World, story: Story) -> None:
    plan_id = running(world, story)
    if plan_id is not None:
        sign(world, story, replaces=plan_id)


ACTS: Mapping[str, Callable[[World, Story], None]] = {
    "pay_next": _pay_next, "pay_all": _pay_all, "pay_desk": _pay_desk, "skip": _skip, "move": _move, "pause": _pause,
    "resume": _resume, "new_card": _new_card, "by_link": _by_link, "cancel": _cancel, "remove_card": _remove_card,
    "opt_out": _opt_out, "lower": _lower, "hold": _hold, "insurer_up": _insurer_up, "insurer_down": _insurer_down,
    "reverse": _reverse, "refund": _refund, "chargeback": _chargeback, "extend": _extend,
}
