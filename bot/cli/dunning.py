"""``plainbill dunning``: where an account stands in the calendar of reminders, what waits, what came back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from billing.money import dollars
from bot.cli.edge import AsJson, Edge, context, found, print_json, print_table, require_configured, require_right
from bot.cli.exits import PARTIAL, REFUSED, USAGE, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.dunning_standing import Standing
    from billing.self_audit import Entry
    from billing.store.tables import DeliveryTrouble, Guarantor, Hold
    from bot.demanding import Line

app = typer.Typer(no_args_is_help=True, help="Reminders by the calendar: show, run, audit, holds, returned-mail.")

_FAULT = "fault"

Ref = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's number, or our id.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it is kept beside the hold. No names.")]


@app.command()
def show(ref: Ref, as_json: AsJson = False) -> None:
    """Say where an account stands: what it heard, what is next, on which day, and why."""
    with context() as edge:
        _require_calendar(edge)
        account = _account(edge, ref)
        story = edge.read(partial(_standing, edge=edge, guarantor_id=account.id), "guarantor", account.id,
                          "dunning show")
    if as_json:
        print_json(story)
        return
    print(f"Account {story.account}: {dollars(story.due_minor)} due now"
          f"{f', past due from {story.past_due_from}' if story.past_due_from else ''}.")
    print(_sentence(story))
    for line in (*(f"{way} is passed over: {why}." for way, why in story.passed),
                 *(f"The bill's own check: {one}." for one in story.findings)):
        print(f"  {line}")
    if story.heard:
        print_table("", ("Day", "What", "Step", "State"), [(one.on, one.kind, one.step, one.state)
                                                          for one in story.heard])


@app.command()
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what today asks for; send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Work today's calendar now, instead of waiting for `plainbill serve`. Twice does no harm."""
    with context() as edge:
        _require_calendar(edge)
        if dry_run:
            _foresee(edge, as_json)
            return
        edge.store.read(lambda session: require_right(session, edge, "send"))
        lines = _work(edge)
    if as_json:
        print_json(lines)
    else:
        for line in lines:
            print(f"{line.account}: {line.outcome}{f' by {line.way}' if line.way else ''}. {line.reason}")
        print(f"{sum(line.message_id is not None for line in lines)} messages of today's calendar are in the outbox.")
    faults = sum(line.outcome == _FAULT for line in lines)
    if faults:
        raise Stop(f"{faults} account(s) could not be worked and were told nothing; the list has their ids.", PARTIAL)


@app.command()
def audit(as_json: AsJson = False) -> None:
    """List the bills that wait for a person: their own check, a first look, an address to be found."""
    from billing.self_audit import worklist

    with context() as edge:
        rows: list[Entry] = edge.read(lambda session: worklist(session, edge.practice_id, edge.today()), "practice",
                                      edge.practice_id, "dunning audit")
    if as_json:
        print_json(rows)
        return
    print_table("", ("Hold", "Account", "Check", "Reason", "Owner", "Case", "Review"), [
        (one.hold_id, one.account, one.check, one.reason, one.owner, one.case_number or "",
         f"{one.review_on}{' (now)' if one.overdue else ''}") for one in rows])


