"""``plainbill statement``: a numbered snapshot of an account, as data, PDF and short text."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.edge import AsJson, Edge, context, found, print_json, require_right
from bot.cli.exits import NOT_FOUND, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

app = typer.Typer()


class Language(StrEnum):
    """The languages in which statements are written."""

    en = "en"
    es = "es"


@app.command()
def statement(
    account: Annotated[str, typer.Argument(help="Account or visit; or the id of a statement with --again.")],
    lang: Annotated[Language | None, typer.Option("--lang", help="en or es; without it the account's own.")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="Write the statement as PDF to this file.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Show a statement that was made before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a numbered statement of an account, or show one again. Does not send anything."""
    with context() as edge:
        content = _again(edge, account) if again else _make(edge, account, lang)
    if pdf is not None:
        from templates.statement import pdf as draw

        pdf.write_bytes(draw(content))
    if as_json:
        print_json(content)
        return
    from templates.statement import short_text

    print(short_text(content))
    if pdf is not None:
        print(f"\nWritten to {pdf}.")


def _make(edge: Edge, ref: str, lang: Language | None) -> dict[str, Any]:
    from billing import statements
    from billing.accounts import find_account

    def run(session: Session) -> dict[str, Any]:
        require_right(session, edge, "send")
        account = found(find_account(session, edge.practice_id, ref), "such account")
        made = statements.make(session, account.id, lang.value if lang else account.language, edge.now())
        return statements.view(session, made.id)

    return edge.write(run, "statement.make", "statement", lambda made: str(made["statement_id"]))


def _again(edge: Edge, statement_id: str) -> dict[str, Any]:
    from billing import statements

    try:
        return edge.read(lambda session: statements.view(session, statement_id), "statement", statement_id)
    except LookupError as error:
        raise Stop(f"There is no statement {statement_id}.", NOT_FOUND) from error
