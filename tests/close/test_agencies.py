"""What an agency took: its report, the ledger and the bank say the same, and the close shows where they do not."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from billing import closing_matching
from billing.closing import CloseRefused
from billing.closing_agencies import ACCOUNT, Taken
from billing.closing_batch import as_totals, batch
from billing.closing_worklist import worklist
from billing.verify import verify
from bot.write import Store
from tests.close.test_day import balance, line, match_all
from tests.collections.office import OWED, Office, make_office
from tests.collections.test_reversals import back, paid, take
from tests.conftest import Clock
from tests.payments.world import PRACTICE

DAY = date(2027, 2, 5)


@pytest.fixture
def office(store: Store, clock: Clock) -> Office:
    return make_office(store, clock)


def _awaited(office: Office) -> list[tuple[str, int]]:
    return office.do(lambda s: [(one.ref, one.amount_minor) for one in closing_matching.expected(s, PRACTICE)
                                if one.kind == "agency"])


def test_a_report_is_awaited_at_the_bank_and_its_money_moves_there_when_it_comes(office: Office, clock: Clock,
                                                                                 tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    take(office, tmp_path, paid(one))
    assert _awaited(office) == [("acme:1", 3_000)]
    line(office.store, "L1", DAY + timedelta(days=3), 3_000, "ACME REMIT")
    assert match_all(office.store, clock) == [("L1", "agency", "acme:1")]
    assert (balance(office.store, ACCOUNT), balance(office.store, "bank"), _awaited(office)) == (0, 3_000, [])
    assert match_all(office.store, clock) == []
    assert office.do(lambda s: verify(s, PRACTICE)).problems == []


def test_the_days_batch_shows_what_was_paid_to_it_taken_back_and_kept(office: Office, tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    take(office, tmp_path, paid(one), paid(one, "20.00", "5.00", "R2"), back(one), f"F1,{one},fee,{DAY},,2.00,,")
    found = office.do(lambda s: batch(s, PRACTICE, DAY))
    assert found.agencies == (Taken("acme", 6_000, 4_000, 700),)
    assert found.agencies[0].owed_minor == 1_300 == balance(office.store, ACCOUNT)
    assert as_totals(found)["agencies"] == [{"agency": "acme", "paid_minor": 6_000, "reversed_minor": 4_000,
                                             "fees_minor": 700, "owed_minor": 1_300}]
    assert found.drawers == () and found.deposit() == {}, "nobody's drawer holds it"


def test_what_it_holds_back_comes_off_its_next_report(office: Office, tmp_path: Path) -> None:
    """A payment of the first report is taken back in the second, and the third pays for both."""
    office.overdue()
    one = office.place()
    take(office, tmp_path, paid(one))
    line(office.store, "L1", DAY, 3_000)
    assert match_all(office.store, office.clock) == [("L1", "agency", "acme:1")]
    take(office, tmp_path, back(one))
    assert (_awaited(office), balance(office.store, ACCOUNT)) == ([], -3_000)
    take(office, tmp_path, paid(one, "80.00", "20.00", "R2"))
    assert _awaited(office) == [("acme:3", 3_000)] and balance(office.store, ACCOUNT) == 3_000


def test_money_that_does_not_come_is_in_the_worklist_once_it_is_late(office: Office, tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    take(office, tmp_path, paid(one))
    line(office.store, "L0", DAY, 1, "something else")
    line(office.store, "L9", DAY + timedelta(days=30), 1, "something else")
    assert "agency" not in [w.kind for w in office.do(lambda s: worklist(s, PRACTICE))]
    line(office.store, "L8", DAY + timedelta(days=45), 1, "something else")
    late = [w for w in office.do(lambda s: worklist(s, PRACTICE)) if w.kind == "agency"]
    assert [(w.ref, w.amount_minor) for w in late] == [("acme:1", 3_000)]


def test_a_sum_that_is_not_the_reports_is_a_persons_and_a_match_can_be_taken_back(office: Office, clock: Clock,
                                                                                  tmp_path: Path) -> None:
    office.overdue()
    one = office.place()
    take(office, tmp_path, paid(one))
    line(office.store, "L1", DAY, 2_999)
    assert match_all(office.store, clock) == []
    with pytest.raises(CloseRefused, match=r"the line is \$29.99 and the agency \$30.00"):
        office.do(lambda s: closing_matching.match(s, PRACTICE, "L1", "agency", "acme:1", by="max", reason="theirs",
                                                   now=clock()))
    line(office.store, "L2", DAY, 3_000)
    match_all(office.store, clock)
    office.do(lambda s: closing_matching.unmatch(s, PRACTICE, "L2", by="max", reason="another's", now=clock(),
                                                 today=DAY))
    assert (_awaited(office), balance(office.store, ACCOUNT)) == ([("acme:1", 3_000)], 3_000)
    assert office.balance("agency") == OWED - 4_000
