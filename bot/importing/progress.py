"""A progress bar in bytes over both passes of a file; quiet where output is for programs or the file is small."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.importing.checking import Progress

WORTH_A_BAR_BYTES = 2_000_000


@contextmanager
def bar(path: Path, *, quiet: bool) -> Iterator[Progress | None]:
    """Yield a function to call with bytes read, or None where nothing should be drawn."""
    size = path.stat().st_size
    if quiet or size < WORTH_A_BAR_BYTES or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn(path.name), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TransferSpeedColumn(),
               TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task("", total=size * 2)
        yield lambda count: shown.advance(task, count)
