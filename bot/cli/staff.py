"""``plainbill staff``: the people who work here."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.edge import AsJson, context, print_json, print_table, require_right
from bot.cli.exits import USAGE, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import Staff

app = typer.Typer(no_args_is_help=True, help="Add and list the people who work here.")


class Role(StrEnum):
    """What a person may do."""

    biller = "biller"
    supervisor = "supervisor"
    manager = "manager"
    auditor = "auditor"


@app.command("add")
def add(
    login: Annotated[str, typer.Argument(help="The login, as PLAINBILL_STAFF will give it.")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")] = Role.biller,
    deputy: Annotated[str | None, typer.Option(help="Login of who gets overdue cases next.")] = None,
    phone: Annotated[str | None, typer.Option(help="Mobile number for notices, as +12125550199.")] = None,
    email: Annotated[str | None, typer.Option(help="Address for notices.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a person."""
    from billing import staff
    from config.settings import Name  # the form that PLAINBILL_STAFF itself must have

    _require(Name, login, "a login has letters, digits, dots and dashes, 40 at most")
    with context() as edge:
        def run(session: Session) -> Staff:
            require_right(session, edge, "staff")
            return staff.add(session, edge.practice_id, login=login, name=name, role=role.value, actor=edge.actor,
                             now=edge.now(), deputy_login=deputy, phone=phone, email=email)

        shown = _shown(edge.store.write(run))
    if as_json:
        print_json(shown)
    else:
        print(f"Added {login} as {role.value}.")


@app.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List everybody."""
    from billing.staff import everybody

    with context() as edge:
        rows = [_shown(row) for row in edge.store.read(lambda session: everybody(session, edge.practice_id))]
    if as_json:
        print_json(rows)
    else:
        print_table("", ("Login", "Name", "Role", "Deputy", "Active"),
                    [(r["login"], r["name"], r["role"], r["deputy"], "yes" if r["active"] else "no") for r in rows])


def _shown(row: Staff) -> dict[str, object]:
    return {"id": row.id, "login": row.login, "name": row.name, "role": row.role, "deputy": row.deputy_login,
            "active": row.active}


def _require(form: object, value: str, words: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(form).validate_python(value)
    except ValidationError as error:
        raise Stop(words[0].upper() + words[1:] + ".", USAGE) from error
