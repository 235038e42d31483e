"""A process that is killed in the middle of a call to Stripe (tests/road/forking.py drives it).

A life is ordered by url, stripe, public_url, folder, now, failpoint, call and made: it comes to the one moment in
which the call is made, against the stand-in that the test runs, and goes no further than the failpoint.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from yarl import URL

from bot.write import open_store
from tests.conftest import TEST_KEYS, Clock, maple_clinic
from tests.databases import make_sqlite_template
from tests.faults.calls import CALLS
from tests.faults.scene import Scene, free_port, make_scene, opened
from tests.plans.world import Life
from tests.road.forking import load_model, serve_lives


async def live(order: dict[str, Any]) -> None:
    """One life of a process, at one instant."""
    clock = Clock(datetime.fromisoformat(order["now"]))
    store = open_store(order["url"], TEST_KEYS)
    life = Life(store, clock, maple_clinic(plans={}))
    scene = make_scene(order["url"], life, order["stripe"], order["public_url"], Path(order["folder"]))
    scene.made = dict(order["made"])
    scene = replace(scene, road=replace(scene.road, worker="killed"))
    await _act(scene, order["call"])
    await scene.processor.close()
    store.close()


async def _act(scene: Scene, name: str) -> None:
    call = CALLS[name]
    if not call.page:
        await call.act(scene)
        return
    if "back" in scene.made:  # where Stripe sends the browser to, at the port of this life
        scene.made["back"] = URL(scene.made["back"]).path
    async with scene.serve(free_port()):
        if "path" in scene.made:
            await scene.site.prove(scene.made["path"])
        await call.act(scene)


def warm_up() -> None:
    """Live once on a database of its own before the first fork, so that imports and mappings are paid once."""
    from billing.store.seal import install_keyring

    install_keyring(TEST_KEYS)
    load_model()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_warm(Path(folder)))


async def _warm(folder: Path) -> None:
    store = open_store(f"sqlite:///{make_sqlite_template(folder)}", TEST_KEYS)
    async with opened("", store, Clock(), folder) as scene, scene.serve():
        await CALLS["open_checkout"].ready(scene)
        await CALLS["open_checkout"].act(scene)
    store.close()


if __name__ == "__main__":
    serve_lives(live, warm_up)
