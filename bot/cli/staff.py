"""``plainbill staff``: the people who work here."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.edge import AsJson, context, print_json, print_table, require_right
from bot.cli.exits import NOT_FOUND, USAGE, Stop

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
    reader = "reader"


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


@app.command("invite")
def invite(login: Annotated[str, typer.Argument(help="The login of somebody on the list.")],
           as_json: AsJson = False) -> None:
    """Let somebody choose a password for the console: prints the address of a page that is good once, for a day.

    Whatever the person signed in with before is void. This is also how the first manager comes in.
    """
    from billing import invitations

    with context() as edge:
        def run(session: Session) -> str:
            require_right(session, edge, "staff")
            return invitations.invite(session, edge.practice_id, login, edge.actor, edge.now())

        token = edge.store.write(run)
        address = f"{edge.settings.public_url.rstrip('/')}/console/join/{token}"
    if as_json:
        print_json({"login": login, "address": address})
    else:
        print(f"Give this to {login}, and to nobody else. It is good once, until this time tomorrow:\n{address}")


@app.command("key")
def key(
    name: Annotated[str, typer.Argument(help="The program that will use the key.")],
    role: Annotated[Role, typer.Option(help="What the program may do; nobody's manager.")] = Role.reader,
    days: Annotated[int, typer.Option(help="For how many days the key is good, 366 at most.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Make a key for another program: printed once, and nobody can read it again."""
    from billing import api_keys

    with context() as edge:
        def run(session: Session) -> str:
            require_right(session, edge, "staff")
            return api_keys.make(session, edge.practice_id, name, role.value, days, edge.actor, edge.now())

        made = edge.store.write(run)
    if as_json:
        print_json({"name": name, "role": role.value, "days": days, "key": made})
    else:
        print(f"Keep this where only {name} reads it; it is not shown again. Good for {days} days:\n{made}")


@app.command("keys")
def keys(as_json: AsJson = False) -> None:
    """List the keys of other programs, never the keys themselves."""
    from billing import api_keys

    with context() as edge:
        now = edge.now()
        rows = [{"id": row.id, "name": row.name, "role": row.role, "tail": row.tail, "made_by": row.made_by,
                 "state": "revoked" if row.revoked_at else "ended" if now >= row.ends_at else "open",
                 "ends_at": row.ends_at, "used_at": row.used_at}
                for row in edge.store.read(lambda session: api_keys.every(session, edge.practice_id))]
    if as_json:
        print_json(rows)
    else:
        print_table("", ("Id", "Name", "Role", "Ends with", "Made by", "State"),
                    [(r["id"], r["name"], r["role"], r["tail"], r["made_by"], r["state"]) for r in rows])


@app.command("revoke-key")
def revoke_key(key_id: Annotated[str, typer.Argument(metavar="ID", help="As `plainbill staff keys` lists it.")],
               as_json: AsJson = False) -> None:
    """End a key at once."""
    from billing import api_keys

    with context() as edge:
        def run(session: Session) -> str:
            require_right(session, edge, "staff")
            try:
                return api_keys.revoke(session, edge.practice_id, key_id, edge.actor, edge.now()).name
            except LookupError as error:
                raise Stop(f"There is no key {key_id}; `plainbill staff keys` lists them.", NOT_FOUND) from error

        name = edge.store.write(run)
    if as_json:
        print_json({"id": key_id, "name": name, "state": "revoked"})
    else:
        print(f"The key of {name} is revoked.")


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
