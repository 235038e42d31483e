"""``plainbill close``: the day's drawers, deposits and sign-off, and the bank's own file against all of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from billing.money import dollars
from bot.cli.edge import AsJson, Edge, context, print_json, print_table, require_configured, require_right
from bot.cli.exits import FOUND_PROBLEMS, USAGE, Stop, refusal

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.closing_batch import Batch
    from billing.closing_slips import Slip
    from billing.store.tables_money import DayClose

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Close the day: drawers, deposits, the bank's file, sign-off.")

DayArgument = Annotated[str, typer.Argument(metavar="[DAY]", help="Such as 2026-11-03; empty: today.")]
LineId = Annotated[str, typer.Argument(metavar="LINE", help="The bank's line, as close worklist shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; stands in the audit trail. No names.")]
Counts = Annotated[list[str] | None, typer.Option("--count", metavar="TENDER=AMOUNT",
                                                  help="What was counted: cash=123.45; check and terminal likewise.")]
Person = Annotated[str, typer.Option("--person", help="Whose drawer; empty: who runs the command.")]
Sign = Annotated[bool, typer.Option("--sign", help="Sign the day off; it is locked then.")]
Note = Annotated[str, typer.Option("--note", help="Why counted and booked differ, or differences stay open.")]


@app.command("day")
def day(on: DayArgument = "", count: Counts = None, person: Person = "", sign: Sign = False, note: Note = "",
        as_json: AsJson = False) -> None:
    """Show a day's drawers by person and tender; enter counts; sign it off."""
    with context() as edge:
        require_configured(edge)
        wanted = _day(on) or edge.today()
        for given in count or []:
            _enter(edge, wanted, person or edge.actor, given)
        signed = _sign(edge, wanted, note) if sign else None
        batch, close = _look(edge, wanted)
    if as_json:
        print_json(_facts(batch, close))
    else:
        _print(batch, close)
    if signed is None and not sign and batch.over_short_minor:
        raise typer.Exit(FOUND_PROBLEMS)


def _enter(edge: Edge, day: date, person: str, given: str) -> None:
    from billing import closing
    from billing.money import parse_minor

    tender, sign, amount = given.partition("=")
    try:
        minor = parse_minor(amount) if sign else None
    except ValueError:
        minor = None
    if minor is None:
        raise Stop(f"--count {given}: write it as cash=123.45.", USAGE)
    _change(edge, lambda s: closing.count(s, edge.practice_id, day, person=person, tender=tender, counted_minor=minor,
                                          now=edge.now(), by=edge.actor), "count", "day", day.isoformat())


def _sign(edge: Edge, day: date, note: str) -> DayClose:
    from billing import closing

    def act(session: Session) -> DayClose:
        require_right(session, edge, "approve")
        return closing.sign(session, edge.practice_id, day, by=edge.actor, note=note, today=edge.today(),
                            now=edge.now())

    return _change(edge, act, "sign", "day", day.isoformat())


def _look(edge: Edge, day: date) -> tuple[Batch, DayClose | None]:
    from billing.closing_batch import batch
    from billing.store.close_queries import find_close

    return edge.read(lambda s: (batch(s, edge.practice_id, day), find_close(s, edge.practice_id, day)), "day",
                     day.isoformat(), "close day")


def _facts(batch: Batch, close: DayClose | None) -> dict[str, Any]:
    from billing.closing_batch import as_totals

    return {
        "day": batch.day, "drawers": [
            {"person": d.person, "tender": d.tender, "payments": d.payments, "returns": d.returns,
             "came_minor": d.came_minor, "went_minor": d.went_minor, "booked_minor": d.booked_minor,
             "counted_minor": d.counted_minor, "over_short_minor": d.over_short_minor} for d in batch.drawers],
        "over_short_minor": batch.over_short_minor, "deposit": batch.deposit(),
        "agencies": as_totals(batch)["agencies"], "open_differences": batch.open_differences,
        "earlier_open_days": batch.earlier_open_days,
        "locked": close is not None, "signed_by": close.signed_by if close else None,
        "signed_at": close.signed_at if close else None, "note": close.note if close else None}


