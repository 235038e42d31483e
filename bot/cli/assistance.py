"""``plainbill assistance``: applications for financial assistance, from the first asking to the refund."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from billing.money import dollars
from bot.cli.collections_edge import owner_of, refused
from bot.cli.edge import AsJson, context, print_fields, print_json, print_table, require_configured, require_right
from bot.cli.exits import USAGE, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import AssistanceApplication
    from bot.cli.edge import Edge

app = typer.Typer(no_args_is_help=True, help="Applications for financial assistance, from asking to refund.")

Number = Annotated[str, typer.Argument(help="The application's number, as assistance list shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; a denial's is told to the patient.")]


@app.command("list")
def list_all(open_only: Annotated[bool, typer.Option("--open", help="Only what waits for a decision.")] = False,
             as_json: AsJson = False) -> None:
    """List applications with the day by which something has to happen."""
    from billing.assistance import OPEN
    from billing.store.collection_queries import applications

    with context() as edge:
        rows = edge.read(lambda s: [_facts(row) for row in applications(
            s, edge.practice_id, OPEN if open_only else ())], "practice", edge.practice_id, "assistance")
    if as_json:
        print_json(rows)
        return
    print_table("", ("No.", "State", "Asked", "By", "Discount", "Forgiven $", "Refund $"), [
        (r["number"], r["status"], r["asked_on"], r["by_on"], f"{r['discount_percent'] or ''}",
         dollars(r["forgiven_minor"]), dollars(r["refund_minor"])) for r in rows])


@app.command("show")
def show(number: Number, as_json: AsJson = False) -> None:
    """Show one application, with what its household was told to be and why it was denied."""
    from billing import assistance

    _step("read", "read", as_json, lambda s, edge: assistance.find(s, edge.practice_id, number))


@app.command("ask")
def ask(account: Annotated[str, typer.Argument(help="The account's number.")], as_json: AsJson = False) -> None:
    """A patient asked for help, in person or by telephone: nothing is asked of the account from here on."""
    from billing import assistance

    _step("assistance.ask", "cases", as_json, lambda s, edge: assistance.ask(
        s, practice_id=edge.practice_id, guarantor_id=owner_of(s, edge, account).id, by=edge.actor, now=edge.now()))


@app.command("receive")
def receive(
    number: Number,
    people: Annotated[int, typer.Option("--people", help="In the household.")],
    income: Annotated[str, typer.Option("--income", help="Of the household in a year, in dollars.")],
    percent: Annotated[int, typer.Option("--fpl-percent", help="That income, of the federal poverty level.")],
    source: Annotated[str, typer.Option("--source", help="How it was given: paper, page, desk or phone.")] = "paper",
    as_json: AsJson = False,
) -> None:
    """The application is complete."""
    from billing import assistance
    from billing.money import parse_minor

    try:
        minor = parse_minor(income.strip().removeprefix("$"))
    except ValueError as error:
        raise Stop(f"--income is {income!r}: {error}. Write dollars as 12345.00.", USAGE) from error
    household = {"people": people, "income_minor": minor, "fpl_percent": percent, "source": source}
    _step("assistance.receive", "cases", as_json, lambda s, edge: assistance.receive(
        s, edge.practice_id, number, household=household, by=edge.actor, now=edge.now()))


@app.command("missing")
def missing(number: Number, what: Annotated[list[str], typer.Argument(help="What is not there yet.")],
            as_json: AsJson = False) -> None:
    """Something of the application is not there yet."""
    from billing import assistance

    _step("assistance.missing", "cases", as_json, lambda s, edge: assistance.find_missing(
        s, edge.practice_id, number, missing=what, by=edge.actor, now=edge.now()))


@app.command("approve")
def approve(number: Number, as_json: AsJson = False) -> None:
    """Give what the policy gives this household: charity is posted, what was paid above it goes back."""
    from billing import assistance

    _step("assistance.approve", "approve", as_json, lambda s, edge: assistance.approve(
        s, edge.practice_id, number, by=edge.actor, now=edge.now()))


@app.command("deny")
def deny(number: Number, reason: Reason, as_json: AsJson = False) -> None:
    """Deny it, with the reason and the day of appeal."""
    from billing import assistance

    _step("assistance.deny", "approve", as_json, lambda s, edge: assistance.deny(
        s, edge.practice_id, number, reason=reason, by=edge.actor, now=edge.now()))


@app.command("appeal")
def appeal(number: Number, as_json: AsJson = False) -> None:
    """The patient appeals in time."""
    from billing import assistance

    _step("assistance.appeal", "cases", as_json, lambda s, edge: assistance.appeal(
        s, edge.practice_id, number, by=edge.actor, now=edge.now()))


@app.command("withdraw")
def withdraw(number: Number, reason: Reason, as_json: AsJson = False) -> None:
    """The patient wants no help any more, or never sent anything."""
    from billing import assistance

    _step("assistance.withdraw", "cases", as_json, lambda s, edge: assistance.withdraw(
        s, edge.practice_id, number, reason=reason, by=edge.actor, now=edge.now()))


def _step(action: str, right: str, as_json: bool, work: Callable[[Session, Edge], AssistanceApplication]) -> None:
    """Do one step, in one transaction with its audit line, and print what came of it; a refusal says what to do."""
    with context() as edge, refused():
        require_configured(edge)

        def both(session: Session) -> dict[str, Any]:
            require_right(session, edge, right)
            return _facts(work(session, edge))

        done = edge.write(both, action, "assistance_application", lambda done: str(done["application"]))
    _print(done, as_json)


def _facts(row: AssistanceApplication) -> dict[str, Any]:
    waits = {"asked": row.complete_by_on, "incomplete": row.complete_by_on, "received": row.decide_by_on,
             "appealed": row.decide_by_on, "denied": row.appeal_by_on}
    return {"application": row.id, "number": row.number, "account_id": row.guarantor_id, "status": row.status,
            "asked_on": row.asked_on, "received_on": row.received_on, "by_on": waits.get(row.status),
            "missing": list(row.missing), "household": row.household, "discount_percent": row.discount_percent,
            "reason": row.reason, "decided_by": row.decided_by, "forgiven_minor": row.forgiven_minor,
            "refund_minor": row.refund_minor}


def _print(done: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    print_fields({name.replace("_", " "): dollars(value) if name.endswith("_minor") else value
                  for name, value in done.items() if value not in (None, "", [])})
