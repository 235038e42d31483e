"""SQL of the independent replay: plain text on purpose, so that it shares nothing with the queries of posting.

Every query of ``CHECKS`` returns (object, difference in cents or NULL) for what does not hold, and nothing otherwise.
"""

# ruff: noqa: S608 - the text is put together from constants of this module alone
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

#: A check that finds more than this many says so and stops: one fault of a program is usually found in every row.
LIMIT = 500

#: Transfers that stand: no reversing rows, and nothing that a reversing row took back.
_STANDING = """
WITH standing AS (
    SELECT t.*, d.kind AS debit_kind, d.key AS debit_key, c.kind AS credit_kind, c.key AS credit_key
    FROM transfers t JOIN ledger_accounts d ON d.id = t.debit_id JOIN ledger_accounts c ON c.id = t.credit_id
    WHERE t.practice_id = :practice AND t.code <> 'reversal'
      AND NOT EXISTS (SELECT 1 FROM transfers r WHERE r.reverses_id = t.id)
)
"""


def _toward(kind: str, prefix: str = "") -> str:
    """Cents that a transfer adds to accounts of a kind: debits less credits."""
    return (f"(CASE WHEN {prefix}debit_kind = '{kind}' THEN {prefix}amount_minor ELSE 0 END"
            f" - CASE WHEN {prefix}credit_kind = '{kind}' THEN {prefix}amount_minor ELSE 0 END)")


#: What a claim's own transfers make of its payment and adjustments; credits of its payer count positive.
_ANSWERS = _STANDING + f""",
posted AS (
    SELECT rc.id, rc.paid_minor AS paid,
        SUM(CASE WHEN s.code = 'payer_payment' THEN {_toward('payer_clearing', 's.')} ELSE 0 END) AS payment,
        SUM(CASE WHEN s.code = 'suspense' THEN {_toward('payer_clearing', 's.')} ELSE 0 END) AS suspense,
        SUM(CASE WHEN s.code = 'contractual' THEN {_toward('contractual', 's.')} ELSE 0 END) AS contractual,
        SUM(CASE WHEN s.code = 'prior_payer' THEN {_toward('opening', 's.')} ELSE 0 END) AS prior,
        SUM(CASE WHEN s.code NOT IN ('patient_share', 'next_payer') THEN 0
            WHEN s.credit_key = 'payer:' || rc.coverage_id THEN s.amount_minor
            WHEN s.debit_key = 'payer:' || rc.coverage_id THEN -s.amount_minor ELSE 0 END) AS shared
    FROM remittance_claims rc LEFT JOIN standing s ON s.remittance_claim_id = rc.id
    WHERE rc.practice_id = :practice AND rc.outcome = 'posted' GROUP BY rc.id, rc.paid_minor
),
reasons AS (
    SELECT a.remittance_claim_id AS id,
        SUM(CASE WHEN a.treatment = 'contractual' THEN a.amount_minor ELSE 0 END) AS contractual,
        SUM(CASE WHEN a.treatment = 'prior_payer' THEN a.amount_minor ELSE 0 END) AS prior,
        SUM(CASE WHEN a.treatment IN ('patient', 'waiver_check', 'next_payer') THEN a.amount_minor ELSE 0 END) AS shared
    FROM remittance_adjustments a WHERE a.practice_id = :practice GROUP BY a.remittance_claim_id
),
told AS (
    SELECT p.*, COALESCE(r.contractual, 0) AS told_contractual, COALESCE(r.prior, 0) AS told_prior,
        COALESCE(r.shared, 0) AS told_shared,
        EXISTS (SELECT 1 FROM cases k WHERE k.practice_id = :practice AND k.dedupe = 'excess:' || p.id) AS capped
    FROM posted p LEFT JOIN reasons r ON r.id = p.id
)
"""

