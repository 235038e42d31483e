"""The bank's own CSV file: read as it comes, each booking once, faults by line and column."""

from __future__ import annotations

import io
from datetime import date
from functools import partial

import pytest

from billing.bank_file import take_lines
from billing.importers.bank_csv import load_map, read
from billing.importers.records import ImportFault
from billing.store import close_queries
from billing.store.tables import Practice
from bot.write import Store

MAP = """
name = "First National"
dates = ["%m/%d/%y"]
[columns]
date = "Posting Date"
money_in = "Credit"
money_out = "Debit"
text = ["Description", "Memo"]
"""


def rows(text: str, bank_map: str = "") -> list[tuple[date, int, str]]:
    found = read(io.BytesIO(text.encode()), load_map(bank_map, "map.toml") if bank_map else None)
    return [(row.booked_on, row.amount_minor, row.text) for row in found]


def test_plain_columns_need_no_map() -> None:
    assert rows("date,amount,text\n2026-11-03,\"1,234.50\",STRIPE TRANSFER\n11/04/2026,(20.00),Fee\n") == [
        (date(2026, 11, 3), 123_450, "STRIPE TRANSFER"), (date(2026, 11, 4), -2_000, "Fee")]


def test_a_map_reads_money_in_and_out_of_two_columns() -> None:
    text = "Posting Date,Description,Memo,Debit,Credit\n11/03/26,HCCLAIMPMT,TRN*1*88,,125.00\n11/04/26,RENT,,900.00,\n"
    assert rows(text, MAP) == [(date(2026, 11, 3), 12_500, "HCCLAIMPMT TRN*1*88"), (date(2026, 11, 4), -90_000, "RENT")]


@pytest.mark.parametrize(("text", "words"), [
    ("date,amount,text\n2026-11-03,12.345,Anna Rivera\n", "line 2, column amount"),
    ("date,amount,text\n2026-13-03,12.00,Anna Rivera\n", "line 2, column date"),
    ("date,amount,text\n2026-11-03,12.00,x\n2026-11-03,,Anna Rivera\n", "line 3, column amount: empty"),
    ("date,amount,text\n2026-11-03,0.00,Anna Rivera\n", "line 2: a booking of nothing"),
    ("date,amount,text\n2026-11-03,12.00\n", "line 2: the row has 2 cells and the header 3"),
    ("day,amount,text\n", "line 1: the file lacks the columns date"),
    ("", "no header")])
def test_a_fault_names_line_and_column_and_repeats_no_name(text: str, words: str) -> None:
    with pytest.raises(ImportFault, match=words) as fault:
        rows(text)
    assert "Rivera" not in str(fault.value)


@pytest.mark.parametrize(("text", "words"), [
    ("[columns]\ndate = 'D'\ntext = 'T'", "needs date, text, and either"),
    ("[columns]\ndate = 'D'\ntext = 'T'\namout = 'A'", "did you mean 'amount'"),
    ("colums = 1", "did you mean 'columns'"), ("a = ", "no valid TOML")])
def test_a_map_with_an_unknown_word_is_refused(text: str, words: str) -> None:
    with pytest.raises(ImportFault, match=words):
        load_map(text, "map.toml")


def test_files_that_overlap_bring_each_booking_once(store: Store, practice: Practice) -> None:
    """Two equal bookings of a day are two; the same days in the next file are no third and fourth."""
    first = "date,amount,text\n2026-11-03,50.00,DEPOSIT\n2026-11-03,50.00,DEPOSIT\n2026-11-04,10.00,CHECK 7\n"
    second = "date,amount,text\n2026-11-03,50.00,DEPOSIT\n2026-11-03,50.00,DEPOSIT\n2026-11-05,10.00,CHECK 7\n"
    for text, new in ((first, 3), (first, 0), (second, 1)):
        found = list(read(io.BytesIO(text.encode())))
        taken = store.write(partial(take_lines, practice_id=practice.id, digest="digest", rows=found))
        assert (taken.new, taken.known) == (new, 3 - new)
    assert store.read(lambda s: len(close_queries.lines(s, practice.id))) == 4


def test_the_banks_own_number_tells_bookings_apart(store: Store, practice: Practice) -> None:
    text = "id,date,amount,text\nA1,2026-11-03,50.00,DEPOSIT\nA2,2026-11-03,50.00,DEPOSIT\n"
    found = list(read(io.BytesIO(text.encode())))
    assert store.write(lambda s: take_lines(s, practice.id, "digest", found[1:])).new == 1
    assert store.write(lambda s: take_lines(s, practice.id, "digest", found)).new == 1
