"""What an export gathered and nobody can have got is judged again; one export at a time; and nobody waits in a ring."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from billing import mailing, outbox, sending
from billing.store import road_queries
from billing.store.engine import writer
from billing.store.tables import MailLetter
from bot import mailing as runs
from bot.exports import ExportRunning
from bot.write import Store
from tests.conftest import Clock
from tests.dunning.house import make_house
from tests.mail.post import MAIL, Post, files, manifest
from tests.mail.test_killed import run
from tests.payments.world import PRACTICE
from tests.road.forking import ROOT


def gather(post: Post, *, close: bool) -> None:
    """An export that ends here, as with a power cut."""
    house = post.house
    house.do(partial(mailing.take, practice_id=PRACTICE, after_id="", by="bill", now=house.clock()))
    if close:
        house.do(lambda session: mailing.close(session, PRACTICE))


@pytest.mark.parametrize("close", [False, True])
def test_a_letter_gathered_before_a_crash_is_judged_again_and_leaves_the_run_with_its_reason(
        post: Post, close: bool) -> None:
    """Who has paid since gets none; the others' numbers, the manifest and the counts are those of what is printed."""
    accounts = [post.account(n) for n in (1, 2, 3)]
    lines = [post.demand(one) for one in accounts]
    gather(post, close=close)
    post.wait(days=3)
    post.house.pay(10_000, accounts[0])
    done = post.export()
    (run_made,) = done.runs
    assert (run_made.batch.number, run_made.batch.letters, run_made.recovered) == (1, 2, True)
    assert [row["letter"] for row in manifest(run_made.path)] == ["1-1", "1-2"]
    assert sorted(files(run_made.path)) == ["0001-00001.pdf", "0001-00002.pdf", "manifest.csv"]
    assert [post.message(line).status for line in lines] == ["cancelled", "sent", "sent"]
    assert dict(done.kept) == {post.last_rule(lines[0]): 1}
    assert post.message(lines[0]).mail_batch_id is None
    assert post.house.do(lambda session: session.query(MailLetter).count()) == 2
    assert [one.letters for one in post.house.do(lambda session: mailing.list_batches(session, PRACTICE))] == [2]


def test_where_nobody_gets_a_letter_any_more_nothing_of_the_interrupted_run_stays(
        post: Post, database_url: str, process: subprocess.Popen[str]) -> None:
    """Not on the disk either: a half-made folder holds names and addresses."""
    account_id = post.account(1)
    line = post.demand(account_id)
    assert run(process, database_url, post, "mail.filled") == -9
    assert files(post.folder)
    assert post.message(line).status == "sending"
    post.house.pay(10_000, account_id)
    assert post.export().runs == () and files(post.folder) == {}
    assert post.house.do(lambda session: mailing.list_batches(session, PRACTICE)) == []
    later = post.account(2)
    post.demand(later)
    assert [one.batch.number for one in post.export().runs] == [1]


def test_a_run_that_may_be_with_the_mail_house_is_not_judged_again(
        post: Post, database_url: str, process: subprocess.Popen[str]) -> None:
    account_id = post.account(1)
    line = post.demand(account_id)
    assert run(process, database_url, post, "mail.ready") == -9
    post.house.pay(10_000, account_id)
    (made,) = post.export().runs
    assert [row["letter"] for row in manifest(made.path)] == ["1-1"] and made.recovered
    assert post.message(line).status == "sent"


def test_no_timer_takes_a_letter_out_of_a_run_that_is_being_made(post: Post) -> None:
    line = post.demand(post.account(1))
    gather(post, close=True)
    post.wait(days=1)
    assert post.house.do(lambda session: outbox.release_expired(session, post.house.clock())) == (0, 0)
    assert post.message(line).status == "sending"


def test_a_folder_that_holds_another_run_is_not_written_over(post: Post) -> None:
    """As with a copy out of a backup that counts its runs from where the backup was."""
    post.demand(post.account(1))
    (post.folder / "mail-0001").mkdir(parents=True)
    (post.folder / "mail-0001" / "manifest.csv").write_text("another practice's")
    with pytest.raises(mailing.MailRefused, match="another run"):
        post.export()
    assert files(post.folder) == {"mail-0001/manifest.csv": b"another practice's"}
    assert [one.batch.number for one in runs.export(
        post.house.store, PRACTICE, post.folder / "b", by="bill", now=post.house.clock).runs] == [1]
    with pytest.raises(mailing.MailRefused, match="another run"):
        runs.write_again(post.house.store, PRACTICE, 1, post.folder, post.house.clock)
    assert files(post.folder / "mail-0001") == {"manifest.csv": b"another practice's"}


