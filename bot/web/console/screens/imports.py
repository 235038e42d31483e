"""Imports: a file is uploaded, tried, and posted when somebody says so; the history with what was not posted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field
from sqlalchemy.orm import Session

from billing import received_files
from billing.console import imports
from billing.console.imports import Given, Imports, RunPage
from billing.store import upload_queries
from billing.store.tables import ImportFile
from bot.importing import received
from bot.web.console.fields import Id, Maybe, Ticked, content
from bot.web.console.table import Action, Asked, Done, Form, Nothing, Seen, View, of_practice, there

#: Column maps that come with the program, by name (config/maps).
Map = Literal["", "synthea", "synthea-patients"]


def _own_name(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("the file's name is text")  # noqa: TRY004 - pydantic takes a ValueError
    return received_files.plain_name(value)


def _content(value: Any) -> bytes:
    found = content(value)
    if not found:
        raise ValueError("choose a file first; an empty one holds nothing to import")
    return found


class Query(Form):
    """``before_at``, ``before_id``: where the page before ended."""

    before_at: AwareDatetime | None = None
    before_id: Maybe[Id] = None


class Upload(Form):
    """``called``: the file's own name. ``column_map``: for CSV files with columns of their own."""

    file: Annotated[bytes, BeforeValidator(_content)]
    called: Annotated[str, Field(max_length=200), BeforeValidator(_own_name)] = "file"
    column_map: Map = ""


class Post(Form):
    """``skip_bad_claims``: post the rest of a file with claims or rows that do not add up."""

    skip_bad_claims: Ticked = False


def read(session: Session, asked: Asked[Query]) -> Imports:
    """Files that wait for somebody, and all imports, the newest first."""
    query = asked.query
    before = (query.before_at, query.before_id or "") if query.before_at else None
    return imports.listed(session, asked.practice_id, before)


def show(session: Session, asked: Asked[Nothing]) -> Given | None:
    """One uploaded file: what posting it would do, or how far it is."""
    return imports.file(session, asked.practice_id, asked.path["upload_id"])


def show_run(session: Session, asked: Asked[Nothing]) -> RunPage | None:
    """One import with every claim or row that was not posted."""
    return imports.run(session, asked.practice_id, asked.path["import_id"])


def upload(session: Session, asked: Asked[Upload]) -> Done:
    """Keep a file and try it; nothing of it is posted."""
    form = asked.query
    row = received_files.keep(session, asked.practice_id, name=form.called, content=form.file,
                              column_map=form.column_map, by=asked.person.login, now=asked.now)
    return _to(row.id, "")


def post(session: Session, asked: Asked[Post]) -> Done:
    """Post a file that was tried."""
    row = _file(session, asked)
    received_files.ask_to_post(session, row, skip_bad_claims=asked.query.skip_bad_claims, by=asked.person.login,
                               now=asked.now)
    return _to(row.id, "")


def drop(session: Session, asked: Asked[Nothing]) -> Done:
    """Throw a file away that was not posted."""
    row = _file(session, asked)
    received_files.drop(session, row, by=asked.person.login, now=asked.now)
    return Done("import_file", row.id, "/imports", "file_dropped")


async def work(asked: Asked[Any], done: Done) -> None:
    await received.begin(asked.wiring.road, done.object_id)


def _to(upload_id: str, note: str) -> Done:
    return Done("import_file", upload_id, f"/imports/files/{upload_id}", note, {"upload_id": upload_id})


def _file(session: Session, asked: Asked[Any]) -> ImportFile:
    found = upload_queries.find(session, asked.practice_id, asked.path["upload_id"])
    return there(upload_queries.lock(session, found.id) if found is not None else None)


_ONE = "/imports/files/{upload_id}"
VIEWS = (
    View("imports", "/imports", "read", read, Imports, Query, of_practice("imports")),
    View("import_file", _ONE, "read", show, Given, seen=lambda found: Seen("import_file", found.upload_id)),
    View("import_file_live", f"{_ONE}/live", "read", show, Given,
         seen=lambda found: Seen("import_file", found.upload_id), quiet=True),
    View("import_run", "/imports/{import_id}", "read", show_run, RunPage,
         seen=lambda found: Seen("import", found.run.import_id)),
)
ACTIONS = (
    Action("import.upload", "/imports", "import", Upload, upload, upload=True, after=work),
    Action("import.post", f"{_ONE}/post", "import", Post, post, after=work),
    Action("import.drop", f"{_ONE}/drop", "import", Nothing, drop),
)
