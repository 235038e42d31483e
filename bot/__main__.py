"""The command line, ``plainbill``. Starts in a fraction of a second: see ``bot/cli/lazy.py``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bot.cli.exits import report
from bot.cli.lazy import LazyGroup

app = typer.Typer(cls=LazyGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  context_settings={"help_option_names": ["-h", "--help"]})


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"plainbill {version('plainbill')}")
        except PackageNotFoundError:
            print("plainbill (not installed)")
        raise typer.Exit


@app.callback()
def plainbill(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True,
                                          help="Print the version and stop.")] = False,
) -> None:
    """The patient billing bot that can show its working."""


def main() -> None:
    """Run a command; every error ends as a message and an exit code, never as a traceback."""
    try:
        app(prog_name="plainbill")
    except Exception as error:  # noqa: BLE001 - the one place where errors become words
        sys.exit(report(error))


if __name__ == "__main__":
    main()