_SHAPES = """
    CASE a.kind
        WHEN 'patient' THEN a.key = 'patient:' || a.visit_id AND v.id IS NOT NULL
        WHEN 'payer' THEN a.key = 'payer:' || a.coverage_id AND cov.visit_id = a.visit_id AND v.id IS NOT NULL
        WHEN 'credit' THEN a.key = 'credit:' || a.guarantor_id AND g.id IS NOT NULL
        WHEN 'cash' THEN a.key LIKE 'cash:%'
        ELSE a.key = a.kind AND a.kind IN ('revenue', 'contractual', 'payer_clearing', 'withholding', 'suspense',
            'interest', 'bank', 'fees', 'refunds_payable', 'bad_debt', 'charity', 'small_balances', 'discounts',
            'agency', 'opening')
    END AND a.practice_wide = (a.kind NOT IN ('patient', 'payer', 'credit'))
"""

_LINES = """
    SELECT v.id, v.charge_minor, v.origin, v.void, COUNT(s.id) AS lines, COALESCE(SUM(s.charge_minor), 0) AS total
    FROM visits v LEFT JOIN service_lines s ON s.visit_id = v.id AND s.version = v.version
    WHERE v.practice_id = :practice GROUP BY v.id, v.charge_minor, v.origin, v.void
"""

_CHARGED = _STANDING + """,
charged AS (
    SELECT v.id, v.charge_minor, v.origin, v.void, COUNT(s.id) AS charges, COALESCE(SUM(
        CASE WHEN s.debit_kind IN ('payer', 'patient') THEN s.amount_minor ELSE -s.amount_minor END), 0) AS total
    FROM visits v LEFT JOIN standing s ON s.visit_id = v.id AND s.code = 'charge'
    WHERE v.practice_id = :practice GROUP BY v.id, v.charge_minor, v.origin, v.void
)
"""

#: ``unheld``: refunded although the payment had it no more. What was given back twice, at desk and processor, stands
#: there, and a person was told.
_PAYMENTS = _STANDING + f""",
paid AS (
    SELECT p.id, p.status, p.amount_minor - p.refunded_minor AS kept, p.import_id,
        COALESCE(SUM(CASE WHEN s.source_ref LIKE p.id || ':extra:%' OR s.source_ref LIKE p.id || ':dispute:%'
              OR s.source_ref LIKE p.id || ':reinstated:%' OR s.source_ref LIKE p.id || ':returned:%' THEN 0
            WHEN s.source_ref LIKE p.id || ':refund:%' AND s.source_ref NOT LIKE p.id || ':refund:main:%' THEN 0
            ELSE {_toward('cash', 's.')} END), 0) AS main,
        COALESCE(SUM(CASE WHEN s.source_ref LIKE p.id || ':dispute:%' OR s.source_ref LIKE p.id || ':reinstated:%'
                OR s.source_ref LIKE p.id || ':returned:%'
            THEN {_toward('cash', 's.')} ELSE 0 END), 0) AS disputed,
        COALESCE(SUM(CASE WHEN s.source_ref LIKE p.id || ':refund:main:%:payable:%'
            THEN {_toward('cash', 's.')} ELSE 0 END), 0) AS unheld,
        COUNT(s.id) AS transfers
    FROM payments p LEFT JOIN standing s ON s.payment_id = p.id
    WHERE p.practice_id = :practice GROUP BY p.id, p.status, p.amount_minor, p.refunded_minor, p.import_id
)
"""

#: A transfer of a remittance belongs to the claim or remittance that its reference begins with; {head} is that.
_REMITTED = """
WITH remitted AS (
    SELECT {head} AS origin_id, SUM(CASE WHEN d.kind = 'payer_clearing' THEN t.amount_minor ELSE 0 END
        - CASE WHEN c.kind = 'payer_clearing' THEN t.amount_minor ELSE 0 END) AS amount
    FROM transfers t JOIN ledger_accounts d ON d.id = t.debit_id JOIN ledger_accounts c ON c.id = t.credit_id
    WHERE t.practice_id = :practice AND t.source = 'remittance' GROUP BY 1
),
owners AS (
    SELECT id AS origin_id, remittance_id FROM remittance_claims WHERE practice_id = :practice
    UNION ALL SELECT id, id FROM remittances WHERE practice_id = :practice
)
"""
_HEADS = {"sqlite": "substr(t.source_ref, 1, instr(t.source_ref, ':') - 1)",
          "postgresql": "split_part(t.source_ref, ':', 1)"}

