"""Imports: tried before anything is posted, every refused claim with its reason, and no worker's death loses a file."""

from __future__ import annotations

import asyncio
import re
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing import imports, received_files
from billing.store.tables import ImportFile, ImportPart, ImportRun, RemittanceClaim, Transfer
from bot.importing import files, received
from tests.console.conftest import Desk
from tests.payments import world

SAMPLES = Path(__file__).parents[1] / "samples" / "x12"
GOOD, BAD = "deductible-coinsurance-copay.835", "imbalance-charge.835"


@pytest.fixture
async def biller(desk: Desk, practice: Any) -> Desk:
    await desk.as_role("biller")
    await desk.get("/console/imports")
    return desk


async def give(desk: Desk, name: str) -> str:
    """Upload a file; return the address of its page."""
    with (SAMPLES / name).open("rb") as opened:
        status, body = await desk.post("/console/imports", {"file": opened})
    assert status == 303, body
    page = desk.location.partition("?")[0]
    await worked(desk)
    return page


async def worked(desk: Desk) -> None:
    """Wait for the thread that works on files: a press waits a moment only, and this machine may be slow."""
    for _ in range(600):
        if received.GRACE_SECONDS == 0 or not desk.store.read(lambda s: s.scalars(select(ImportFile.id).where(
                ImportFile.status.in_(("received", "checking", "asked", "posting")))).all()):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the file is worked on for half a minute")


def counts(desk: Desk) -> tuple[int, int, int]:
    """Imports, transfers, and pieces of files that are kept."""
    return desk.store.read(lambda s: (s.scalar(select(func.count()).select_from(ImportRun)) or 0,
                                      s.scalar(select(func.count()).select_from(Transfer)) or 0,
                                      s.scalar(select(func.count()).select_from(ImportPart)) or 0))


async def test_a_file_shows_what_it_would_post_and_posts_it_only_when_told_to(biller: Desk) -> None:
    page = await give(biller, GOOD)
    status, body = await biller.get(page)
    assert status == 200 and "checked, not posted" in body and "to the cent" in body and GOOD in body
    assert counts(biller) == (0, 0, 1)
    assert (await biller.post(f"{page}/post"))[0] == 303
    await worked(biller)
    _, body = await biller.get(page)
    assert "Open the import" in body
    runs, transfers, pieces = counts(biller)
    assert (runs, pieces) == (1, 0) and transfers > 0
    _, history = await biller.get("/console/imports")
    found = re.search(r'href="(/console/imports/imp_[^"]+)">' + re.escape(GOOD), history)
    assert found is not None
    assert (await biller.get(found[1]))[0] == 200


def report(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] | None = desk.store.read(lambda s: s.scalars(select(ImportFile)).one().report)
    assert found is not None
    return found


async def test_the_trial_foretells_to_the_cent_what_posting_does(biller: Desk) -> None:
    page = await give(biller, GOOD)
    tried = report(biller)
    await biller.get(page)
    await biller.post(f"{page}/post")
    await worked(biller)
    posted = report(biller)
    rows = biller.store.read(lambda s: s.scalars(select(RemittanceClaim)).all())
    assert {k: v for k, v in tried.items() if k != "import_id"} == {k: v for k, v in posted.items() if k != "import_id"}
    assert (tried["claims"], tried["paid_minor"]) == (len(rows), sum(row.paid_minor for row in rows))


async def test_a_file_that_was_posted_before_says_so_and_by_whom(biller: Desk) -> None:
    await biller.post(f"{await give(biller, GOOD)}/post")
    await worked(biller)
    again = await give(biller, GOOD)
    _, body = await biller.get(again)
    assert "posted before" in body and "Show that import" in body and "known, nothing new" in body
    assert (await biller.post(f"{again}/post"))[0] == 409


async def test_a_claim_that_does_not_add_up_is_named_with_its_reason_and_the_rest_can_be_posted(biller: Desk) -> None:
    page = await give(biller, BAD)
    _, body = await biller.get(page)
    assert "MS-1034" in body and "refused" in body and "--skip" not in body
    assert (await biller.post(f"{page}/post"))[0] == 409
    assert counts(biller)[1] == 0
    assert (await biller.post(f"{page}/post", {"skip_bad_claims": "true"}))[0] == 303
    await worked(biller)
    run = biller.store.read(lambda s: s.scalars(select(ImportRun)).one())
    assert run.outcome == "partial"
    _, told = await biller.get(f"/console/imports/{run.id}")
    assert "MS-1034" in told and "left out" in told
    _, waiting = await biller.get("/console/money/suspense")
    assert "MS-1034" in waiting


async def test_what_no_importer_reads_is_refused_in_words_and_thrown_away_whole(biller: Desk) -> None:
    with (SAMPLES / "README.md").open("rb") as opened:
        await biller.post("/console/imports", {"file": opened})
    page = biller.location.partition("?")[0]
    await worked(biller)
    _, body = await biller.get(page)
    assert "no X12 835" in body
    assert (await biller.post(f"{page}/drop"))[0] == 303
    assert counts(biller) == (0, 0, 0)
    assert (await biller.post("/console/imports", {"called": "nothing"}))[0] == 422


