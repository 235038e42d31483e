"""It is paid already: shown where we see the payment, else asked once how and when, and looked for by a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from billing.commands import Command, MakeLink
from billing.payment_status import PARTLY_REFUNDED, SUCCEEDED
from billing.views import AccountView, PaymentView
from handlers import filing, own_words
from handlers.accounts import open_visits, shown_figures, shown_payments
from handlers.core import Decision, Reply, Result, State, Turn
from handlers.filing import Matter
from handlers.flows.flow import Flow
from handlers.turns import answer_by, ask, local_day

NAME = "already_paid"
STEPS = ("how",)
MATTER = Matter("paid_already", "paid_already", "Patient says it is paid")
WAYS = ("card", "check or cash", "at the office", "insurance or another way")
#: "I already paid" is about something recent; an older payment is shown only where its amount was named.
RECENT = timedelta(days=45)
_OWN = frozenset({"already_paid", "pay", "receipt", "dispute", "insurance_update", "insurance_status"})


def start(turn: Turn, intent: str) -> Decision:
    """Needs no identity; only who is verified is shown a payment. Said twice, it is another payment that is meant."""
    going_on = filing.going_on(turn)
    account, seen = turn.account, turn.talk.state.data.get("seen", [])
    payment = _seen(turn, account, seen) if account and not account.stale and not going_on else None
    if account is not None and payment is not None:
        return _show(turn, account, payment, [*seen, payment.payment_id])
    commands: list[Command] = []
    at, noted = going_on.get("key", ""), (() if going_on else (Reply("paid_noted"),))
    if not at:
        visits = open_visits(account) if account else ()
        case = filing.open_case(turn, MATTER, visits[0].visit_id if len(visits) == 1 else None)
        commands, at = [case], case.dedupe
    return ask(turn, NAME, "how", {"key": at, "expects": "choice"}, *noted, Reply("paid_how")).also(*commands)


def answer(turn: Turn) -> Decision | None:
    choices, at = turn.reading.slots.choices, turn.talk.state.data["key"]
    if choices:
        said = WAYS[choices[0] - 1] if len(choices) == 1 and choices[0] <= len(WAYS) else ""
        return _finish(turn, at, f"paid: {said}") if said else None
    if own_words.is_skip(turn):
        return _finish(turn, at, "")
    # "card on friday", "$45": short, and read as an offer to pay by a model that does not know what was asked.
    named = turn.reading.slots.amount_minor is not None or turn.reading.slots.date is not None
    if not named and not own_words.tells(turn, _OWN):
        return None
    return _finish(turn, at, f"paid: {own_words.kept(turn)}")


def repeat(turn: Turn) -> tuple[Reply, ...]:
    return (Reply("paid_how"),)


def _seen(turn: Turn, account: AccountView, shown: list[str]) -> PaymentView | None:
    """The payment that they may mean: of the amount that was named, else the newest recent one; never one twice."""
    amount = turn.reading.slots.amount_minor
    for one in shown_payments(account):
        if one.status not in (SUCCEEDED, PARTLY_REFUNDED) or one.paid_at is None or one.payment_id in shown:
            continue
        if one.amount_minor == amount or (amount is None and turn.now - one.paid_at <= RECENT):
            return one
    return None


def _show(turn: Turn, account: AccountView, payment: PaymentView, seen: list[str]) -> Decision:
    """Nothing is asked. The payments shown stay known, so that the same answer is not given to the same words."""
    assert payment.paid_at is not None
    state = State(data={"seen": seen})
    if not account.detail_allowed:
        link = MakeLink("receipt", account.account_id, payment.payment_id)
        return Decision((Reply("paid_seen_private", {"url": Result(link.ref)}),), state).also(link)
    words: dict[str, Any] = {
        "amount_minor": payment.amount_minor, "paid_on": local_day(turn, payment.paid_at).isoformat(),
        "due_now_minor": max(shown_figures(account).due_now_minor, 0)}
    return Decision((Reply("paid_seen", words),), state)


def _finish(turn: Turn, at: str, said: str) -> Decision:
    more = (filing.add(turn, MATTER, at, said=said),) if said else ()
    return Decision((Reply("paid_already", {"by_at": answer_by(turn)}),)).also(*more)


FLOW = Flow(NAME, STEPS, ("already_paid",), start, answer, repeat, silence=filing.silence,
            leave=filing.leave)