_REFERENCES = {"visit_id": "visits", "guarantor_id": "guarantors", "coverage_id": "coverages",
               "service_line_id": "service_lines", "remittance_claim_id": "remittance_claims",
               "payment_id": "payments", "import_id": "imports", "reverses_id": "transfers"}
_DANGLING = " UNION ALL ".join(
    f"SELECT CAST(t.id AS TEXT), NULL FROM transfers t WHERE t.practice_id = :practice AND t.{column} IS NOT NULL "
    f"AND NOT EXISTS (SELECT 1 FROM {table} x WHERE x.id = t.{column} AND x.practice_id = t.practice_id)"
    for column, table in _REFERENCES.items()) + "".join(
    f" UNION ALL SELECT x.id, NULL FROM {table} x WHERE x.practice_id = :practice "
    f"AND NOT EXISTS (SELECT 1 FROM imports i WHERE i.id = x.import_id AND i.practice_id = x.practice_id)"
    for table in ("visits", "coverages", "service_lines", "remittances", "claim_documents"))

_LEFT = ("COALESCE(SUM(CASE t.code WHEN 'placement' THEN t.amount_minor WHEN 'recall' THEN -t.amount_minor "
         "ELSE 0 END), 0)")

#: Each row that decides to let money go, what it says was let go (NULL: no more than ``most``), and what stands of it.
_RELIEF = _STANDING + """,
decided AS (
    SELECT id, guarantor_id, 'write_off' AS source, CASE status WHEN 'approved' THEN amount_minor ELSE 0 END AS told,
        0 AS most FROM write_offs WHERE practice_id = :practice
    UNION ALL SELECT id, guarantor_id, 'assistance', forgiven_minor, 0 FROM assistance_applications
        WHERE practice_id = :practice
    UNION ALL SELECT id, guarantor_id, 'settlement', CASE status WHEN 'paid' THEN NULL ELSE 0 END,
        owed_minor - pay_minor FROM settlement_offers WHERE practice_id = :practice
),
summed AS (
    SELECT d.id, d.told, d.most, COALESCE(SUM(s.amount_minor), 0) AS posted FROM decided d
    LEFT JOIN standing s ON s.source = d.source AND s.guarantor_id = d.guarantor_id AND s.source_ref LIKE d.id || ':%'
    GROUP BY d.id, d.told, d.most
)
SELECT id, posted - COALESCE(told, most) FROM summed
WHERE (told IS NOT NULL AND posted <> told) OR (told IS NULL AND posted > most)
"""