def _print(batch: Batch, close: DayClose | None) -> None:
    print_table(f"{batch.day}", ("Person", "Tender", "Payments", "Returns", "Booked $", "Counted $", "Over/short $"), [
        (d.person, d.tender, d.payments, d.returns, dollars(d.booked_minor),
         "" if d.counted_minor is None else dollars(d.counted_minor), dollars(d.over_short_minor) if
         d.over_short_minor else "") for d in batch.drawers])
    for check in batch.insurer_checks:
        typer.echo(f"Insurer's check {check.number} of {check.payer}: {dollars(check.amount_minor)}")
    for taken in batch.agencies:
        typer.echo(f"Agency {taken.agency}: {dollars(taken.paid_minor)} paid to it, {dollars(taken.reversed_minor)} "
                   f"taken back, fees {dollars(taken.fees_minor)}; it owes {dollars(taken.owed_minor)} of it")
    for tender, amount in batch.deposit().items():
        typer.echo(f"To be deposited, {tender}: {dollars(amount)}")
    if batch.open_differences:
        typer.echo(f"{len(batch.open_differences)} differences found on this day are open: plainbill reconcile --list")
    if batch.earlier_open_days:
        typer.echo("Not signed yet: " + ", ".join(d.isoformat() for d in batch.earlier_open_days))
    typer.echo(f"Signed by {close.signed_by}, locked. {close.note}".rstrip() if close else "Open.")


@app.command("slip")
def slip(on: DayArgument = "", pdf: Annotated[Path | None, typer.Option(
        "--pdf", help="Write the slip as a PDF file.")] = None, as_json: AsJson = False) -> None:
    """Print a day's deposit slip: cash as counted, checks by number, insurers' checks."""
    from billing.closing_slips import slip as make_slip

    with context() as edge:
        wanted = _day(on) or edge.today()
        found = edge.read(lambda s: make_slip(s, edge.practice_id, wanted, edge.policy), "day", wanted.isoformat(),
                          "deposit slip")
    if pdf is not None:
        from templates.deposit import slip_pdf

        pdf.write_bytes(slip_pdf(found.as_content()))
    if as_json:
        print_json(found.as_content())
    else:
        _print_slip(found, pdf)


def _print_slip(found: Slip, pdf: Path | None) -> None:
    print_table(f"Deposit of {found.day}, {found.practice}", ("What", "Number", "Amount $"), [
        (line.what, line.number, dollars(line.amount_minor)) for line in found.lines])
    typer.echo(f"Total: {dollars(found.total_minor)}" + ("" if found.signed else " (the day is not signed yet)"))
    if pdf is not None:
        typer.echo(f"{pdf} is written.")


@app.command("days")
def days(as_json: AsJson = False) -> None:
    """List signed days, and those with desk payments that nobody signed."""
    from datetime import timedelta

    from billing.store import close_queries

    with context() as edge:
        signed = edge.store.read(partial(close_queries.closes, practice_id=edge.practice_id))
        waiting = edge.store.read(lambda s: close_queries.open_desk_days(
            s, edge.practice_id, edge.today() + timedelta(days=1)))
    if as_json:
        print_json({"signed": [{"day": c.day_on, "by": c.signed_by, "at": c.signed_at, "note": c.note,
                                "over_short_minor": c.over_short_minor, "totals": c.totals} for c in signed],
                    "open": waiting})
        return
    print_table("", ("Day", "Signed by", "Over/short $", "Note"), [
        (c.day_on, c.signed_by, dollars(c.over_short_minor), c.note) for c in signed])
    typer.echo("Not signed: " + (", ".join(d.isoformat() for d in waiting) or "none."))


