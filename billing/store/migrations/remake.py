"""Write the initial revision anew from the tables: ``python -m billing.store.migrations.remake``.

Only for the time before the first release; afterwards every change of a table is a revision of its own, and this
file goes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext

from billing.store.engine import make_engine
from billing.store.migrations.comparison import compare_type, render_item
from billing.store.tables import ADD_ONLY, APPEND_ONLY, Base

TARGET = Path(__file__).parent / "versions" / "0001_initial.py"

_PAGE = '''"""Everything, and the triggers that make the posted rows append-only. Written by remake.py."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from billing.store.append_only import refuse_changes, refuse_edits

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = {tables}
ADD_ONLY = {kept}


def upgrade() -> None:
    {creation}
    dialect = op.get_context().dialect.name
    for statement in [*refuse_changes(dialect, APPEND_ONLY), *refuse_edits(dialect, ADD_ONLY)]:
        op.execute(statement)
'''


def initial_revision() -> str:
    """Return the text of the initial revision, as Alembic derives it from the tables."""
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{folder}/empty.db")
        options = {"render_item": render_item, "compare_type": compare_type, "render_as_batch": False,
                   "user_module_prefix": None, "sqlalchemy_module_prefix": "sa.", "alembic_module_prefix": "op."}
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts=options)
            operations = produce_migrations(context, Base.metadata).upgrade_ops
        engine.dispose()
    if operations is None:
        raise RuntimeError("Alembic derived nothing from the tables")
    creation = render_python_code(operations, render_item=render_item, migration_context=context)
    creation = creation.replace("astext_type=Text()", "astext_type=sa.Text()")
    lines = [line for line in creation.splitlines() if not line.lstrip().startswith("#")]
    return _PAGE.format(creation="\n".join(lines).strip(), tables=repr(APPEND_ONLY).replace("'", '"'),
                        kept=repr(ADD_ONLY).replace("'", '"'))


if __name__ == "__main__":
    TARGET.write_text(initial_revision(), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--line-length", "120", str(TARGET)], check=True)
