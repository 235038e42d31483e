"""Has my insurance paid: for each of the newest visits, what each plan has said."""

from __future__ import annotations

from billing.views import AccountView
from handlers.accounts import shown_visits
from handlers.core import Decision, Reply, Turn
from handlers.flows import links, verify
from handlers.flows.flow import Flow, never_answers, never_asks
from handlers.turns import phone

NAME = "insurance"
STEPS: tuple[str, ...] = ()
_LINES = 3


def start(turn: Turn, intent: str) -> Decision:
    account = turn.account
    if account is None:
        return verify.first(turn, intent)
    if not account.detail_allowed:
        return links.view(account)
    lines = _lines(account)
    if not lines:
        return Decision((Reply("insurance_none", {"phone": phone(turn)}),))
    return Decision((Reply("insurance_status", {"lines": lines}),))


def _lines(account: AccountView) -> list[dict[str, str | None]]:
    """Newest first, what is still pending before what is settled."""
    lines = [{"on": visit.service_on.isoformat() if visit.service_on else None, "payer_name": coverage.payer_name,
              "status": coverage.status} for visit in reversed(shown_visits(account)) for coverage in visit.coverages]
    return sorted(lines, key=lambda line: line["status"] != "pending")[:_LINES]


FLOW = Flow(NAME, STEPS, ("insurance_status",), start, never_answers, never_asks)
