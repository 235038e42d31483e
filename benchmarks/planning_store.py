"""A practice of any number of accounts on PostgreSQL, made set by set: who owes, who paid, who opted out, who is held.

Only what has to be sealed or hashed comes from Python, by COPY; the rest is derived from each account's number.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import psycopg
from sqlalchemy.orm import Session

from billing.phones import address_hash
from billing.store.seal import blind, seal
from billing.store.tables import Practice
from bot.write import Store
from config.practice import PracticePolicy

PRACTICE = "prac_bench"
POLICY = PracticePolicy.model_validate({
    "name": "Maple Clinic", "legal_name": "Maple Clinic PLLC", "phone": "+12125550199", "zone": "America/New_York",
    "email": "billing@maple.example", "address": "12 Maple St, New York, NY 10001", "region": "NY",
    "sms_number": "+12125550100", "sending": "on", "carrier": {"per_day": 200_000, "per_minute": 4_500,
                                                              "segments_per_second": 100}})

#: State, zone, area code and ZIP, by how many in twenty live there.
PLACES = [("NY", "America/New_York", "212", "10001")] * 8 + [("NJ", None, "201", "07030")] * 3 + [
    ("FL", None, "850", "32501"), ("IL", "America/Chicago", "312", "60601"), ("TX", None, "214", "75201"),
    ("TX", "America/Denver", "915", "79901"), ("CO", "America/Denver", "303", "80201"),
    ("CA", "America/Los_Angeles", "310", "90001"), ("CA", None, "415", "94101"), ("AZ", None, "602", "85001"),
    ("WA", "America/Los_Angeles", "206", "98101")]

_STAGE = """
CREATE TEMP TABLE stage (i int, external_hash text, external bytea, address bytea, phone bytea, phone_hash text,
                         region text, zone text, postal bytea, postal_hash text)
"""

#: ``i % 100`` and the like decide an account's lot; primes keep the lots independent of each other.
_FILL = """
INSERT INTO imports (id, practice_id, file_name, digest, kind, status, options, cursor, total, started_by, started_at)
  VALUES ('imp_bench', %(p)s, 'a.csv', 'd', 'csv', 'finished', '{}', 0, 0, 'bench', %(now)s);
INSERT INTO guarantors (id, practice_id, external, external_hash, name, surname_hash, address, postal_code, postal_hash,
    region, zone, language, origin, confirmed_at, balance_version, capacity, created_at)
  SELECT 'gua_' || lpad(i::text, 26, '0'), %(p)s, external, external_hash, external, 'x', address, postal, postal_hash,
    region, zone, CASE WHEN i %% 7 = 0 THEN 'es' ELSE 'en' END, 'patients',
    CASE WHEN i %% 50 > 0 THEN %(now)s::timestamptz END,
    1, 'creditor', %(now)s FROM stage;
INSERT INTO patients (id, practice_id, guarantor_id, name, given, surname_hash, given_hash, created_at)
  SELECT 'pat_' || lpad(i::text, 26, '0'), %(p)s, 'gua_' || lpad(i::text, 26, '0'), external, external, 'x',
  'x', %(now)s
  FROM stage;
INSERT INTO contact_points (id, practice_id, guarantor_id, channel, address, address_hash, status, source, carrier,
    at_work, created_at)
  SELECT 'cp_' || lpad(i::text, 26, '0'), %(p)s, 'gua_' || lpad(i::text, 26, '0'), 'sms', phone, phone_hash,
    CASE WHEN i %% 41 = 0 THEN 'unreachable' ELSE 'ok' END, 'csv',
    (ARRAY['', 'att', 'tmobile', 'verizon', 'other'])[1 + i %% 5], false, %(now)s FROM stage WHERE i %% 17 > 0;
INSERT INTO visits (id, practice_id, guarantor_id, patient_id, external, external_hash, ordinal, origin, kind, version,
    void, charge_minor, service_from_on, confidential, import_id, created_at)
  SELECT 'vis_' || n || lpad(i::text, 25, '0'), %(p)s, 'gua_' || lpad(i::text, 26, '0'),
  'pat_' || lpad(i::text, 26, '0'),
    external, n || ':' || i, 1, 'charges', 'csv', 1, false, 20000, '2026-08-01'::date + (i * 7 %% 60), i %% 199 = 0,
    'imp_bench', %(now)s FROM stage, generate_series(1, 2) n WHERE n = 1 OR i %% 10 < 3;
