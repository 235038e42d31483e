"""``plainbill plans link``: the link on which a patient reads a plan that is on offer and agrees to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.edge import AsJson, Edge, context, print_json, require_configured, require_right
from bot.cli.exits import NOT_FOUND, Stop
from bot.cli.links import Send, Tried, carry_out, facts_of, print_message, road_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def run(
    ref: Annotated[str, typer.Argument(metavar="PLAN", help="The plan's number or id.")],
    send: Send = False,
    as_json: AsJson = False,
) -> None:
    """Show the message that brings the link of a plan on offer, and with --send send it. Nothing is agreed to by it."""
    with context() as edge:
        require_configured(edge)

        def work(session: Session) -> Tried:
            require_right(session, edge, "send")
            return _carry_out(session, edge, ref, send)

        tried = (edge.write(work, "plan.send_link", "message", lambda done: done.sent.message_id) if send else
                 edge.write(work, "plan.send_link.tried", "plan", lambda done: str(done.about["plan"])))
    if as_json:
        print_json(facts_of(tried, send))
        return
    print(f"Plan {tried.about['number']} of account {tried.about['account']}.")
    print_message(tried.sent, edge.policy, send)


def _carry_out(session: Session, edge: Edge, ref: str, send: bool) -> Tried:
    from billing.store import plan_queries
    from billing.store.tables import Guarantor, Plan
    from bot.sent_links import plan_link

    found = plan_queries.find(session, edge.practice_id, ref)
    if found is None:
        raise Stop(f"There is no plan {ref}; `plainbill plans list` shows them.", NOT_FOUND)
    plan_id = found.id

    def act() -> Tried:
        plan = session.get_one(Plan, plan_id)
        owner = session.get_one(Guarantor, plan.guarantor_id)
        sent = plan_link(session, road_of(edge), edge.policy, owner, plan, edge.now())
        return Tried({"plan": plan.id, "number": plan.number, "account": owner.external, "account_id": owner.id}, sent)

    return carry_out(session, act, send)
