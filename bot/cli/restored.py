"""``plainbill restored``: what a copy out of a backup has to learn before it may go on."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.edge import AsJson, Edge, context, print_json, require_right
from bot.cli.exits import FOUND_PROBLEMS, REFUSED, USAGE, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.restorations import Standing

_SAID = {"left": "taken as left, never sent again", "nothing": "nothing left, judged again after the release"}

Channels = Annotated[list[str], typer.Argument(help="telegram, email, paper: each has to be said.")]
Left = Annotated[bool | None, typer.Option("--left/--nothing-left", help="What was due since the backup is taken as "
                                           "left, and never sent again; or nothing of it has left.")]
Reason = Annotated[str, typer.Option("--reason", help="How you know: a provider's log, a mailbox, the print folders.")]
LastRun = Annotated[int, typer.Option("--last-run", min=0, help="The highest number of a print run that a folder or "
                                      "the mail house knows; new runs are numbered after it.")]

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
        for one in found.channels:
            said = f"{one.by} says: {_SAID[one.said]}" if one.said else "nobody has said whether they left"
            typer.echo(f"  {one.channel}: {one.held} held; {said}")
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


@app.command("channel")
def channel(channels: Channels, left: Left = None, reason: Reason = "", last_run: LastRun = 0,
            as_json: AsJson = False) -> None:
    """Say what left by channels that nobody can ask: chats, e-mails, letters. Until then nothing of theirs leaves."""
    from billing import restorations

    if left is None or not reason:
        raise Stop("Say --left or --nothing-left, and how you know it, with --reason.", USAGE)
    with context() as edge:
        edge.store.read(lambda session: require_right(session, edge, "policy"))
        edge.write(partial(restorations.say, practice_id=edge.practice_id, channels=channels, left=left, reason=reason,
                           by=edge.actor, now=edge.now(), last_run=last_run),
                   "restored.channel", "practice", edge.practice_id, f"{', '.join(channels)}: {reason}")
        found = _standing(edge)
    if as_json:
        print_json({"channels": found.channels if found else (), "missing": found.missing if found else ()})
    else:
        typer.echo(f"Noted for {', '.join(channels)}: {_SAID['left' if left else 'nothing']}.")


@app.command("release")
def release(as_json: AsJson = False) -> None:
    """Let the copy go on as the practice's own. Refused while anything is missing."""
    from billing import restorations

    with context() as edge:
        edge.store.read(lambda session: require_right(session, edge, "policy"))
        edge.write(partial(restorations.release, practice_id=edge.practice_id, now=edge.now()), "restored.release",
                   "practice", edge.practice_id)
        sending = edge.store.read(lambda session: _sending(session, edge.practice_id))
    if as_json:
        print_json({"released": True, "sending": sending})
    else:
        typer.echo(f"Released. Sending is {sending}, as the practice's policy says.")


def _sending(session: Session, practice_id: str) -> str:
    from billing.store.practices import find_practice, policy_of

    row = find_practice(session, practice_id)
    return policy_of(row).sending if row is not None else "off"


def _standing(edge: Edge) -> Standing | None:
    from billing.restorations import standing

    return edge.store.read(partial(standing, practice_id=edge.practice_id))
