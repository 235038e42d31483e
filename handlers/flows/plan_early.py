"""Paying a running plan before its days: the next payment, something extra, or all that is left."""

from __future__ import annotations

from billing.commands import ChangePlan
from billing.views import AccountView, PlanView
from handlers.accounts import find_method, open_minor, plan_visits
from handlers.core import Decision, Reply, Turn
from handlers.flows import paying
from handlers.turns import ask, stay
from handlers.understanding import plans

NAME = "my_plan"
STEPS = ("amount", "pay", "extra")
#: How an extra payment counts, by number in plan_extra_how.
COUNTS = ("shorten", "lower")


def begin(turn: Turn, account: AccountView, plan: PlanView, change: str) -> Decision:
    slots = turn.reading.slots
    if change == "pay_off" or slots.amount_is_all:
        return _price(turn, account, plan, _left(account, plan))
    if slots.amount_minor:
        return _price(turn, account, plan, slots.amount_minor)
    if change == "pay_next" and plan.next is not None:
        return _price(turn, account, plan, plan.next.open_minor)
    return _ask_amount(turn, account, plan)


def answer(turn: Turn, account: AccountView, plan: PlanView) -> Decision | None:
    step, slots = turn.talk.state.step, turn.reading.slots
    if step == "extra":
        return _count(turn, account, plan)
    if turn.reading.intent == "no" and turn.reading.certain:
        return Decision((Reply("pay_not_now"),))
    if step == "amount":
        return _amount(turn, account, plan)
    if turn.talk.state.data.get("method") and paying.wants_link(turn):
        return _request(turn, account, plan, by_link=True)
    if turn.reading.intent == "yes" and slots.amount_minor is None:
        if not turn.reading.certain:
            return stay(turn, question(turn, account, plan), missed=True)
        return _request(turn, account, plan)
    return _price(turn, account, plan, slots.amount_minor) if slots.amount_minor else None


def question(turn: Turn, account: AccountView, plan: PlanView) -> Reply:
    step = turn.talk.state.step
    if step == "extra":
        return Reply("plan_extra_how")
    if step == "amount":
        return _how_much(account, plan)
    return paying.confirmation(turn, account, turn.talk.state.data)


def _left(account: AccountView, plan: PlanView) -> int:
    """What may be paid of the plan at all: never more than its visits owe today."""
    return min(plan.left_minor, sum(open_minor(visit) for visit in plan_visits(account, plan)))


def _how_much(account: AccountView, plan: PlanView) -> Reply:
    following = plan.next
    return Reply("plan_how_much", {"next_minor": following.open_minor if following else 0,
                                   "left_minor": _left(account, plan)})


def _ask_amount(turn: Turn, account: AccountView, plan: PlanView) -> Decision:
    return ask(turn, NAME, "amount", {"expects": "amount"}, _how_much(account, plan))


def _amount(turn: Turn, account: AccountView, plan: PlanView) -> Decision | None:
    slots = turn.reading.slots
    if slots.choices == (1,) and plan.next is not None:
        return _price(turn, account, plan, plan.next.open_minor)
    if slots.choices == (2,) or slots.amount_is_all:
        return _price(turn, account, plan, _left(account, plan))
    if slots.ambiguous_amount:
        return stay(turn, Reply("pay_unclear_amount"), missed=True)
    if slots.choices or not slots.amount_minor:
        change = plans.find_change(turn.reading.text)
        return begin(turn, account, plan, change) if change in ("pay_off", "pay_next") else None
    return _price(turn, account, plan, slots.amount_minor)


def _price(turn: Turn, account: AccountView, plan: PlanView, amount_minor: int) -> Decision:
    left = _left(account, plan)
    least = min(turn.practice.policy.minimum_payment_minor, left)
    if left <= 0:
        return Decision((Reply("plan_nothing_left"),))
    if amount_minor > left:
        asked = _ask_amount(turn, account, plan)
        return Decision((Reply("plan_too_much", {"left_minor": left}),), asked.state)
    if amount_minor < least:
        asked = _ask_amount(turn, account, plan)
        return Decision((Reply("pay_too_little", {"minimum_minor": least}),), asked.state)
    data = paying.asked_for(turn, account, amount_minor, plan_visits(account, plan), plan)
    return ask(turn, NAME, "pay", data, paying.confirmation(turn, account, data))


def _request(turn: Turn, account: AccountView, plan: PlanView, by_link: bool = False) -> Decision:
    data = turn.talk.state.data
    gone = data.get("method") and not by_link and find_method(account, data["method"]) is None
    if gone or data["version"] != account.balance_version or data["plan"] != plan.plan_id:
        again = _ask_amount(turn, account, plan)
        return Decision((Reply("pay_changed"), *again.replies), again.state)
    made = paying.carry_on(turn, account, data, by_link)
    extra = data["amount_minor"] < _left(account, plan) and data["instalment"] is None
    if not extra:
        return made
    asked = ask(turn, NAME, "extra", {"expects": "choice"}, *made.replies, Reply("plan_extra_how"))
    return asked.also(*made.commands)


def _count(turn: Turn, account: AccountView, plan: PlanView) -> Decision | None:
    """End sooner, or less each time: the patient's choice, and no other amount is ever more by it."""
    choices = turn.reading.slots.choices
    if len(choices) != 1 or choices[0] > len(COUNTS):
        return None
    value = COUNTS[choices[0] - 1]
    command = ChangePlan(account.account_id, plan.plan_id, plan.version, "on_extra", turn.reading.text, value=value)
    return Decision((Reply("plan_extra_kept", {"sooner": value == "shorten"}),)).also(command)
