"""``plainbill why``: the verdicts about a message, both times the gate was asked; and what other rules would say."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any

import typer

from bot.cli.edge import AsJson, context, print_fields, print_json
from bot.cli.exits import NOT_FOUND, USAGE, Stop

app = typer.Typer()

AsOf = Annotated[str, typer.Option("--as-of", metavar="DATE", help="Rule again by the rules in force on that day.")]
Region = Annotated[str, typer.Option("--region", metavar="ST", help="Rule again as if the patient lived there.")]


@app.command()
def why(message: Annotated[str, typer.Argument(help="The message's id.")], as_of: AsOf = "", region: Region = "",
        as_json: AsJson = False) -> None:
    """Show which rule decided on a message, and on which facts; with --as-of or --region what other rules would say."""
    from billing.gate import explain_message

    on = _day(as_of)
    with context() as edge:
        try:
            story = edge.read(lambda session: explain_message(session, message), "message", message, "why")
        except LookupError as error:
            raise Stop(f"There is no message {message}.", NOT_FOUND) from error
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
            raise Stop(f"Message {story['message']}: {error}.", USAGE) from error


def _print(story: dict[str, Any]) -> None:
    print_fields({name: value for name, value in story.items() if name not in ("life", "verdicts")})
    for moment in story["life"]:
        print(f"\n{moment['at']}  {moment['what']}", end="")
    print()
    for verdict in story["verdicts"]:
        print(f"\nAsked when {verdict['stage']}, {verdict['at_practice']}: {verdict['outcome'].upper()}"
              f" by {verdict['rule']} ({verdict['title'] or 'no objection'})")
        print_fields({f"  {name}": verdict[name] for name in ("reason", "until_at", "citation", "configured")
                      if verdict[name]})
        if "replayed" in verdict:
            _print_replayed(verdict["replayed"])
        for name, value in verdict["facts"].items():
            print(f"    {name} = {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


def _print_replayed(replayed: dict[str, Any]) -> None:
    where = f" in {replayed['region']}" if replayed["region"] else ""
    print(f"  By the rules of {replayed['on']}{where}: {replayed['outcome'].upper()} by {replayed['rule']}"
          f" ({replayed['reason']})")
    print_fields({f"    {name}": ", ".join(replayed[name]) for name in ("came_in", "fell_away") if replayed[name]})
