"""The receipt of the last payment."""

from __future__ import annotations

from billing.commands import MakeLink
from billing.payment_status import PARTLY_REFUNDED, SUCCEEDED
from billing.views import AccountView, PaymentView
from handlers.accounts import list_visits, shown_payments
from handlers.core import Decision, Reply, Result, Turn
from handlers.flows import verify
from handlers.flows.flow import Flow, never_answers, never_asks
from handlers.turns import local_day

NAME = "receipt"
STEPS: tuple[str, ...] = ()


def start(turn: Turn, intent: str) -> Decision:
    account = turn.account
    if account is None:
        return verify.first(turn, intent)
    payment = next((one for one in shown_payments(account) if one.status in (SUCCEEDED, PARTLY_REFUNDED)), None)
    if payment is None or payment.paid_at is None:
        return Decision((Reply("receipt_none"),))
    link = MakeLink("receipt", account.account_id, payment.payment_id)
    if not account.detail_allowed:
        return Decision((Reply("receipt_private", {"url": Result(link.ref)}),)).also(link)
    words = {"amount_minor": payment.amount_minor, "paid_on": local_day(turn, payment.paid_at).isoformat(),
             "visits": paid_visits(account, payment), "url": Result(link.ref)}
    return Decision((Reply("receipt", words),)).also(link)


def paid_visits(account: AccountView, payment: PaymentView | None) -> list[dict[str, object]]:
    """The visits that a payment went to; none where it became credit, or where they are not for this turn to see."""
    paid = {visit_id for visit_id, _ in payment.allocations} if payment else set()
    return list_visits([visit for visit in account.visits if visit.visit_id in paid and not visit.confidential])


FLOW = Flow(NAME, STEPS, ("receipt",), start, never_answers, never_asks)
