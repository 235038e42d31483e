"""Triggers by which the database itself refuses to change what was posted (DESIGN.md, "The ledger")."""

from __future__ import annotations


def refuse_changes(dialect: str, tables: tuple[str, ...]) -> list[str]:
    """Return the DDL that makes ``tables`` append-only; ``dialect`` is sqlite or postgresql."""
    if dialect == "sqlite":
        return [_sqlite(table, verb) for table in tables for verb in ("UPDATE", "DELETE")]
    return [_FUNCTION, *(statement for table in tables for statement in _postgresql(table))]


def _sqlite(table: str, verb: str) -> str:
    return (f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN "
            f"SELECT RAISE(ABORT, '{table} is append-only: add a correcting row instead'); END")


_FUNCTION = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: add a correcting row instead', TG_TABLE_NAME USING ERRCODE = '23001';
END $$
"""


def _postgresql(table: str) -> tuple[str, str]:
    # ALWAYS: a session that poses as a replica would otherwise slip past the trigger.
    trigger = (f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
               "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
    return (trigger, f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")
