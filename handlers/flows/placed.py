"""Paying here what has gone to a collection agency: the patient may always come back to the office that cared for them.

Only when nothing else is due: what is due comes first, in flows/pay.py. The payment is the patient's own wish
(``early``), and the agency hears of it from us.
"""

from __future__ import annotations

from billing.views import AccountView
from handlers.accounts import find_method, open_minor, placed_visits
from handlers.core import Decision, Reply, Turn
from handlers.flows import links, paying, verify
from handlers.flows.flow import Flow
from handlers.turns import ask, keep_slots, stay

NAME = "placed"
STEPS = ("amount", "confirm")


def start(turn: Turn, intent: str) -> Decision:
    if turn.account is None:
        return verify.first(turn, "pay", keep_slots(turn.reading))
    account = links.shown_account(turn, intent)
    if isinstance(account, Decision):
        return account
    if _most(account) <= 0:
        return Decision((Reply("pay_nothing", {"credit_minor": 0}),))
    slots = turn.reading.slots
    if slots.ambiguous_amount:
        return ask(turn, NAME, "amount", {"expects": "amount"}, Reply("pay_unclear_amount"))
    if slots.amount_is_all or slots.amount_minor:
        return _price(turn, account, _most(account) if slots.amount_is_all else slots.amount_minor or 0)
    return _ask_amount(turn, account)


def answer(turn: Turn) -> Decision | None:
    account, state, slots = turn.account, turn.talk.state, turn.reading.slots
    if account is None or _most(account) <= 0:
        return start(turn, NAME)
    if turn.reading.intent == "no" and (turn.reading.certain or slots.amount_minor is None):
        return Decision((Reply("pay_not_now"),))
    if slots.ambiguous_amount:
        return stay(turn, Reply("pay_unclear_amount"), missed=True)
    if state.step == "amount":
        all_of_it = slots.amount_is_all or turn.reading.intent == "yes"
        amount = _most(account) if all_of_it else slots.amount_minor
        return _price(turn, account, amount) if amount else None
    if state.data.get("method") and paying.wants_link(turn):
        return _request(turn, account, by_link=True)
    if turn.reading.intent == "yes" and slots.amount_minor is None:
        return _request(turn, account) if turn.reading.certain else stay(turn, *repeat(turn), missed=True)
    return _price(turn, account, slots.amount_minor) if slots.amount_minor else None


def repeat(turn: Turn) -> tuple[Reply, ...]:
    account = turn.account
    if account is None:
        return ()
    if turn.talk.state.step == "amount" or _most(account) <= 0:
        return start(turn, NAME).replies
    return (paying.confirmation(turn, account, turn.talk.state.data),)


def _most(account: AccountView) -> int:
    return sum(open_minor(visit) for visit in placed_visits(account))


def _ask_amount(turn: Turn, account: AccountView, *before: Reply) -> Decision:
    return ask(turn, NAME, "amount", {"expects": "amount"}, *before,
               Reply("placed_ask", {"placed_minor": _most(account)}))


def _price(turn: Turn, account: AccountView, amount_minor: int) -> Decision:
    most = _most(account)
    least = min(turn.practice.policy.minimum_payment_minor, most)
    if amount_minor > most:
        return _ask_amount(turn, account)
    if amount_minor < least:
        return _ask_amount(turn, account, Reply("pay_too_little", {"minimum_minor": least}))
    data = paying.asked_for(turn, account, amount_minor, placed_visits(account))
    return ask(turn, NAME, "confirm", data, paying.confirmation(turn, account, data))


def _request(turn: Turn, account: AccountView, by_link: bool = False) -> Decision:
    data = turn.talk.state.data
    gone = data.get("method") and not by_link and find_method(account, data["method"]) is None
    if gone or data["version"] != account.balance_version:
        return _ask_amount(turn, account, Reply("pay_changed"))
    return paying.carry_on(turn, account, data, by_link)


FLOW = Flow(NAME, STEPS, ("pay_placed",), start, answer, repeat, needs_account=True)
