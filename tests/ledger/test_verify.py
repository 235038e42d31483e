"""The replay finds whatever was changed behind the ledger's back, and finds nothing where nothing was."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from billing import statements, verify
from billing.store import verify_queries
from billing.store.engine import writer
from billing.store.ledger_queries import last_posted_before, take_snapshots
from billing.store.seal import Keyring, seal
from bot.write import open_store
from tests.architecture.source import ROOT
from tests.conftest import Clock, practice_row
from tests.databases import PostgresqlServer, copy_sqlite
from tests.ledger.books import PRACTICE, Books
from tests.ledger.paper import HARBOR, LIGHT, Bill, Clp, remittance

_POSTING = {"ledger", "book", "adjudication", "answers", "remittances", "charges", "settlement", "figures", "opening",
            "locating", "imports", "undoing", "payments", "payment_posting"}


def fill(books: Books) -> None:
    """A small ledger with one of everything."""
    books.bill(Bill("A1", [("99213", 15000), ("85025", 5000)], payers=(HARBOR, LIGHT)), Bill("B2", [("99214", 9000)]),
               Bill("C3", [("99215", 4000)]), Bill("D4", [("99216", 7000)]),
               Bill("E5", [("99217", 3000)], payers=(), patient_paid=500))
    paid = Clp("D4", 5000, [("CO", "45", 1500), ("PR", "3", 500)])
    books.pay("T1", Clp("A1", 10000, [("CO", "45", 6000), ("PR", "1", 4000)]), Clp("B2", 0, [("PR", "96", 9000)]), paid,
              plb=[("L6", -50), ("WO", 100)])
    books.pay("T2", Clp("A1", 3000, [("OA", "23", 16000), ("PR", "2", 1000)], "2"), payer=LIGHT)
    books.bill(Bill("C3", [("99215", 4000)], frequency="8"))
    books.pay("T3", paid.negated(), Clp("D4", 5500, [("CO", "45", 1500)], pcn="P2"),
              Clp("B2", 100, [("PR", "96", 8900)]))
    undone = books.pay("T4", Clp("F6", 100, [("PR", "1", 50)]))
    books.undo(undone.import_id)
    for claim in ("A1", "E5"):
        books.confirm(claim)
    books.refund(books.desk("A1", 600), 200)
    books.desk("E5", 4000)
    for claim in ("A1", "E5"):
        owner = books.guarantor(claim).id
        books.store.write(partial(statements.make, guarantor_id=owner, language="en", now=books.now()))
    books.clock.advance(minutes=30)
    books.store.write(lambda s: take_snapshots(s, PRACTICE, last_posted_before(s, PRACTICE, books.now())))
    books.pay("T5", Clp("G7", 100, [("PR", "1", 50)]))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, keyring: Keyring) -> Iterator[Books]:
    """The small ledger, made once; tests change it inside a transaction that never commits."""
    folder = tmp_path_factory.mktemp("full")
    if request.param == "sqlite":
        url = copy_sqlite(request.getfixturevalue("sqlite_template"), folder)
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        url = server.url(server.create())
    store = open_store(url, keyring)
    books = Books(store, folder, Clock())
    store.write(practice_row(books.now()))
    fill(books)
    yield books
    store.close()


@pytest.fixture
def spoilt(full: Books) -> Iterator[Session]:
    """A transaction in which nothing is refused: no triggers, no foreign keys, no checks. It ends in a rollback."""
    with writer(full.store.engine).connect() as connection:
        transaction = connection.begin()
        lift = _LIFT_SQLITE if connection.dialect.name == "sqlite" else _LIFT_POSTGRESQL
        for statement in lift:
            connection.execute(text(statement))
        yield Session(connection)
        transaction.rollback()
        if connection.dialect.name == "sqlite":
            connection.execute(text("PRAGMA ignore_check_constraints = OFF"))
            connection.rollback()


_LIFT_SQLITE = ("PRAGMA defer_foreign_keys = ON", "PRAGMA ignore_check_constraints = ON",
                "DROP TRIGGER transfers_no_update", "DROP TRIGGER transfers_no_delete")
_LIFT_POSTGRESQL = ("SET LOCAL session_replication_role = replica", "ALTER TABLE transfers DISABLE TRIGGER ALL",
                    "DROP INDEX ix_transfers_reverses",
                    """DO $$ DECLARE r record; BEGIN
                         FOR r IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
                             WHERE contype IN ('u', 'c') AND conrelid IN ('transfers'::regclass, 'postings'::regclass)
                         LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', r.t, r.conname); END LOOP; END $$""")