@app.command()
def holds(
    release: Annotated[str, typer.Option("--release", metavar="HOLD", help="End this hold.")] = "",
    keep: Annotated[str, typer.Option("--keep", metavar="HOLD", help="Keep this hold, and look again later.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="With --keep: when to look again.")] = 14,
    every: Annotated[bool, typer.Option("--all", help="List those too whose day of review has not come.")] = False,
    reason: Why = "",
    as_json: AsJson = False,
) -> None:
    """List holds whose day of review has come; release or keep one. None of them ever ends by itself."""
    if (release and keep) or ((release or keep) and not reason.strip()):
        raise Stop("Name one hold to --release or to --keep, with its --reason.", USAGE)
    with context() as edge:
        if release or keep:
            rows = [_change(edge, release or keep, bool(release), days, reason)]
        else:
            rows = edge.read(partial(_open_holds, edge=edge, every=every), "practice", edge.practice_id, "holds")
    if as_json:
        print_json(rows)
        return
    print_table("", ("Hold", "Account", "Kind", "Reason", "Placed", "Review", "Released"), [tuple(row.values())
                                                                                          for row in rows])


@app.command("returned-mail")
def returned_mail(
    ref: Annotated[str, typer.Argument(metavar="ACCOUNT|LETTER", help="The account, or the letter's id (msg_...).")],
    as_json: AsJson = False,
) -> None:
    """Note that a letter came back: no clock counts from it, and somebody looks for a better address."""
    with context() as edge:
        edge.store.read(lambda session: require_right(session, edge, "cases"))
        row = edge.write(partial(_note_returned, edge=edge, ref=ref), "mail.returned", "guarantor",
                         lambda noted: noted.guarantor_id)
    if as_json:
        print_json({"trouble": row.id, "letter": row.outbox_id, "statement": row.statement_id,
                    "noted_on": row.noted_on})
        return
    print("Noted. A case asks for a better address; nothing more goes to this one.")


def _require_calendar(edge: Edge) -> None:
    require_configured(edge)
    if edge.policy.dunning is None:
        raise Stop("The practice has no calendar of reminders; write [dunning] in its policy file.", REFUSED)


def _account(edge: Edge, ref: str) -> Guarantor:
    from billing.accounts import find_account

    return found(edge.store.read(partial(find_account, practice_id=edge.practice_id, ref=ref)), f"account {ref}")


def _standing(session: Session, edge: Edge, guarantor_id: str) -> Standing:
    from billing.dunning_standing import standing

    return standing(session, edge.policy, guarantor_id, edge.now())


def _sentence(story: Standing) -> str:
    match story.verdict:
        case "stopped":
            return f"Nothing goes out: {story.why} ({story.rule})."
        case "wait":
            return f"Next: {story.next}{f' on {story.on}' if story.on else ''} ({story.why})."
        case "held":
            return f"Next: {story.next}, but {story.why}."
        case "due":
            return f"Next: {story.next} today{f' by {story.way}' if story.way else ''} ({story.why})."


def _foresee(edge: Edge, as_json: bool) -> None:
    from billing.dunning_standing import everybody

    rows = edge.read(lambda session: everybody(session, edge.policy, edge.practice_id, edge.now()), "practice",
                     edge.practice_id, "dunning preview")
    if as_json:
        print_json(rows)
        return
    print_table("", ("Account", "Due $", "Verdict", "Next", "Day", "Way", "Why"), [
        (one.account, dollars(one.due_minor), one.verdict, one.next, one.on, one.way, one.why) for one in rows])
    print(f"{sum(one.verdict == 'due' and bool(one.way) for one in rows)} messages would be queued; none was.")


def _work(edge: Edge) -> list[Line]:
    """Account by account, each in its own transaction, as the daily job does it: one that cannot be worked is told by
    our id, and the others go on.
    """
    from billing.store.dunning_queries import accounts_owing
    from bot.demanding import Line
    from bot.dunning_days import AccountNotWorked, try_account
    from bot.road import Road

    road, lines, after = Road(edge.store, edge.clock, "dunning", edge.settings.public_url), [], ""
    while batch := edge.store.read(partial(accounts_owing, practice_id=edge.practice_id, after_id=after, limit=500)):
        for guarantor_id in batch:
            try:
                line = edge.write(partial(try_account, road=road, policy=edge.policy, guarantor_id=guarantor_id,
                                          now=edge.now()), "dunning.run", "guarantor", guarantor_id)
            except AccountNotWorked as error:
                line = Line(guarantor_id, _FAULT, f"nothing was sent; the fault is of kind {error.fault}", rule=_FAULT)
            lines += [line] if line is not None else []
        after = batch[-1]
    return lines


def _open_holds(session: Session, edge: Edge, every: bool) -> list[dict[str, object]]:
    from billing.holds import review_due
    from billing.store.dunning_queries import open_holds

    rows = open_holds(session, edge.practice_id) if every else review_due(session, edge.practice_id, edge.today())
    return [_hold_row(session, row) for row in rows]


def _hold_row(session: Session, row: Hold) -> dict[str, object]:
    from billing.store.tables import Guarantor

    return {"hold": row.id, "account": session.get_one(Guarantor, row.guarantor_id).external, "kind": row.kind,
            "reason": row.reason, "placed_on": row.placed_at.date(), "review_on": row.review_on,
            "released_by": row.released_by or ""}


def _change(edge: Edge, hold_id: str, release: bool, days: int, reason: str) -> dict[str, object]:
    from billing import cased_holds, hold_reviews
    from billing import holds as keeping

    def change(session: Session) -> dict[str, object]:
        require_right(session, edge, "holds")
        try:
            row = (cased_holds.release(session, edge.practice_id, hold_id, by=edge.actor, reason=reason, now=edge.now())
                   if release
                   else hold_reviews.keep(session, edge.practice_id, hold_id, days=days, by=edge.actor,
                                          today=edge.today(), now=edge.now()))
        except keeping.HoldRefused as error:
            raise Stop(f"{error}.", REFUSED) from error
        return _hold_row(session, row)

    return edge.write(change, "hold.released" if release else "hold.kept", "hold", hold_id, reason)


def _note_returned(session: Session, edge: Edge, ref: str) -> DeliveryTrouble:
    from billing import addresses
    from billing.accounts import find_account

    try:
        if ref.startswith("msg_"):
            return addresses.note_returned(session, edge.practice_id, ref, by=edge.actor, on=edge.today(),
                                           now=edge.now())
        account = found(find_account(session, edge.practice_id, ref), f"account {ref}")
        return addresses.note_mail_of(session, account, by=edge.actor, on=edge.today(), now=edge.now())
    except addresses.NotMail as error:
        raise Stop(f"{error}.", REFUSED) from error