CHECKS: Mapping[str, str] = {
    "placement-left": f"""
        SELECT p.id, p.left_minor - {_LEFT} FROM placements p
        LEFT JOIN transfers t ON t.visit_id = p.visit_id AND t.source = 'placement' AND t.source_ref LIKE p.id || ':%'
        WHERE p.practice_id = :practice GROUP BY p.id, p.left_minor HAVING p.left_minor <> {_LEFT}""",
    "relief-posted": _RELIEF,
    "account-exists": "SELECT CAST(t.id AS TEXT), NULL FROM transfers t WHERE t.practice_id = :practice AND NOT "
                      "(EXISTS (SELECT 1 FROM ledger_accounts a WHERE a.id = t.debit_id) AND "
                      "EXISTS (SELECT 1 FROM ledger_accounts a WHERE a.id = t.credit_id))",
    "account-shape": "SELECT a.key, NULL FROM ledger_accounts a LEFT JOIN visits v ON v.id = a.visit_id "
                     "LEFT JOIN coverages cov ON cov.id = a.coverage_id "
                     "LEFT JOIN guarantors g ON g.id = a.guarantor_id "
                     f"WHERE a.practice_id = :practice AND NOT COALESCE({_SHAPES}, false)",
    "account-owner": "SELECT a.key, a.balance_minor FROM ledger_accounts a JOIN visits v ON v.id = a.visit_id "
                     "WHERE a.practice_id = :practice AND COALESCE(a.guarantor_id, '') <> v.guarantor_id",
    "reference-exists": _DANGLING,
    "transfer-visit": """
        SELECT CAST(t.id AS TEXT), NULL FROM transfers t
        JOIN ledger_accounts d ON d.id = t.debit_id JOIN ledger_accounts c ON c.id = t.credit_id
        LEFT JOIN service_lines s ON s.id = t.service_line_id LEFT JOIN coverages cov ON cov.id = t.coverage_id
        WHERE t.practice_id = :practice AND (
            COALESCE(d.visit_id, t.visit_id, '') <> COALESCE(t.visit_id, '')
            OR COALESCE(c.visit_id, t.visit_id, '') <> COALESCE(t.visit_id, '')
            OR COALESCE(s.visit_id, t.visit_id, '') <> COALESCE(t.visit_id, '')
            OR COALESCE(cov.visit_id, t.visit_id, '') <> COALESCE(t.visit_id, '')
            OR (d.kind = 'credit' AND d.guarantor_id <> t.guarantor_id)
            OR (c.kind = 'credit' AND c.guarantor_id <> t.guarantor_id))""",
    "reversal-mirrors": """
        SELECT CAST(r.id AS TEXT), r.amount_minor - t.amount_minor FROM transfers r
        LEFT JOIN transfers t ON t.id = r.reverses_id
        WHERE r.practice_id = :practice AND (r.code = 'reversal' OR r.reverses_id IS NOT NULL) AND NOT COALESCE(
            r.code = 'reversal' AND t.code <> 'reversal' AND t.id < r.id AND r.debit_id = t.credit_id
            AND r.credit_id = t.debit_id AND r.amount_minor = t.amount_minor AND r.currency = t.currency
            AND r.practice_id = t.practice_id, false)""",
    "reversed-once": "SELECT CAST(reverses_id AS TEXT), SUM(amount_minor) FROM transfers WHERE practice_id = :practice "
                     "AND reverses_id IS NOT NULL GROUP BY reverses_id HAVING COUNT(*) > 1",
    "source-ref-unique": "SELECT CAST(MAX(id) AS TEXT), NULL FROM transfers WHERE practice_id = :practice "
                         "GROUP BY source, source_ref HAVING COUNT(*) > 1",
    "charge-line": _STANDING + """
        SELECT CAST(s.id AS TEXT), s.amount_minor - COALESCE(l.charge_minor, 0) FROM standing s
        LEFT JOIN service_lines l ON l.id = s.service_line_id
        WHERE s.code = 'charge' AND COALESCE(l.charge_minor, 0)
            <> CASE WHEN s.debit_kind IN ('payer', 'patient') THEN s.amount_minor ELSE -s.amount_minor END""",
    "lines-charge": f"SELECT id, total - charge_minor FROM ({_LINES}) AS v WHERE NOT void AND total <> charge_minor "
                    "AND (lines > 0 OR origin <> 'balances')",
    "visit-charge": _CHARGED + "SELECT id, total - charge_minor FROM charged WHERE NOT void AND total <> charge_minor "
                               "AND (charges > 0 OR origin <> 'balances')",
    "void-charge": _CHARGED + "SELECT id, total FROM charged WHERE void AND total <> 0",
    "claim-foots": """
        SELECT rc.id, rc.charge_minor - rc.paid_minor - COALESCE(SUM(a.amount_minor), 0) FROM remittance_claims rc
        LEFT JOIN remittance_adjustments a ON a.remittance_claim_id = rc.id
        WHERE rc.practice_id = :practice AND rc.outcome NOT IN ('skipped', 'undone')
        GROUP BY rc.id, rc.charge_minor, rc.paid_minor
        HAVING rc.charge_minor - rc.paid_minor - COALESCE(SUM(a.amount_minor), 0) <> 0""",
    "claim-paid": _REMITTED + """
        SELECT rc.id, COALESCE(r.amount, 0) - rc.paid_minor FROM remittance_claims rc
        LEFT JOIN remitted r ON r.origin_id = rc.id
        WHERE rc.practice_id = :practice AND rc.outcome <> 'undone' AND COALESCE(r.amount, 0) <> rc.paid_minor""",
    "remittance-paid": _REMITTED + """
        SELECT rem.id, COALESCE(SUM(r.amount), 0) - rem.paid_minor FROM remittances rem
        JOIN owners o ON o.remittance_id = rem.id LEFT JOIN remitted r ON r.origin_id = o.origin_id
        WHERE rem.practice_id = :practice AND rem.status = 'posted'
        GROUP BY rem.id, rem.paid_minor HAVING COALESCE(SUM(r.amount), 0) <> rem.paid_minor""",
    "remittance-once": "SELECT MAX(id), MAX(paid_minor) FROM remittances WHERE practice_id = :practice "
                       "AND status <> 'undone' GROUP BY identity HAVING COUNT(*) > 1",
    "claim-charged-once": "SELECT MAX(id), MAX(charge_minor) FROM claim_documents WHERE practice_id = :practice "
                          "AND outcome = 'posted' GROUP BY claim_hash, digest HAVING COUNT(*) > 1",
    "answer-payment": _ANSWERS + "SELECT id, payment + suspense - paid FROM told WHERE payment + suspense <> paid "
                                 "OR (suspense <> 0 AND NOT capped)",
    "answer-adjustments": _ANSWERS + """
        SELECT id, payment + contractual + shared - paid - told_contractual - told_shared FROM told
        WHERE (NOT capped AND (contractual <> told_contractual OR shared <> told_shared))
           OR (capped AND payment + contractual + shared > paid + told_contractual + told_shared)
           OR prior NOT IN (0, told_prior)""",
    "answer-reversed": _STANDING + """
        SELECT rc.id, COALESCE(SUM(s.amount_minor), 0) FROM remittance_claims rc
        LEFT JOIN remittance_claims by ON by.id = rc.reversed_by_id AND by.outcome = 'reversal'
        LEFT JOIN standing s ON s.remittance_claim_id = rc.id
            AND s.code IN ('payer_payment', 'contractual', 'patient_share', 'next_payer', 'suspense')
        WHERE rc.practice_id = :practice AND rc.outcome = 'reversed'
        GROUP BY rc.id, by.id HAVING by.id IS NULL OR COUNT(s.id) > 0""",
    "claim-suspended": _STANDING + """
        SELECT rc.id, SUM(s.amount_minor) FROM remittance_claims rc JOIN standing s ON s.remittance_claim_id = rc.id
        WHERE rc.practice_id = :practice AND rc.outcome IN ('suspended', 'skipped', 'stored')
            AND (s.code <> 'suspense' OR rc.outcome = 'stored') GROUP BY rc.id""",
    "patient-negative": "SELECT a.visit_id, a.balance_minor FROM ledger_accounts a WHERE a.practice_id = :practice "
                        "AND a.kind = 'patient' AND a.balance_minor < 0 AND NOT EXISTS "
                        "(SELECT 1 FROM coverages c WHERE c.visit_id = a.visit_id AND c.status = 'pending')",
    "credit-negative": "SELECT a.guarantor_id, -a.balance_minor FROM ledger_accounts a "
                       "WHERE a.practice_id = :practice AND a.kind = 'credit' AND a.balance_minor > 0",
    "payment-posted": _PAYMENTS + """
        SELECT p.id, p.main - p.kept FROM paid p LEFT JOIN imports i ON i.id = p.import_id
        WHERE p.status IN ('succeeded', 'partly_refunded', 'refunded', 'disputed', 'dispute_lost', 'returned') AND (
            (p.main <> CASE WHEN i.status = 'undone' THEN 0 ELSE p.kept END
                AND NOT (p.kept = 0 AND p.main < 0 AND p.main >= p.unheld))
            OR (p.status IN ('disputed', 'dispute_lost', 'returned') AND p.disputed >= 0)
            OR (p.status IN ('succeeded', 'partly_refunded', 'refunded') AND p.disputed <> 0))""",
    "payment-unpaid": _PAYMENTS + """
        SELECT id, main FROM paid WHERE transfers > 0
        AND status NOT IN ('succeeded', 'partly_refunded', 'refunded', 'disputed', 'dispute_lost', 'returned')""",
    "import-undone": _STANDING + """
        SELECT i.id, SUM(s.amount_minor) FROM imports i JOIN standing s ON s.import_id = i.id
        WHERE i.practice_id = :practice AND i.status = 'undone' GROUP BY i.id
        UNION ALL SELECT i.id, SUM(r.amount_minor) FROM imports i JOIN transfers r ON r.import_id = i.id
        JOIN transfers t ON t.id = r.reverses_id
        WHERE i.practice_id = :practice AND i.status = 'undone' AND r.code = 'reversal' AND r.source <> 'undo'
            AND COALESCE(t.import_id, '') <> i.id AND NOT EXISTS (
                SELECT 1 FROM transfers u WHERE u.practice_id = r.practice_id AND u.source = t.source
                AND u.source_ref = i.id || ':' || r.id AND u.debit_id = r.credit_id AND u.credit_id = r.debit_id
                AND u.amount_minor = r.amount_minor) GROUP BY i.id""",
    "waiver-hold": _STANDING + """
        SELECT h.id, h.amount_minor - COALESCE(SUM(CASE WHEN s.debit_kind = 'patient' THEN s.amount_minor
                                                        ELSE -s.amount_minor END), 0) FROM holds h
        LEFT JOIN standing s ON s.visit_id = h.visit_id AND s.code = 'patient_share'
            AND s.reason NOT IN ('PR-1', 'PR-2', 'PR-3') AND s.source_ref LIKE substr(h.dedupe, 8) || ':%'
        WHERE h.practice_id = :practice AND h.kind = 'waiver_check' AND h.dedupe LIKE 'waiver:%'
            AND h.released_at IS NULL AND h.amount_minor IS NOT NULL
        GROUP BY h.id, h.amount_minor HAVING h.amount_minor > COALESCE(SUM(
            CASE WHEN s.debit_kind = 'patient' THEN s.amount_minor ELSE -s.amount_minor END), 0)""",
    "hold-owner": "SELECT h.id, h.amount_minor FROM holds h JOIN visits v ON v.id = h.visit_id "
                  "WHERE h.practice_id = :practice AND h.guarantor_id <> v.guarantor_id",
    "posting-transfer": """
        SELECT MAX(p.id), NULL FROM postings p LEFT JOIN transfers t ON t.id = p.transfer_id
            AND t.practice_id = p.practice_id
        WHERE p.practice_id = :practice GROUP BY p.transfer_id HAVING COUNT(*) > 1 OR MAX(t.id) IS NULL""",
    "statement-numbers": """
        SELECT CAST(n.numbers AS TEXT), NULL FROM (SELECT COUNT(*) AS numbers, MIN(number) AS first,
            MAX(number) AS last FROM statements WHERE practice_id = :practice) AS n
        LEFT JOIN counters c ON c.practice_id = :practice AND c.name = 'statement'
        WHERE n.numbers > 0 AND (n.first <> 1 OR n.last <> n.numbers OR COALESCE(c.value, 0) <> n.last)""",
}


