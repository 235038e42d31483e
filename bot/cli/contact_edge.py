"""What the commands of ``plainbill accounts contact`` share: one step in one transaction, refusals in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

import typer

from bot.cli.edge import Edge, context, found, print_json, require_right
from bot.cli.exits import NOT_FOUND, USAGE, Stop, refusal, sentence

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.contact_changes import Reason
    from billing.store.tables import ContactPoint, Guarantor

Account = Annotated[str, typer.Argument(help="The account: our id, its number, or a claim number on it.")]
Contact = Annotated[str, typer.Argument(help="The id of its number or address; `accounts contact show` lists them.")]
Why = Annotated[str, typer.Option("--reason", help="changed: the patient has another now; mistyped: it was written "
                                  "down wrong; asked: the patient wants nothing there; other.")]
On = Annotated[bool, typer.Option("--on/--off", help="It is so, or is so no more.")]
Their = Annotated[str, typer.Option("--wording", help="What the patient said, word for word.")]

Facts = dict[str, Any]


def one(ref: str, contact: str, action: str, act: Callable[[Session, Edge, ContactPoint], Facts],
         reason: str = "") -> Facts:
    """A step about one number or address of the account; one of another account is not found."""
    from billing.store import console_account_queries as store

    def both(session: Session, edge: Edge, account: Guarantor) -> Facts:
        row = store.contact(session, edge.practice_id, contact)
        if row is None or row.guarantor_id != account.id:
            raise Stop("There is no such number or address on this account; `plainbill accounts contact show "
                       f"{ref}` lists them.", NOT_FOUND)
        return act(session, edge, row)

    return run(ref, action, "contact", both, reason)


def run(ref: str, action: str, kind: str, act: Callable[[Session, Edge, Guarantor], Facts],
         reason: str = "") -> Facts:
    """A step in one transaction with its line in the trail. Raises Stop, and then nothing has changed."""
    from billing.consents import ConsentRefused
    from billing.contact_changes import ContactRefused, Unreadable
    from billing.preferences import PreferenceRefused

    def both(session: Session) -> Facts:
        require_right(session, edge, "cases")
        account = account_of(session, edge, ref)
        return {"account": account.external, "account_id": account.id} | act(session, edge, account)

    with context() as edge:
        try:
            return edge.write(both, action, kind, lambda done: str(done["account_id" if kind == "account" else kind]),
                              reason)
        except (Unreadable, ConsentRefused, PreferenceRefused) as error:
            raise Stop(sentence(error), USAGE) from error
        except ContactRefused as error:
            raise refusal(error) from error


def account_of(session: Session, edge: Edge, ref: str) -> Guarantor:
    from billing.accounts import find_account

    return found(find_account(session, edge.practice_id, ref), "such account")


def reason_of(text: str) -> Reason:
    from billing.contact_changes import Reason

    codes = get_args(Reason)
    if text not in codes:
        raise Stop(f"--reason is {text!r}: one of {', '.join(codes)}.", USAGE)
    return cast("Reason", text)


def say(done: Facts, as_json: bool, words: str) -> None:
    if as_json:
        print_json(done)
    else:
        print(f"Account {done['account']}: {words}{'' if done.get('changed', True) else ' It was so before.'}")