async def test_a_file_whose_worker_died_is_followed_up_where_it_stood(biller: Desk) -> None:
    page = await give(biller, GOOD)
    road, file_id = biller.wiring.road, page.rpartition("/")[2]
    row = biller.store.read(lambda s: s.scalars(select(ImportFile)).one())
    biller.store.write(lambda s: received_files.ask_to_post(
        s, s.get_one(ImportFile, row.id), skip_bad_claims=False, by="ana", now=biller.clock()))
    turn = partial(received_files.take_turn, file_id=file_id, worker="dead", now=biller.clock())
    assert biller.store.write(turn) is not None
    assert biller.store.write(turn) is None, "one worker at a time"
    assert await received.resume(road) == 0, "it may still live"
    biller.clock.advance(seconds=360)
    assert await received.resume(road) == 1
    assert biller.store.read(lambda s: s.scalars(select(ImportFile.status)).one()) == "done"
    assert counts(biller)[0] == 1


async def test_a_file_that_nobody_posts_is_forgotten_after_a_week(biller: Desk) -> None:
    await give(biller, GOOD)
    assert await received.resume(biller.wiring.road) == 0
    biller.clock.advance(seconds=int(timedelta(days=8).total_seconds()))
    assert await received.resume(biller.wiring.road) == 1
    assert counts(biller) == (0, 0, 0)


@pytest.mark.parametrize(("given", "kept"), [
    ("C:\\files\\era.835", "era.835"), ("../../etc/passwd", "passwd"), ("a\x1b[31m.csv", "a[31m.csv"), ("..", "file"),
    ("", "file"), ("\u00e1rea 1.835", "\u00e1rea 1.835")])
def test_a_files_own_name_leads_nowhere(given: str, kept: str) -> None:
    assert received_files.plain_name(given) == kept


async def test_nobody_waits_for_a_long_import_and_its_page_tells_when_it_is_over(
        biller: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "GRACE_SECONDS", 0)
    free = threading.Event()
    busy = [received._threads.submit(free.wait, 30) for _ in range(received.AT_ONCE)]
    try:
        page = await give(biller, GOOD)
        _, body = await biller.get(f"{page}/live")
        assert "in line" in body and 'hx-trigger="every 2s"' in body
        assert (await biller.get("/console/imports"))[0] == 200, "the process goes on serving"
    finally:
        free.set()
    assert all(one.result() for one in busy)
    for _ in range(200):
        _, body = await biller.get(f"{page}/live")
        if "checked, not posted" in body:
            break
        await asyncio.sleep(0.05)
    assert "checked, not posted" in body and "hx-trigger" not in body


async def test_a_file_that_could_not_be_read_leaves_nothing_of_anybody_behind(biller: Desk) -> None:
    await give(biller, GOOD)
    (row,) = biller.store.read(lambda s: s.scalars(select(ImportFile)).all())
    biller.store.write(lambda s: received_files.ask_to_post(
        s, s.get_one(ImportFile, row.id), skip_bad_claims=False, by="ana", now=biller.clock()))
    turn = biller.store.write(partial(received_files.take_turn, file_id=row.id, worker="w", now=biller.clock()))
    assert turn is not None and counts(biller)[2] == 1
    biller.store.write(partial(received_files.end_turn, turn=turn, worker="w", report=None, failure="broken"))
    assert counts(biller)[2] == 0


async def test_no_more_files_wait_than_somebody_can_look_at(biller: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received_files, "MOST_WAITING", 1)
    page = await give(biller, BAD)
    with (SAMPLES / GOOD).open("rb") as opened:
        status, body = await biller.post("/console/imports", {"file": opened})
    assert status == 409 and "wait already" in body
    await biller.get(page)
    await biller.post(f"{page}/drop")
    await give(biller, GOOD)


@pytest.mark.parametrize(("lang", "state", "why"), [
    ("en", "waiting for another file", "another file with the same remittance came first"),
    ("es", "a la espera de otro archivo", "otro archivo con la misma remesa llegó antes")])
async def test_an_import_that_other_bytes_came_before_is_said_to_wait_in_both_languages(
        biller: Desk, lang: str, state: str, why: str) -> None:
    def stopped(session: Session) -> None:
        run = imports.begin(session, world.PRACTICE, file_name="may.835", digest="d", kind="835", options={},
                            actor="ana", now=biller.clock(), total=3)
        imports.put_by(session, run, files.WAITS)

    biller.store.write(stopped)
    _, page = await biller.get(f"/console/imports?lang={lang}")
    assert state in page
    run_id = re.findall(r"/console/imports/(imp_\w+)", page)[0]
    _, page = await biller.get(f"/console/imports/{run_id}?lang={lang}")
    assert state in page
    assert why in page
    assert state in (await biller.get(f"/console/undo?lang={lang}"))[1]
