"""``plainbill collections``: what is past due, by value and next action; agencies, and what comes back from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing.money import dollars
from bot.cli import collections_money
from bot.cli.collections_edge import Account, ItemId, Reason, change, owner_of, print_done, print_list, refused
from bot.cli.edge import AsJson, context, print_json, print_table, require_configured, require_right
from bot.cli.exits import NOT_FOUND, REFUSED, USAGE, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

app = typer.Typer(no_args_is_help=True, help="What is past due: worklist, offers, write-offs, agencies.")
collections_money.add_to(app)

Agency = Annotated[str, typer.Option("--agency", help="The agency's key in the practice's policy.")]
Visits = Annotated[list[str] | None, typer.Option("--visit", help="Only this visit; may be given again.")]
Folder = Annotated[Path, typer.Option("--to", help="Folder for the file.")]


@app.command("worklist")
def worklist(
    action: Annotated[str, typer.Option("--action", help="Only accounts whose next action this is.")] = "",
    above: Annotated[str, typer.Option("--above", help="Only accounts with as many dollars.")] = "",
    as_json: AsJson = False,
) -> None:
    """List what is past due: what a person does next first, then by value."""
    from billing import collections_worklist
    from bot.cli.amounts import minor_of

    least = minor_of(above, "--above") if above else 0
    if action and action not in collections_worklist.ACTIONS:
        raise Stop(f"--action is {action!r}: one of {', '.join(collections_worklist.ACTIONS)}.", USAGE)
    with context() as edge:
        lines = edge.read(lambda s: collections_worklist.worklist(
            s, edge.practice_id, edge.now(), action=action, minimum_minor=least), "practice", edge.practice_id,
            "collections worklist")
    if as_json:
        print_json(lines)
        return
    print_table("", ("Account", "Owed $", "At agency $", "Days late", "Next", "Why", "From"), [
        (one.account, dollars(one.due_minor), dollars(one.at_agency_minor), one.days_past_due, one.action, one.words,
         one.until_on) for one in lines])


@app.command("show")
def show(account: Account, as_json: AsJson = False) -> None:
    """Show for each visit of an account what stands in the way of placing it, and the clocks."""
    from billing import clocks
    from billing.placement_checks import clock_facts, obstacles, standing

    with context() as edge:
        def read(session: Session) -> tuple[str, list[dict[str, Any]]]:
            owner = owner_of(session, edge, account)
            here = standing(session, owner.id, edge.policy, edge.now())
            return owner.id, [{
                "visit": v.external, "due_minor": v.figures.due_now_minor, "at_agency_minor": v.figures.placed_minor,
                "past_due_on": here.past_due.get(v.visit_id), "final_notice_on": here.notice.get(v.visit_id),
                "earliest_on": clocks.clock(clock_facts(here, v.visit_id), edge.policy.collections).earliest_on,
                "in_the_way": [{"code": o.code, "words": o.words, "until_on": o.until_on}
                               for o in obstacles(here, v.visit_id)],
            } for v in here.figures.visits if v.figures.patient_minor > 0 or v.figures.placed_minor > 0]

        _, rows = edge.read(read, "account", lambda found: found[0], "collections")
    unknown = clocks.unknown(edge.policy.collections.states)
    if as_json:
        print_json({"visits": rows, "states_without_figures": unknown})
        return
    for row in rows:
        print(f"{row['visit']}: {dollars(row['due_minor'])} due, {dollars(row['at_agency_minor'])} at an agency")
        for one in row["in_the_way"]:
            until = f" (until {one['until_on']})" if one["until_on"] else ""
            print(f"  {one['words']}{until}")
        if not row["in_the_way"] and row["due_minor"]:
            print("  Nothing stands in the way.")
    if unknown:
        print(f"No figures are known here for {', '.join(unknown)}: those clocks stay off.")


@app.command("place")
def place(account: Account, agency: Agency, visit: Visits = None, as_json: AsJson = False) -> None:
    """Propose an account for placement with an agency; another person approves it."""
    from billing import placements
    from billing.store.payment_list_queries import visits_named

    with context() as edge, refused():
        require_configured(edge)

        def work(session: Session) -> tuple[str, list[placements.Proposal]]:
            require_right(session, edge, "cases")
            owner = owner_of(session, edge, account)
            names = visits_named(session, owner.id)
            strange = [one for one in visit or [] if one not in names]
            if strange:
                raise Stop(f"--visit {strange[0]!r} is not on this account.", NOT_FOUND)
            return owner.id, placements.propose(
                session, practice_id=edge.practice_id, guarantor_id=owner.id, agency=agency, by=edge.actor,
                now=edge.now(), visits=[names[one] for one in visit or []])

        _, made = edge.write(work, "placement.propose", "account", lambda done: done[0])
    if as_json:
        print_json(made)
    for one in made if not as_json else ():
        if one.placement_id:
            print(f"{one.placement_id}: {dollars(one.amount_minor)} proposed. Another person: plainbill collections "
                  f"approve {one.placement_id}")
        for obstacle in one.obstacles:
            print(f"{dollars(one.amount_minor)}: not proposed: {obstacle.words}"
                  + (f" (until {obstacle.until_on})" if obstacle.until_on else ""))
    if not any(one.placement_id for one in made):
        raise Stop("Nothing of this account can be placed now.", REFUSED)


@app.command("placements")
def placements_list(as_json: AsJson = False) -> None:
    """List placements with where they stand."""
    from billing.store import collection_queries as store

    print_list("placements", lambda s, practice_id: [{
        "placement": p.id, "account_id": p.guarantor_id, "visit_id": p.visit_id, "agency": p.agency,
        "status": p.status, "amount_minor": p.amount_minor, "left_minor": p.left_minor,
        "collected_minor": p.collected_minor, "fee_minor": p.fee_minor, "proposed_by": p.proposed_by,
        "approved_by": p.approved_by, "placed_on": p.placed_on, "ended_on": p.ended_on, "end_reason": p.end_reason}
        for p in store.placements(s, practice_id)], {
            "Placement": "placement", "Agency": "agency", "State": "status", "Placed $": "amount_minor",
            "Left $": "left_minor", "Collected $": "collected_minor", "Fees $": "fee_minor"}, as_json)


@app.command("recall")
def recall(item: ItemId, reason: Reason, as_json: AsJson = False) -> None:
    """Take a placed debt back; the next file tells the agency."""
    from billing import placements

    print_done(change("approve", "placement.recall", "placement", item, lambda s, edge: placements.recall(
        s, edge.practice_id, item, by=edge.actor, reason=reason, now=edge.now())), as_json)


@app.command("export")
def export(agency: Agency, folder: Folder = Path(),
           number: Annotated[int, typer.Option("--number", help="Write this file again, byte for byte.")] = 0,
           as_json: AsJson = False) -> None:
    """Place what is approved and write the agency's file: new debts with their history, and what is new of old ones."""
    from bot import agency_files

    with context() as edge, refused():
        require_configured(edge)
        edge.store.read(lambda s: require_right(s, edge, "approve"))
        done = ([agency_files.write_again(edge.store, edge.practice_id, agency, number, folder)] if number
                else agency_files.export(edge.store, edge.practice_id, agency, folder, by=edge.actor, now=edge.now))
    if as_json:
        print_json([{"file": w.path, "number": w.batch.number, "agency": w.batch.agency, "rows": w.batch.rows,
                     "placed_minor": w.batch.amount_minor, "left_out": w.batch.left_out, "recovered": w.recovered}
                    for w in done])
        return
    for one in done:
        again_words = " (an earlier export was interrupted)" if one.recovered else ""
        left = f"; {one.batch.left_out} left out, see collections placements" if one.batch.left_out else ""
        print(f"{one.path}: {one.batch.rows} rows, {dollars(one.batch.amount_minor)} placed{left}{again_words}")
    if not done:
        print("Nothing to tell the agency.")


@app.command("returns")
def returns(agency: Agency, file: Annotated[Path, typer.Argument(help="The agency's report (docs/agency.md).")],
            as_json: AsJson = False) -> None:
    """Take an agency's report in: payments, fees, debts given up. The same again changes nothing."""
    from bot import agency_files

    if not file.is_file():
        raise Stop(f"There is no file {file}.", NOT_FOUND)
    with context() as edge, refused():
        require_configured(edge)
        edge.store.read(lambda s: require_right(s, edge, "import"))
        found = agency_files.take_in(edge.store, edge.practice_id, agency, file, by=edge.actor, now=edge.now)
    if as_json:
        print_json(found)
    else:
        counts = {state: sum(one.state == state for one in found) for state in ("taken", "known", "refused")}
        print(f"{counts['taken']} rows taken, {counts['known']} known before, {counts['refused']} refused; "
              f"{dollars(sum(one.amount_minor for one in found))} paid, fees "
              f"{dollars(sum(one.fee_minor for one in found))}")
        for one in found:
            if one.state == "refused":
                print(f"  line {one.line} ({one.reference}): {one.words}")
    if any(one.state == "refused" for one in found):
        raise Stop("Some rows were refused; put them right with the agency and take its next file in.", REFUSED)