def problems(session: Session, check: str, practice_id: str) -> Iterator[tuple[str, int | None]]:
    """Yield up to LIMIT + 1 (object id, difference in cents) of one check."""
    dialect = session.get_bind().dialect.name
    sql = CHECKS[check].replace("{head}", _HEADS[dialect])
    rows = session.connection().execute(text(sql), {"practice": practice_id}).fetchmany(LIMIT + 1)
    for object_id, difference in rows:
        yield str(object_id), None if difference is None else int(difference)


def practices(session: Session) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in session.execute(text("SELECT id, currency FROM practices ORDER BY id"))]


def stream(session: Session, sql: str, **values: object) -> Iterator[Any]:
    """Rows of a query a thousand at a time, whatever their number."""
    result = session.connection().execute(text(sql), values, execution_options={"yield_per": 1000})
    yield from result


TRANSFERS = """
    SELECT t.id, t.debit_id, t.credit_id, t.amount_minor, t.currency, t.code, d.kind AS debit_kind,
        c.kind AS credit_kind, d.practice_id AS debit_practice, c.practice_id AS credit_practice
    FROM transfers t LEFT JOIN ledger_accounts d ON d.id = t.debit_id LEFT JOIN ledger_accounts c ON c.id = t.credit_id
    WHERE t.practice_id = :practice ORDER BY t.id"""
