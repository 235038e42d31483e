"""A new instalment plan: what is wished for, what the practice can offer, the patient's choice among it.

Assistance comes first for whoever cannot pay at all (flows/cannot_pay.py) and is named once here. How it is collected
and the words that are agreed to are in plan_signing.py, a plan that runs in plan_running.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from billing import plan_offers
from billing.commands import MakeLink
from billing.plan_offers import Answer, Ask, Offer
from billing.views import AccountView
from config.payment_policy import PlanPolicy
from handlers.accounts import payable_visits, running_plan, waiting_plan
from handlers.core import Decision, Reply, Result, Slots, State, Turn
from handlers.flows import lender, links, pay, person, plan_signing, plan_words, verify
from handlers.flows.flow import Flow
from handlers.flows.plan_basis import Basis, basis
from handlers.flows.plan_signing import Chosen
from handlers.turns import ask, keep_wish, local_day, phone, stay, wish
from handlers.understanding import plans

NAME = "plan"
STEPS = ("offers", "collect", "confirm")
#: Comes from somebody who cannot pay: assistance was named there already.
SMALLER = "smaller_plan"
#: Why an ask does not fit, where words before the nearest offers say it.
_NEAREST = frozenset({"interval_not_offered", "instalment_too_small", "too_long", "does_not_add_up", "first_too_soon",
                      "first_too_late"})


def start(turn: Turn, intent: str) -> Decision:
    account, policy = turn.account, turn.practice.policy.plans
    if policy is None:
        return person.start(turn, NAME)
    if account is None:
        return verify.first(turn, intent, keep_wish(turn))
    if account.stale:
        return Decision((Reply("stale", {"phone": phone(turn)}),))
    wished = _wished(turn)
    if running_plan(account) is not None and not _is_new(turn, wished):
        return Decision((), State(data={"slots": keep_wish(turn)}, after="my_plan"))
    if not account.detail_allowed:
        return links.view(account)
    if waiting_plan(account) is not None and plan_words.is_empty(wished):
        return _waits(account)
    if offered := lender.asked_for(turn):
        return Decision((offered,))
    adds = plans.wants_to_add(wish(turn)) and running_plan(account) is not None
    if adds and not payable_visits(account):
        return Decision((Reply("plan_nothing_new"),))
    if adds and not policy.new_balances_may_join:
        return person.start(turn, "plan_change")
    return _offer(turn, account, basis(account, policy, adds), wished, first=intent != SMALLER)


def answer(turn: Turn) -> Decision | None:
    account, policy, state = turn.account, turn.practice.policy.plans, turn.talk.state
    if policy is None:
        return person.start(turn, NAME)
    if account is None:
        return verify.first(turn, NAME, _asked_before(turn))
    if state.data["version"] != account.balance_version or state.data["today"] != _today(turn).isoformat():
        return changed(turn)
    on = basis(account, policy, adds=state.data["adds"])
    if state.step == "offers":
        return _choose(turn, account, on)
    chosen = _chosen(turn, on)
    if chosen is None:
        return changed(turn)
    return _other_wish(turn, account, on) or plan_signing.answer(turn, account, chosen)


def repeat(turn: Turn) -> tuple[Reply, ...]:
    account, policy, state = turn.account, turn.practice.policy.plans, turn.talk.state
    if account is None or policy is None:
        return ()
    on = basis(account, policy, adds=state.data["adds"])
    if state.step == "offers":
        found = _made(turn, on, plan_words.ask_of(state.data["ask"]))
        return (_listed(on, found, assistance=False),) if found.offers else (Reply("plan_changed_meanwhile"),)
    chosen = _chosen(turn, on)
    return (plan_signing.question(turn, account, chosen),) if chosen else (Reply("plan_changed_meanwhile"),)


def changed(turn: Turn) -> Decision:
    """The balance, or the day, is another one than when the offers were made: say so, and offer anew."""
    silent = replace(turn.reading, text="", slots=Slots())
    again = start(replace(turn, reading=silent), NAME)
    return Decision((Reply("plan_changed_meanwhile"), *again.replies), again.state, again.commands)


def _wished(turn: Turn) -> Ask:
    language = turn.reading.language or turn.talk.language
    return plans.find_ask(wish(turn), turn.reading.slots, language, _today(turn))


def _is_new(turn: Turn, wished: Ask) -> bool:
    """With a plan running: whether this asks for other terms, or to have a new bill on it, and for no change of it."""
    if plans.wants_to_add(wish(turn)):
        return True
    sized = wished.amount_minor or wished.count or wished.months
    return bool(sized) and not plans.find_change(wish(turn))


def _offer(turn: Turn, account: AccountView, on: Basis, wished: Ask, first: bool, again: bool = False) -> Decision:
    """``first``: assistance was not gone through before; it is named once, not ``again`` beside other offers."""
    if not on.visits:
        return pay.start(turn, "pay")
    if on.replaces is not None and wished.interval is None:
        wished = replace(wished, interval=on.replaces.interval, days=wished.days or on.replaces.days)
    found = _made(turn, on, wished)
    if found.why == "below_minimum_balance" and first:
        return _too_small(turn, account, on.policy)
    if not found.offers:
        return _by_a_person(turn)
    told = () if found.fits or found.why not in _NEAREST else (_nearest(on.policy, found.why, _today(turn)),)
    data = {"ask": plan_words.ask_json(wished), "today": _today(turn).isoformat(), "version": account.balance_version,
            "expects": "amount", "adds": on.adds, "helped": not first}
    return ask(turn, NAME, "offers", data, *told, _listed(on, found, assistance=first and not again))


def _made(turn: Turn, on: Basis, wished: Ask) -> Answer:
    """Of the state's own day while a question is open, so that "2" is the second offer that was shown."""
    shown = turn.talk.state.data.get("today") if turn.talk.state.flow == NAME else None
    today = date.fromisoformat(shown) if shown else _today(turn)
    return plan_offers.make(on.total_minor, on.visits, on.policy, today, wished)


