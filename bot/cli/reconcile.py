"""``plainbill reconcile``: the processor's books, its payouts and the ledger, against each other."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from billing.money import dollars
from bot.cli.edge import AsJson, Edge, context, print_json, print_table, require_configured, require_right
from bot.cli.exits import FOUND_PROBLEMS, USAGE, Stop

if TYPE_CHECKING:
    from billing.reconciling_verdicts import Summary, Told

app = typer.Typer(add_completion=False)

Since = Annotated[str, typer.Option("--since", metavar="DAY", help="First day, such as 2026-11-03.")]
Until = Annotated[str, typer.Option("--until", metavar="DAY", help="Last day; empty: until now.")]
Day = Annotated[str, typer.Option("--day", metavar="DAY", help="This day alone.")]
Listing = Annotated[bool, typer.Option("--list", help="Show open differences; ask nobody.")]
Everything = Annotated[bool, typer.Option("--all", help="With --list: repaired and explained ones too.")]
Explain = Annotated[str, typer.Option("--explain", metavar="DIFFERENCE", help="Say why this difference stands.")]
Note = Annotated[str, typer.Option("--note", help="With --explain: the reason; it is kept. No names.")]


@app.command()
def run(since: Since = "", until: Until = "", day: Day = "", listing: Listing = False, everything: Everything = False,
        explain: Explain = "", note: Note = "", as_json: AsJson = False) -> None:
    """Compare charges, refunds, disputes, fees and payouts at the processor with the ledger.

    What an event that never arrived left undone is repaired by asking the processor, and named; everything else is
    named and put before staff. Exit code 1 while a difference is open.
    """
    with context() as edge:
        require_configured(edge)
        if explain:
            _explain(edge, explain, note, as_json)
        elif listing:
            _show_differences(edge, everything, as_json)
        else:
            summary = _reconcile(edge, *_span(edge, since, until, day))
            print_json(summary) if as_json else print_summary(summary)
            if not summary.clean:
                raise typer.Exit(FOUND_PROBLEMS)


def _span(edge: Edge, since: str, until: str, day: str) -> tuple[datetime | None, datetime]:
    """Practice-local days as instants; nothing said: from the last run until now."""
    if day and (since or until):
        raise Stop("Give --day, or --since and --until.", USAGE)
    first, last = (_day(day), _day(day)) if day else (_day(since), _day(until))
    if first and last and first > last:
        raise Stop("--since is after --until.", USAGE)
    zone = ZoneInfo(edge.policy.zone)
    begin = datetime.combine(first, time(), zone) if first else None
    end = datetime.combine(last + timedelta(days=1), time(), zone) if last else edge.now()
    return begin, min(end, edge.now())


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Stop(f"{text!r} is no day; write it as 2026-11-03.", USAGE) from error


def compare(edge: Edge, since: datetime) -> Summary:
    """Everything from ``since`` until now."""
    return _reconcile(edge, since, edge.now())


def _reconcile(edge: Edge, since: datetime | None, until: datetime) -> Summary:
    from billing import reconciling
    from billing.store.trail import note
    from bot.processors.stripe import StripeAccount, StripeProcessor
    from bot.reconcile import reconcile
    from bot.road import Road
    from config.settings import reveal

    async def work() -> Summary:
        settings = edge.settings
        processor = StripeProcessor(StripeAccount(
            reveal(settings.stripe_secret_key), reveal(settings.stripe_webhook_secret), settings.stripe_base_url),
            clock=edge.clock.now)
        try:
            begin: datetime = since if since is not None else await edge.store.aread(partial(
                reconciling.since_when, practice_id=edge.practice_id, processor=processor.name, now=edge.now()))
            return await reconcile(Road(edge.store, edge.clock, "reconcile", settings.public_url), processor,
                                   edge.practice_id, since=begin, until=until, by=edge.actor)
        finally:
            await processor.close()

    summary = asyncio.run(work())
    edge.store.write(partial(note, practice_id=edge.practice_id, actor=edge.actor, action="reconcile",
                             object_kind="reconciliation", object_id=summary.run_id, now=edge.now()))
    return summary


def print_summary(summary: Summary) -> None:
    """For people."""
    typer.echo(f"{summary.since_at:%Y-%m-%d %H:%M} to {summary.until_at:%Y-%m-%d %H:%M} UTC: {summary.entries} entries "
               f"of the processor's books, {summary.payouts} payouts.")
    if summary.kinds:
        print_table("", ("Kind", "Entries", "Amount $", "Fees $"), [
            (k.kind.replace("_", " "), k.count, dollars(k.amount_minor), dollars(k.fee_minor)) for k in summary.kinds])
    if summary.processor_minor is not None and summary.ledger_minor is not None:
        typer.echo(f"Held by the processor: {dollars(summary.processor_minor)} by its books, "
                   f"{dollars(summary.ledger_minor)} by the ledger.")
    for told in summary.repaired:
        typer.secho(f"Repaired: {told.sentence}", fg="green")
    for told in summary.open:
        typer.secho(f"Open: {told.sentence} ({told.difference_id})", fg="red")
    if summary.unanswered:
        typer.echo(f"{summary.unanswered} payments could not be asked about; run it again.", err=True)
    if summary.waiting:
        typer.echo(f"{summary.waiting} payments of the last hour are not in the processor's books yet.")
    if summary.clean:
        typer.echo("Processor, payouts and ledger agree.")


def _show_differences(edge: Edge, everything: bool, as_json: bool) -> None:
    from billing.reconciling_verdicts import list_differences

    rows: list[Told] = edge.store.read(partial(list_differences, practice_id=edge.practice_id, settled=everything))
    if as_json:
        print_json(rows)
        return
    print_table("", ("Difference", "Status", "Processor $", "Ledger $", "What"), [
        (r.difference_id, r.status, _amount(r.processor_minor), _amount(r.ledger_minor), r.sentence) for r in rows])
    typer.echo(f"{len(rows)} differences.")


def _amount(amount_minor: int | None) -> str:
    return "" if amount_minor is None else dollars(amount_minor)


def _explain(edge: Edge, difference_id: str, note: str, as_json: bool) -> None:
    from billing.reconciling_differences import DifferenceRefused, explain
    from bot.cli.exits import REFUSED

    def act(session: Any) -> dict[str, Any]:
        require_right(session, edge, "cases")
        row = explain(session, edge.practice_id, difference_id, by=edge.actor, note=note, now=edge.now())
        return {"difference": row.id, "status": row.status, "note": row.what_was_done, "by": row.settled_by}

    try:
        done = edge.write(act, "explain", "difference", difference_id)
    except DifferenceRefused as refused:
        raise Stop(f"{refused}.", REFUSED) from refused
    if as_json:
        print_json(done)
    else:
        typer.echo(f"{difference_id} is explained.")