INSERT INTO coverages (id, practice_id, visit_id, rank, payer_name, payer_id, filing_code, status, claim_of_record,
    import_id)
  SELECT 'cov_' || n || substr(id, 5), %(p)s, id, n, 'Acme', '1', 'CI',
    CASE WHEN n = 1 AND hashtext(id) %% 19 = 0 THEN 'pending' ELSE 'answered' END, '', 'imp_bench'
  FROM visits, generate_series(1, 2) n WHERE practice_id = %(p)s AND (n = 1 OR hashtext(id) %% 3 = 0);
INSERT INTO ledger_accounts (practice_id, key, kind, visit_id, practice_wide, balance_minor, snapshot_id)
  SELECT %(p)s, 'patient:' || id, 'patient', id, false,
    CASE WHEN hashtext(id) %% 6 = 0 THEN 0 ELSE 500 + abs(hashtext(id)) %% 40000 END, 0 FROM visits
  WHERE practice_id = %(p)s;
INSERT INTO ledger_accounts (practice_id, key, kind, guarantor_id, practice_wide, balance_minor, snapshot_id)
  SELECT %(p)s, 'credit:gua_' || lpad(i::text, 26, '0'), 'credit', 'gua_' || lpad(i::text, 26, '0'), false,
    CASE WHEN i %% 3 = 0 THEN -2500 ELSE 0 END, 0 FROM stage WHERE i %% 31 = 0;
INSERT INTO holds (id, practice_id, guarantor_id, kind, reason, source, placed_by, placed_at, dedupe, released_at)
  SELECT 'hold_' || lpad(i::text, 26, '0'), %(p)s, 'gua_' || lpad(i::text, 26, '0'),
    (ARRAY['dispute', 'audit', 'assistance_pending', 'paid_already', 'bankruptcy'])[1 + i %% 5], 'r', 's',
    'bench', %(now)s,
    'd' || i, CASE WHEN i %% 4 = 0 THEN %(now)s::timestamptz END FROM stage WHERE i %% 19 = 0;
INSERT INTO plans (id, practice_id, number, guarantor_id, status, currency, total_minor, deposit_minor, interval, days,
    first_on, collects, on_extra, balance_version, language, offered_by, offered_at, offer_ends_at,
    idempotency_key, version)
  SELECT 'plan_' || lpad(i::text, 26, '0'), %(p)s, i, 'gua_' || lpad(i::text, 26, '0'), 'active', 'USD', 6000,
  0, 'month',
    '[]', '2026-10-01', 'link', 'shorten', 1, 'en', 'patient', %(now)s, %(now)s, 'k' || i,
    0 FROM stage WHERE i %% 47 = 0;
INSERT INTO plan_visits (plan_id, visit_id, practice_id, agreed_minor)
  SELECT 'plan_' || lpad(i::text, 26, '0'), 'vis_1' || lpad(i::text, 25, '0'), %(p)s, 6000 FROM stage WHERE i %% 47 = 0;
INSERT INTO instalments (plan_id, number, practice_id, due_on, amount_minor, agreed_minor, paid_minor, status, tries)
  SELECT 'plan_' || lpad(i::text, 26, '0'), n, %(p)s, '2026-09-01'::date + 30 * n, 2000, 2000, 0, 'planned', 0
  FROM stage, generate_series(1, 3) n WHERE i %% 47 = 0;
INSERT INTO outbox (id, practice_id, guarantor_id, channel, address, address_hash, purpose, template, template_version,
    language, privacy, arguments, body, segments, subject, status, due_at, sequence, idempotency_key, attempts, lookups,
    sending_at, created_at)
  SELECT 'msg_' || lpad(i::text, 26, '0'), %(p)s, 'gua_' || lpad(i::text, 26, '0'), 'sms', phone, phone_hash,
  'statement',
    'statement_ready', '1', 'en', 'open', phone, phone, 2, '', 'delivered', at, 0, 'k' || i, 1, 0, at, at
  FROM (SELECT *, %(now)s::timestamptz - interval '1 day' * CASE WHEN i %% 43 = 0 THEN 3 ELSE 31 END AS at FROM stage) s
  WHERE i %% 10 < 7;
