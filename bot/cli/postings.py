"""``plainbill postings``: payments for the ledger of record of another system, each exactly once."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing.money import dollars
from bot.cli.edge import AsJson, context, print_json, print_table
from bot.cli.exits import refusal

if TYPE_CHECKING:
    from billing.postings import Batch

app = typer.Typer(no_args_is_help=True, help="Hand payments to the ledger of record of another system.")

Folder = Annotated[Path, typer.Option("--to", help="Folder for the file.")]
BatchId = Annotated[str, typer.Argument(help="The batch, as postings list shows it.")]
OneBatch = Annotated[str, typer.Option("--batch", help="Write this batch's file again, byte for byte the same.")]


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List batches, and what waits for the next one."""
    from billing import postings

    with context() as edge:
        batches = edge.store.read(lambda s: postings.list_batches(s, edge.practice_id))
        rows, total = edge.store.read(lambda s: postings.waiting(s, edge.practice_id))
    if as_json:
        print_json({"batches": [_facts(b) for b in batches], "waiting": {"rows": rows, "total_minor": total}})
        return
    print_table("", ("Batch", "Rows", "Sum $", "Exported", "By", "State"), [
        (b.batch_id, b.rows, dollars(b.total_minor), f"{b.exported_at:%Y-%m-%d %H:%M}", b.exported_by, _state(b))
        for b in batches])
    print(f"Waiting for the next export: {rows} rows, {dollars(total)}.")


def _state(batch: Batch) -> str:
    if batch.acknowledged_at is not None:
        return f"acknowledged by {batch.acknowledged_by}"
    return "unposted: not acknowledged yet" if batch.written else "interrupted: the next export writes its file"


def _facts(batch: Batch) -> dict[str, Any]:
    return {"batch": batch.batch_id, "file": batch.file_name, "rows": batch.rows, "total_minor": batch.total_minor,
            "written": batch.written, "exported_at": batch.exported_at, "exported_by": batch.exported_by,
            "acknowledged_at": batch.acknowledged_at, "acknowledged_by": batch.acknowledged_by}


@app.command("export")
def export(folder: Folder = Path(), batch: OneBatch = "", as_json: AsJson = False) -> None:
    """Write payments, refunds and adjustments that the other system has not been told yet into a CSV file."""
    from billing.postings import PostingsRefused
    from billing.store.trail import note
    from bot import posting_files

    with context() as edge:
        try:
            done = ([posting_files.write_again(edge.store, edge.practice_id, batch, folder)] if batch
                    else posting_files.export(edge.store, edge.practice_id, edge.policy, folder, by=edge.actor,
                                              now=edge.now))
        except PostingsRefused as refused:
            raise refusal(refused) from refused
        for one in done:
            edge.store.write(partial(
                note, practice_id=edge.practice_id, actor=edge.actor, action="export", object_kind="posting_batch",
                object_id=one.batch.batch_id, now=edge.now()))
    if as_json:
        print_json([_facts(w.batch) | {"path": w.path, "recovered": w.recovered} for w in done])
        return
    for one in done:
        again = " (an earlier export was interrupted)" if one.recovered else ""
        print(f"{one.path}: {one.batch.rows} rows, {dollars(one.batch.total_minor)}{again}. When the other system has "
              f"posted it: plainbill postings ack {one.batch.batch_id}")
    if not done:
        print("Nothing to export: everything was exported before.")


@app.command("ack")
def acknowledge(batch: BatchId, as_json: AsJson = False) -> None:
    """Say that the other system has posted a batch; until then its payments count as unposted."""
    from billing import postings

    with context() as edge:
        try:
            done = edge.write(lambda s: postings.acknowledge(
                s, edge.practice_id, batch, by=edge.actor, now=edge.now()), "acknowledge", "posting_batch", batch)
        except postings.PostingsRefused as refused:
            raise refusal(refused) from refused
    if as_json:
        print_json(_facts(done))
    else:
        print(f"Batch {batch} is acknowledged: {done.rows} rows, {dollars(done.total_minor)}.")


@app.command("differences")
def differences(as_json: AsJson = False) -> None:
    """List visits whose newest imported balances differed from ours."""
    from billing import postings

    with context() as edge:
        found = edge.read(lambda s: postings.differences(s, edge.practice_id), "practice", edge.practice_id,
                          "balance differences")
    if as_json:
        print_json([{
            "visit": d.row.visit, "account": d.row.account, "as_of": d.row.as_of_at,
            "their_patient_minor": d.row.their_patient_minor, "their_payer_minor": d.row.their_payer_minor,
            "our_patient_minor": d.row.our_patient_minor, "our_payer_minor": d.row.our_payer_minor,
            "unposted_patient_minor": d.unposted_patient_minor, "unposted_payer_minor": d.unposted_payer_minor,
            "difference_patient_minor": d.patient_minor, "difference_payer_minor": d.payer_minor,
            "import": d.row.import_id, "line": d.row.line} for d in found])
        return
    print_table("", ("Visit", "Account", "As of", "Theirs $", "Ours $", "Unposted $", "Difference $"), [
        (d.row.visit, d.row.account, f"{d.row.as_of_at:%Y-%m-%d %H:%M}",
         dollars(d.row.their_patient_minor + d.row.their_payer_minor),
         dollars(d.row.our_patient_minor + d.row.our_payer_minor),
         dollars(d.unposted_patient_minor + d.unposted_payer_minor), dollars(d.patient_minor + d.payer_minor))
        for d in found])


