"""A practice whose ledger of record is another system: its balances count, ours tells it everything once."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing import postings, record, refunds
from billing.accounts import find_account
from billing.ledger import Posting, patient, post, wide
from billing.payments import record_desk_payment
from billing.settlement import settle
from billing.store.tables import ImportedBalance, Payment, PostingBatch
from billing.store.tables import Posting as PostingTable
from bot import exports, posting_files
from bot.exports import Written
from tests.conftest import maple_clinic, practice_row
from tests.csv.world import World, charge

ROOT = Path(__file__).parents[2]
MONDAY = "2026-11-02T06:00:00-05:00"


@pytest.fixture
def theirs(store: Any, now: datetime, tmp_path: Path) -> World:
    """A world whose practice keeps its record in a system called Northwind."""
    row = store.write(practice_row(now, ledger_of_record="northwind"))
    (tmp_path / "files").mkdir()
    return World(store, row.id, tmp_path / "files")


def balance(visit: str, patient_balance: str, payer_balance: str = "0.00", as_of: str = MONDAY,
            **more: Any) -> dict[str, Any]:
    return {"visit_id": visit, "patient_id": "P-1", "account_id": "A-1", "service_on": "2026-10-05",
            "patient_balance": patient_balance, "payer_balance": payer_balance, "as_of": as_of, **more}


def pay(world: World, amount_minor: int, visit: str, reference: str) -> Payment:
    def run(session: Any) -> Payment:
        account = find_account(session, world.practice_id, visit)
        assert account is not None
        visits = {v.external: v.visit_id for v in world_figures(session, account.id, world)}
        return record_desk_payment(
            session, world.practice_id, account.id, amount_minor=amount_minor, currency="USD", tender="cash",
            reference=reference, recorded_by="ana", now=world.at, split=((visits[visit], amount_minor),))

    return world.store.write(run)


def world_figures(session: Any, account_id: str, world: World) -> Any:
    from billing.figures import account_figures

    return account_figures(session, account_id, world.at.date()).visits


def export(world: World) -> list[Written[postings.Batch]]:
    return posting_files.export(world.store, world.practice_id, world.policy, world.folder / "out", by="ana",
                                now=lambda: world.at)


def lines(*paths: Path) -> list[dict[str, str]]:
    return [row for path in paths for row in csv.DictReader(io.StringIO(path.read_text("utf-8")))]


def exported(world: World) -> list[str]:
    return sorted(row["posting_id"] for row in lines(*(world.folder / "out").glob("postings-*.csv")))


def acknowledge(world: World, batch_id: str) -> None:
    world.store.write(lambda s: postings.acknowledge(s, world.practice_id, batch_id, by="ana", now=world.at))


def differences(world: World) -> list[tuple[str, int, int, int]]:
    found = world.store.read(lambda s: postings.differences(s, world.practice_id))
    return [(d.row.visit, d.patient_minor, d.payer_minor, d.unposted_patient_minor) for d in found]


def test_balances_open_visits_and_make_ours_theirs(theirs: World) -> None:
    theirs.give("balances", balance("V-1", "40.00", "60.00", payer="Aetna"), balance("V-2", "25.50"))
    one, two = theirs.visit("V-1"), theirs.visit("V-2")
    assert (one.patient_minor, one.payer_minor, one.due_now_minor, one.pending_minor) == (4_000, 6_000, 0, 4_000)
    assert (two.patient_minor, two.due_now_minor) == (2_550, 2_550)
    theirs.check()


def test_the_newer_balance_is_taken_over_and_the_difference_is_listed(theirs: World) -> None:
    theirs.give("balances", balance("V-1", "40.00", "60.00"))
    theirs.give("balances", balance("V-1", "55.00", "0.00", as_of="2026-11-03T06:00:00-05:00"))
    assert (theirs.visit("V-1").patient_minor, theirs.visit("V-1").payer_minor) == (5_500, 0)
    assert theirs.visit("V-1").due_now_minor == 5_500
    assert differences(theirs) == [("V-1", 1_500, -6_000, 0)]
    kept = theirs.store.read(lambda s: [(b.our_patient_minor, b.our_payer_minor) for b in s.query(ImportedBalance)
                                        .order_by(ImportedBalance.id)])
    assert kept == [(0, 0), (4_000, 6_000)]
    theirs.check()


def test_balances_after_charges_correct_what_the_charges_said(theirs: World) -> None:
    theirs.give("charges", charge("V-1", "100.00", account_id="A-1"))
    theirs.give("balances", balance("V-1", "20.00", "70.00", payer="Aetna"))
    assert (theirs.visit("V-1").patient_minor, theirs.visit("V-1").payer_minor) == (2_000, 7_000)
    theirs.check()


def test_a_credit_there_is_a_credit_here_and_the_same_again_is_no_difference(theirs: World) -> None:
    theirs.give("balances", balance("V-1", "-30.00"))
    assert (theirs.visit("V-1").open_minor, theirs.account("V-1").total.credit_minor) == (-3_000, 3_000)
    theirs.give("balances", balance("V-1", "-30.00", as_of="2026-11-03T06:00:00-05:00"))
    assert (theirs.visit("V-1").open_minor, differences(theirs)) == (-3_000, [])
    theirs.give("balances", balance("V-1", "0.00", as_of="2026-11-03T07:00:00-05:00"))
    assert (theirs.visit("V-1").open_minor, theirs.account("V-1").total.credit_minor) == (0, 0)
    theirs.check()


def test_an_older_balance_changes_nothing(theirs: World) -> None:
    theirs.give("balances", balance("V-1", "40.00"))
    report = theirs.give("balances", balance("V-1", "99.00", as_of="2026-11-01"))
    assert (report.outcome, theirs.visit("V-1").patient_minor) == ("duplicate", 4_000)


def test_an_undone_balance_gives_back_what_was_before(theirs: World) -> None:
    theirs.give("balances", balance("V-1", "40.00"))
    theirs.undo(theirs.give("balances", balance("V-1", "99.00", as_of="2026-11-03T06:00:00-05:00")))
    assert theirs.visit("V-1").patient_minor == 4_000
    theirs.check()


def test_a_practice_with_its_own_record_opens_visits_by_balances_and_overwrites_none(world: World) -> None:
    assert world.give("balances", balance("V-1", "40.00")).outcome == "posted"
    report = world.give("balances", balance("V-1", "50.00", as_of="2026-11-03"))
    assert report.outcome == "refused"
    assert "column visit_id: this practice's own ledger is the record" in str(report.reason)
    world.check()


def test_a_visit_may_stand_once_in_a_file(theirs: World) -> None:
    report = theirs.give("balances", balance("V-1", "40.00"), balance("V-1", "41.00"))
    assert report.outcome == "refused" and "column visit_id: this visit stands twice" in str(report.reason)


def test_what_was_paid_here_is_not_asked_for_again_before_they_know_of_it(theirs: World) -> None:
    """Their balance of today does not know the payment: ours is theirs less what is unposted."""
    theirs.give("balances", balance("V-1", "40.00"))
    pay(theirs, 1_500, "V-1", "R-1")
    theirs.give("balances", balance("V-1", "40.00", as_of="2026-11-03T06:00:00-05:00"))
    assert (theirs.visit("V-1").patient_minor, differences(theirs)) == (2_500, [])
    batch = export(theirs)[0].batch
    theirs.give("balances", balance("V-1", "42.00", as_of="2026-11-03T07:00:00-05:00"))
    assert theirs.visit("V-1").patient_minor == 2_700, "exported is not yet posted there"
    assert differences(theirs) == [("V-1", 200, 0, -1_500)]
    acknowledge(theirs, batch.batch_id)
    theirs.at += timedelta(hours=2)
    theirs.give("balances", balance("V-1", "27.00", as_of=theirs.at.isoformat()))
    assert (theirs.visit("V-1").patient_minor, differences(theirs)) == (2_700, [])
    theirs.check()


def test_a_balance_taken_before_the_acknowledgement_counts_the_payment_as_unposted(theirs: World) -> None:
    theirs.give("balances", balance("V-1", "40.00"))
    pay(theirs, 1_500, "V-1", "R-1")
    acknowledge(theirs, export(theirs)[0].batch.batch_id)
    theirs.give("balances", balance("V-1", "40.00", as_of="2026-11-03T06:00:00-05:00"))
    assert theirs.visit("V-1").patient_minor == 2_500


def test_payments_refunds_and_adjustments_leave_exactly_once(theirs: World) -> None:
    theirs.give("balances", balance("V-1", "40.00"), balance("V-2", "30.00"))
    first = pay(theirs, 1_500, "V-1", "R-1")
    one = export(theirs)
    theirs.store.write(lambda s: refunds.ask(
        s, practice_id=first.practice_id, payment_id=first.id, amount_minor=500, tender="original", reason="overpaid",
        note="", by="ana", dedupe="R-1", policy=maple_clinic(), now=theirs.at))
    write_off(theirs, "V-2", 300)
    two = export(theirs)
    assert export(theirs) == []
    assert [(r["kind"], r["visit_id"], r["change"], r["balance_of"]) for r in lines(one[0].path, two[0].path)] == [
        ("payment", "V-1", "-15.00", "patient"), ("refund", "V-1", "5.00", "patient"),
        ("adjustment", "V-2", "-3.00", "patient")]
    assert len(set(exported(theirs))) == 3
    theirs.check()


def write_off(world: World, visit: str, amount_minor: int) -> None:
    def run(session: Any) -> None:
        account = find_account(session, world.practice_id, visit)
        assert account is not None
        visit_id = next(v.visit_id for v in world_figures(session, account.id, world) if v.external == visit)
        post(session, [Posting(
            world.practice_id, wide("small_balances"), patient(visit_id), amount_minor, "USD", "adjustment",
            world.at.date(), "desk", f"small:{visit_id}", account.id, visit_id)], world.at)
        settle(session, world.practice_id, [visit_id], now=world.at, today=world.at.date())

    world.store.write(run)


def test_what_came_from_their_files_is_not_told_back(theirs: World) -> None:
    theirs.give("charges", charge("V-1", "100.00"))
    theirs.give("payments", {"visit_id": "V-1", "amount": "10", "who": "patient", "paid_on": "2026-10-20"})
    assert export(theirs) == []


def test_a_crash_between_the_batch_and_its_file_neither_loses_nor_doubles_a_row(theirs: World) -> None:
    theirs.give("balances", balance("V-1", "40.00"))
    pay(theirs, 1_500, "V-1", "R-1")
    gathered = theirs.store.write(lambda s: postings.gather(
        s, theirs.practice_id, theirs.policy, by="ana", now=theirs.at))
    assert gathered is not None and not gathered.written  # here the power fails
    pay(theirs, 200, "V-1", "R-2")
    done = export(theirs)
    assert [(w.batch.rows, w.recovered) for w in done] == [(1, True), (1, False)]
    assert done[0].batch.batch_id == gathered.batch_id
    assert len(exported(theirs)) == len(set(exported(theirs))) == 2


def test_a_crash_after_the_file_writes_the_same_bytes_again(theirs: World) -> None:
    theirs.give("balances", balance("V-1", "40.00"))
    pay(theirs, 1_500, "V-1", "R-1")
    gathered = theirs.store.write(lambda s: postings.gather(
        s, theirs.practice_id, theirs.policy, by="ana", now=theirs.at))
    assert gathered is not None
    path = theirs.folder / "out" / gathered.file_name
    exports.put_file(path, theirs.store.read(lambda s: postings.content(s, gathered.batch_id)).encode())
    before = path.read_bytes()  # here the power fails
    with pytest.raises(postings.PostingsRefused, match="never written whole"):
        acknowledge(theirs, gathered.batch_id)
    done = export(theirs)
    assert [w.recovered for w in done] == [True] and path.read_bytes() == before
    acknowledge(theirs, gathered.batch_id)
    again = posting_files.write_again(theirs.store, theirs.practice_id, gathered.batch_id, theirs.folder / "again")
    assert again.path.read_bytes() == before


@pytest.mark.parametrize("point", ["postings.gathered", "postings.written"])
def test_killed_at_either_point_of_an_export_the_next_one_ends_it(
        theirs: World, database_url: str, point: str) -> None:
    """A real SIGKILL of a real process, on each database."""
    theirs.give("balances", balance("V-1", "40.00"))
    pay(theirs, 1_500, "V-1", "R-1")
    code = (
        "import sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
        "from bot import posting_files\nfrom bot.write import open_store\n"
        "from tests.conftest import TEST_KEYS, maple_clinic\n"
        "store = open_store(sys.argv[1], TEST_KEYS)\n"
        "posting_files.export(store, 'prac_maple', maple_clinic(ledger_of_record='northwind'), Path(sys.argv[2]),\n"
        "                     by='ana', now=lambda: datetime(2026, 11, 3, 15, tzinfo=UTC))\nstore.close()\n")
    environment = {**os.environ, "PLAINBILL_FAILPOINT": point, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", code, database_url, str(theirs.folder / "out")], env=environment,
                            capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr.decode()
    assert [w.recovered for w in export(theirs)] == [True]
    assert len(exported(theirs)) == 1
    assert theirs.store.read(lambda s: (s.query(PostingTable).count(), s.query(PostingBatch).count())) == (1, 1)


def test_a_practice_with_its_own_record_has_nothing_to_export(world: World) -> None:
    with pytest.raises(postings.PostingsRefused, match="nothing to export: this practice's own ledger"):
        export(world)


TUESDAY_NOON = datetime(2026, 11, 3, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(("as_of", "at", "stale"), [
    ("2026-11-03T06:00:00-05:00", TUESDAY_NOON, False),
    ("2026-11-02T06:00:00-05:00", TUESDAY_NOON, False),  # one business day
    ("2026-10-30T18:00:00-04:00", TUESDAY_NOON, True),  # Friday: Monday and Tuesday have begun
    ("2026-10-30T18:00:00-04:00", datetime(2026, 11, 2, 17, tzinfo=UTC), False),  # over a weekend
    ("2026-11-25T18:00:00-05:00", datetime(2026, 11, 27, 17, tzinfo=UTC), False),  # Thanksgiving between
    ("2026-11-25T18:00:00-05:00", datetime(2026, 11, 30, 17, tzinfo=UTC), True),
    ("2026-11-10T23:30:00-05:00", datetime(2026, 11, 12, 17, tzinfo=UTC), False),  # Veterans Day between
])
def test_balances_go_stale_after_one_business_day(theirs: World, as_of: str, at: datetime, stale: bool) -> None:
    theirs.at = datetime(2026, 12, 1, tzinfo=UTC)
    theirs.give("balances", balance("V-1", "40.00", as_of=as_of))
    policy = maple_clinic(ledger_of_record="northwind")
    assert theirs.store.read(lambda s: record.is_stale(s, theirs.practice_id, policy, at)) is stale


def test_balances_that_never_came_or_were_undone_are_stale(theirs: World) -> None:
    policy = theirs.policy
    assert theirs.store.read(lambda s: record.is_stale(s, theirs.practice_id, policy, theirs.at))
    report = theirs.give("balances", balance("V-1", "40.00", as_of="2026-11-03T06:00:00-05:00"))
    assert not theirs.store.read(lambda s: record.is_stale(s, theirs.practice_id, policy, theirs.at))
    theirs.undo(report)
    assert theirs.store.read(lambda s: record.is_stale(s, theirs.practice_id, policy, theirs.at))
