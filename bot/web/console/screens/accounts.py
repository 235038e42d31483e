"""Finding an account, seeing it whole, and a message's receipt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from billing.console import account, accounts
from bot.web.console.fields import Search, Ticked
from bot.web.console.table import Action, Asked, Done, Form, Nothing, Seen, View, of_practice


@dataclass(frozen=True, slots=True)
class Accounts:
    """At most 50; more means that the words were too common."""

    found: list[accounts.Found]


@dataclass(frozen=True, slots=True)
class Message:
    """What was written, to where, and every verdict of the gate with its rule, its source and the facts it had."""

    told: dict[str, Any]


class Query(Form):
    unconfirmed: Ticked = False


class Wanted(Form):
    """A number, a claim, a surname, a telephone number, an e-mail address or a day of birth."""

    q: Search


def newest(session: Session, asked: Asked[Query]) -> Accounts:
    return Accounts(accounts.search(session, asked.practice_id, "", asked.today, unconfirmed=asked.query.unconfirmed))


def search(session: Session, asked: Asked[Wanted]) -> Done:
    """What was looked for is in no address and in no trail; what was found is in both by our ids, once it is opened."""
    found = Accounts(accounts.search(session, asked.practice_id, asked.query.q, asked.today))
    return Done("practice", "accounts", "/accounts", "", found, "found_accounts")


def show(session: Session, asked: Asked[Nothing]) -> account.AccountPage | None:
    return account.load(session, asked.practice_id, asked.path["account_id"], asked.policy, asked.today)


def message(session: Session, asked: Asked[Nothing]) -> Message | None:
    told = account.message(session, asked.practice_id, asked.path["message_id"])
    return Message(told) if told is not None else None


VIEWS = (
    View("accounts", "/accounts", "read", newest, Accounts, Query, of_practice("accounts")),
    View("account", "/accounts/{account_id}", "read", show, account.AccountPage,
         seen=lambda found: Seen("account", found.account_id)),
    View("message", "/messages/{message_id}", "read", message, Message,
         seen=lambda found: Seen("message", found.told["message"])),
)
ACTIONS = (Action("accounts.search", "/accounts/search", "read", Wanted, search),)
