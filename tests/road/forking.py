"""How the crash tests drive a process: started once, it forks a child for each life, so that a life takes a moment.

Standard input: one JSON object per line, of which ``failpoint`` says where the child is to be killed. Standard output:
the exit code of the child, -9 when killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from bot import failpoints
from bot.logs import configure_logs
from handlers.understanding import reader

ROOT = Path(__file__).parents[2]
_LOCKS: LiteralString = ("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
                         "(SELECT oid FROM pg_database WHERE datname = current_database())")
Live = Callable[[dict[str, Any]], Awaitable[None]]


def serve_lives(live: Live, warm_up: Callable[[], None]) -> None:
    """The process's main function. ``warm_up`` pays for imports and mappings once, before the first fork."""
    configure_logs("error")  # to standard error: standard output is for exit codes
    warm_up()
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _run(live, json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def only_imports() -> None:
    """For ``warm_up``: what the module imports is all that its lives need."""


def load_model() -> None:
    """For ``warm_up``: a life that reads a text would load the sentence encoder anew, which takes two seconds."""
    reader.prepare("good morning")


def _run(live: Live, order: dict[str, Any]) -> None:
    async def one() -> None:
        await live(order)

    try:
        failpoints.arm(order["failpoint"])
        asyncio.run(one())
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


@contextlib.contextmanager
def running(module: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as started:
        yield started
        assert started.stdin is not None
        started.stdin.close()
        started.wait(30)


def live_once(process: subprocess.Popen[str], order: dict[str, Any]) -> int:
    """One life; returns the exit code of the child."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()
    code = int(process.stdout.readline())
    if code == -9 and str(order.get("url")).startswith("postgresql"):
        _let_go(order["url"])
    return code


def _let_go(url: str) -> None:
    """The server needs a moment to see that its client is gone; until then it keeps the dead one's locks."""
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(200):
            if connection.execute(_LOCKS).fetchone() == (0,):
                return
            time.sleep(0.05)
