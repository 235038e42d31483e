"""The columns of an opening file: one file, whose column ``record`` says what each row is.

docs/opening.md says the same for people; tests compare the two. Kinds of the other CSV files stay apart from these: a
file is recognised by its columns, and none may be mistaken for what takes a practice over.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any

from billing.importers import csv_values as v
from billing.importers.csv_columns import PATIENTS, Field, Kind
from billing.importers.opening_records import (
    OpeningConsentRow,
    OpeningContactRow,
    OpeningCreditRow,
    OpeningOptOutRow,
    OpeningPlanRow,
    OpeningStandingRow,
    OpeningTotalRow,
    OpeningVisitRow,
)

#: Kinds of hold that an opening file may hand over (billing/hold_kinds.py), by the words of its column.
STANDINGS = ("agency", "litigation", "bankruptcy", "dispute", "attorney", "cease", "deceased")
BUCKETS = ("0-30", "31-60", "61-90", "91-120", "121+")
NOT_BILLED, PAYERS, CREDITS = "not_billed", "payers", "credits"

_ENTRY = re.compile(r"(\S+)\s+(\S+)")


def read_list(text: str, how: v.Reading) -> tuple[str, ...]:
    """Several ids in one cell, with blanks or semicolons between."""
    found = tuple(part for part in re.split(r"[;\s]+", text) if part)
    if len(set(found)) != len(found):
        raise v.CellFault("the same id stands twice")
    return tuple(v.read_id(part, how) for part in found)


def read_schedule(text: str, how: v.Reading) -> tuple[tuple[date, int], ...]:
    """Days and amounts, such as 2026-12-01 50.00; 2027-01-01 50.00."""
    found: list[tuple[date, int]] = []
    for part in (one.strip() for one in text.split(";")):
        m = _ENTRY.fullmatch(part)
        if m is None:
            if part:
                raise v.CellFault("days and amounts are expected, such as 2026-12-01 50.00; 2027-01-01 50.00")
            continue
        found.append((v.read_day(m[1], how), v.read_amount(m[2], how)))
    days = [day for day, _ in found]
    if any(amount <= 0 for _, amount in found):
        raise v.CellFault("every instalment is above zero")
    if days != sorted(set(days)):
        raise v.CellFault("the days follow one another, and none stands twice")
    return tuple(found)


def read_bucket(text: str, how: v.Reading) -> str:
    word = "_".join(text.casefold().split())
    known = (*BUCKETS, NOT_BILLED, PAYERS, CREDITS)
    if word not in known:
        raise v.CellFault(f"one of these is expected: {', '.join(known)}")
    return word


_ID = Field("id", v.read_id, "the row's own id in your system", into="source_id")
_ACCOUNT = Field("account_id", v.read_id, "the account (guarantor) that answers", True)
_STANDING = v.one_of(v.same(*STANDINGS) | {
    "collections": "agency", "collection_agency": "agency", "lawsuit": "litigation", "cease_and_desist": "cease",
    "disputed": "dispute"})
_AGENCY = Field("agency", v.read_id, "with standing agency: which, by its key in your policy")
_SINCE = Field("since_on", v.read_day, "since when")
_PHONE = Field("phone", v.read_phone, "a phone number")
_EMAIL = Field("email", v.read_email, "an e-mail address")

VISITS = Kind("opening_visit", "visit", OpeningVisitRow, (
    _ID, Field("visit_id", v.read_id, "the visit or claim number", True),
    Field("patient_id", v.read_id, "the patient's number"), replace(_ACCOUNT, required=False),
    Field("service_on", v.read_day, "day of service", True),
    Field("first_statement_on", v.read_day, "day of the first statement to the patient; empty: never billed"),
    Field("balance", v.read_amount, "what the patient owes, never below zero", True, "balance_minor"),
    Field("payer_balance", v.read_amount, "what an insurer still has to answer for", into="payer_minor"),
    Field("payer", v.read_text, "that insurer's name"),
    Field("step", v.read_id, "the last step of reminding that went out, by its name in your calendar here"),
    Field("standing", _STANDING, f"{', '.join(STANDINGS)}; empty: none"), _AGENCY, _SINCE,
    Field("provider", v.read_text, "who treated the patient"),
), "What is open for a visit.", "")

CREDIT_ROWS = Kind("opening_credit", "credit", OpeningCreditRow, (
    _ID, _ACCOUNT, Field("amount", v.read_amount, "money of the account that no visit needs", True, "amount_minor"),
), "Unapplied credit of an account.", "")

PLANS = Kind("opening_plan", "plan", OpeningPlanRow, (
    Field("plan_id", v.read_id, "the plan's number", True), _ACCOUNT,
    Field("visits", read_list, "the visits that it pays, oldest first, with blanks between", True),
    Field("interval", v.one_of(v.same("week", "two_weeks", "twice_month", "month") | {
        "weekly": "week", "monthly": "month", "biweekly": "two_weeks"}), "week, two_weeks, twice_month or month", True),
    Field("schedule", read_schedule, "what is left: 2026-12-01 50.00; 2027-01-01 50.00", True),
), "A running plan and what is left of its schedule.", "")

STANDING_ROWS = Kind("opening_standing", "standing", OpeningStandingRow, (
    replace(_ACCOUNT, required=False), Field("visit_id", v.read_id, "the visit, where it is of one alone"),
    Field("standing", _STANDING, ", ".join(STANDINGS), True), _AGENCY, _SINCE,
    Field("note", v.read_text, "court, agency or attorney; no diagnosis"),
), "A standing of an account, or of one visit.", "")

CONTACTS = Kind("opening_contact", "contact", OpeningContactRow, (
    _ACCOUNT, _PHONE, _EMAIL, Field("address", v.read_text, "a postal address on one line, with commas"),
    Field("returned", v.read_yes_no, "yes: mail came back from it, or nothing arrives"),
    Field("at_work", v.read_yes_no, "yes: an employer's e-mail address"),
), "One more number or address of an account.", "")

CONSENTS = Kind("opening_consent", "consent", OpeningConsentRow, (
    _ACCOUNT, replace(_PHONE, required=True),
    Field("consent_given_on", v.read_day, "day on which consent to texts was given", True, "given_on"),
    Field("consent_wording", v.read_text, "the words that were agreed to; they must name texts", True, "wording"),
    Field("consent_medium", v.one_of(v.same("form", "text", "phone", "import", "staff")),
          "form, text, phone, import or staff", True, "medium"),
    Field("consent_recorded_by", v.read_text, "who took it", True, "recorded_by"),
), "A consent to texts.", "")

OPT_OUTS = Kind("opening_opt_out", "opt_out", OpeningOptOutRow, (
    _PHONE, _EMAIL, Field("opted_out_on", v.read_day, "day of the refusal; empty: not known"),
    Field("vendor", v.read_text, "whose list it comes from"),
), "A number or address that refused messages, whoever's it is.", "")

TOTALS = Kind("opening_total", "total", OpeningTotalRow, (
    Field("bucket", read_bucket, f"{', '.join(BUCKETS)}, {NOT_BILLED}, {PAYERS} or {CREDITS}", True),
    Field("amount", v.read_amount, "what your aging says", True, "amount_minor"),
    Field("as_of", v.read_day, "the day of that aging", True),
), "A total of your aging, days counted from the first statement.", "")

#: By the word in the column ``record``.
RECORDS: dict[str, Kind] = {"patient": PATIENTS} | {kind.template: kind for kind in (
    VISITS, CREDIT_ROWS, PLANS, STANDING_ROWS, CONTACTS, CONSENTS, OPT_OUTS, TOTALS)}


def columns() -> tuple[str, ...]:
    """Every column that an opening file may have, ``record`` first."""
    return ("record", *dict.fromkeys(f.name for kind in RECORDS.values() for f in kind.fields))


#: Rows that show every record at work, for the template and the tests: a small practice whose totals agree.
EXAMPLE: tuple[dict[str, Any], ...] = (
    {"record": "patient", "patient_id": "P-1", "account_id": "A-1", "given_name": "Ana", "surname": "Ruiz",
     "born_on": "2015-04-02", "relation": "child", "guarantor_given_name": "Marta", "guarantor_surname": "Ruiz",
     "guarantor_born_on": "1988-09-30", "address": "5 Oak St", "city": "Albany", "state": "NY", "zip": "12207",
     "language": "es", "phone": "(518) 555-0143"},
    {"record": "visit", "visit_id": "V-1", "patient_id": "P-1", "account_id": "A-1", "service_on": "2026-07-06",
     "first_statement_on": "2026-08-20", "balance": "120.00", "provider": "Dr. Lee"},
    {"record": "visit", "visit_id": "V-2", "patient_id": "P-1", "account_id": "A-1", "service_on": "2026-03-02",
     "first_statement_on": "2026-04-15", "balance": "80.00", "standing": "agency", "agency": "acme",
     "since_on": "2026-09-15"},
    {"record": "credit", "id": "C-1", "account_id": "A-1", "amount": "15.00"},
    {"record": "plan", "plan_id": "L-1", "account_id": "A-1", "visits": "V-1", "interval": "month",
     "schedule": "2026-12-01 60.00; 2027-01-01 60.00"},
    {"record": "standing", "account_id": "A-1", "standing": "attorney", "since_on": "2026-09-01"},
    {"record": "contact", "account_id": "A-1", "email": "marta@example.org"},
    {"record": "consent", "account_id": "A-1", "phone": "(518) 555-0143", "consent_given_on": "2026-01-10",
     "consent_wording": "I agree to get billing texts", "consent_medium": "form", "consent_recorded_by": "front desk"},
    {"record": "opt_out", "phone": "(518) 555-0199", "opted_out_on": "2026-05-04", "vendor": "our texting service"},
    {"record": "total", "bucket": "0-30", "amount": "0.00", "as_of": "2026-11-02"},
    {"record": "total", "bucket": "31-60", "amount": "0.00", "as_of": "2026-11-02"},
    {"record": "total", "bucket": "61-90", "amount": "120.00", "as_of": "2026-11-02"},
    {"record": "total", "bucket": "91-120", "amount": "0.00", "as_of": "2026-11-02"},
    {"record": "total", "bucket": "121+", "amount": "80.00", "as_of": "2026-11-02"},
    {"record": "total", "bucket": "credits", "amount": "15.00", "as_of": "2026-11-02"},
)