ACCOUNTS = """
    SELECT a.id, a.key, a.practice_wide, a.balance_minor, a.snapshot_id, a.guarantor_id,
        COALESCE(v.guarantor_id, a.guarantor_id) AS owner_id
    FROM ledger_accounts a LEFT JOIN visits v ON v.id = a.visit_id WHERE a.practice_id = :practice ORDER BY a.id"""
STATEMENTS = "SELECT id, total_minor, content FROM statements WHERE practice_id = :practice ORDER BY number"

#: (table, sealed column, hash column, kind of hash): what a look-up by hash relies on.
HASHED = (
    ("visits", "external", "external_hash", "account"), ("guarantors", "external", "external_hash", "account"),
    ("patients", "external", "external_hash", "account"), ("remittance_claims", "claim_id", "claim_hash", "account"),
    ("guarantors", "born_on", "born_hash", "born"), ("patients", "born_on", "born_hash", "born"),
    ("guarantors", "postal_code", "postal_hash", "postal"), ("patients", "given", "given_hash", "given"),
)


def hashed_rows(session: Session, table: str, column: str, hash_column: str, practice_id: str) -> Iterator[Any]:
    return stream(session, f"SELECT id, {column}, {hash_column} FROM {table} WHERE practice_id = :practice ORDER BY id",
                  practice=practice_id)


