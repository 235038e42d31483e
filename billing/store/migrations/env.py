"""Run by Alembic for every command; the connection and its transaction belong to billing/store/schema.py."""

from __future__ import annotations

from alembic import context

from billing.store.migrations.comparison import compare_type, render_item
from billing.store.tables import Base


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("migrations are run by `plainbill db upgrade`, which brings the connection")
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True,
                      render_item=render_item, compare_type=compare_type)
    context.run_migrations()


run()
