"""EOBs on paper: typed in, they stand as an 835 of the same content would, under the same footing rules."""

from __future__ import annotations

import io
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from billing import closing
from billing.closing_batch import batch
from billing.importers import paper_eob
from billing.importers.footing import claim_faults, claim_flags
from billing.importers.records import ImportFault, PaidClaim, RemittanceOpened
from billing.store.tables import ImportRun, Practice, Remittance
from bot.importing.csv_templates import write_template
from bot.write import Store
from tests.conftest import Clock
from tests.ledger.books import Books
from tests.ledger.paper import HARBOR, LIGHT, Bill, Clp

SAMPLE = (Path(__file__).parents[1] / "samples/paper/two-checks.csv").read_text()
HEAD = "payer,check_number,check_on,check_amount,claim,service_on,procedure,charge,adjustments,paid\n"
GOOD = "HARBOR MUTUAL,4471,2026-11-03,80.00,C1,2026-09-15,99213,130.00,CO-45:30.00 PR-1:20.00,80.00\n"


@pytest.fixture
def books(store: Store, practice: Practice, tmp_path: Path, clock: Clock) -> Books:
    return Books(store, tmp_path, clock)


@pytest.fixture
def lite(sqlite_store: Store, sqlite_practice: Practice, tmp_path: Path, clock: Clock) -> Books:
    return Books(sqlite_store, tmp_path, clock)


def billed(books: Books) -> None:
    books.bill(Bill("C1", (("99213", 13_000),)), Bill("C2", (("99214", 10_000), ("36415", 1_000))))
    books.bill(Bill("C3", (("99213", 7_500),), (LIGHT,)))


def test_a_typed_eob_posts_what_an_835_would(books: Books, tmp_path: Path) -> None:
    """The same check by mail and electronically leaves the same transfers on the same visits."""
    billed(books)
    books.bill(Bill("E1", (("99213", 13_000),)))
    books.pay("900", Clp("E1", 8_000, (("CO", "45", 3_000), ("PR", "2", 2_000))))
    assert books.must(books.give(SAMPLE, "checks.csv")).kind == "paper"
    assert books.stands("C1") == books.stands("E1") == (0, 2_000, 0)
    assert books.codes("C1") == books.codes("E1")
    assert books.stands("C2") == (0, 5_000, 0)
    assert (books.wide("interest"), books.wide("payer_clearing")) == (-120, 13_120 + 8_000)
    assert books.coverages("C1") == books.coverages("E1")
    assert [c["outcome"] for c in books.claims] == ["posted", "posted", "posted"]


def test_the_same_checks_again_post_nothing(books: Books) -> None:
    """Known by payer, check number, date and amount, whatever the file is called and in whatever order its rows are."""
    billed(books)
    books.must(books.give(SAMPLE, "checks.csv"))
    remark, head, *rows = SAMPLE.splitlines()
    again = "\n".join([remark, head, *reversed(rows)])
    assert books.give(again, "again.csv").outcome == "duplicate"
    assert books.store.read(lambda s: len(list(s.scalars(select(Remittance))))) == 2


def test_the_same_check_with_other_content_is_refused(lite: Books) -> None:
    lite.bill(Bill("C1", (("99213", 13_000),)))
    lite.must(lite.give(HEAD + GOOD, "one.csv"))
    other = lite.give(HEAD + GOOD.replace("CO-45:30.00 PR-1:20.00", "CO-45:20.00 PR-1:30.00"), "two.csv")
    assert other.outcome == "refused"
    assert "line 2: a remittance with this trace, payer, date and amount was posted with other content" in (
        other.reason or "")


def test_a_check_of_another_payer_may_have_the_same_number(lite: Books) -> None:
    lite.bill(Bill("C1", (("99213", 13_000),)), Bill("C2", (("99213", 13_000),)))
    lite.must(lite.give(HEAD + GOOD, "one.csv"))
    lite.must(lite.give(HEAD + GOOD.replace("HARBOR MUTUAL", "CEDAR GAP PLAN").replace("C1", "C2"), "two.csv"))


