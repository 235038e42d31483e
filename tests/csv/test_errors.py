"""What is wrong with a file is told with its line, its column and what to do; a cell's content is never repeated."""

from __future__ import annotations

import pytest

from tests.csv.world import World, charge, moved, paid, person

SECRET = "Zaphod"
HEAD = "visit_id,service_on,procedure,amount"


@pytest.mark.parametrize(("text", "told"), [
    (b"", "the file has no header"),
    (b"# only remarks\n\n", "the file has no header"),
    (b"visit_id,service_on,procedure,amount\n", "a header and no rows"),
    (b"foo,bar\n1,2\n", "line 1: these columns fit none of our templates"),
    (b"visit_id,service_on,amount\n1,2,3\n", "nearest is charges, which lacks procedure"),
    (b"visit_id,service_on,procedure,amount,amout\n1,2,3,4,5\n",
     "column 'amout' is none of the charges template; did you mean 'amount'?"),
    (b"visit_id,service_on,procedure,amount,Visit-ID\n", "line 1: column 'visit_id' stands twice in the header"),
    (b"\xff\xfev\x00i\x00", "line 1: the file is UTF-16"),
    ("visit_id,service_on,procedure,amount\nV,2026-01-01,99213,1\nN\u00fa\u00f1ez,1,2,3\n".encode("latin-1"),
     "line 3, byte 2: not UTF-8; save the file as CSV UTF-8"),
    (b"visit_id,service_on,procedure,amount\nV\x00,1,2,3\n", "line 2: holds a zero byte"),
    (b'visit_id,service_on,procedure,amount\n"V,2026-01-01,99213,1\n', "line 2: a quoted cell is never closed"),
    (b'visit_id,service_on,procedure,amount\n"V"x,2026-01-01,99213,1\n', "line 2: a quote stands inside a quoted cell"),
    (b"visit_id,service_on,procedure,amount\nV," + b"9" * 1_000_001, "line 2: longer than 1000000 bytes"),
    (b"visit_id,service_on,procedure,amount\n\"" + b"9\n" * 90_000, "line 2: a cell is longer than 131072 characters"),
])
def test_a_file_that_is_no_csv_of_ours_is_refused_with_the_place(small_world: World, text: bytes, told: str) -> None:
    report = small_world.load(small_world.write(text))
    assert (report.outcome, report.kind) == ("refused", "csv")
    assert told in str(report.reason)


@pytest.mark.parametrize(("row", "told"), [
    (f"V,2026-01-01,99213,{SECRET}", "line 2, column amount: an amount in dollars is expected"),
    ("V,2026-01-01,99213,1.234", "line 2, column amount: an amount in dollars is expected"),
    ('V,2026-01-01,99213,"1,5"', "line 2, column amount: an amount in dollars is expected"),
    ("V,2026-01-01,99213,1e3", "line 2, column amount"),
    ("V,2026-01-01,99213,NaN", "line 2, column amount"),
    ("V,2026-01-01,99213,99999999999999", "line 2, column amount"),
    ("V,2026-01-01,99213,", "line 2, column amount: empty; every charge needs it"),
    (",2026-01-01,99213,1", "line 2, column visit_id: empty"),
    (f"V,{SECRET},99213,1", "line 2, column service_on: a date is expected, such as 2026-11-03 or 11/03/2026"),
    ("V,2026-02-30,99213,1", "line 2, column service_on: there is no such day"),
    ("V,13/01/2026,99213,1", "line 2, column service_on: there is no such day"),
    ("V,01/02/26,99213,1", "line 2, column service_on: a date is expected"),
    ("V,0026-01-02,99213,1", "line 2, column service_on: this year is not believable"),
    (f"V,2026-01-01,{'9' * 41},1", "line 2, column procedure: a code has at most 40 characters"),
    ("V,2026-01-01,99213", "line 2, column 4: the row has 3 cells and the header 4"),
    ("V,2026-01-01,99213,1,extra", "line 2, column 5: the row has 5 cells and the header 4"),
])
def test_a_cell_that_cannot_be_read_is_named_by_line_and_column(small_world: World, row: str, told: str) -> None:
    report = small_world.load(small_world.write(f"{HEAD}\n{row}\n"))
    assert report.outcome == "refused"
    assert told in str(report.reason)
    assert SECRET not in str(report.reason)


