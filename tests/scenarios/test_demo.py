"""``plainbill demo --script`` as a visitor runs it: a process of its own, from the claim file to the receipt."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from billing.ids import new_id
from bot.demo import scripts

ROOT = Path(__file__).parents[2]


def run(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run ``plainbill demo`` in an empty folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PLAINBILL_")}
    environment = {**clean, "PYTHONPATH": str(ROOT), "PLAINBILL_VAR": str(folder / "var"),
                   **{f"PLAINBILL_{name}": value for name, value in settings.items()}}
    return subprocess.run([sys.executable, "-m", "bot", "demo", *words], cwd=folder, env=environment, text=True,
                          capture_output=True, timeout=600, check=False)


def play(folder: Path, *words: str, **settings: str) -> str:
    """Play it; return what it printed. It must end with exit code 0 and complain of nothing."""
    done = run(folder, "--script", *words, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def check(printed: str) -> None:
    """Import, identity, explanation, hosted page, webhook, receipt, ledger; then the Telegram scene and a dispute."""
    places = [printed.index(part) for part in (
        "import claims-2026-11-04.837: posted", "import remittances-2026-11-13.835: posted",
        "You have a new billing message", "> why do I owe this?", "First we need to know it is you",
        "$67.00 is your deductible", "Pay $84.20 for your visit",
        "Here is your link to pay $84.20", "the hosted page of the payment processor opened",
        "Paid with a test card", "We got your payment of $84.20", "Your receipt: http://127.0.0.1:",
        "owes $0.00, processor clearing holds $84.20, 0 findings",
        "Telegram is an app of another company", "https://t.me/", "Peter Novak's Telegram", "> /start",
        "This chat is now linked", "[Yes] [No]", "> pressed [No]", "holds 0 amounts; the page behind its link shows $",
        "> esto está mal", "Hasta entonces no le pedimos que pague", "case dispute; on hold")]
    assert places == sorted(places)


@pytest.mark.slow
def test_the_script_plays_the_main_job_and_both_channels(tmp_path: Path) -> None:
    check(play(tmp_path))
    assert (tmp_path / "var" / "demo" / "plainbill.db").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in scripts.names()
                                  if name not in (scripts.MAIN, "campaign")])
def test_every_other_script_plays_to_its_end_by_its_name(tmp_path: Path, name: str) -> None:
    assert "import claims-2026-11-04.837: posted" in play(tmp_path, name)


@pytest.mark.slow
def test_the_campaign_tells_two_hundred_accounts_over_three_days_and_comes_out_the_same_again(tmp_path: Path) -> None:
    """Preview, a second person's approval, a pause, three days, replies, payments in between, report, both books."""
    first, again = (_plain(play(_folder(tmp_path / name), "campaign")) for name in ("first", "again"))
    places = [first.index(part) for part in (
        "200 accounts; 165 would be told", "made it and approves it: refused", "rosa read the preview",
        "ten minutes on it is still", "> why do I owe this?", "> please stop texting me", "> i already paid this",
        "Paid with a test card", "Tuesday: 59 texts left", "pay at the desk", "will be told of the rest", "> STOP",
        "Wednesday: 59 texts left", "Thursday: ", "the campaign is done",
        "0 outside 9:00 to 20:00, at most 59 in a day, 0 to who had paid", "0 findings of the independent replay",
        "0 differences")]
    assert places == sorted(places)
    assert first == again


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _plain(printed: str) -> str:
    """Without what is made anew each time: ports and tokens."""
    return re.sub(r"http://127[.]0[.]0[.]1:[0-9]+/l/[\w.-]+", "LINK", printed)


def test_accounts_that_are_opened_in_one_moment_keep_their_order() -> None:
    """A campaign works them in that order: who is told on which day does not hang on chance."""
    made = [new_id("acct") for _ in range(500)]
    assert made == sorted(made) and len(set(made)) == 500


def test_a_script_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    done = run(tmp_path, "--script", "opera")
    assert done.returncode == 2
    assert all(f"  {name}: {scripts.about(name)}" in done.stderr for name in scripts.names())


@pytest.mark.slow
def test_the_script_plays_on_a_fresh_postgresql(tmp_path: Path, postgresql_url: str) -> None:
    check(play(tmp_path, DATABASE_URL=postgresql_url))
    assert not list(tmp_path.rglob("*.db"))


@pytest.mark.slow
@pytest.mark.parametrize(("clock", "until"), [
    ("2026-11-17T03:00:00-05:00", "Tuesday 09:00"),
    ("2026-11-08T10:00:00-05:00", "Sunday 12:00"),
    ("2026-11-01T01:30:00-04:00", "Sunday 12:00"),
    ("2026-11-26T10:00:00-05:00", "Friday 09:00"),
])
def test_at_a_forbidden_hour_the_script_waits_and_then_plays(tmp_path: Path, clock: str, until: str) -> None:
    """Night, Sunday morning, the day on which clocks go back, Thanksgiving: it waits, it does not fail."""
    printed = play(tmp_path, CLOCK=clock)
    check(printed)
    assert f"The text waits until {until}" in printed
