"""A yes to charge the card on file, taken back while the charge is on its way: in any words, at once (T-48)."""

from __future__ import annotations

from billing.commands import TakeBackYes
from billing.views import PaymentView
from handlers import own_words
from handlers.core import Decision, Reply, Text, Turn
from handlers.flows import person
from handlers.flows.flow import Flow, never_answers, never_asks
from handlers.understanding import plans

NAME = "take_back"
#: Of these nothing is known to have been taken yet.
_ON_ITS_WAY = frozenset({"created", "needs_patient"})


def under_way(turn: Turn) -> tuple[PaymentView, ...]:
    """The charges that the verified account said yes to and that have not come to an end."""
    payments = turn.account.payments if turn.account is not None else ()
    return tuple(one for one in payments if one.way == "saved" and one.status in _ON_ITS_WAY)


def commands(turn: Turn) -> tuple[TakeBackYes, ...]:
    if turn.account is None:
        return ()
    account_id, wording = turn.account.account_id, turn.reading.text[:own_words.MOST]
    return tuple(TakeBackYes(account_id, one.payment_id, wording) for one in under_way(turn))


def interrupts(turn: Turn) -> str:
    """The intent that this text has while a charge is on its way, or nothing. "Wait" and "no" answer an open question
    first; a charge of a plan's deposit is stopped with its plan.
    """
    if not isinstance(turn.message, Text) or turn.account is None or not under_way(turn):
        return ""
    weak = plans.takes_back(turn.reading.text) or (turn.reading.intent == "no" and turn.reading.certain)
    if not plans.stops_charges(turn.reading.text) and (turn.talk.state.flow or not weak):
        return ""
    deposits = {plan.plan_id for plan in turn.account.plans if plan.runs and plan.collects == "autopay"
                and any(one.status == "charging" for one in plan.instalments)}
    return "stop_charges" if deposits & {one.plan_id for one in under_way(turn)} else NAME


def start(turn: Turn, intent: str) -> Decision:
    taken = commands(turn)
    return Decision((Reply("yes_taken_back"),)).also(*taken) if taken else person.start(turn, "human")


FLOW = Flow(NAME, (), (NAME,), start, never_answers, never_asks, needs_account=True)
