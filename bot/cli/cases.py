"""``plainbill cases``: what patients handed over to a person."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.edge import AsJson, Edge, context, print_fields, print_json, print_table, require_right
from bot.cli.exits import NOT_FOUND, REFUSED, USAGE, Stop, sentence

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from billing.case_files import FileFacts
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
    """Show one case with everything that was said about it, and what files the patient sent."""
    from billing import case_files, cases

    def read(session: Session) -> dict[str, Any]:
        case = _find(session, edge, ref)
        files = case_files.list_files(session, case.id)
        said = [{"at": n.at, "by": n.by, "kind": n.kind, "body": n.body} for n in cases.notes(session, case.id)]
        return _shown(case) | {"reason": case.reason, "detail": case.detail, "resolution": case.resolution,
                               "notes": said, "files": [_file(one) for one in files]}

    with context() as edge:
        facts = edge.read(read, "case", lambda shown: str(shown["id"]), "cases show")
    if as_json:
        print_json(facts)
        return
    print_fields({name: value for name, value in facts.items() if name not in ("notes", "files")})
    for one in facts["files"]:
        print(f"\nfile {one['number']}  {one['label']}, {one['media_type']}, {one['bytes']} bytes, "
              f"{one['sent_at']:%Y-%m-%d %H:%M} UTC: plainbill cases file {facts['number']} {one['number']} --out PATH")
    for note in facts["notes"]:
        print(f"\n{note['at']:%Y-%m-%d %H:%M} UTC  {note['by']}  {note['kind']}\n  {note['body']}")


@app.command("file")
def save_file(
    ref: Ref,
    number: Annotated[int, typer.Argument(help="The file's number, from `plainbill cases show`.")],
    out: Annotated[Path, typer.Option("--out", dir_okay=False, help="Where to save it; nothing is overwritten.")],
    as_json: AsJson = False,
) -> None:
    """Save a picture or paper that the patient sent. It is private: keep it where only your office can read it."""
    from billing import case_files

    def read(session: Session) -> tuple[str, dict[str, Any], bytes]:
        case = _find(session, edge, ref)
        require_right(session, edge, "cases")
        opened = case_files.open_file(session, case.id, number)
        if opened is None:
            raise Stop(f"There is no file {number} in case {ref}; `plainbill cases show {ref}` lists them.", NOT_FOUND)
        return case.id, _file(opened[0]), opened[1]

    if out.exists():
        raise Stop(f"{out} is there already; choose another name.", USAGE)
    with context() as edge:
        _, facts, content = edge.read(read, "case", lambda found: found[0], f"cases file {number}")
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    if as_json:
        print_json(facts | {"path": str(out)})
    else:
        print(f"Saved {facts['label']} ({facts['media_type']}, {facts['bytes']} bytes) to {out}.")


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
    by: Annotated[str, typer.Option("--by", help="Login of who clears it; an emergency needs one of the list.")] = "",
    as_json: AsJson = False,
) -> None:
    """Close a case and release the hold that it carried. An emergency is cleared by a named person only."""
    from billing import cases

    def run(session: Session) -> dict[str, Any]:
        require_right(session, edge, "cases")
        _find(session, edge, ref)
        try:
            return _shown(cases.close(session, edge.practice_id, ref, by=by or edge.actor, resolution=resolution,
                                      now=edge.now()))
        except cases.CaseRefused as refused:
            raise Stop(f"{sentence(refused)} Say who with --by LOGIN.", REFUSED) from refused

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
    from billing import cases
    from billing.store.road_queries import lock_conversation_by_id
    from bot import staff_replies

    talk = lock_conversation_by_id(session, case.conversation_id) if case.conversation_id else None
    if talk is None:
        return None
    number = sum(note.kind == "reply" for note in cases.notes(session, case.id))
    return staff_replies.queue(session, edge.policy, talk, words, f"case:{case.id}:reply:{number}", edge.now(),
                               case.guarantor_id)


def _file(facts: FileFacts) -> dict[str, Any]:
    return {"number": facts.number, "label": facts.label, "media_type": facts.media_type, "bytes": facts.bytes_count,
            "sent_at": facts.sent_at}


def _message(row: Outbox) -> dict[str, Any]:
    return {"id": row.id, "status": row.status, "segments": row.segments}


def _shown(case: Case) -> dict[str, Any]:
    return {"number": case.number, "id": case.id, "kind": case.kind, "title": case.title, "status": case.status,
            "owner": case.owner, "level": case.level, "account": case.guarantor_id, "visit": case.visit_id,
            "opened_at": case.opened_at, "due_at": case.due_at, "closed_at": case.closed_at}