_COLUMNS = """practice_id, debit_id, credit_id, amount_minor, currency, code, effective_on, posted_at, source, {},
    guarantor_id, visit_id, coverage_id, service_line_id, remittance_claim_id, payment_id, reason, {}, import_id"""


def copy_of(code: str, ref: str, reverses: str = "NULL", which: str = "MIN") -> str:
    """SQL that adds a copy of the first (or last) transfer of a code."""
    return (f"INSERT INTO transfers ({_COLUMNS.format('source_ref', 'reverses_id')}) "
            f"SELECT {_COLUMNS.format(ref, reverses)} FROM transfers "
            f"WHERE id = (SELECT {which}(id) FROM transfers WHERE code = '{code}')")


def moved(code: str, change: str) -> str:
    """SQL that changes the first transfer of a code."""
    return f"UPDATE transfers SET {change} WHERE id = (SELECT MIN(id) FROM transfers WHERE code = '{code}')"


def first(table: str, change: str) -> str:
    """SQL that changes the first row of a table."""
    return f"UPDATE {table} SET {change} WHERE id = (SELECT MIN(id) FROM {table})"


#: name -> (checks that must find it, SQL that plants it)
CORRUPTIONS: dict[str, tuple[set[str], str]] = {
    "an amount raised by a cent": (
        {"balance-kept", "charge-line", "visit-charge"}, moved("charge", "amount_minor = amount_minor + 1")),
    "an amount below zero": ({"amount-positive"}, moved("charge", "amount_minor = -5")),
    "a transfer deleted": (
        {"balance-kept", "answer-payment", "claim-paid", "remittance-paid"},
        "DELETE FROM transfers WHERE id = (SELECT MIN(id) FROM transfers WHERE code = 'payer_payment')"),
    "a transfer added": ({"balance-kept", "payment-posted"}, copy_of("patient_payment", "'planted'", which="MAX")),
    "a kept balance": (
        {"balance-kept", "account-open"},
        "UPDATE ledger_accounts SET balance_minor = balance_minor + 7 WHERE kind = 'patient'"),
    "a snapshot": (
        {"balance-snapshot"}, "UPDATE ledger_accounts SET balance_minor = balance_minor - 7 WHERE key = 'revenue'"),
    "debit and credit turned round": (
        {"balance-kept", "answer-adjustments"}, moved("contractual", "debit_id = credit_id, credit_id = debit_id")),
    "money moved between the wrong kinds": (
        {"account-kinds"},
        moved("patient_payment", "credit_id = (SELECT id FROM ledger_accounts WHERE key = 'revenue')")),
    "a code that does not exist": ({"account-kinds"}, moved("next_payer", "code = 'gift'")),
    "another currency": ({"currency"}, moved("refund", "currency = 'CAD'")),
    "an account that is not there": ({"account-exists", "balance-kept"}, moved("charge", "debit_id = 99999")),
    "an account of another practice": (
        {"practice"}, "UPDATE ledger_accounts SET practice_id = 'prac_other' WHERE key = 'contractual'"),
    "an account's kind": ({"account-shape"}, "UPDATE ledger_accounts SET kind = 'payer' WHERE key = 'interest'"),
    "a visit given to somebody else": (
        {"account-owner", "account-open"},
        first("visits", "guarantor_id = (SELECT MIN(id) FROM guarantors WHERE id <> visits.guarantor_id)")),
    "a reference to nothing": ({"reference-exists"}, moved("charge", "payment_id = 'pay_gone'")),
    "an import that is not there": ({"reference-exists"}, first("coverages", "import_id = 'imp_gone'")),
    "a transfer under another visit": (
        {"transfer-visit"}, moved("patient_share", "visit_id = (SELECT MAX(id) FROM visits)")),
    "a reversal of another amount": ({"reversal-mirrors"}, moved("reversal", "amount_minor = amount_minor - 1")),
    "a reversal of nothing": ({"reversal-mirrors"}, moved("reversal", "reverses_id = NULL")),
    "a charge without its line": (
        {"charge-line", "lines-charge"},
        "DELETE FROM service_lines WHERE id = (SELECT MIN(id) FROM service_lines)"),
    "another charge on the visit": ({"lines-charge", "visit-charge"}, first("visits", "charge_minor = 12345")),
    "a void that was not taken back": ({"void-charge"}, first("visits", "void = true")),
    "BPR02": ({"remittance-paid"}, "UPDATE remittances SET paid_minor = paid_minor + 1 WHERE trace = 'T1'"),
    "a remittance claim's payment": (
        {"claim-foots", "claim-paid", "answer-payment"},
        "UPDATE remittance_claims SET paid_minor = paid_minor + 1 WHERE outcome = 'posted'"),
    "an adjustment line": (
        {"claim-foots", "answer-adjustments"}, "DELETE FROM remittance_adjustments WHERE reason_code = '45'"),
    "what was made of an adjustment": (
        {"answer-adjustments"},
        "UPDATE remittance_adjustments SET treatment = 'contractual' WHERE reason_code = '96' AND treatment <> 'none'"),
    "a reversed answer set standing": (
        {"answer-payment", "answer-adjustments"},
        "UPDATE remittance_claims SET outcome = 'posted' WHERE outcome = 'reversed'"),
    "a standing answer called reversed": (
        {"answer-reversed"}, "UPDATE remittance_claims SET outcome = 'reversed' WHERE outcome = 'posted'"),
    "an answer called suspended": (
        {"claim-suspended"}, "UPDATE remittance_claims SET outcome = 'suspended' WHERE outcome = 'posted'"),
    "a remittance posted twice": (
        {"remittance-once"},
        """UPDATE remittances SET identity = 'same', generation =
           (SELECT COUNT(*) FROM remittances r WHERE r.id <= remittances.id)"""),
    "a claim charged twice": (
        {"claim-charged-once"},
        "UPDATE claim_documents SET digest = 'same', claim_hash = 'same' WHERE outcome = 'posted'"),
    "a patient's balance below zero": (
        {"patient-negative"},
        "UPDATE ledger_accounts SET balance_minor = -100 WHERE kind = 'patient' AND balance_minor > 0"),
    "a credit below zero": ({"credit-negative"}, "UPDATE ledger_accounts SET balance_minor = 50 WHERE kind = 'credit'"),
    "a payment's amount": ({"payment-posted"}, "UPDATE payments SET amount_minor = amount_minor + 1"),
    "a payment that failed after all": ({"payment-unpaid"}, "UPDATE payments SET status = 'failed'"),
    "a refund that was not posted": ({"payment-posted"}, "UPDATE payments SET refunded_minor = refunded_minor + 1"),
    "an import called undone": ({"import-undone"}, "UPDATE imports SET status = 'undone' WHERE kind = '835'"),
    "a write-off that was never posted": ({"relief-posted"}, """
        INSERT INTO write_offs (id, practice_id, guarantor_id, kind, status, visits, amount_minor, balance_version,
            reason, asked_by, asked_at)
        SELECT 'wo_1', practice_id, guarantor_id, 'bad_debt', 'approved', '[]', 700, 0, 'x', 'x', created_at
        FROM visits WHERE id = (SELECT MIN(id) FROM visits)"""),
    "a placement with more than was placed": ({"placement-left"}, """
        INSERT INTO placements (id, practice_id, guarantor_id, visit_id, agency, status, amount_minor, balance_version,
            left_minor, collected_minor, fee_minor, proposed_by, proposed_at, end_reason)
        SELECT 'plac_1', practice_id, guarantor_id, id, 'acme', 'placed', 700, 0, 700, 0, 0, 'x', created_at, ''
        FROM visits WHERE id = (SELECT MIN(id) FROM visits)"""),
    "a hold above its claim": (
        {"waiver-hold"}, "UPDATE holds SET amount_minor = amount_minor + 1 WHERE kind = 'waiver_check'"),
    "a hold of somebody else": (
        {"hold-owner"}, "UPDATE holds SET guarantor_id = (SELECT MAX(id) FROM guarantors) WHERE visit_id IS NOT NULL"),
    "a posting of no transfer": (
        {"posting-transfer"},
        """INSERT INTO postings (id, practice_id, transfer_id, created_at)
           VALUES ('pst_1', 'prac_maple', 99999, '2026-11-03 15:00:00')"""),
    "a statement number left out": ({"statement-numbers"}, "UPDATE statements SET number = 9 WHERE number = 2"),
    "a statement's total": ({"statement-total"}, first("statements", "total_minor = total_minor + 1")),
    "a look-up hash": ({"hash"}, first("visits", "external_hash = 'other'")),
    "a sealed value from elsewhere": (
        {"hash"}, first("guarantors", "external = (SELECT MIN(external) FROM visits)")),
}


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_the_replay_finds_every_planted_corruption_by_its_check(spoilt: Session, what: str) -> None:
    expected, sql = CORRUPTIONS[what]
    before = checks(spoilt)
    changed = spoilt.connection().execute(text(sql)).rowcount
    assert changed, "the corruption was planted"
    assert expected <= checks(spoilt) - before


