"""Runs one cell: up to the call, through the fault, into the next day; and says what was to be seen."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.faults import observing
from tests.faults.calls import CALLS, paid_charges
from tests.faults.scene import STEPS, Scene
from tests.faults.table import Cell, Seen
from tests.road.forking import live_once

KILLED = -9

#: A fault that stays: looked at again after so long, with the fault still there.
DAY = (timedelta(minutes=1), timedelta(hours=23), timedelta(minutes=30), timedelta(minutes=30))
#: After an answer that leaves no doubt.
SHORT = (timedelta(minutes=5), timedelta(hours=24), timedelta(hours=2))
DAYS = (timedelta(minutes=1), timedelta(days=1), timedelta(days=1), timedelta(days=1))


@dataclass(frozen=True)
class Outcome:
    """``charged``: cents of each charge that Stripe took; ``left``: calls without an end; ``apart``: what processor and
    ledger do not agree on; ``again``: how things stand when every event has come twice after all.
    """

    at_once: Seen
    after: Seen
    charged: tuple[int, ...]
    left: list[str]
    apart: list[str]
    again: Seen


async def run(cell: Cell, scene: Scene, process: subprocess.Popen[str] | None = None) -> Outcome:
    """``process`` is the one to be killed, where the cell wants that."""
    call = CALLS[cell.call]
    async with scene.serve() if call.page else nullcontext():
        await call.ready(scene)
        scene.before = scene.store.read(observing.sent_before)
        scene.made.pop("page", None)
        if process is not None:
            await _die(cell, scene, process)
        else:
            await _fail(cell, scene)
            await call.act(scene)
        at_once = observing.look(scene)
        scene.made.pop("page", None)
        for span in {"for a day": DAY, "for days": DAYS}.get(cell.lasts, ()):
            await scene.wait(span)
        await scene.mend(call.path)
        await call.then(scene)
        await scene.pass_time(SHORT if cell.fault.startswith("declined") else STEPS)
        after = observing.look(scene)
        left, apart = observing.calls_left(scene), await scene.reconcile()
        await scene.hear()
        await scene.work()
        return Outcome(at_once, after, tuple(paid_charges(scene)), left, apart, observing.look(scene))


async def _fail(cell: Cell, scene: Scene) -> None:
    call = CALLS[cell.call]
    mode, _, code = cell.fault.partition(":")
    if mode == "declined":
        await scene.fault("decline", call.path, decline_code=code)
        return
    await scene.fault(mode, call.path, verb=call.verb, times=9_999)  # until it is mended


async def _die(cell: Cell, scene: Scene, process: subprocess.Popen[str]) -> None:
    order: dict[str, Any] = {
        "url": scene.url, "stripe": scene.server.url, "public_url": scene.road.public_url, "call": cell.call,
        "folder": str(scene.folder), "now": scene.clock().isoformat(), "made": scene.made,
        "failpoint": cell.fault.partition(":")[2]}
    assert await asyncio.to_thread(live_once, process, order) == KILLED
