"""``plainbill ledger``: replay and check everything, list transfers, fold old ones into snapshots."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing.money import dollars
from bot.cli.edge import AsJson, context, found, print_json, print_table
from bot.cli.exits import FOUND_PROBLEMS

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.verify import Verification

app = typer.Typer(add_completion=False, no_args_is_help=True)

Ref = Annotated[str, typer.Argument(metavar="ACCOUNT|VISIT", help="Our id, an account's number or a claim number.")]
All = Annotated[bool, typer.Option("--all-practices", help="Every practice of this database, not only ours.")]

#: A transaction that takes longer than this to commit would be left out of a snapshot; imports take milliseconds.
SETTLED = timedelta(minutes=10)


@app.command("verify")
def check(as_json: AsJson = False, all_practices: All = False) -> None:
    """Replay the whole ledger by code that posting does not use; exit code 1 if anything does not hold."""
    from billing.verify import verify

    with context() as edge:
        mine = None if all_practices else edge.practice_id
        result = edge.read(lambda s: verify(s, mine), "practice", edge.practice_id, "ledger verify")
    if as_json:
        print_json({"ok": not result.problems, "checked": result.checked, "more": result.more, "problems": [
            {"check": p.check, "object": p.object_id, "sentence": p.sentence, "difference_minor": p.difference_minor}
            for p in result.problems]})
    else:
        _print(result)
    if result.problems:
        raise typer.Exit(FOUND_PROBLEMS)


def _print(result: Verification) -> None:
    counts = ", ".join(f"{count:,} {what}" for what, count in result.checked.items())
    if not result.problems:
        typer.echo(f"The ledger holds: {counts}.")
        return
    rows = [(p.check, p.object_id, "" if p.difference_minor is None else dollars(p.difference_minor), p.sentence)
            for p in result.problems]
    print_table("Does not hold:", ("Check", "Object", "Difference $", "What must be true"), rows)
    for name in result.more:
        typer.echo(f"{name}: more than can be listed")
    typer.echo(f"{len(result.problems)} problems; looked at {counts}.", err=True)


@app.command()
def show(ref: Ref, as_json: AsJson = False) -> None:
    """List the transfers of an account or a visit in order of posting."""
    with context() as edge:
        rows = found(edge.read(lambda s: _transfers(s, edge.practice_id, ref), "account", ref, "ledger show"),
                     "such account or visit")
    if as_json:
        print_json(rows)
        return
    print_table("", ("No.", "On", "Amount $", "What", "From", "To", "Why"), [
        (r["id"], r["effective_on"], dollars(r["amount_minor"]), r["code"], _short(r["credit"]), _short(r["debit"]),
         f"reverses {r['reverses']}" if r["reverses"] else r["reason"]) for r in rows])


def _short(key: str) -> str:
    """An account without the id of its visit, payer or guarantor; --json has it."""
    kind = key.partition(":")[0]
    return kind if kind in ("patient", "payer", "credit") else key


def _transfers(session: Session, practice_id: str, ref: str) -> list[dict[str, Any]] | None:
    from billing.accounts import find_account, find_visit
    from billing.store.ledger_queries import of_guarantor, of_visit

    visit = find_visit(session, practice_id, ref)
    account = None if visit else find_account(session, practice_id, ref)
    if visit is None and account is None:
        return None
    rows = of_visit(session, visit.id) if visit else of_guarantor(session, account.id if account else "")
    return [{"id": t.id, "effective_on": t.effective_on, "amount_minor": t.amount_minor, "currency": t.currency,
             "code": t.code, "debit": t.debit.key, "credit": t.credit.key, "reason": t.reason, "source": t.source,
             "source_ref": t.source_ref, "visit_id": t.visit_id, "payment_id": t.payment_id,
             "import_id": t.import_id, "reverses": t.reverses_id} for t in rows]


@app.command()
def snapshot(as_json: AsJson = False) -> None:
    """Fold transfers older than ten minutes into the practice-wide balances, so that reading them stays fast."""
    from billing.store.ledger_queries import last_posted_before, take_snapshots

    with context() as edge:
        before = edge.now() - SETTLED

        def fold(session: Session) -> int:
            last = last_posted_before(session, edge.practice_id, before)
            take_snapshots(session, edge.practice_id, last)
            return last

        last = edge.write(fold, "snapshot", "practice", edge.practice_id)
    if as_json:
        print_json({"up_to_transfer": last})
    else:
        typer.echo(f"Practice-wide balances are folded up to transfer {last}.")