def test_of_two_exports_at_once_one_writes_and_the_other_says_so_and_changes_nothing(post: Post) -> None:
    lines = [post.demand(post.account(n)) for n in (1, 2)]
    begun, go_on = threading.Event(), threading.Event()

    def now() -> datetime:
        begun.set()
        assert go_on.wait(60)
        return post.house.clock()

    with ThreadPoolExecutor(1) as other:
        first = other.submit(runs.export, post.house.store, PRACTICE, post.folder, by="bill", now=now)
        assert begun.wait(60)
        before = files(post.folder)
        with pytest.raises(ExportRunning, match="changed nothing"):
            runs.export(post.house.store, PRACTICE, post.folder / "second", by="sam", now=post.house.clock)
        assert files(post.folder) == before
        assert {post.message(line).status for line in lines} == {"queued"}
        go_on.set()
        (made,) = first.result(60).runs
    assert [row["letter"] for row in manifest(made.path)] == ["1-1", "1-2"]
    assert not (post.folder / "second").exists() and post.export().runs == ()


def test_an_export_of_another_process_is_seen_and_its_death_frees_the_next(post: Post, database_url: str) -> None:
    post.demand(post.account(1))
    code = ("import sys\nfrom billing.store.alone import alone\nfrom billing.store.engine import make_engine\n"
            f"with alone(make_engine(sys.argv[1]), 'mail:{PRACTICE}') as mine:\n"
            "    print(mine, flush=True)\n    sys.stdin.read()\n")
    with subprocess.Popen([sys.executable, "-c", code, database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          cwd=ROOT, text=True) as other:
        assert other.stdout is not None and other.stdout.readline().strip() == "True"
        with pytest.raises(ExportRunning):
            post.export()
        other.kill()
    assert len(eventually(post.export).runs) == 1


def eventually(act: Callable[[], runs.Exported]) -> runs.Exported:
    """The server needs a moment to see that its client is gone."""
    for _ in range(100):
        try:
            return act()
        except ExportRunning:
            time.sleep(0.1)
    return act()


def test_letters_texts_and_the_stop_of_a_campaign_never_wait_for_each_other_in_a_ring(
        postgresql_store: Store, clock: Clock, tmp_path: Path) -> None:
    """Messages are locked before households, by everybody. A stop holds the letter and is about to lock the text; the
    print run waits for the letter, and must not hold the household that the text's worker needs meanwhile.
    """
    post = Post(make_house(postgresql_store, clock, **MAIL), tmp_path / "out")
    account_id = post.account(1)
    post.house.do(lambda session: post.house.give_phone(session, account_id, "+12125550177"))
    letter, words = (post.demand(account_id, way, key=way) for way in ("paper", "sms"))
    claimed = post.house.do(lambda session: outbox.claim(session, "worker-1", clock()))
    assert claimed == [words.message_id]
    with ThreadPoolExecutor(2) as others, Session(writer(postgresql_store.engine)) as stop, stop.begin():
        road_queries.lock_message(stop, letter.message_id or "")
        run_made = others.submit(postgresql_store.write, partial(
            mailing.take, practice_id=PRACTICE, after_id="", by="bill", now=clock()))
        wait_for_a_lock(postgresql_store)
        begun = others.submit(postgresql_store.write, lambda session: sending.begin_all(
            session, claimed, "worker-1", clock()))
        begun.result(30)
        assert outbox.cancel(stop, letter.message_id or "", clock())
        outbox.cancel(stop, words.message_id or "", clock())
    assert run_made.result(30).left == 0


_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")


def wait_for_a_lock(store: Store) -> None:
    for _ in range(300):
        if store.read(lambda session: session.scalar(_WAITING)):
            return
        time.sleep(0.1)
    raise AssertionError("nobody waits for a lock")