def guarded_tables(session: Session) -> dict[str, set[str]]:
    """Which verbs (update, delete) the database itself refuses, by table."""
    if session.get_bind().dialect.name == "sqlite":
        return _guarded_sqlite(session)
    sql = """SELECT c.relname, t.tgtype FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
             JOIN pg_proc p ON p.oid = t.tgfoid
             WHERE NOT t.tgisinternal AND t.tgenabled = 'A' AND p.proname = 'refuse_change'
               AND p.prosrc LIKE '%RAISE EXCEPTION%'"""
    found: dict[str, set[str]] = {}
    for table, kind in session.execute(text(sql)):
        # pg_trigger.tgtype: bit 1 BEFORE, bit 3 DELETE, bit 4 UPDATE.
        verbs = {verb for verb, bit in (("delete", 8), ("update", 16)) if kind & bit and kind & 2}
        found.setdefault(table, set()).update(verbs)
    return found


def _guarded_sqlite(session: Session) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    rows = session.execute(text("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"))
    for table, sql in rows:
        words = " ".join(str(sql).upper().split())
        for verb in ("update", "delete"):
            if f"BEFORE {verb.upper()} ON " in words and "RAISE(ABORT" in words and " WHEN " not in words:
                found.setdefault(table, set()).add(verb)
    return found
