"""Pay all, a part or chosen visits, by link or with the card on file. Only after a yes to an exact amount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from billing.views import AccountView, VisitView
from handlers.accounts import (
    LISTED,
    due_visits,
    find_method,
    list_visits,
    placed_visits,
    plan_of,
    running_plan,
    shown_figures,
    shown_visits,
    split_payment,
)
from handlers.core import Decision, Reply, Slots, State, Turn
from handlers.flows import links, paying, rights, verify
from handlers.flows.flow import Flow
from handlers.turns import ask, keep_slots, keep_wish, phone, stay

NAME = "pay"
STEPS = ("amount", "confirm")
#: Why a payment that was said yes to was not made, where the patient can simply go on in a moment.
_KINDLY = {"paying": "pay_paying", "charging": "pay_charging_now", "card_gone": "pay_card_gone"}


def start(turn: Turn, intent: str) -> Decision:
    account = turn.account
    if account is None:
        return verify.first(turn, intent, keep_wish(turn))
    if not account.detail_allowed and not account.stale:
        return links.view(account)
    if _is_about_the_plan(turn, account):
        return Decision((), State(data={"slots": keep_wish(turn)}, after="pay_plan"))
    if not due_visits(account) and placed_visits(account) and not account.stale:
        return Decision((), State(data={"slots": keep_wish(turn)}, after="pay_placed"))
    if refusal := _nothing_to_pay(turn, account):
        return Decision(refusal)
    due = due_visits(account)
    return _price(turn, account, due, turn.reading.slots, listed=False) or _ask_amount(turn, account)


def answer(turn: Turn) -> Decision | None:
    account, state = turn.account, turn.talk.state
    if account is None:
        return verify.first(turn, "pay", _said(turn))
    if refusal := _nothing_to_pay(turn, account):
        return Decision(refusal)
    slots = turn.reading.slots
    if turn.reading.intent == "no" and (turn.reading.certain or slots.amount_minor is None):  # "no, 30" names an amount
        return Decision((Reply("pay_not_now"),))
    if state.step == "amount":
        meant = replace(slots, amount_is_all=True) if turn.reading.intent == "yes" else slots
        return _price(turn, account, due_visits(account), meant, listed=True)
    if state.data.get("method") and paying.wants_link(turn):
        return _request(turn, account, by_link=True)
    if turn.reading.intent == "yes" and slots.amount_minor is None:
        # Money moves on a plain yes only; what merely sounds like one is asked again.
        return _request(turn, account) if turn.reading.certain else stay(turn, *repeat(turn), missed=True)
    return None if slots.choices else _price(turn, account, due_visits(account), slots, listed=False)


def repeat(turn: Turn) -> tuple[Reply, ...]:
    account, state = turn.account, turn.talk.state
    if account is None:
        return ()
    if refusal := _nothing_to_pay(turn, account):
        return refusal
    if state.step == "amount":
        return _ask_amount(turn, account).replies
    return (paying.confirmation(turn, account, state.data),)


def changed(turn: Turn) -> Decision:
    """The balance moved between the question and the yes: say so and start again from where it stands now."""
    again = start(turn, NAME)
    return Decision((Reply("pay_changed"), *again.replies), again.state).also(*again.commands)


def refuse(turn: Turn, reason: str) -> Decision:
    """In words, why billing did not carry out a payment that the patient had said yes to."""
    account = turn.account
    if account is None or reason in ("stale_balance", "too_much", "too_little"):
        return changed(turn)
    if reason in _KINDLY:
        return Decision((Reply(_KINDLY[reason]),))
    if reason == "nothing_due":
        credit = shown_figures(account).credit_minor
        return Decision((Reply("pay_nothing", {"credit_minor": max(credit, 0)}),))
    return Decision((Reply("pay_held", {"phone": phone(turn)}),))


def _nothing_to_pay(turn: Turn, account: AccountView) -> tuple[Reply, ...]:
    """Why nothing can be paid now; empty when something can."""
    figures = shown_figures(account)
    if account.stale:
        return (Reply("stale", {"phone": phone(turn)}),)
    if figures.due_now_minor > 0 and due_visits(account):
        return ()
    pending, held = rights.plainly_waiting(account)
    notices = rights.notices(account, shown_visits(account))
    if pending > 0:
        return (Reply("pay_pending"), *notices)
    if held > 0:
        return (Reply("pay_held", {"phone": phone(turn)}), *notices)
    if notices:
        return notices
    if figures.on_plan_minor > 0:
        return (Reply("pay_on_plan"),)
    return (Reply("pay_nothing", {"credit_minor": max(figures.credit_minor, 0)}),)


def _ask_amount(turn: Turn, account: AccountView) -> Decision:
    due = due_visits(account)[:LISTED]
    total = sum(visit.figures.due_now_minor for visit in due_visits(account))
    return ask(turn, NAME, "amount", {"visits": [visit.visit_id for visit in due], "expects": "amount"},
               Reply("pay_ask", {"due_now_minor": total, "visits": list_visits(due)}))


def _price(turn: Turn, account: AccountView, due: Sequence[VisitView], slots: Slots, listed: bool) -> Decision | None:
    """From what was said to an exact amount; None when no amount was said. ``listed``: numbers may mean visits."""
    chosen = _chosen(slots, due, listed)
    bare = listed and slots.choices and chosen  # "2" was the second visit, not two dollars
    if slots.ambiguous_amount and not bare:
        return _again(turn, account, Reply("pay_unclear_amount"))
    total = sum(visit.figures.due_now_minor for visit in chosen or due)
    amount = total if slots.amount_is_all or bare or (chosen and slots.amount_minor is None) else slots.amount_minor
    if amount is None:
        return None
    if amount > total:
        return _again(turn, account, Reply("pay_too_much", {"due_now_minor": total}))
    least = min(turn.practice.policy.minimum_payment_minor, total)
    if amount < least:
        return _again(turn, account, Reply("pay_too_little", {"minimum_minor": least}))
    return _confirm(turn, account, amount, list(chosen or due))


def _again(turn: Turn, account: AccountView, reply: Reply) -> Decision:
    if turn.talk.state.flow == NAME and turn.talk.state.step == "amount":
        return stay(turn, reply, missed=True)
    asked = _ask_amount(turn, account)
    return Decision((reply,), asked.state)


def _chosen(slots: Slots, due: Sequence[VisitView], listed: bool) -> list[VisitView]:
    """Visits by their number in the list. With one visit due there is no list, and a number is an amount."""
    numbers = slots.choices if listed and len(due) > 1 else ()
    if slots.visit and slots.visit.isdecimal():
        numbers = (int(slots.visit),)
    if not numbers or any(not 1 <= number <= len(due) for number in numbers):
        return []
    return [due[number - 1] for number in sorted(set(numbers))]


def _confirm(turn: Turn, account: AccountView, amount_minor: int, visits: list[VisitView]) -> Decision:
    covered = {visit_id for visit_id, _ in split_payment(amount_minor, visits)}
    paid = [visit for visit in visits if visit.visit_id in covered]
    data = paying.asked_for(turn, account, amount_minor, paid, plan_of(account, covered))
    return ask(turn, NAME, "confirm", data, paying.confirmation(turn, account, data))


def _request(turn: Turn, account: AccountView, by_link: bool = False) -> Decision:
    """A question whose card has gone meanwhile was another question."""
    data = turn.talk.state.data
    gone = data.get("method") and not by_link and find_method(account, data["method"]) is None
    if gone or data["version"] != account.balance_version:
        return changed(turn)
    return paying.carry_on(turn, account, data, by_link)


def _is_about_the_plan(turn: Turn, account: AccountView) -> bool:
    """Nothing is due, or less than the amount that was named: what is paid early belongs to the plan."""
    plan = running_plan(account)
    if plan is None or account.stale or turn.practice.policy.plans is None:
        return False
    due = sum(visit.figures.due_now_minor for visit in due_visits(account))
    return due == 0 or (turn.reading.slots.amount_minor or 0) > due


def _said(turn: Turn) -> dict[str, object]:
    """After identity lapsed: what was said now, else the amount that was waiting for its yes."""
    said = keep_slots(turn.reading)
    if said or turn.talk.state.step != "confirm":
        return said
    return {"amount_minor": turn.talk.state.data["amount_minor"]}


FLOW = Flow(NAME, STEPS, ("pay",), start, answer, repeat, needs_account=True)