INSERT INTO consents (practice_id, guarantor_id, channel, address_hash, event, purpose, wording, medium, recorded_by,
    message_id, at)
  SELECT %(p)s, 'gua_' || lpad(i::text, 26, '0'), 'sms', phone_hash, event, purpose,
    'I agree to text messages about my bills from Maple Clinic.', 'form', 'import',
    CASE WHEN purpose = 'start' THEN 'msg_' || lpad(i::text, 26, '0') END, %(now)s
  FROM stage, (VALUES (1, 'given', 'texts'), (2, 'given', 'start'), (3, 'revoked', 'texts')) e (n, event, purpose)
  WHERE (n = 1 AND i %% 13 > 0) OR (n = 2 AND i %% 10 < 7) OR (n = 3 AND i %% 37 = 0) ORDER BY i, n;
INSERT INTO preferences (practice_id, guarantor_id, channel, address_hash, kind, value, wording, recorded_by, at)
  SELECT %(p)s, 'gua_' || lpad(i::text, 26, '0'), 'sms', phone_hash, CASE WHEN i %% 3 = 0 THEN 'hours' ELSE 'way' END,
    CASE WHEN i %% 3 = 0 THEN '{"spans": [["12:00", "18:00"]], "days": [0, 1, 2, 3, 4]}'::jsonb
         ELSE '{"way": "paper", "only": true}'::jsonb END, phone, 'bench', %(now)s FROM stage WHERE i %% 101 = 0;
INSERT INTO payments (id, practice_id, guarantor_id, amount_minor, refunded_minor, currency, processor, tender, way,
    saves_method, early, status, instruction, balance_version, language, idempotency_key, attempt, processor_ref,
    recorded_by, created_at, paid_at)
  SELECT 'pay_' || lpad(i::text, 26, '0'), %(p)s, 'gua_' || lpad(i::text, 26, '0'), 500, 0, 'USD', 'stripe',
  'card', 'page',
    false, false, CASE WHEN i %% 5 = 0 THEN 'pending' ELSE 'paid' END, '[]', 1, 'en', 'k' || i, 0, 'pi_' || i, 'bench',
    %(now)s, CASE WHEN i %% 5 > 0 THEN %(now)s::timestamptz - interval '40 days' END FROM stage WHERE i %% 11 = 0;
INSERT INTO conversations (id, practice_id, channel, address, address_hash, language, language_chosen, state, tries,
    version, last_inbound_at, created_at)
  SELECT DISTINCT ON (phone_hash) 'conv_' || lpad(i::text, 26, '0'), %(p)s, 'sms', phone, phone_hash, 'en',
  false, phone,
    0, 0, %(now)s::timestamptz - interval '20 days', %(now)s FROM stage WHERE i %% 6 = 0;
"""


def fill(store: Store, url: str, accounts: int, now: datetime) -> None:
    """Fill an empty, migrated database; leaves it analysed."""
    store.write(lambda session: _practice(session, now))
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("SET session_replication_role = replica")  # the rows are whole: no key need be looked up
        connection.execute(_STAGE)
        with connection.cursor().copy("COPY stage FROM STDIN") as copy:
            for row in _rows(accounts):
                copy.write_row(row)
        for statement in _FILL.strip().split(";\n"):
            connection.execute(statement.rstrip(";\n ").encode(), {"p": PRACTICE, "now": now})
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM (ANALYZE)")


def _practice(session: Session, now: datetime) -> None:
    session.add(Practice(
        id=PRACTICE, name=POLICY.name, legal_name=POLICY.legal_name, phone=POLICY.phone, zone=POLICY.zone,
        currency=POLICY.currency, sms_number=POLICY.sms_number, configured=True, created_at=now, updated_at=now,
        settings=POLICY.model_dump(mode="json")))


def _rows(accounts: int) -> Iterator[tuple[object, ...]]:
    postal = {code: (seal(code, "guarantors.postal_code"), blind("postal", PRACTICE, code)) for *_, code in PLACES}
    for i in range(1, accounts + 1):
        region, zone, area, code = PLACES[i % len(PLACES)]
        # One in twenty-five shares a number with the account before: a household.
        number = f"+1{area}{2_000_000 + (i - (i % 25 == 0)) % 7_999_999:07}"
        yield (i, blind("account", PRACTICE, f"AC{i}"), seal(f"AC{i}", "guarantors.external"),
               seal(f"{i} Elm St", "guarantors.address"), seal(number, "contact_points.address"),
               address_hash(PRACTICE, "sms", number), region, zone, *postal[code])
