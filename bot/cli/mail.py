"""``plainbill mail``: letters for a mail house, mail that came back, and e-mail that could not be delivered."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.edge import AsJson, Edge, context, print_json, print_table, require_right
from bot.cli.exits import NOT_FOUND, USAGE, Stop, refusal

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.mailing import Batch
    from billing.store.tables import DeliveryTrouble
    from bot.mailing import Exported

app = typer.Typer(no_args_is_help=True, help="Letters for a mail house, and mail that came back.")

Folder = Annotated[Path, typer.Argument(help="Where the run's folder is made. It holds names and addresses.")]
Number = Annotated[int, typer.Argument(help="The run's number, as mail list shows it.")]
OneRun = Annotated[int, typer.Option("--run", help="Write this run's files again, byte for byte the same.")]
Letter = Annotated[str, typer.Argument(help="The number at the foot of the letter, such as 12-34, or its id.")]
Reason = Annotated[str, typer.Option("--reason", help="What the post says: moved, unknown, refused ...")]
Files = Annotated[list[Path], typer.Argument(help="An e-mail, an mbox file, or a Maildir folder.")]


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List print runs, and how many letters wait for the next one."""
    from billing import mailing

    with context() as edge:
        rows = edge.store.read(lambda s: mailing.list_batches(s, edge.practice_id))
        waiting = edge.store.read(lambda s: mailing.waiting(s, edge.practice_id))
    if as_json:
        print_json({"runs": [_facts(one) for one in rows], "waiting": waiting})
        return
    print_table("", ("Run", "Letters", "Made", "By", "State"), [
        (one.number, one.letters, f"{one.made_at:%Y-%m-%d %H:%M}", one.made_by, _state(one)) for one in rows])
    print(f"Waiting for the next export: {waiting}.")


def _state(batch: Batch) -> str:
    match batch.status:
        case "acknowledged":
            return f"taken by the mail house, says {batch.acknowledged_by}"
        case "written":
            return "written: not acknowledged yet"
        case _:
            return "interrupted: the next export finishes it"


def _facts(batch: Batch) -> dict[str, Any]:
    return {"run": batch.number, "batch": batch.batch_id, "folder": batch.folder, "letters": batch.letters,
            "status": batch.status, "made_at": batch.made_at, "made_by": batch.made_by,
            "acknowledged_at": batch.acknowledged_at, "acknowledged_by": batch.acknowledged_by}


@app.command("export")
def export(folder: Folder, run: OneRun = 0, as_json: AsJson = False) -> None:
    """Ask the gate about every letter whose time has come, and write what may leave: a PDF each, and a manifest."""
    from billing.store.trail import note

    with context() as edge:
        edge.store.read(lambda session: require_right(session, edge, "send"))
        done = _export(edge, folder, run)
        for one in done.runs:
            edge.store.write(partial(
                note, practice_id=edge.practice_id, actor=edge.actor, action="export", object_kind="mail_batch",
                object_id=one.batch.batch_id, now=edge.now()))
    if as_json:
        print_json({"runs": [_facts(w.batch) | {"path": w.path, "recovered": w.recovered} for w in done.runs],
                    "kept": dict(done.kept)})
        return
    for one in done.runs:
        again = " (an earlier export was interrupted)" if one.recovered and not run else ""
        print(f"{one.path}: {one.batch.letters} letters{again}. When the mail house has taken them: plainbill mail ack "
              f"{one.batch.number}")
    for rule, count in sorted(done.kept.items()):
        print(f"Held back by {rule}: {count}")
    if not done.runs:
        print("No letter leaves now.")


def _export(edge: Edge, folder: Path, run: int) -> Exported:
    from billing.mailing import MailRefused
    from bot import mailing

    try:
        if run:
            return mailing.Exported((mailing.write_again(edge.store, edge.practice_id, run, folder, edge.now),))
        return mailing.export(edge.store, edge.practice_id, folder, by=edge.actor, now=edge.now)
    except MailRefused as refused:
        raise refusal(refused) from refused


@app.command("ack")
def acknowledge(number: Number, as_json: AsJson = False) -> None:
    """Say that the mail house has taken a run."""
    from billing import mailing

    with context() as edge:
        edge.store.read(lambda session: require_right(session, edge, "send"))
        try:
            done = edge.write(lambda s: mailing.acknowledge(s, edge.practice_id, number, by=edge.actor, now=edge.now()),
                              "acknowledge", "mail_batch", lambda batch: batch.batch_id)
        except mailing.MailRefused as refused:
            raise refusal(refused) from refused
    if as_json:
        print_json(_facts(done))
    else:
        print(f"Run {number} is with the mail house: {done.letters} letters.")


@app.command("returned")
def returned(letter: Letter, reason: Reason = "", as_json: AsJson = False) -> None:
    """Note that a letter came back: no clock counts from it, and somebody looks for a better address."""
    if not reason:
        raise Stop("Say what the post says with --reason: it stands in the audit trail.", USAGE)
    with context() as edge:
        edge.store.read(lambda session: require_right(session, edge, "cases"))
        row = edge.write(partial(_note_returned, edge=edge, letter=letter), "mail.returned", "guarantor",
                         lambda noted: noted.guarantor_id, reason)
    if as_json:
        print_json({"trouble": row.id, "letter": row.outbox_id, "statement": row.statement_id,
                    "noted_on": row.noted_on})
    else:
        print("Noted. A case asks for a better address; nothing more goes to this one.")


def _note_returned(session: Session, edge: Edge, letter: str) -> DeliveryTrouble:
    from billing import addresses, mailing

    try:
        outbox_id = mailing.find_letter(session, edge.practice_id, letter)
        return addresses.note_returned(session, edge.practice_id, outbox_id, by=edge.actor, on=edge.today(),
                                       now=edge.now())
    except (addresses.NotMail, mailing.MailRefused) as refused:
        raise refusal(refused) from refused


@app.command("bounced")
def bounced(files: Files, as_json: AsJson = False) -> None:
    """Read what mail servers sent back about our e-mails. Reading the same file twice changes nothing."""
    from bot import email_reports

    with context() as edge:
        edge.store.read(lambda session: require_right(session, edge, "cases"))
        try:
            found = [one for path in files for one in email_reports.read(path)]
        except OSError as error:
            raise Stop(f"A file cannot be read: {error.strerror}.", NOT_FOUND) from error
        told = edge.write(lambda s: email_reports.apply(s, edge.practice_id, found, now=edge.now()), "mail.bounced",
                          "practice", edge.practice_id)
    if as_json:
        print_json(told)
    else:
        print(f"{told.reports} e-mails read: {told.undelivered} not delivered, {told.known} known before, "
              f"{told.waiting} still tried by their server, {told.strange} about no e-mail of ours.")
