"""The columns of each kind of record: what a file may say, how it is read, and the names in our own templates.

docs/csv.md says the same for people; tests compare the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from billing.importers import csv_values as v
from billing.importers.csv_records import (
    AdjustmentRow,
    BalanceRow,
    ChargeRow,
    CoverageRow,
    EstimateRow,
    PatientRow,
    PaymentRow,
    ProcedureRow,
    TransferRow,
)


@dataclass(frozen=True, slots=True)
class Field:
    """One column. ``into`` is the record's field where its name is another; ``many`` gathers several columns."""

    name: str
    read: v.Reader
    help: str
    required: bool = False
    into: str = ""
    many: bool = False

    @property
    def target(self) -> str:
        return self.into or self.name


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record. ``money``: fields that make two rows of one id the same row; empty: a newer row updates."""

    name: str
    template: str
    record: type[Any]
    fields: tuple[Field, ...]
    about: str
    example: str
    money: tuple[str, ...] = ()

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.fields if f.required)


_ID = Field("id", v.read_id, "the row's own id in your system; lets a file be given twice", into="source_id")
_VISIT = Field("visit_id", v.read_id, "the visit or claim number, as in the claim file (CLM01)", True)
_PATIENT = Field("patient_id", v.read_id, "the patient's number")
_ACCOUNT = Field("account_id", v.read_id, "the account (guarantor) that answers, where it is not the patient's own")
_TENDER = v.one_of(v.same("cash", "check", "card", "eft", "other") | {
    "cheque": "check", "credit": "card", "credit_card": "card", "debit": "card", "cc": "card", "ach": "eft",
    "echeck": "eft"})
_LANGUAGE = v.one_of({"en": "en", "english": "en", "eng": "en", "es": "es", "spanish": "es", "spa": "es",
                      "espanol": "es", "español": "es"})
_WHO = "patient, payer, or which payer: 1, 2, 3"

PATIENTS = Kind("patient", "patients", PatientRow, (
    Field("patient_id", v.read_id, "the patient's number", True), _ACCOUNT,
    Field("given_name", v.read_text, "the patient's first name", True, "given"),
    Field("surname", v.read_text, "the patient's family name", True),
    Field("born_on", v.read_day, "the patient's date of birth", True),
    Field("relation", v.one_of(v.same("self", "child", "spouse", "other")),
          "the patient is to the guarantor: self, child, spouse, other"),
    Field("guarantor_given_name", v.read_text, "first name of who answers for the bills", into="guarantor_given"),
    Field("guarantor_surname", v.read_text, "family name of who answers; named, the account is confirmed"),
    Field("guarantor_born_on", v.read_day, "the guarantor's date of birth"),
    Field("guarantor_confirmed", v.read_yes_no, "no keeps the account unconfirmed: nobody is texted or charged",
          into="confirmed"),
    Field("address", v.read_text, "street and number of who answers"), Field("city", v.read_text, "city"),
    Field("state", v.read_region, "state, such as NY", into="region"),
    Field("zip", v.read_postal, "ZIP code", into="postal_code"),
    Field("language", _LANGUAGE, "en or es"),
    Field("phone", v.read_phone, "mobile number of who answers; consent is for this one", into="phones", many=True),
    Field("phone_2", v.read_phone, "another number", into="phones", many=True),
    Field("email", v.read_email, "e-mail address of who answers"),
    Field("consent_given_on", v.read_day, "day on which consent to texts was given"),
    Field("consent_wording", v.read_text, "the words that were agreed to; they must name texts"),
    Field("consent_medium", v.one_of(v.same("form", "text", "phone", "import", "staff")),
          "form, text, phone, import or staff"),
    Field("consent_recorded_by", v.read_text, "who took it"),
    Field("opted_out", v.read_opt_out, "yes, no, or the day on which texts were refused"),
), "Patients and who answers for their bills.",
    "P-1,A-1,Ana,Ruiz,2015-04-02,child,Marta,Ruiz,1988-09-30,yes,5 Oak St,Albany,NY,12207,es,(518) 555-0143,,"
    "marta@example.com,2026-01-10,I agree to get billing texts,form,front desk,no")

COVERAGES = Kind("coverage", "coverages", CoverageRow, (
    Field("visit_id", v.read_id, "the visit; or leave it and give the patient"),
    Field("patient_id", v.read_id, "the patient, for all visits on file"),
    Field("rank", v.read_rank, "1 pays first, 2 second ...", True),
    Field("payer", v.read_text, "the insurer's name as patients know it", True),
    Field("payer_id", v.read_id, "the insurer's id, as in the claim file"),
    Field("member_id", v.read_id, "the patient's member number"),
    Field("filing_code", v.read_code, "claim filing code (SBR09), such as MB, MC, CI"),
    Field("status", v.one_of(v.same("pending", "answered", "denied", "closed")),
          "pending, answered, denied, closed; empty: told from what is left with the insurer"),
    Field("from_on", v.read_day, "valid for service from this day"),
    Field("until_on", v.read_day, "valid for service until this day"),
), "Which insurers answer for a visit, in order.", "V-1,,1,Blue Shield,94036,XYZ123,CI,pending,,")

CHARGES = Kind("charge", "charges", ChargeRow, (
    _ID, _VISIT, _PATIENT, _ACCOUNT,
    Field("service_on", v.read_day, "day of service", True),
    Field("service_to", v.read_day, "last day of service, where it is another"),
    Field("procedure", v.read_code, "procedure code", True),
    Field("modifiers", v.read_code, "modifiers, in one or several columns", many=True),
    Field("revenue_code", v.read_code, "revenue code of a hospital's line"),
    Field("units", v.read_units, "units"),
    Field("amount", v.read_amount, "charge of the line", True, "amount_minor"),
    Field("words", v.read_text, "your own plain words for the service, in English"),
    Field("words_es", v.read_text, "the same in Spanish"),
    Field("provider", v.read_text, "who treated the patient"),
    Field("provider_npi", v.read_id, "that person's NPI"),
    Field("place_of_service", v.read_code, "place of service code, such as 11"),
    Field("payer", v.read_text, "first insurer of the visit; empty: the patient pays"),
    Field("payer_id", v.read_id, "that insurer's id"), Field("member_id", v.read_id, "member number there"),
    Field("filing_code", v.read_code, "claim filing code (SBR09)"),
), "Charges, one line of service a row.",
    "T-1,V-1,P-1,A-1,2026-10-05,,99213,,,1,145.00,Office visit,Visita al consultorio,Dr. Lee,,11,Blue Shield,94036,"
    "XYZ123,CI", ("visit_id", "service_on", "procedure", "amount_minor"))

PAYMENTS = Kind("payment", "payments", PaymentRow, (
    _ID, _VISIT, Field("paid_on", v.read_day, "day of the payment", True),
    Field("amount", v.read_amount, "amount; with a minus: given back", True, "amount_minor"),
    Field("who", v.read_who, f"who paid: {_WHO}", True),
    Field("tender", _TENDER, "cash, check, card, eft or other"),
), "Payments of patients and insurers.", "T-2,V-1,2026-10-20,80.00,payer,eft",
    ("visit_id", "paid_on", "amount_minor", "who"))

ADJUSTMENTS = Kind("adjustment", "adjustments", AdjustmentRow, (
    _ID, _VISIT, Field("adjusted_on", v.read_day, "day of the adjustment", True),
    Field("amount", v.read_amount, "amount; it lowers the balance", True, "amount_minor"),
    Field("reason", v.one_of(v.same("contractual", "charity", "bad_debt", "small_balance", "discount") | {
        "financial_assistance": "charity", "write_off": "bad_debt"}),
        "contractual, charity, bad_debt, small_balance or discount", True),
    Field("who", v.read_who, f"whose balance: {_WHO}; empty: the insurer's if contractual, else the patient's"),
), "What is written off, and why.", "T-3,V-1,2026-10-20,40.00,contractual,payer",
    ("visit_id", "adjusted_on", "amount_minor", "reason", "who"))

TRANSFERS = Kind("transfer", "transfers", TransferRow, (
    _ID, _VISIT, Field("moved_on", v.read_day, "day of the transfer", True),
    Field("amount", v.read_amount, "amount that passes on", True, "amount_minor"),
    Field("from_who", v.read_who, f"who owed it: {_WHO}", True),
    Field("to_who", v.read_who, f"who owes it now: {_WHO}", True),
    Field("share_reason", v.read_share_reason, "deductible, coinsurance, copay or a code such as PR-1", into="reason"),
), "Who owes what from now on: responsibility passes, nothing is paid.",
    "T-4,V-1,2026-10-20,25.00,payer,patient,copay", ("visit_id", "moved_on", "amount_minor", "from_who", "to_who"))

BALANCES = Kind("balance", "balances", BalanceRow, (
    _VISIT, _PATIENT, _ACCOUNT, Field("service_on", v.read_day, "day of service"),
    Field("patient_balance", v.read_amount, "what the patient owes; with a minus: credit", True, "patient_minor"),
    Field("payer_balance", v.read_amount, "what insurers owe", True, "payer_minor"),
    Field("as_of", v.read_moment, "day or instant that the balances are of", True),
    Field("pending", v.read_yes_no, "does an insurer still have to answer? empty: yes while insurers owe"),
    Field("payer", v.read_text, "the insurer's name, where none is on file"),
), "Balances per visit from the system whose ledger is the record.",
    "V-1,P-1,A-1,2026-10-05,25.00,0.00,2026-11-03T06:00-05:00,no,Blue Shield")

ESTIMATES = Kind("estimate", "estimates", EstimateRow, (
    _VISIT, Field("provider", v.read_text, "who the estimate is of", True),
    Field("estimate", v.read_amount, "amount of the good-faith estimate", True, "amount_minor"),
    Field("given_on", v.read_day, "day on which the patient got it", True),
), "Good-faith estimates for patients who pay themselves.", "V-1,Dr. Lee,120.00,2026-09-28")

PROCEDURES = Kind("procedure", "procedures", ProcedureRow, (
    Field("code", v.read_code, "procedure code", True), Field("language", _LANGUAGE, "en or es", True),
    Field("words", v.read_text, "your own plain words for it", True),
), "Your own words for procedure codes.", "99213,en,Office visit")

KINDS: dict[str, Kind] = {kind.name: kind for kind in (
    PATIENTS, COVERAGES, CHARGES, PAYMENTS, ADJUSTMENTS, TRANSFERS, BALANCES, ESTIMATES, PROCEDURES)}
TEMPLATES: dict[str, Kind] = {kind.template: kind for kind in KINDS.values()}
