"""``plainbill pay-link``: the link on which one account pays something now, looked at first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.amounts import dollars, minor_of, visits_of
from bot.cli.edge import AsJson, Edge, context, found, print_json, require_configured, require_right
from bot.cli.links import Send, Tried, carry_out, facts_of, print_message, road_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import Guarantor

app = typer.Typer(add_completion=False)


@app.command()
def run(
    account: Annotated[str, typer.Argument(help="The account: our id, its number, or a claim number on it.")],
    amount: Annotated[str, typer.Option("--amount", help="To ask for, such as 12.50; empty: all that is due.")] = "",
    visit: Annotated[list[str] | None, typer.Option("--visit", help="Only these visits; may be given again.")] = None,
    send: Send = False,
    as_json: AsJson = False,
) -> None:
    """Show the message that brings the payment link, and with --send make the payment ready and send it. Nothing is
    charged before the patient presses Pay. Confidential care is never in it.
    """
    minor = minor_of(amount, "--amount") if amount else None
    with context() as edge:
        require_configured(edge)

        def work(session: Session) -> Tried:
            require_right(session, edge, "send")
            owner = found(_find(session, edge, account), "such account")
            return _carry_out(session, edge, owner.id, minor, visit or [], send)

        tried = (edge.write(work, "payment.send_link", "message", lambda done: done.sent.message_id) if send else
                 edge.write(work, "payment.send_link.tried", "account", lambda done: str(done.about["account_id"])))
    if as_json:
        print_json(facts_of(tried, send) | {"payment": tried.made if send else None})
        return
    print(f"Account {tried.about['account']}: the page behind the link asks for "
          f"{dollars(tried.about['amount_minor'])}.")
    print_message(tried.sent, edge.policy, send)


def _find(session: Session, edge: Edge, ref: str) -> Guarantor | None:
    from billing.accounts import find_account

    return find_account(session, edge.practice_id, ref)


def _carry_out(session: Session, edge: Edge, account_id: str, minor: int | None, visits: list[str],
               send: bool) -> Tried:
    from billing.store.payment_list_queries import visits_named
    from billing.store.tables import Guarantor
    from bot.processors.stripe import StripeProcessor
    from bot.sent_links import pay_link

    only = visits_of(visits, visits_named(session, account_id))

    def act() -> Tried:
        owner = session.get_one(Guarantor, account_id)
        payment, sent = pay_link(session, road_of(edge), edge.policy, owner, amount_minor=minor, only=only,
                                 by=edge.actor, processor=StripeProcessor.name, now=edge.now())
        about: dict[str, Any] = {"account": owner.external, "account_id": account_id,
                                 "amount_minor": payment.amount_minor, "visits": sorted(only)}
        return Tried(about, sent, payment.id)

    return carry_out(session, act, send)