@pytest.mark.parametrize(("change", "words"), [
    (("80.00,C1", "81.00,C1"), r"line 2: the payment is \$81.00 but the claims' payments of \$80.00"),
    (("130.00,", "131.00,"), r"line 2: the charge is \$131.00 but payment \$80.00 and adjustments \$50.00 explain"),
])
def test_what_does_not_foot_is_refused_with_its_line_and_in_words_of_paper(
        lite: Books, change: tuple[str, str], words: str) -> None:
    """The footing rules of the 835, without the names of its elements; nothing is posted."""
    lite.bill(Bill("C1", (("99213", 13_000),)))
    done = lite.give(HEAD + GOOD.replace(*change), "bad.csv")
    assert done.outcome == "refused"
    assert re.search(words, done.reason or "")
    assert not any(code in (done.reason or "") for code in ("CLP", "SVC", "BPR"))
    assert lite.stands("C1") == (13_000, 0, 0)


@pytest.mark.parametrize(("row", "words"), [
    (GOOD.replace("CO-45:30.00", "CO45=30"), "line 2, column adjustments: each is written as CO-45:30.00"),
    (GOOD.replace("CO-45:30.00", "XX-45:30.00"), "line 2, column adjustments"),
    (GOOD.replace("2026-11-03", "soon"), "line 2, column check_on: a date is expected"),
    (GOOD.replace("4471", ""), "line 2, column check_number: empty; every row needs it"),
    (GOOD.replace("130.00", ""), "line 2, column charge: empty; a line needs it"),
    (GOOD + GOOD.replace("80.00,C1", "90.00,C1"), "line 3, column check_amount: another amount than on line 2"),
    (GOOD.replace("C1,2026-09-15,99213,130.00,CO-45:30.00 PR-1:20.00,80.00", ",,,130.00,WO:1.00,"),
     "line 2, column charge: only a row with a claim and a procedure has one"),
    (GOOD.replace("C1,2026-09-15,99213,130.00,CO-45:30.00 PR-1:20.00,80.00", ",,,,,"),
     "a row without claim or procedure is an adjustment and needs one"),
    (GOOD.replace("soon", "") + GOOD.replace("2026-11-03", "Anna Rivera"), "line 3, column check_on"),
])
def test_a_fault_names_line_and_column_and_repeats_no_cell(row: str, words: str) -> None:
    with pytest.raises(ImportFault, match=words) as fault:
        list(paper_eob.read(io.BytesIO((HEAD + row).encode())))
    assert "Rivera" not in str(fault.value)


def test_all_faulty_lines_are_told_at_once() -> None:
    bad = GOOD.replace("99213", "99213" * 10)
    with pytest.raises(ImportFault, match=r"line 2, .*line 3, .*line 6, .*\(and 2 more\)"):
        list(paper_eob.read(io.BytesIO((HEAD + bad * 7).encode())))


def test_an_unknown_column_is_refused_with_the_one_that_was_meant() -> None:
    text = HEAD.replace("paid", "payd")
    with pytest.raises(ImportFault, match="'payd' is none of a paper EOB; did you mean 'paid'"):
        list(paper_eob.read(io.BytesIO((text + GOOD).encode())))


def test_an_allowed_amount_that_does_not_fit_is_noticed_and_posted() -> None:
    text = HEAD.replace("paid", "paid,allowed") + GOOD.replace(",80.00\n", ",80.00,99.00\n")
    claim = next(r for r in paper_eob.read(io.BytesIO(text.encode())) if isinstance(r, PaidClaim))
    assert claim_faults(claim) == []
    assert [(f.position, f.difference_minor) for f in claim_flags(claim)] == [(2, -100)]


