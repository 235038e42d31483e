"""Starts ``plainbill serve`` again and again, so that a life takes a moment: imported once, forked for each.

Standard input: one JSON object per line. {"start": environment, "folder": path} answers the process id of a child
that runs the command line in that folder; {"poll": pid} answers its exit code, -9 when killed, or null while it
runs; {"wait": pid} waits for it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

#: What a serving process imports, here or when first needed.
MODULES = (
    "bot.__main__", "bot.cli.serve", "bot.app", "bot.turns", "bot.logs", "billing.store.schema",
    "twilio.rest.api.v2010.account.message", "stripe.checkout", "uvicorn.loops.auto", "uvicorn.lifespan.off",
    "uvicorn.protocols.http.auto", "psycopg", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite")


class Server:
    """The test's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.serving"], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def start(self, environment: dict[str, str], folder: Path) -> int:
        return int(self._ask({"start": environment, "folder": str(folder)}))

    def poll(self, pid: int) -> int | None:
        """The exit code; None while it runs. Once told, it is forgotten."""
        code: int | None = self._ask({"poll": pid})
        return code

    def wait(self, pid: int) -> int:
        return int(self._ask({"wait": pid}))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def _ask(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def serve(environment: dict[str, str], folder: str) -> None:
    """Be ``plainbill serve`` until killed. What it says goes to a file, because standard output is the pipe."""
    log = os.open(f"{folder}/serve.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (0, 1, 2):
        os.dup2(log, stream)
    os.chdir(folder)
    os.environ.update(environment)
    sys.argv = ["plainbill", "serve"]
    code = 1
    try:
        from bot import failpoints
        from bot.__main__ import main

        failpoints.arm(os.environ.get(failpoints.VARIABLE, ""))  # a process of its own does so when it imports it
        main()
        code = 0
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else 0 if stopped.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def obey(order: dict[str, Any]) -> int | None:
    if "start" in order:
        child = os.fork()
        if child == 0:
            serve(order["start"], order["folder"])
        return child
    pid = order.get("poll") or order["wait"]
    found, status = os.waitpid(pid, os.WNOHANG if "poll" in order else 0)
    return os.waitstatus_to_exitcode(status) if found else None


def main() -> None:
    for name in [name for name in os.environ if name.startswith("PLAINBILL_")]:
        del os.environ[name]
    for name in MODULES:
        importlib.import_module(name)
    from sqlalchemy.orm import configure_mappers

    from tests.road.process import warm_up

    configure_mappers()
    warm_up()  # what reads texts, and the statements and templates of a turn
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
