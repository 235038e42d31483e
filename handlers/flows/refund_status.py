"""Where is my refund: what the books say of money sent back and of credit; a person where they say nothing."""

from __future__ import annotations

from billing.views import AccountView
from handlers import filing
from handlers.accounts import shown_figures, shown_payments
from handlers.core import Decision, Reply, Turn
from handlers.filing import Matter
from handlers.flows import links
from handlers.flows.flow import Flow
from handlers.turns import answer_by, ask

NAME = "refund_status"
STEPS = ("offer",)
MATTER = Matter("refund", "", "Patient asks about a refund")


def start(turn: Turn, intent: str) -> Decision:
    account = links.shown_account(turn, intent)
    if isinstance(account, Decision):
        return account
    return ask(turn, NAME, "offer", {"words": filing.words(turn)}, *_known(account), Reply("refund_offer"))


def answer(turn: Turn) -> Decision | None:
    if turn.reading.intent == "no":
        return Decision((Reply("thanks"),))
    if turn.reading.intent != "yes":
        return None
    case = filing.open_case(turn, MATTER, detail=turn.talk.state.data["words"])
    return Decision((Reply("handover_ask", {"by_at": answer_by(turn)}),)).also(case)


def repeat(turn: Turn) -> tuple[Reply, ...]:
    return (Reply("refund_offer"),)


def _known(account: AccountView) -> tuple[Reply, ...]:
    """The last money sent back and the credit that is left; that there is neither, where there is neither."""
    sent = sorted((one for one in shown_payments(account) if one.refunded_minor > 0 and one.refunded_on is not None),
                  key=lambda one: str(one.refunded_on))
    replies: tuple[Reply, ...] = ()
    if sent:
        last = sent[-1]
        replies += (Reply("refund_sent", {"amount_minor": last.refunded_minor, "on": str(last.refunded_on)}),)
    credit = shown_figures(account).credit_minor
    if credit > 0:
        replies += (Reply("refund_credit", {"credit_minor": credit}),)
    return replies or (Reply("refund_none"),)


FLOW = Flow(NAME, STEPS, ("refund_status",), start, answer, repeat)
