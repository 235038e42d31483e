"""``plainbill restored``: what a copy out of a backup has to learn before it may go on."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import typer

from bot.cli.edge import AsJson, Edge, context, print_json, require_right
from bot.cli.exits import FOUND_PROBLEMS, REFUSED, Stop

if TYPE_CHECKING:
    from billing.restorations import Standing

app = typer.Typer(no_args_is_help=True, help="Compare a restored copy with the world, and release it.")


@app.command("show")
def show(as_json: AsJson = False) -> None:
    """Say how far the copy is. Exit code 1 while something is missing."""
    with context() as edge:
        found = _standing(edge)
    if as_json:
        print_json({"restored": found is not None, "standing": found, "missing": found.missing if found else ()})
    elif found is None:
        typer.echo("This practice was not restored from a backup, or was released.")
    else:
        typer.echo(f"Restored {found.restored_at:%Y-%m-%d %H:%M} UTC from a backup of "
                   f"{found.backup_at:%Y-%m-%d %H:%M} UTC; nothing leaves.")
        for line in found.missing:
            typer.echo(f"  missing: {line}")
    if found is not None and found.missing:
        raise typer.Exit(FOUND_PROBLEMS)


@app.command("texts")
def texts(as_json: AsJson = False) -> None:
    """Ask the carrier what came and what left since the backup. STOP that came meanwhile binds."""
    from bot.app import sms_channel
    from bot.restoring import Checked, check_texts
    from bot.road import Road

    async def work(edge: Edge) -> Checked:
        channel = sms_channel(edge.settings, edge.clock)
        try:
            return await check_texts(Road(edge.store, edge.clock, "restored", edge.settings.public_url), channel,
                                     edge.practice_id)
        finally:
            await channel.close()

    with context() as edge:
        edge.store.read(lambda session: require_right(session, edge, "policy"))
        done = asyncio.run(work(edge))
        edge.write(lambda session: None, "restored.texts", "practice", edge.practice_id, f"{done.listed} listed")
    if as_json:
        print_json(done)
    else:
        typer.echo(f"The carrier lists {done.listed} texts since the backup. New here: {done.received} that came in, "
                   f"{done.sent} that left. `plainbill serve` works what came in.")


@app.command("money")
def money(as_json: AsJson = False) -> None:
    """Compare the processor's books since the backup with the ledger. Differences have to be explained or repaired."""
    from billing import restorations
    from bot.cli import reconcile

    with context() as edge:
        edge.store.read(lambda session: require_right(session, edge, "policy"))
        found = _standing(edge)
        if found is None:
            raise Stop("This practice was not restored from a backup, or was released before.", REFUSED)
        summary = reconcile.compare(edge, found.backup_at)
        if summary.clean:
            edge.write(partial(restorations.note_checked, practice_id=edge.practice_id, what="money", now=edge.now()),
                       "restored.money", "practice", edge.practice_id)
    print_json(summary) if as_json else reconcile.print_summary(summary)
    if not summary.clean:
        raise typer.Exit(FOUND_PROBLEMS)


@app.command("release")
def release(as_json: AsJson = False) -> None:
    """Let the copy go on as the practice's own. Refused while anything is missing."""
    from billing import restorations

    with context() as edge:
        edge.store.read(lambda session: require_right(session, edge, "policy"))
        edge.write(partial(restorations.release, practice_id=edge.practice_id), "restored.release", "practice",
                   edge.practice_id)
        sending = edge.store.read(lambda session: _sending(session, edge.practice_id))
    if as_json:
        print_json({"released": True, "sending": sending})
    else:
        typer.echo(f"Released. Sending is {sending}, as the practice's policy says.")


def _sending(session: object, practice_id: str) -> str:
    from sqlalchemy.orm import Session

    from billing.store.practices import find_practice, policy_of

    assert isinstance(session, Session)
    row = find_practice(session, practice_id)
    return policy_of(row).sending if row is not None else "off"


def _standing(edge: Edge) -> Standing | None:
    from billing.restorations import standing

    return edge.store.read(partial(standing, practice_id=edge.practice_id))
