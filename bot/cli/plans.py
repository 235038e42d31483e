"""``plainbill plans``: instalment plans offered by staff, shown, paused, ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.amounts import day_of, dollars
from bot.cli.edge import AsJson, Edge, context, print_json, print_table, require_right
from bot.cli.exits import NOT_FOUND, REFUSED, USAGE, Stop
from bot.cli.giving_back import print_story
from bot.cli.plan_link import run as link
from bot.cli.plan_offering import run as offer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sqlalchemy.orm import Session

    from billing.store.tables import Plan

app = typer.Typer(no_args_is_help=True, help="Instalment plans: offer, show, send, approve, pause, end.")
app.command("offer")(offer)
app.command("link")(link)

Ref = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's number or id.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it is kept beside the plan. No names.")]


@app.command("list")
def list_all(
    status: Annotated[str, typer.Option("--status", help="Such as active, behind, paused, offered.")] = "",
    as_json: AsJson = False,
) -> None:
    """List plans by their numbers."""
    from billing import plans
    from billing.plan_status import MOVES

    if status and status not in MOVES:
        raise Stop(f"--status is {status!r}: one of {', '.join(MOVES)}.", USAGE)
    with context() as edge:
        rows = edge.read(lambda session: plans.listing(session, edge.practice_id, status or None), "practice",
                         edge.practice_id, "plans list")
    if as_json:
        print_json(rows)
        return
    print_table("", ("No", "Status", "Total $", "Paid $", "Left $", "Collects", "Next", "Next $", "Missed"), [
        (r["number"], r["status"], dollars(r["total_minor"]), dollars(r["paid_minor"]), dollars(r["left_minor"]),
         r["collects"], r["next_on"], dollars(r["next_minor"]) if r["next_minor"] else "", r["missed"]) for r in rows])


@app.command("show")
def show(ref: Ref, as_json: AsJson = False) -> None:
    """Show a plan's whole story: schedule, what was agreed to, payments, everything that happened."""
    from billing import plans

    def read(session: Session) -> dict[str, Any]:
        try:
            return plans.show(session, edge.practice_id, ref)
        except LookupError as error:
            raise _unknown(ref) from error

    with context() as edge:
        story = edge.read(read, "plan", lambda told: str(told["plan"]), "plans show")
    if as_json:
        print_json(story)
    else:
        print_story(_for_people(story))
        for given in story["authorizations"]:
            print(f"\nAgreed to {given['at']} ({given['given_by']}, {given['words_version']})"
                  f"{', ended ' + given['revoked_at'] if given['revoked_at'] else ''}\n  {given['words']}")


#: What fits a terminal; --json has all of it.
_COLUMNS = {"schedule": ("number", "due_on", "agreed_minor", "paid_minor", "open_minor", "status", "retry_on"),
            "payments": ("payment", "instalment", "amount_minor", "status", "failure", "at"),
            "events": ("at", "kind", "instalment", "amount_minor", "by", "reason")}


def _for_people(story: dict[str, Any]) -> dict[str, Any]:
    left_out = {"authorizations", "plan", "days", "version", "supersedes"}
    return {name: [{one: row[one] for one in _COLUMNS[name]} for row in value] if name in _COLUMNS else value
            for name, value in story.items() if name not in left_out}


def _unknown(ref: str) -> Stop:
    return Stop(f"There is no plan {ref}; `plainbill plans list` shows them.", NOT_FOUND)


@app.command("approve")
def approve(ref: Ref, reason: Why, as_json: AsJson = False) -> None:
    """Let a plan outside the practice's policy be agreed to; another person than who offered it."""
    from billing import plans

    _carry_out(ref, "approve", as_json, reason, lambda session, edge: plans.approve(
        session, edge.practice_id, ref, by=edge.actor, reason=reason, now=edge.now()))


@app.command("pause")
def pause(
    ref: Ref,
    reason: Why,
    until: Annotated[str, typer.Option("--until", metavar="DAY", help="Last day of the pause; empty: until resumed.")
                     ] = "",
    as_json: AsJson = False,
) -> None:
    """Ask for nothing and charge nothing for a while."""
    from billing import plans

    last: date | None = day_of(until, "--until") if until else None
    _carry_out(ref, "pause", as_json, reason, lambda session, edge: plans.pause(
        session, edge.practice_id, ref, by=edge.actor, reason=reason, now=edge.now(), until_on=last))


@app.command("resume")
def resume(ref: Ref, reason: Why, as_json: AsJson = False) -> None:
    """Go on with a paused plan."""
    from billing import plans

    _carry_out(ref, "resume", as_json, reason, lambda session, edge: plans.resume(
        session, edge.practice_id, ref, by=edge.actor, reason=reason, now=edge.now()))


@app.command("cancel")
def cancel(ref: Ref, reason: Why, as_json: AsJson = False) -> None:
    """End a plan: what is left is due as before it."""
    from billing import plans

    _carry_out(ref, "cancel", as_json, reason, lambda session, edge: plans.cancel(
        session, edge.practice_id, ref, by=edge.actor, reason=reason, now=edge.now()))


@app.command("notice")
def notice(
    ref: Ref,
    instalment: Annotated[int, typer.Argument(min=0, help="Which payment of the plan; 0 the deposit.")],
    how: Annotated[str, typer.Option("--how", help="Such as letter or call; it is kept. No names.")],
    as_json: AsJson = False,
) -> None:
    """Write down that a charge was told of by letter or call, where texts were stopped: without notice no charge."""
    from billing import plans

    _carry_out(ref, "notice", as_json, how, lambda session, edge: plans.record_notice(
        session, edge.practice_id, ref, instalment, by=edge.actor, how=how, now=edge.now()))


def _carry_out(ref: str, what: str, as_json: bool, reason: str, act: Callable[[Session, Edge], Plan]) -> None:
    from billing import plans

    def run(session: Session) -> dict[str, Any]:
        require_right(session, edge, "approve" if what == "approve" else "cases")
        try:
            plan = act(session, edge)
        except LookupError as error:
            raise _unknown(ref) from error
        except plans.PlanRefused as refused:
            raise Stop(refusal(refused.reason, refused.why), REFUSED) from refused
        return {"plan": plan.id, "number": plan.number, "status": plan.status}

    with context() as edge:
        done = edge.write(run, f"plan.{what}", "plan", lambda made: str(made["plan"]), reason)
    if as_json:
        print_json(done)
    else:
        print(f"Plan {done['number']} is {done['status']}.")


def refusal(reason: str, why: str) -> str:
    """A refused step in a sentence for staff."""
    return f"It was not done: {why or reason.replace('_', ' ')}."
