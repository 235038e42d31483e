"""Every cell of the fault table, for real: what is seen at once and on the next day is what the table says, Stripe took
the money once or not at all, and the ledger is equal to Stripe.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from billing.policy.retries import CARD_CODES
from billing.verify import verify
from bot.failpoints import CALL, PAY, RECONCILE
from bot.write import Store
from tests.conftest import Clock
from tests.faults import words
from tests.faults.calls import CALLS
from tests.faults.running import run
from tests.faults.scene import opened
from tests.faults.table import CELLS, FAST, Cell


def _param(cell: Cell) -> object:
    return pytest.param(cell, id=cell.name, marks=() if cell.name in FAST else pytest.mark.slow)


@pytest.mark.parametrize("cell", [_param(cell) for cell in CELLS])
async def test_a_fault_comes_to_what_the_table_says(
        cell: Cell, sqlite_url: str, sqlite_store: Store, clock: Clock, tmp_path: Path,
        request: pytest.FixtureRequest) -> None:
    process: subprocess.Popen[str] | None = None
    if cell.fault.startswith("killed:"):
        process = request.getfixturevalue("doomed")
    async with opened(sqlite_url, sqlite_store, clock, tmp_path, hasty=cell.hangs) as scene:
        outcome = await run(cell, scene, process)
        problems = scene.store.read(verify).problems
    assert outcome.at_once == cell.at_once
    assert outcome.after == cell.after
    assert outcome.charged == cell.charged, "Stripe took the money more or less often"
    assert outcome.left == [], "a call came to no end"
    assert (outcome.apart, problems) == ([], []), "ledger and Stripe are not equal"
    assert outcome.again == outcome.after, "events that came late, twice and backwards changed something"
    assert max(Counter(outcome.after.texts).values(), default=0) <= 1, "the patient was told twice"


def test_the_table_has_every_call_fault_and_code() -> None:
    """A new call, failpoint or decline code needs its rows."""
    assert {cell.call for cell in CELLS} == set(CALLS)
    assert len({cell.name for cell in CELLS}) == len(CELLS) and {cell.name for cell in CELLS} >= FAST
    for call in ("charge_saved", "charge_autopay"):
        codes = {cell.fault.partition(":")[2] for cell in CELLS if cell.call == call and "declined" in cell.fault}
        assert codes == set(CARD_CODES) - {"not_made"}
    killed = {cell.fault.partition(":")[2] for cell in CELLS if cell.fault.startswith("killed")}
    assert killed == {*PAY, *CALL, *RECONCILE} - {"call.refused"}, "call.refused is passed in every fault"


def test_no_case_and_no_text_is_left_without_words() -> None:
    """Staff and accountant find in the docs what each name says."""
    looks = [look for cell in CELLS for look in (cell.at_once, cell.after)]
    assert {kind for look in looks for kind in look.cases} <= set(words.CASES)
    assert {text for look in looks for text in look.texts} <= set(words.TEXTS)
    assert {look.page for look in looks if look.page} <= set(words.PAGES)