@app.command("bank")
def bank(file: Annotated[Path, typer.Argument(help="The bank's CSV file of the account.")],
         bank_map: Annotated[Path | None, typer.Option("--map", help="Which of its columns say what (TOML).")] = None,
         as_json: AsJson = False) -> None:
    """Read the bank's file and match its lines to payouts, remittances, deposits and agencies' reports."""
    from billing import bank_file, closing_matching
    from billing.importers import bank_csv
    from bot.importing.files import digest_of

    chosen = bank_csv.load_map(bank_map.read_text("utf-8"), str(bank_map)) if bank_map else None
    with file.open("rb") as stream:
        rows = list(bank_csv.read(stream, chosen))
    digest = digest_of(file)
    with context() as edge:
        require_configured(edge)
        taken = edge.write(lambda s: bank_file.take_lines(s, edge.practice_id, digest, rows), "import", "bank_file",
                           digest)
        pairs = edge.write(lambda s: closing_matching.match_all(s, edge.practice_id, now=edge.now()), "match",
                           "bank_file", digest)
    if as_json:
        print_json({"file": str(file), "lines": len(rows), "new": taken.new, "known": taken.known, "matched": pairs})
        return
    typer.echo(f"{len(rows)} lines, {taken.new} new, {taken.known} known before.")
    for kind in sorted({p.kind for p in pairs}):
        typer.echo(f"Matched to {kind}s: {sum(p.kind == kind for p in pairs)}")
    typer.echo("What is left: plainbill close worklist")


@app.command("worklist")
def worklist(as_json: AsJson = False) -> None:
    """List money at the bank without a reason, and announced money that the bank does not show."""
    from billing import closing_worklist

    with context() as edge:
        rows = edge.read(partial(closing_worklist.worklist, practice_id=edge.practice_id), "practice",
                         edge.practice_id, "close worklist")
    if as_json:
        print_json(rows)
        return
    print_table("", ("Kind", "Ref", "On", "Amount $", "What", "Text"), [
        (r.kind, r.ref, r.on, dollars(r.amount_minor), r.sentence, r.text) for r in rows])
    typer.echo(f"{len(rows)} entries.")


@app.command("match")
def match(line: LineId,
          kind: Annotated[str, typer.Argument(help="payout, remittance, deposit, agency, or other (not our takings).")],
          ref: Annotated[str, typer.Argument(help="The payout, remittance, deposit or agency's report, as close "
                                                  "worklist shows it.")] = "",
          reason: Reason = "", as_json: AsJson = False) -> None:
    """Say by hand what a line of the bank is."""
    from billing import closing_matching

    with context() as edge:
        done = _change(edge, _with_right(edge, lambda s: closing_matching.match(
            s, edge.practice_id, line, kind, ref, by=edge.actor, reason=reason, now=edge.now())), "match",
            "bank_line", line)
    _matched(done, as_json)


@app.command("unmatch")
def unmatch(line: LineId, reason: Reason = "", as_json: AsJson = False) -> None:
    """Take a match back; what it posted is reversed."""
    from billing import closing_matching

    with context() as edge:
        done = _change(edge, _with_right(edge, lambda s: closing_matching.unmatch(
            s, edge.practice_id, line, by=edge.actor, reason=reason, now=edge.now(), today=edge.today())), "unmatch",
            "bank_line", line)
    _matched(done, as_json)


def _matched(line: Any, as_json: bool) -> None:
    facts = {"line": line.id, "on": line.booked_on, "amount_minor": line.amount_minor, "kind": line.matched_kind,
             "ref": line.matched_ref, "by": line.matched_by}
    if as_json:
        print_json(facts)
    else:
        what = f"{line.matched_kind} {line.matched_ref}" if line.matched_kind else "nothing"
        typer.echo(f"{line.id} ({dollars(line.amount_minor)}) is matched to {what}.")


def _with_right(edge: Edge, fn: Callable[[Session], T]) -> Callable[[Session], T]:
    def act(session: Session) -> T:
        require_right(session, edge, "import")
        return fn(session)

    return act


def _change(edge: Edge, fn: Callable[[Session], T], action: str, kind: str, object_id: str) -> T:
    from billing.closing import CloseRefused

    try:
        return edge.write(fn, action, kind, object_id)
    except CloseRefused as refused:
        raise refusal(f"{refused} ({refused.command})" if refused.command else refused) from refused


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Stop(f"{text!r} is no day; write it as 2026-11-03.", USAGE) from error
