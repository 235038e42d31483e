"""``plainbill why``: the verdicts about a message or a charge, each time the gate was asked; and what other rules would
say.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any

import typer

from bot.cli.edge import AsJson, context, print_fields, print_json
from bot.cli.exits import NOT_FOUND, USAGE, Stop

app = typer.Typer()

Subject = Annotated[str, typer.Argument(metavar="ID", help="The id of a message, a payment or a plan.")]
AsOf = Annotated[str, typer.Option("--as-of", metavar="DATE", help="Rule again by the rules in force on that day.")]
Region = Annotated[str, typer.Option("--region", metavar="ST", help="Rule again as if the patient lived there.")]


@app.command()
def why(subject: Subject, as_of: AsOf = "", region: Region = "", as_json: AsJson = False) -> None:
    """Show which rule decided on a message, or on the charge of a card on file, and on which facts; with --as-of or
    --region what other rules would say. Of a plan: every charge that was made, put off or refused.
    """
    from billing.verdicts import explain, kind_of

    on, kind = _day(as_of), kind_of(subject)
    with context() as edge:
        try:
            story = edge.read(lambda session: explain(session, subject), kind, subject, "why")
        except LookupError as error:
            raise Stop(f"There is no {kind} {subject}.", NOT_FOUND) from error
    if on is not None or region:
        _replay(story, on, region)
    if as_json:
        print_json(story)
    else:
        _print(story)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Stop(f"--as-of {text}: write the day as 2027-01-31.", USAGE) from error


def _replay(story: dict[str, Any], on: date | None, region: str) -> None:
    """Put beside each verdict what the rules of another day or state say on the same facts."""
    from billing.policy.record import RecordError
    from billing.policy.replay import replay

    if region and not (len(region) == 2 and region.isalpha()):
        raise Stop(f"--region {region}: write the state's two letters, such as TX.", USAGE)
    for verdict in story["verdicts"]:
        day = on or date.fromisoformat(verdict["facts"]["now"][:10])
        try:
            verdict["replayed"] = replay(verdict["facts"], day, region.upper() or None).to_json()
        except RecordError as error:
            raise Stop(f"{next(iter(story.values()))}: {error}.", USAGE) from error


def _print(story: dict[str, Any]) -> None:
    print_fields({name: value for name, value in story.items() if name not in ("life", "verdicts")})
    for moment in story["life"]:
        print(f"\n{moment['at']}  {moment['what']}", end="")
    print()
    for verdict in story["verdicts"]:
        print(f"\nAsked when {verdict['stage']}{_of_instalment(verdict)}, {verdict['at_practice']}:"
              f" {verdict['outcome'].upper()}"
              f" by {verdict['rule']} ({verdict['title'] or _untitled(verdict)})")
        print_fields({f"  {name}": verdict[name] for name in ("reason", "until_at", "citation", "configured")
                      if verdict[name]})
        if "replayed" in verdict:
            _print_replayed(verdict["replayed"])
        for name, value in verdict["facts"].items():
            print(f"    {name} = {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


def _untitled(verdict: dict[str, Any]) -> str:
    """What stood in the way beside the rules, if anything did."""
    return "no objection" if verdict["outcome"] == "send" else str(verdict["reason"])


def _of_instalment(verdict: dict[str, Any]) -> str:
    return f" instalment {verdict['instalment']}" if "instalment" in verdict else ""


def _print_replayed(replayed: dict[str, Any]) -> None:
    where = f" in {replayed['region']}" if replayed["region"] else ""
    print(f"  By the rules of {replayed['on']}{where}: {replayed['outcome'].upper()} by {replayed['rule']}"
          f" ({replayed['reason']})")
    print_fields({f"    {name}": ", ".join(replayed[name]) for name in ("came_in", "fell_away") if replayed[name]})
