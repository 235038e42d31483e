"""What is said by link alone: to those who want no amounts by text (T-33), and whatever is too long for a text."""

from __future__ import annotations

from billing.commands import MakeLink
from billing.views import AccountView
from handlers.core import Decision, Reply, Result, Turn
from handlers.flows import verify
from handlers.turns import phone


def view(account: AccountView) -> Decision:
    """The account's page; the text itself says nothing of it."""
    link = MakeLink("statement", account.account_id, account.last_statement_id or "")
    return Decision((Reply("view_link", {"url": Result("link")}),)).also(link)


def shown_account(turn: Turn, intent: str) -> AccountView | Decision:
    """The account whose amounts may be told in this text; else what is said instead: who is asking, that its figures
    are not up to date, or the link of those who want no amounts by text.
    """
    account = turn.account
    if account is None:
        return verify.first(turn, intent)
    if account.stale:
        return Decision((Reply("stale", {"phone": phone(turn)}),))
    return account if account.detail_allowed else view(account)