def test_a_payers_paper_and_its_835_are_one_payers(lite: Books) -> None:
    """With its tax number the paper answers for the coverage that the 835 answered for: a reversal finds it."""
    lite.bill(Bill("C1", (("99213", 13_000),)))
    lite.pay("900", Clp("C1", 8_000, (("CO", "45", 3_000), ("PR", "1", 2_000)), pcn="P9"))
    text = HEAD.replace("claim,", "claim,status,payer_claim,payer_tax_id,").replace("check_amount", "check_amount")
    back = ("HARBOR MUTUAL,77,2026-11-10,-80.00,C1,reversal,P9,990000002,2026-09-15,99213,-130.00,"
            "CO-45:-30.00 PR-1:-20.00,-80.00\n")
    lite.must(lite.give(text + back, "back.csv"))
    assert lite.stands("C1") == (13_000, 0, 0)
    assert lite.coverages("C1") == [(1, HARBOR.name, "pending")]


def test_an_undone_paper_eob_leaves_nothing_and_may_come_again(lite: Books) -> None:
    lite.bill(Bill("C1", (("99213", 13_000),)))
    done = lite.must(lite.give(HEAD + GOOD, "one.csv"))
    lite.undo(done.import_id)
    assert lite.stands("C1") == (13_000, 0, 0)
    lite.must(lite.give(HEAD + GOOD, "one.csv"))
    assert lite.stands("C1") == (0, 2_000, 0)


def test_the_check_goes_to_the_bank_with_the_days_deposit(lite: Books) -> None:
    """Mailed checks are in the batch of the day on which they were typed in; an 835's payment is not."""
    lite.bill(Bill("C1", (("99213", 13_000),)), Bill("E1", (("99213", 13_000),)))
    lite.must(lite.give(HEAD + GOOD, "one.csv"))
    lite.pay("900", Clp("E1", 13_000))
    found = lite.store.read(lambda s: batch(s, "prac_maple", lite.now().date()))
    assert [(c.number, c.payer, c.amount_minor) for c in found.insurer_checks] == [("4471", "HARBOR MUTUAL", 8_000)]
    assert found.deposit() == {"check": 8_000}


def test_a_check_typed_in_after_the_sign_off_is_in_the_next_days_deposit(lite: Books) -> None:
    """It is in one deposit and no other, before and after that day is signed."""
    lite.bill(Bill("C1", (("99213", 13_000),)), Bill("C2", (("99213", 13_000),)))
    today = lite.now().date()
    tomorrow = today + timedelta(days=1)

    def sign(day: date) -> None:
        lite.store.write(lambda s: closing.sign(s, "prac_maple", day, by="mia", note="", today=tomorrow,
                                                now=lite.now()))

    def checks(day: date) -> list[str]:
        return [c.number for c in lite.store.read(lambda s: batch(s, "prac_maple", day)).insurer_checks]

    lite.must(lite.give(HEAD + GOOD, "one.csv"))
    sign(today)
    lite.must(lite.give(HEAD + GOOD.replace("4471", "4999").replace("C1", "C2"), "two.csv"))
    for _ in range(2):
        assert (checks(today), checks(tomorrow)) == (["4471"], ["4999"])
        if not lite.store.read(lambda s: closing.is_locked(s, "prac_maple", tomorrow)):
            sign(tomorrow)
    assert checks(tomorrow + timedelta(days=1)) == []


def test_the_template_is_read_as_what_it_is() -> None:
    """Its own example row is a good file."""
    text = write_template("paper-eob")
    example = next(line for line in text.splitlines() if line.startswith("# Example: ")).removeprefix("# Example: ")
    assert paper_eob.identify(io.BytesIO(text.encode()))
    records = list(paper_eob.read(io.BytesIO(f"{text}\n{example}\n".encode())))
    assert isinstance(records[0], RemittanceOpened)
    assert [claim_faults(r) for r in records if isinstance(r, PaidClaim)] == [[]]


def test_other_csv_files_stay_what_they_were(lite: Books) -> None:
    lite.give("visit_id,paid_on,amount,who\nV-1,2026-11-03,5.00,patient\n", "payments.csv")
    assert lite.store.read(lambda s: list(s.scalars(select(ImportRun.kind)))) == ["csv"]
