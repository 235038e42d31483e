"""``plainbill cases``: what patients handed over to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.edge import AsJson, Edge, context, print_fields, print_json, print_table, require_right
from bot.cli.exits import NOT_FOUND, Stop

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.store.tables import Case, Outbox

app = typer.Typer(no_args_is_help=True, help="Work what patients handed over to a person.")

Ref = Annotated[str, typer.Argument(help="The case's number or id.")]


@app.command("list")
def list_all(
    closed: Annotated[bool, typer.Option("--closed", help="Show closed cases instead of open ones.")] = False,
    as_json: AsJson = False,
) -> None:
    """List cases, the one due first on top."""
    from billing import cases

    with context() as edge:
        rows = edge.store.read(lambda session: [_shown(c) for c in cases.list_cases(session, edge.practice_id,
                                                                                    closed=closed)])
    if as_json:
        print_json(rows)
        return
    print_table("", ("No", "Kind", "Title", "Status", "Owner", "Due (UTC)"),
                [(r["number"], r["kind"], r["title"], r["status"], r["owner"] or "nobody", f"{r['due_at']:%b %d %H:%M}")
                 for r in rows])


@app.command("show")
def show(ref: Ref, as_json: AsJson = False) -> None:
    """Show one case with everything that was said about it."""
    from billing import cases

    def read(session: Session) -> dict[str, Any]:
        case = _find(session, edge, ref)
        said = [{"at": n.at, "by": n.by, "kind": n.kind, "body": n.body} for n in cases.notes(session, case.id)]
        return _shown(case) | {"detail": case.detail, "resolution": case.resolution, "notes": said}

    with context() as edge:
        facts = edge.read(read, "case", lambda shown: str(shown["id"]), "cases show")
    if as_json:
        print_json(facts)
        return
    print_fields({name: value for name, value in facts.items() if name != "notes"})
    for note in facts["notes"]:
        print(f"\n{note['at']:%Y-%m-%d %H:%M} UTC  {note['by']}  {note['kind']}\n  {note['body']}")


@app.command("reply")
def reply(
    ref: Ref,
    words: Annotated[str, typer.Argument(help="What to answer, in the patient's language.")],
    text: Annotated[bool, typer.Option("--text/--no-text", help="Also send it as a text message.")] = True,
    as_json: AsJson = False,
) -> None:
    """Answer the patient. The answer passes the gate like every other message; the case's hold stays until close."""
    from billing import cases

    def run(session: Session) -> tuple[dict[str, Any], dict[str, Any] | None]:
        require_right(session, edge, "cases")
        _find(session, edge, ref)
        case = cases.reply(session, edge.practice_id, ref, by=edge.actor, body=words, now=edge.now())
        message = _queue(session, edge, case, words) if text else None
        return _shown(case), _message(message) if message else None

    with context() as edge:
        shown, message = edge.write(run, "case.reply", "case", lambda done: str(done[0]["id"]))
    if as_json:
        print_json(shown | {"message": message})
    elif message is None:
        print(f"Case {shown['number']} is answered; no text was sent.")
    else:
        print(f"Case {shown['number']} is answered; the text is {message['status']}: plainbill why {message['id']}")


@app.command("close")
def close(
    ref: Ref,
    resolution: Annotated[str, typer.Option(help="What was found and what was done.", prompt=True)],
    as_json: AsJson = False,
) -> None:
    """Close a case and release the hold that it carried."""
    from billing import cases

    def run(session: Session) -> dict[str, Any]:
        require_right(session, edge, "cases")
        _find(session, edge, ref)
        return _shown(cases.close(session, edge.practice_id, ref, by=edge.actor, resolution=resolution, now=edge.now()))

    with context() as edge:
        shown = edge.write(run, "case.close", "case", lambda done: str(done["id"]))
    if as_json:
        print_json(shown)
    else:
        print(f"Case {shown['number']} is closed.")


def _find(session: Session, edge: Edge, ref: str) -> Case:
    from billing import cases

    try:
        return cases.find(session, edge.practice_id, ref)
    except cases.CaseRefused as error:
        raise Stop(f"There is no case {ref}; `plainbill cases list` shows them.", NOT_FOUND) from error


def _queue(session: Session, edge: Edge, case: Case, words: str) -> Outbox | None:
    """Put the answer into the outbox of the case's conversation; None when the case did not come from one."""
    from billing import cases, outbox
    from billing.store.road_queries import lock_conversation_by_id
    from templates.render import render

    talk = lock_conversation_by_id(session, case.conversation_id) if case.conversation_id else None
    if talk is None:
        return None
    arguments = {"practice": edge.policy.name, "words": words}
    rendered = render("staff_reply", talk.language, arguments, talk.channel)
    number = sum(note.kind == "reply" for note in cases.notes(session, case.id))
    return outbox.put(session, outbox.Draft(
        practice_id=edge.practice_id, channel=talk.channel, address=talk.address, address_hash=talk.address_hash,
        purpose=rendered.purpose, template="staff_reply", template_version=rendered.version, language=talk.language,
        privacy=rendered.privacy, body=rendered.body, segments=rendered.segments,
        idempotency_key=f"case:{case.id}:reply:{number}", arguments=arguments, conversation_id=talk.id,
        guarantor_id=case.guarantor_id), edge.now())


def _message(row: Outbox) -> dict[str, Any]:
    return {"id": row.id, "status": row.status, "segments": row.segments}


def _shown(case: Case) -> dict[str, Any]:
    return {"number": case.number, "id": case.id, "kind": case.kind, "title": case.title, "status": case.status,
            "owner": case.owner, "level": case.level, "account": case.guarantor_id, "visit": case.visit_id,
            "opened_at": case.opened_at, "due_at": case.due_at, "closed_at": case.closed_at}