def _listed(on: Basis, found: Answer, assistance: bool) -> Reply:
    return Reply("plan_offers", {"total_minor": on.total_minor, "offers": plan_words.numbered(found.offers),
                                 "assistance": assistance})


def _nearest(policy: PlanPolicy, why: str, today: date) -> Reply:
    """Why not as asked, kindly, before the nearest that can be done."""
    latest = today + timedelta(policy.first_within_days)
    return Reply("plan_nearest", {"why": why, "minimum_minor": policy.minimum_instalment_minor,
                                  "months": policy.maximum_months, "latest_on": latest.isoformat()})


def _too_small(turn: Turn, account: AccountView, policy: PlanPolicy) -> Decision:
    """Too little for a plan: any part of it may be paid at any time."""
    told = Reply("plan_too_small", {"minimum_minor": policy.minimum_balance_minor})
    then = pay.start(replace(turn, reading=replace(turn.reading, slots=Slots())), "pay")
    return Decision((told, *then.replies), then.state, then.commands)


def _by_a_person(turn: Turn) -> Decision:
    """Nothing inside the policy: a person goes over it; a lender beside us is named, never applied to (T-54)."""
    handed = person.start(turn, NAME)
    beside = lender.reply(turn)
    return Decision((*handed.replies, *((beside,) if beside else ()))).also(*handed.commands)


def _choose(turn: Turn, account: AccountView, on: Basis) -> Decision | None:
    """One of the numbered offers, another wish, less than that, or no."""
    choices = turn.reading.slots.choices
    found = _made(turn, on, plan_words.ask_of(turn.talk.state.data["ask"]))
    if len(choices) == 1 and choices[0] <= len(found.offers):
        return _take(turn, account, on, found.offers[choices[0] - 1], choices[0])
    if turn.reading.intent == "yes" and turn.reading.certain and len(found.offers) == 1:
        return _take(turn, account, on, found.offers[0], 1)
    if turn.reading.intent == "no" and turn.reading.certain:
        return Decision((Reply("plan_not_now"),))
    return _other_wish(turn, account, on) or _less(turn, account, on)


def _other_wish(turn: Turn, account: AccountView, on: Basis) -> Decision | None:
    """"What would 6 months be?" while offers are on the table. A bare number that is no choice is not money either."""
    slots = turn.reading.slots
    wished = plans.find_ask(turn.reading.text, slots, turn.reading.language or turn.talk.language, _today(turn))
    if slots.choices and not wished.days and (slots.amount_minor or 0) < on.policy.minimum_instalment_minor:
        offers = turn.talk.state.step == "offers"
        return stay(turn, Reply("unclear_here"), *repeat(turn), missed=True) if offers else None
    if plan_words.is_empty(wished):
        offered = lender.asked_for(turn)
        return stay(turn, offered) if offered else None
    before = plan_words.ask_of(turn.talk.state.data["ask"])
    return _offer(turn, account, on, plans.merge(before, wished), first=not turn.talk.state.data["helped"], again=True)


def _less(turn: Turn, account: AccountView, on: Basis) -> Decision | None:
    """Too much a month: once the smallest and longest that the policy has; after that only a person can help."""
    less = turn.reading.intent == "minimum_payment" or plans.wants_less(turn.reading.text)
    if not less and not (turn.reading.intent == "cannot_pay" and turn.talk.state.data.get("helped")):
        return None  # who cannot pay at all is told of assistance first: a subject of its own
    smallest = Ask(months=on.policy.maximum_months)
    before = _made(turn, on, plan_words.ask_of(turn.talk.state.data["ask"]))
    shown = [plan_signing.fingerprint(one) for one in before.offers]
    if all(plan_signing.fingerprint(one) in shown for one in _made(turn, on, smallest).offers):
        return _by_a_person(turn)
    return _offer(turn, account, on, smallest, first=not turn.talk.state.data["helped"], again=True)


def _take(turn: Turn, account: AccountView, on: Basis, offer: Offer, number: int) -> Decision:
    data: dict[str, Any] = {**turn.talk.state.data, "choice": number}
    return plan_signing.begin(turn, account, Chosen(offer, on.policy, on.replaces), data)


def _chosen(turn: Turn, on: Basis) -> Chosen | None:
    """The offer that was taken, made again from what it was made of; None where that is not the same any more."""
    data = turn.talk.state.data
    found = _made(turn, on, plan_words.ask_of(data["ask"]))
    if not data["choice"] <= len(found.offers):
        return None
    offer = found.offers[data["choice"] - 1]
    return Chosen(offer, on.policy, on.replaces) if plan_signing.fingerprint(offer) == data["offer"] else None


def _waits(account: AccountView) -> Decision:
    plan = waiting_plan(account)
    link = MakeLink("plan", account.account_id, plan.plan_id if plan else "")
    return Decision((Reply("plan_waits", {"url": Result(link.ref)}),)).also(link)


def _asked_before(turn: Turn) -> dict[str, Any]:
    """After identity lapsed: what was wished for before, so that nobody has to say it again."""
    kept = turn.talk.state.data["ask"]
    names = {"amount_minor": "amount_minor", "count": "count", "interval": "interval", "first_on": "date"}
    slots = {there: kept[here] for here, there in names.items() if kept.get(here)}
    days = kept.get("days", [])
    return {**slots, "day": days[0]} if len(days) == 1 else slots


def _today(turn: Turn) -> date:
    return local_day(turn, turn.now)


FLOW = Flow(NAME, STEPS, (NAME, SMALLER), start, answer, repeat, needs_account=True)
