"""``plainbill db``: the schema."""

from __future__ import annotations

import typer

from bot.cli.edge import AsJson, make_folder, print_json

app = typer.Typer(no_args_is_help=True, help="Bring the database to this release's schema.")


@app.callback()
def db() -> None:
    """Bring the database to this release's schema."""


@app.command()
def upgrade(as_json: AsJson = False) -> None:
    """Run the missing migrations, all in one transaction. Take a backup first."""
    from billing.store import schema
    from billing.store.engine import make_engine
    from config.settings import load

    settings = load()
    make_folder(settings.database_url)
    engine = make_engine(settings.database_url)
    try:
        before = schema.current(engine)
        schema.upgrade(engine)
        after = schema.current(engine)
    finally:
        engine.dispose()
    if as_json:
        print_json({"before": before, "after": after})
    elif before == after:
        print(f"The schema is already {after}.")
    else:
        print(f"The schema went from {before or 'none'} to {after}.")
