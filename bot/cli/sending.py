"""``plainbill send``: statements to patients, through the gate."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from billing.money import dollars
from bot.cli.edge import AsJson, Edge, context, found, print_json, require_configured, require_right
from bot.cli.exits import USAGE, Stop

if TYPE_CHECKING:
    from bot.statement_runs import Line

app = typer.Typer(add_completion=False)

Accounts = Annotated[list[str] | None, typer.Argument(help="Accounts; or --all.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="Every account that owes something now.")]


@app.command()
def run(accounts: Accounts = None, every: All = False, as_json: AsJson = False) -> None:
    """Make statements and queue what tells of them. A running `plainbill serve` delivers what may go out; letters wait
    for `plainbill mail export`.
    """
    if bool(accounts) == every:
        raise Stop("Name accounts, or say --all.", USAGE)
    with context() as edge:
        require_configured(edge)
        edge.store.read(lambda session: require_right(session, edge, "send"))
        if every:
            _refuse_a_campaign(edge)
        for guarantor_id in _wanted(edge, accounts or []):
            _show(_send(edge, guarantor_id, every), as_json, edge.policy.sending == "shadow")


def _refuse_a_campaign(edge: Edge) -> None:
    """What another person has to approve as a campaign is not sent round that by another command."""
    from billing.store.dunning_queries import accounts_owing

    most = edge.policy.bulk.approval_above
    if edge.policy.sending == "on" and edge.store.read(
            lambda s: len(accounts_owing(s, edge.practice_id, "", most + 1))) > most:
        raise Stop(f"More than {most} accounts owe something: that many are asked by a campaign, which another person "
                   "previews and approves (plainbill campaign new; policy bulk.approval_above).")


def _wanted(edge: Edge, refs: list[str]) -> list[str]:
    from billing.accounts import find_account
    from bot.statement_runs import accounts_to_send

    if not refs:
        return edge.store.read(lambda s: accounts_to_send(s, edge.practice_id))
    return [found(edge.store.read(partial(find_account, practice_id=edge.practice_id, ref=ref)), f"account {ref}").id
            for ref in refs]


def _send(edge: Edge, guarantor_id: str, bulk: bool) -> Line:
    from bot.road import Road
    from bot.statement_runs import send_statement

    road = Road(edge.store, edge.clock, "send", edge.settings.public_url)
    return edge.write(lambda s: send_statement(s, road, edge.policy, guarantor_id, edge.now(), bulk=bulk),
                      "statement.send", "guarantor", guarantor_id)


def _show(line: Line, as_json: bool, shadow: bool) -> None:
    if as_json:
        print_json(line)
        return
    # Last among the stops (billing/policy/modes.py): whatever it withheld, nothing else spoke against.
    outcome = "would have gone out" if shadow and line.rule == "sending-mode" else line.outcome
    typer.echo(f"{line.account}: {outcome}, {dollars(line.due_minor)} due. {line.reason}"
               + (f" [{line.message_id}]" if line.message_id else ""))
