"""Starts processes of ``plainbill serve --role ...`` for the chaos: imported once, forked for each life.

Standard input: one JSON object per line. {"start": environment, "folder": path, "role": ..., "clock": [...],
"failpoint": ...} answers the process id; {"poll": pid} its exit code or null. As tests/scenarios/serving.py, with a
clock that all processes share and that runs faster, and jobs that tick as much faster.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import traceback
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic_ns
from typing import Any

from tests.scenarios.serving import MODULES, ROOT, obey


@dataclass(frozen=True)
class FastClock:
    """``start`` was at ``began_ns`` of the machine's monotonic clock; since then time has run ``speed`` times as fast.
    Every process of the machine reads the same instant.
    """

    start: datetime
    began_ns: int
    speed: int

    def now(self) -> datetime:
        return self.start + timedelta(microseconds=(monotonic_ns() - self.began_ns) * self.speed // 1000)

    def timestamp(self) -> float:
        return self.now().timestamp()

    def as_json(self) -> list[Any]:
        return [self.start.isoformat(), self.began_ns, self.speed]

    @classmethod
    def from_json(cls, kept: list[Any]) -> FastClock:
        return cls(datetime.fromisoformat(kept[0]), int(kept[1]), int(kept[2]))


class Nursery:
    """The test's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", "tests.chaos.child"], cwd=ROOT, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)

    def start(self, environment: dict[str, str], folder: Path, role: str, clock: FastClock, failpoint: str) -> int:
        return int(self._ask({"start": environment, "folder": str(folder), "role": role, "clock": clock.as_json(),
                              "failpoint": failpoint}))

    def poll(self, pid: int) -> int | None:
        code: int | None = self._ask({"poll": pid})
        return code

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def _ask(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


async def live(role: Any, clock: FastClock) -> None:
    """What ``plainbill serve --role`` does, with the clock handed in."""
    from bot import app as wiring
    from bot.cli.edge import keyring
    from bot.tick import JOBS
    from bot.write import open_store
    from config.settings import load

    settings = load(None)
    quick = tuple(replace(job, every_seconds=max(1, job.every_seconds // clock.speed)) for job in JOBS)
    wiring.JOBS = quick  # type: ignore[attr-defined]
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = open_store(settings.database_url, keyring(settings), upgrade=False)
    async with wiring.wire(settings, store, clock, role) as made:
        await wiring.run(made, stop)
    store.close()


def become(order: dict[str, Any]) -> None:
    log = os.open(f"{order['folder']}/{order['role']}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (0, 1, 2):
        os.dup2(log, stream)
    os.environ.update(order["start"])
    code = 1
    try:
        from bot import failpoints
        from bot.logs import configure_logs

        configure_logs("warning")
        failpoints.arm(order["failpoint"])
        asyncio.run(live(order["role"], FastClock.from_json(order["clock"])))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    for name in [name for name in os.environ if name.startswith("PLAINBILL_")]:
        del os.environ[name]
    for name in MODULES:
        importlib.import_module(name)
    from sqlalchemy.orm import configure_mappers

    from tests.road.process import warm_up

    configure_mappers()
    warm_up()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            pid = os.fork()
            if pid == 0:
                become(order)
            print(json.dumps(pid), flush=True)
        else:
            print(json.dumps(obey(order)), flush=True)


if __name__ == "__main__":
    main()
