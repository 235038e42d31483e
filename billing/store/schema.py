"""Bring a database to the schema of this release, and say which one it has."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from billing.store.engine import writer

_MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaMismatch(Exception):
    """The database has another schema than this release; the text says what to do."""


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, made here so that a user needs no alembic.ini."""
    made = Config()
    made.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


@cache
def head() -> str:
    """Return the one newest revision."""
    found = ScriptDirectory.from_config(config()).get_current_head()
    if found is None:
        raise SchemaMismatch("this installation has no migrations; install it again")
    return found


def current(engine: Engine) -> str | None:
    """Return the database's revision; None for an empty database."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Run all missing migrations in one transaction; a database made by a newer release is refused."""
    with writer(engine).connect() as connection:
        if engine.dialect.name == "sqlite":
            # Has no effect inside a transaction, and a table rebuilt by a migration would drop its children's rows.
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                command.upgrade(config(connection), "head")
        finally:
            if engine.dialect.name == "sqlite":
                connection.connection.cursor().execute("PRAGMA foreign_keys=ON")


def require_head(engine: Engine) -> None:
    """Raise SchemaMismatch unless the database is at this release's schema."""
    found = current(engine)
    if found != head():
        raise SchemaMismatch(f"the database is at schema {found or 'none'}, this release needs {head()}; "
                             "run `plainbill db upgrade` (or install the release that made it)")
