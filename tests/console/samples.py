"""One row in every table for a practice, so that every kind of id there is belongs to somebody; and a digest of it all.

``SAMPLES`` says which row a part of an address names, ``NAMES`` what names no row. A screen with a part that is in
neither makes tests/console/test_isolation.py fail: add it, so that another practice's is tried.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Table, select
from sqlalchemy.orm import Session

import billing.store.tables  # noqa: F401 - every table is known
from billing.store.types import Base

TABLES: dict[str, Table] = {table.name: table for table in Base.metadata.sorted_tables}

#: What no page of another practice may ever show.
CANARY = "Quagmire"

#: Codes that a row has to have to be anything; what is not named gets words, numbers and days of no meaning.
_GIVEN: dict[str, Any] = {
    "staff.role": "biller", "api_keys.role": "reader", "cases.kind": "dispute", "cases.status": "open",
    "guarantors.origin": "patients", "guarantors.postal_code": "10001", "guarantors.born_on": "1976-02-29",
    "guarantors.region": "NY", "conversations.channel": "sms", "conversations.state": {}, "outbox.channel": "sms",
    "outbox.status": "delivered", "outbox.purpose": "statement", "outbox.template": "statement_ready",
    "outbox.address": "+12125550142", "conversations.address": "+12125550142",
    "contact_points.address": "+12125550142", "contact_points.channel": "sms", "payments.status": "succeeded",
    "payments.tender": "card", "payments.processor": "stripe",
    "plans.status": "active", "plans.interval": "month", "plans.collects": "link", "instalments.status": "planned",
    "refunds.status": "waiting", "refunds.tender": "card", "refunds.reason": "other", "imports.kind": "csv",
    "imports.status": "finished", "campaigns.status": "draft", "campaigns.purpose": "statement",
    "campaigns.template": "statement_ready", "campaigns.ways": ["sms"], "write_offs.kind": "small_balance",
    "write_offs.status": "asked", "placements.status": "proposed", "holds.kind": "dispute", "visits.origin": "charges",
    "visits.kind": "csv", "assistance_applications.status": "received", "payment_disputes.status": "open",
    "differences.status": "open", "differences.kind": "stranger", "import_files.status": "checked",
    "day_closes.totals": {"drawers": [], "deposit": {}, "insurer_checks": [], "agencies": [], "open_differences": []},
    "remittances.status": "posted",
    "remittances.method": "ACH", "mail_batches.status": "written", "settlement_offers.status": "offered",
    "settlement_offers.kind": "prompt_pay", "processor_calls.status": "done", "setup_requests.status": "open",
    "payment_methods.kind": "card", "payment_methods.status": "active", "payouts.status": "paid",
    "links.purpose": "statement", "segments.definition": {}, "canned_replies.language": "en",
    "campaign_looks.kind": "preview", "campaign_looks.status": "waiting", "campaign_look_lists.ids": [],
    "policy_changes.status": "asked", "policy_changes.origin": "console", "policy_changes.diff": [],
    "case_files.content": "UXVhZ21pcmU=", "case_files.media_type": "image/png",
    "remittance_claims.outcome": "posted", "claim_documents.outcome": "posted", "settlement_offers.pay_minor": 100,
    "statements.content": {"number": 1, "statement_on": "2026-11-02", "total_minor": 0, "credit_used_minor": 0,
                           "visits": []},
    "words_changes.template": "help", "words_changes.status": "proposed", "corrections.status": "proposed",
    "privacy_incidents.status": "open", "privacy_incidents.accounts": [],
}

#: A verdict is about one thing alone: here a message.
_LEFT_EMPTY = frozenset({"verdicts.payment_id", "verdicts.plan_id"})

#: What a part of an address is called: the table and the column whose value it is.
SAMPLES: dict[str, tuple[str, str]] = {
    "staff_id": ("staff", "id"), "key_id": ("api_keys", "id"), "account_id": ("guarantors", "id"),
    "hold_id": ("holds", "id"), "payment_id": ("payments", "id"), "message_id": ("outbox", "id"),
    "visit_id": ("visits", "id"), "plan_id": ("plans", "id"), "refund_id": ("refunds", "id"),
    "write_off_id": ("write_offs", "id"), "conversation_id": ("conversations", "id"), "case_id": ("cases", "id"),
    "campaign_id": ("campaigns", "id"), "import_id": ("imports", "id"), "statement_id": ("statements", "id"),
    "segment_id": ("segments", "id"), "placement_id": ("placements", "id"), "offer_id": ("settlement_offers", "id"),
    "application_id": ("assistance_applications", "id"), "dispute_id": ("payment_disputes", "id"),
    "upload_id": ("import_files", "id"), "remittance_id": ("remittances", "id"),
    "difference_id": ("differences", "id"), "note_id": ("thread_notes", "id"),
    "reply_id": ("canned_replies", "id"), "line_id": ("bank_lines", "id"), "file_id": ("case_files", "id"),
    "number": ("case_files", "number"), "canned_id": ("canned_replies", "id"),
    "coverage_id": ("coverages", "id"), "contact_id": ("contact_points", "id"),
    "incident_id": ("privacy_incidents", "id"),
    "correction_id": ("corrections", "id"), "wording_id": ("words_changes", "id"),
    "change_id": ("policy_changes", "id"), "policy_change_id": ("policy_changes", "id"),
    "passkey_id": ("passkeys", "id"),
}


#: Parts that name no row of anybody's, such as a report's name: any practice may ask for them, about its own.
NAMES: dict[str, str] = {"name": "aging"}


class Rows:
    """The rows of one practice by table, each made with the rows that it stands on."""

    def __init__(self, session: Session, practice_id: str, now: datetime, made: dict[str, dict[str, Any]] | None = None,
                 ) -> None:
        self.session, self.practice_id, self.now = session, practice_id, now
        self.made: dict[str, dict[str, Any]] = made or {}
        self._number = 1000 * len(practice_id)  # another one for each practice: what is unique stays so

    def every(self) -> dict[str, dict[str, Any]]:
        for name in TABLES:
            self.of(name)
        return self.made

    def of(self, name: str) -> dict[str, Any]:
        if name not in self.made:
            self.made[name] = self._add(name)
        return self.made[name]

    def _add(self, name: str) -> dict[str, Any]:
        row = {column.name: value for column in TABLES[name].columns
               if (value := self._value(name, column)) is not None}
        answer = self.session.execute(TABLES[name].insert().values(row))
        keys = zip(TABLES[name].primary_key, getattr(answer, "inserted_primary_key", ()), strict=True)
        return row | {column.name: value for column, value in keys}

    def _value(self, table: str, column: Column[Any]) -> Any:
        if f"{table}.{column.name}" in _LEFT_EMPTY:
            return None
        if column.foreign_keys:
            target = next(iter(column.foreign_keys)).column
            if target.table.name == "practices":
                return self.practice_id
            if column.name == "credit_id":  # money goes from one account to another one
                return self._add(target.table.name)[target.name]
            # Wherever a row can name another one it does: the more a leak would show, the better.
            return None if target.table.name == table else self.of(target.table.name)[target.name]
        if column.name == "practice_id":
            return self.practice_id
        given = _GIVEN.get(f"{table}.{column.name}")
        if given is not None:
            return given
        if column.nullable or column.default is not None or _is_counted(column):
            return None
        return self._plain(table, column)

    def _plain(self, table: str, column: Column[Any]) -> Any:
        self._number += 1
        kind = type(column.type).__name__
        if kind == "Instant":
            return self.now + timedelta(days=30) if column.name in ("ends_at", "expires_at", "until_at") else self.now
        if kind == "Date":
            return date(2026, 11, 2)
        if kind in ("Integer", "BigInteger"):
            return self._number
        if kind == "Boolean":
            return False
        if kind in ("JSON", "SealedJSON"):
            return [] if column.name in ("visits", "days", "ways", "missing") else {}
        if column.name == "language":
            return "en"
        if column.name == "currency":
            return "USD"
        if column.name in ("name", "title", "words", "body", "text", "note", "address"):
            return f"{CANARY} {self._number}"
        return f"{table[:12]}_{self.practice_id[-3:]}{self._number}"


def _is_counted(column: Column[Any]) -> bool:
    """The database counts it up by itself."""
    alone = column.primary_key and len(column.table.primary_key.columns) == 1
    return alone and type(column.type).__name__ in ("BigInteger", "Integer")


#: Counts of tries, and when somebody was last here: they change by asking.
_UNSETTLED = {"send_windows": (), "presences": (), "sign_ins": ("seen_at",), "api_keys": ("used_at",)}


def digest(session: Session, *, but_reads: bool = True) -> dict[str, str]:
    """What every table holds, by table. ``but_reads``: without who looked at what, which looking writes."""
    found = {}
    for name, table in TABLES.items():
        if _UNSETTLED.get(name) == ():
            continue
        columns = [column for column in table.columns if column.name not in _UNSETTLED.get(name, ())]
        wanted = select(*columns).order_by(*table.primary_key)
        if name == "audit" and but_reads:
            wanted = wanted.where(table.c.action.not_in(("read", "export")))
        rows = session.connection().exec_driver_sql(str(wanted.compile(
            session.get_bind(), compile_kwargs={"literal_binds": True}))).all()
        found[name] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return found


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The tables that are not as they were."""
    return [name for name in after if before[name] != after[name]]