@pytest.mark.parametrize(("template", "row", "told"), [
    ("patients", person(phone="12"), "column phone: a phone number has ten digits"),
    ("patients", person(phone="call me"), "column phone: not a phone number"),
    ("patients", person(zip="ABC"), "column zip: a ZIP code is expected"),
    ("patients", person(state="Nowhere"), "column state: a state is expected"),
    ("patients", person(language="fr"), "column language: one of these is expected: en, es"),
    ("patients", person(guarantor_confirmed="maybe"), "column guarantor_confirmed: yes or no is expected"),
    ("patients", person(opted_out="perhaps", phone="518-555-0143"), "column opted_out: yes, no or the day"),
    ("patients", person(opted_out="yes"), "column phone: empty; a consent or an opt-out belongs to a number"),
    ("patients", person(phone="518-555-0143", consent_given_on="2026-01-01"), "column consent_wording: empty"),
    ("patients", person(guarantor_given_name="Eva"), "column guarantor_surname: empty"),
    ("patients", person(relation="child", guarantor_confirmed="yes"), "column guarantor_confirmed: yes, but the row"),
    ("payments", paid("V", "1", "nobody"), "column who: patient, payer, primary"),
    ("payments", paid("V", "1", tender="barter"), "column tender: one of these is expected: cash, check"),
    ("transfers", moved("V", "1", "patient", "patient"), "column to_who: the same as from_who"),
    ("transfers", moved("V", "-1"), "column amount: negative; swap from_who and to_who"),
    ("transfers", moved("V", "1", share_reason="because"), "column share_reason: deductible, coinsurance, copay"),
    ("adjustments", {"visit_id": "V", "amount": "1", "reason": "kindness", "adjusted_on": "2026-01-01"},
     "column reason: one of these is expected: contractual, charity"),
    ("coverages", {"rank": "1", "payer": "Aetna"}, "column visit_id: give either the visit or the patient"),
    ("coverages", {"visit_id": "V", "rank": "0", "payer": "Aetna"}, "column rank: patient, payer, primary"),
    ("coverages", {"visit_id": "V-404", "rank": "1", "payer": "Aetna"}, "column visit_id: there is no such visit"),
    ("coverages", {"patient_id": "P-404", "rank": "1", "payer": "Aetna"}, "column patient_id: there is no such"),
    ("balances", {"visit_id": "V", "patient_balance": "1", "payer_balance": "0", "as_of": "2026-11-03T06:00"},
     "column as_of: an instant needs its zone"),
    ("balances", {"visit_id": "V", "patient_balance": "1", "payer_balance": "0", "as_of": "2026-12-03"},
     "column as_of: lies in the future"),
    ("charges", charge("V", "1", units="many"), "column units: a number of units is expected"),
])
def test_every_kind_of_row_says_what_is_missing(small_world: World, template: str, row: dict[str, str],
                                                told: str) -> None:
    report = small_world.give(template, row)
    assert report.outcome == "refused"
    assert told in str(report.reason) and "line " in str(report.reason)


def test_a_refused_file_shows_further_faults_as_well(small_world: World) -> None:
    report = small_world.load(small_world.write(f"{HEAD}\nV,x,99213,1\nV,2026-01-01,99213,y\nV,2026-01-01,99213,1\n"))
    assert "(and 1 more)" in str(report.reason)
    assert "line 3, column amount" in report.notes[0]
    faults = next(iter(report.transactions()))["faults"]
    assert [f["line"] for f in faults] == [2, 3]


@pytest.mark.parametrize(("toml", "told"), [
    ("x = [", "no valid TOML"),
    ("name = 'x'", "it has no [[record]]"),
    ("[[record]]\nkind = 'charges'", "kind is one of patient, coverage, charge"),
    ("[[record]]\nkind = 'payment'\ncolumns = { visit_id = 'A' }", "paid_on, amount, who must come from"),
    ("[[record]]\nkind = 'payment'\ncolumns = { visit = 'A' }", "no field 'visit'; did you mean 'visit_id'?"),
    ("[[record]]\nkind = 'payment'\nwhere = {}", "unknown entry 'where'"),
    ("delimiter = ';;'\n[[record]]\nkind = 'payment'", "delimiter is one character"),
    ("amounts = 'euros'\n[[record]]\nkind = 'payment'", "amounts is dollars or cents"),
    ("[[record]]\nkind = 'payment'\nnegate = ['who']\nconstants = { visit_id='1', paid_on='2', amount='3', who='4' }",
     "only amounts can be negated"),
    ("[[record]]\nkind = 'payment'\nwhen = { T = 1.5 }\nconstants = { visit_id='1', paid_on='2', amount='3', who='4' }",
     "text, or a list of texts"),
    ("[[record]]\nkind = 'payment'\ncolumns = { visit_id='A', paid_on='B', amount='C', who='D' }",
     "wants columns that the file has not: c, d. The file has: A, B"),
])
def test_a_map_that_cannot_be_followed_is_refused_by_its_name_and_entry(small_world: World, toml: str,
                                                                        told: str) -> None:
    column_map = small_world.folder / "mine.toml"
    column_map.write_text(toml)
    report = small_world.load(small_world.write("A,B\n1,2\n"), column_map=column_map)
    assert report.outcome == "refused" and told in str(report.reason)


def test_a_map_that_is_not_there_names_those_that_ship(small_world: World) -> None:
    report = small_world.load(small_world.write("A\n1\n"), column_map=small_world.folder / "none.toml")
    assert "one of ours: synthea, synthea-patients" in str(report.reason)


def test_a_row_that_a_map_says_nothing_of_is_a_fault_unless_the_map_lets_it_pass(small_world: World) -> None:
    record = """[[record]]
        kind = "procedure"
        when = { A = "1" }
        columns = { code = "A", words = "B" }
        constants = { language = "en" }
        """
    column_map = small_world.folder / "mine.toml"
    column_map.write_text(record)
    path = small_world.write("A,B\n1,one\n2,two\n")
    refused = small_world.load(path, column_map=column_map)
    assert "line 3, the map says nothing of rows like this one" in str(refused.reason)
    column_map.write_text(f"unmatched = 'ignore'\n{record}")
    passed = small_world.load(path, column_map=column_map)
    assert (passed.outcome, passed.notes) == ("posted", ("1 rows were left out, as the map says",))
