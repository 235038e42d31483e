"""What the stand-ins share on the wire: starting and stopping, nested forms, faults, dropped connections."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from aiohttp import web

from bot.standins.journal import Clock

HOST = "127.0.0.1"

FaultMode = Literal[
    "timeout_after", "timeout_before", "500", "500_saved", "409", "429", "drop_after", "drop_before",
    "decline", "pending",
]  # fmt: skip
#: Faults of what a request does, not of its way: taken where the money would move.
DEEP: frozenset[FaultMode] = frozenset({"decline", "pending"})


@dataclass(frozen=True)
class Running:
    """A stand-in that is listening. `url` has no trailing slash."""

    url: str
    port: int
    runner: web.AppRunner

    async def stop(self) -> None:
        await self.runner.cleanup()


async def start(app: web.Application, port: int = 0) -> Running:
    """Listen on loopback; port 0 takes a free one. Stop with `await running.stop()`."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, HOST, port)
    await site.start()
    bound = int(runner.addresses[0][1])
    return Running(f"http://{HOST}:{bound}", bound, runner)


def serve(app: web.Application, port: int) -> None:
    """Run until SIGTERM or SIGINT. The first line on standard output is {"url", "port"}."""
    asyncio.run(_serve(app, port))


async def _serve(app: web.Application, port: int) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    running = await start(app, port)
    print(json.dumps({"url": running.url, "port": running.port}), flush=True)
    await stopping.wait()
    await running.stop()


def argument_parser(name: str) -> argparse.ArgumentParser:
    """The options that all three command lines have."""
    parser = argparse.ArgumentParser(prog=f"python -m bot.standins.{name}", description=f"A local {name} stand-in.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port and prints it")
    parser.add_argument("--journal", required=True, help="append-only file; an existing one is continued")
    parser.add_argument("--clock", help="an instant with offset, ISO 8601; the clock starts there and runs on")
    return parser


def clock_from(text: str | None) -> Clock:
    """A clock that starts at the given instant and runs on, or the real one.

    Raises ValueError when the instant has no offset.
    """
    if text is None:
        return time.time
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("--clock needs an offset, as in 2026-11-03T10:00:00-05:00")
    shift = moment.timestamp() - time.time()
    return lambda: time.time() + shift


class FormError(ValueError):
    """A form key that is not a[b][0][c]."""


def nest(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Turn a[b][0][c]=x pairs into dicts and lists; raises FormError on a malformed or contradictory key."""
    root: dict[str, Any] = {}
    for key, value in pairs:
        _place(root, _steps(key), value, key)
    return {name: _listed(node) for name, node in root.items()}


def _steps(key: str) -> list[str]:
    if not re.fullmatch(r"[^\[\]]+(\[[^\[\]]*\])*", key):
        raise FormError(f"Invalid parameter name: {key}")
    head, *rest = re.findall(r"[^\[\]]+|\[[^\[\]]*\]", key)
    return [head, *(step[1:-1] for step in rest)]


def _place(node: dict[str, Any], steps: list[str], value: str, key: str) -> None:
    *path, last = steps
    for step in path:
        node = node.setdefault(step, {})
        if not isinstance(node, dict):
            raise FormError(f"Invalid parameter: {key} is both a value and an object")
    if last == "":
        last = str(len(node))
    node[last] = value


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    inner = {key: _listed(value) for key, value in node.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


@dataclass
class Fault:
    """What goes wrong for the next `times` requests that match; `delay_ms` is how long a timeout hangs.

    `verb` narrows to POST or GET; `wanted` is all that the control request said.
    """

    match: str
    mode: FaultMode
    times: int = 1
    delay_ms: int = 60_000
    verb: str = ""
    wanted: dict[str, Any] = field(default_factory=dict)


class Faults:
    """Faults waiting to be taken, first asked first served."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def set(self, match: str, wanted: dict[str, Any]) -> None:
        """Raises ValueError for a mode that does not exist; mode "none" forgets the faults of this match."""
        name = wanted.get("mode")
        if name == "none":
            self._waiting = [fault for fault in self._waiting if fault.match != match]
            return
        modes: tuple[FaultMode, ...] = get_args(FaultMode)
        chosen = [mode for mode in modes if mode == name]
        if not chosen:
            raise ValueError(f"mode must be none or one of {', '.join(modes)}")
        times, delay_ms = int(wanted.get("times", 1)), int(wanted.get("delay_ms", 60_000))
        self._waiting.append(Fault(match, chosen[0], times, delay_ms, str(wanted.get("verb", "")), wanted))

    def take(self, *matches: str, verb: str = "") -> Fault | None:
        """The first fault on the way that is set for any of these, used up by one."""
        return self._take(lambda fault: fault.mode not in DEEP and fault.verb in ("", verb), matches)

    def take_deep(self, mode: FaultMode, *matches: str) -> Fault | None:
        """The first fault of this mode, one of DEEP, that is set for any of these, used up by one."""
        return self._take(lambda fault: fault.mode == mode, matches)

    def _take(self, fits: Callable[[Fault], bool], matches: tuple[str, ...]) -> Fault | None:
        for fault in self._waiting:
            if fault.match in matches and fits(fault):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None


def drop(request: web.Request) -> web.Response:
    """Cut the connection without a byte of answer. The response returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=204)


async def hang(request: web.Request, delay_ms: int) -> web.Response:
    """Keep the caller waiting, then cut the connection."""
    await asyncio.sleep(delay_ms / 1000)
    return drop(request)


async def control_body(request: web.Request) -> dict[str, Any]:
    """The JSON object of a /_standin request; answers 400 with a reason when it is not one."""
    try:
        body = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="the body must be a JSON object") from error
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body must be a JSON object")
    return body