@pytest.mark.parametrize(("check", "sql"), [
    ("reversed-once", copy_of("reversal", "'planted'", "reverses_id")),
    ("source-ref-unique", copy_of("charge", "source_ref")),
])
def test_the_replay_finds_what_a_dropped_unique_key_let_in(spoilt: Session, check: str, sql: str) -> None:
    """SQLite cannot drop a table's unique key, PostgreSQL can; there the row gets in and is found."""
    if spoilt.get_bind().dialect.name == "sqlite":
        with pytest.raises(DBAPIError):
            spoilt.connection().execute(text(sql))
        return
    spoilt.connection().execute(text(sql))
    assert check in checks(spoilt)


@pytest.mark.parametrize("table", ["transfers", "consents", "verdicts", "audit"])
def test_the_replay_finds_a_missing_append_only_trigger(full: Books, table: str) -> None:
    with writer(full.store.engine).connect() as connection, connection.begin() as transaction:
        sqlite = connection.dialect.name == "sqlite"
        connection.execute(text(f"DROP TRIGGER {table}_no_delete" if sqlite else
                                f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only"))
        found = verify.verify(Session(connection)).problems
        assert [(p.check, p.object_id) for p in found] == [("append-only", table)]
        transaction.rollback()


def test_a_statement_whose_lines_do_not_add_up_is_found(spoilt: Session) -> None:
    blob = seal('{"total_minor": 1, "credit_used_minor": 0, "visits": [], "summary": {}}', "statements.content")
    spoilt.connection().execute(text("UPDATE statements SET content = :b, total_minor = 1"), {"b": blob})
    assert "statement-total" in checks(spoilt)


def test_an_untouched_ledger_holds_and_everything_was_looked_at(full: Books) -> None:
    result = full.store.read(lambda s: verify.verify(s, PRACTICE))
    assert result.problems == []
    assert result.checked["transfers"] == full.count("transfers") > 25
    assert result.checked["accounts"] == full.count("ledger_accounts")
    assert result.checked["statements"] == 2


@pytest.mark.parametrize("statement", [
    "UPDATE transfers SET amount_minor = amount_minor + 1", "DELETE FROM transfers",
    "DELETE FROM transfers WHERE id = 1", "UPDATE transfers SET reason = '' WHERE id = 1"])
def test_the_database_itself_refuses_to_change_or_delete_transfers(full: Books, statement: str) -> None:
    before = full.count("transfers")
    with pytest.raises(DBAPIError, match="append-only"):
        full.store.write(lambda s: s.execute(text(statement)))
    assert full.count("transfers") == before
    assert full.problems() == []


def test_every_check_has_a_sentence_and_most_have_a_corruption_that_only_they_promise_to_find() -> None:
    found = {check for checks_, _ in CORRUPTIONS.values() for check in checks_}
    assert set(verify_queries.CHECKS) <= set(verify.SENTENCES)
    assert set(verify.SENTENCES) - found == {"reversed-once", "source-ref-unique", "append-only"}
    assert len(CORRUPTIONS) >= 20


def test_the_replay_shares_no_code_with_posting() -> None:
    for name in ("billing/verify.py", "billing/store/verify_queries.py"):
        tree = ast.parse((ROOT / name).read_text("utf-8"))
        named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)
                 for alias in node.names}
        modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {part for module in modules for part in module.split(".")} & _POSTING
        assert not named & _POSTING
        ours = {module for module in modules if module.startswith(("billing", "bot", "config"))}
        assert ours <= {"billing.store", "billing.store.seal"}


def test_a_remittance_in_the_wrong_total_never_reaches_the_ledger(full: Books, tmp_path: Path) -> None:
    before = full.count("transfers")
    done = full.give(remittance("T9", [Clp("A1", 100)], total=200))
    assert (done.outcome, full.count("transfers")) == ("refused", before)


def checks(session: Session) -> set[str]:
    """The checks that find something; on PostgreSQL and SQLite the lifted trigger itself is left out."""
    return {p.check for p in verify.verify(session).problems} - {"append-only"}
