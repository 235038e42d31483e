"""``plainbill purge``: words that have outlived the practice's retention are emptied."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.edge import AsJson, context, print_json, require_right

app = typer.Typer(add_completion=False)


@app.command()
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be emptied, and change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Empty the words of messages older than the policy's [retention]: texts sent and received, with their arguments.

    Amounts, times, rules, receipts and consents stay. Take a backup first if you want one: this cannot be undone.
    """
    from billing import purging

    with context() as edge:
        edge.store.read(lambda session: require_right(session, edge, "policy"))
        found = edge.store.read(lambda session: purging.due(session, edge.practice_id, edge.policy.retention,
                                                            edge.now()))
        done = {one.what: one.rows if dry_run else purging.purge(
            edge.store.write, edge.practice_id, one, by=edge.actor, now=edge.now()) for one in found}
    if as_json:
        print_json({"dry_run": dry_run, "rows": done, "before": {one.what: one.before for one in found}})
        return
    verb = "would be emptied" if dry_run else "emptied"
    for one in found:
        typer.echo(f"{one.what}: {done[one.what]} rows from before {edge.policy.local_day(one.before)} {verb}")
