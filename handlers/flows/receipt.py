"""The receipt of the last payment, or all that was paid in a year ("for my taxes")."""

from __future__ import annotations

import re

from billing.commands import MakeLink
from billing.payment_status import PARTLY_REFUNDED, SUCCEEDED
from billing.views import AccountView, PaymentView
from handlers.accounts import list_visits, shown_payments
from handlers.core import Decision, Reply, Result, Turn
from handlers.flows import verify
from handlers.flows.flow import Flow, never_answers, never_asks
from handlers.turns import keep_wish, local_day, wish
from handlers.understanding.dates import MONTHS
from handlers.understanding.folding import fold

NAME = "receipt"
STEPS: tuple[str, ...] = ()
_YEAR = re.compile(r"\b(20\d\d)\b")
_TAXES = re.compile(r"\b(?:tax\w*|irs|year end|end of (?:the )?year|yearly|annual\w*|whole year|all year|hsa|fsa|"
                    r"impuestos?|taxes|anual\w*|fin de ano|todo el ano|del ano|declaracion)\b")
_LAST_YEAR = re.compile(r"\b(?:last year|ano pasado)\b")
#: Until the end of this month "for my taxes" means the year before.
TAX_SEASON = 10


def start(turn: Turn, intent: str) -> Decision:
    account = turn.account
    if account is None:
        return verify.first(turn, intent, keep_wish(turn))
    if year := _year(turn):
        return _summary(turn, account, year)
    payment = next((one for one in shown_payments(account) if one.status in (SUCCEEDED, PARTLY_REFUNDED)), None)
    if payment is None or payment.paid_at is None:
        return Decision((Reply("receipt_none"),))
    link = MakeLink("receipt", account.account_id, payment.payment_id)
    if not account.detail_allowed:
        return Decision((Reply("receipt_private", {"url": Result(link.ref)}),)).also(link)
    words = {"amount_minor": payment.amount_minor, "paid_on": local_day(turn, payment.paid_at).isoformat(),
             "visits": paid_visits(account, payment), "url": Result(link.ref)}
    return Decision((Reply("receipt", words),)).also(link)


def _year(turn: Turn) -> int:
    """The calendar year that is asked for; 0 where this is about one payment."""
    said, today = fold(wish(turn)), local_day(turn, turn.now)
    match = _YEAR.search(said)
    if match and (_TAXES.search(said) or not set(said.split()) & MONTHS.keys()):  # "for my visit in March 2026" is one
        return int(match[1])
    if _LAST_YEAR.search(said):
        return today.year - 1
    if not _TAXES.search(said):
        return 0
    return today.year - 1 if today.month <= TAX_SEASON else today.year


def _summary(turn: Turn, account: AccountView, year: int) -> Decision:
    paid = any(one.paid_at is not None and local_day(turn, one.paid_at).year == year for one in account.payments)
    if not paid:
        return Decision((Reply("receipt_year_none", {"year": year}),))
    link = MakeLink("year", account.account_id, str(year))
    return Decision((Reply("receipt_year", {"year": year, "url": Result(link.ref)}),)).also(link)


def paid_visits(account: AccountView, payment: PaymentView | None) -> list[dict[str, object]]:
    """The visits that a payment went to; none where it became credit, or where they are not for this turn to see."""
    paid = {visit_id for visit_id, _ in payment.allocations} if payment else set()
    return list_visits([visit for visit in account.visits if visit.visit_id in paid and not visit.confidential])


FLOW = Flow(NAME, STEPS, ("receipt",), start, never_answers, never_asks)
