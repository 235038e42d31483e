"""``plainbill campaign segments``: whom campaigns are for."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.amounts import minor_of
from bot.cli.campaign_edge import refusals
from bot.cli.edge import AsJson, Edge, context, found, print_json, print_table, require_right, show
from bot.cli.exits import REFUSED, USAGE, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.segments import Fault
    from billing.store.tables import Segment

app = typer.Typer(no_args_is_help=True, help="Whom campaigns are for: kept by name, in versions that never change.")


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Such as over-60-days; the same name again is its next version.")],
    aging: Annotated[list[str] | None, typer.Option("--aging", help="0-30, 31-60, 61-90, 91-120 or 121+ days; may be "
                                                                     "given again.")] = None,
    aging_from: Annotated[str, typer.Option("--aging-from", help="statement (the first) or service.")] = "statement",
    minimum: Annotated[str, typer.Option("--min", help="The patient's part is at least so many dollars.")] = "",
    maximum: Annotated[str, typer.Option("--max", help="And at most so many.")] = "",
    statement: Annotated[str, typer.Option("--statement", help="any, never or sent.")] = "any",
    statement_older: Annotated[int | None, typer.Option("--statement-older", help="The newest is at least so many days "
                                                                                  "old.")] = None,
    statement_newer: Annotated[int | None, typer.Option("--statement-newer", help="And at most so many.")] = None,
    language: Annotated[list[str] | None, typer.Option("--language", help="en or es.")] = None,
    plan: Annotated[list[str] | None, typer.Option("--plan", help="none, running, behind or defaulted.")] = None,
    replied: Annotated[str, typer.Option("--replied", help="any, since_statement, not_since_statement or never.")
                       ] = "any",
    visit_type: Annotated[list[str] | None, typer.Option("--visit-type", help="Place of service, two digits.")] = None,
    provider: Annotated[list[str] | None, typer.Option("--provider", help="Its NPI.")] = None,
    payer: Annotated[list[str] | None, typer.Option("--payer", help="self_pay, commercial, medicare, medicaid, "
                                                                    "other_federal or other.")] = None,
    region: Annotated[list[str] | None, typer.Option("--region", help="State of the account's address.")] = None,
    accounts: Annotated[Path | None, typer.Option("--list", metavar="FILE.csv", help="Only the accounts of this file.")
                        ] = None,
    definition: Annotated[Path | None, typer.Option("--file", metavar="FILE.toml", help="The definition as a file "
                                                                                        "instead of options.")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep a segment. All that is given has to fit; without anything it is everybody."""
    given: dict[str, Any] = {
        "aging": aging, "aging_from": aging_from, "minimum_minor": minor_of(minimum, "--min") if minimum else None,
        "maximum_minor": minor_of(maximum, "--max") if maximum else None, "statement": statement,
        "statement_older_days": statement_older, "statement_newer_days": statement_newer, "languages": language,
        "plans": plan, "replied": replied, "visit_types": visit_type, "providers": provider, "payers": payer,
        "regions": region}
    wanted = {key: value for key, value in given.items() if value not in (None, [], "")}
    if definition is not None:
        wanted = _read(definition)
    _keep(name, wanted, accounts, as_json)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Stop(f"{path}: is not UTF-8 text; save it again as UTF-8.", USAGE) from error
    except tomllib.TOMLDecodeError as error:
        raise Stop(f"{path}: is not TOML: {error}", USAGE) from error


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise Stop(f"{path}: is not UTF-8 text; save it again as UTF-8.", USAGE) from error


def _keep(name: str, wanted: dict[str, Any], accounts: Path | None, as_json: bool) -> None:
    lines = _lines(accounts) if accounts is not None else None

    def make(session: Session) -> Segment:
        from billing import segments

        require_right(session, edge, "send")
        with refusals():
            filters = segments.parse({**wanted, "listed": True} if lines is not None else wanted)
            listed = segments.read_list(session, edge.practice_id, lines or ())
            if listed.faults:
                raise Stop(_refusal(accounts, listed.faults), REFUSED)
            return segments.keep(session, edge.practice_id, name, filters, by=edge.actor, now=edge.now(),
                                 members=listed.members)

    with context() as edge:
        row = edge.write(make, "segment.keep", "segment", lambda made: made.id)
        facts = edge.store.read(lambda session: _facts(session, edge, row))
    if as_json:
        print_json(facts)
    else:
        print(f"Segment {facts['name']} v{facts['version']} is kept: {facts['accounts']} account(s) today.")


def _refusal(path: Path | None, faults: tuple[Fault, ...]) -> str:
    shown = [f"  {path}: line {fault.line}: {fault.reason}" for fault in faults[:50]]
    more = [f"  and {len(faults) - 50} more"] if len(faults) > 50 else []
    return "\n".join([f"{path}: {len(faults)} line(s) cannot be used; nothing was kept. Mend or remove them:",
                      *shown, *more])


def _facts(session: Session, edge: Edge, row: Segment) -> dict[str, Any]:
    from billing import segments

    return {"segment": row.id, "name": row.name, "version": row.version, "definition": row.definition,
            "accounts": segments.count(session, row, edge.today()), "created_by": row.created_by,
            "created_at": row.created_at}


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List segments in all their versions, with how many accounts each has today."""
    from billing import segments

    with context() as edge:
        rows = edge.read(lambda session: [_facts(session, edge, row) for row in segments.listing(
            session, edge.practice_id)], "practice", edge.practice_id, "segments list")
    if as_json:
        print_json(rows)
        return
    print_table("", ("Name", "Version", "Accounts today", "Made by", "Definition"), [
        (r["name"], r["version"], r["accounts"], r["created_by"],
         ", ".join(f"{key} {value}" for key, value in r["definition"].items()) or "everybody") for r in rows])


@app.command("show")
def show_one(
    name: Annotated[str, typer.Argument(help="The segment's name.")],
    version: Annotated[int | None, typer.Option("--version", help="Not the newest but this one.")] = None,
    who: Annotated[bool, typer.Option("--who", help="List the account numbers of today.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one segment, and with --who the accounts that it has today."""
    def read(session: Session) -> dict[str, Any]:
        from billing import segments
        from billing.store import campaign_queries

        row = found(segments.find(session, edge.practice_id, name, version), f"segment {name}")
        listed = {"members": campaign_queries.account_numbers(session, segments.members(session, row, edge.today()))
                  } if who else {}
        return {**_facts(session, edge, row), **listed}

    with context() as edge:
        facts = edge.read(read, "segment", lambda made: str(made["segment"]), "segment show")
    show(facts, as_json)



