"""``plainbill why``: the verdicts about a message, both times the gate was asked."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from bot.cli.edge import AsJson, context, print_fields, print_json
from bot.cli.exits import NOT_FOUND, Stop

app = typer.Typer()


@app.command()
def why(message: Annotated[str, typer.Argument(help="The message's id.")], as_json: AsJson = False) -> None:
    """Show which rule decided on a message, and on which facts."""
    from billing.gate import explain_message

    with context() as edge:
        try:
            story = edge.read(lambda session: explain_message(session, message), "message", message, "why")
        except LookupError as error:
            raise Stop(f"There is no message {message}.", NOT_FOUND) from error
    if as_json:
        print_json(story)
    else:
        _print(story)


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
        for name, value in verdict["facts"].items():
            print(f"    {name} = {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
