"""Triggers by which the database itself refuses to change what was posted (DESIGN.md, "The ledger")."""

from __future__ import annotations

from collections.abc import Sequence


def refuse_changes(dialect: str, tables: tuple[str, ...]) -> list[str]:
    """Return the DDL that makes ``tables`` append-only; ``dialect`` is sqlite or postgresql."""
    if dialect == "sqlite":
        return [_sqlite(table, verb) for table in tables for verb in ("UPDATE", "DELETE")]
    return [_FUNCTION, *(statement for table in tables for statement in _postgresql(table))]


def refuse_edits(dialect: str, kept: Sequence[tuple[str, tuple[str, ...]]]) -> list[str]:
    """The same for tables whose sealed columns a new key seals anew: their other columns and their rows stay.

    ``kept``: each table with those columns. On PostgreSQL run it after ``refuse_changes``, whose function it uses.
    """
    if dialect == "sqlite":
        return [ddl for table, columns in kept
                for ddl in (_sqlite(table, "UPDATE", f" OF {', '.join(columns)}"), _sqlite(table, "DELETE"))]
    return [ddl for table, columns in kept for ddl in _postgresql(table, f" OF {', '.join(columns)}")]


def _sqlite(table: str, verb: str, of: str = "") -> str:
    return (f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb}{of} ON {table} BEGIN "
            f"SELECT RAISE(ABORT, '{table} is append-only: add a correcting row instead'); END")


_FUNCTION = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: add a correcting row instead', TG_TABLE_NAME USING ERRCODE = '23001';
END $$
"""


def _postgresql(table: str, of: str = "") -> tuple[str, str]:
    # ALWAYS: a session that poses as a replica would otherwise slip past the trigger.
    trigger = (f"CREATE TRIGGER {table}_append_only BEFORE UPDATE{of} OR DELETE OR TRUNCATE ON {table} "
               "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
    return (trigger, f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")
