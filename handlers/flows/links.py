"""What is said by link alone: to those who want no amounts by text (T-33), and whatever is too long for a text."""

from __future__ import annotations

from billing.commands import MakeLink
from billing.views import AccountView
from handlers.core import Decision, Reply, Result


def view(account: AccountView) -> Decision:
    """The account's page; the text itself says nothing of it."""
    link = MakeLink("statement", account.account_id, account.last_statement_id or "")
    return Decision((Reply("view_link", {"url": Result("link")}),)).also(link)
