"""Opening visits and payers on the books.

A guarantor is never inferred: a claim that nobody announced gets an account of its own, unconfirmed. It is computed,
but neither messaged nor charged until staff confirm guarantor and coverages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from billing import ledger
from billing.adjudication import RANK_OF_STATUS, REVERSAL
from billing.book import Book, CoverageState, LineState, VisitState
from billing.ids import new_id
from billing.importers.records import PaidClaim, Person
from billing.locating import Sender
from billing.store import book_queries, ledger_queries
from billing.store.seal import blind, normal_name


@dataclass(frozen=True, slots=True)
class NewVisit:
    """What is known of a claim when its visit is opened."""

    claim_id: str
    origin: str
    kind: str
    charge_minor: int
    patient: Person
    service_from_on: date | None
    service_to_on: date | None
    provider: str = ""
    provider_npi: str = ""
    place_of_service: str = ""
    first_statement_on: date | None = None  # by another system, before our books


@dataclass(frozen=True, slots=True)
class NewLine:
    number: int
    position: int
    procedure_code: str
    modifiers: tuple[str, ...]
    revenue_code: str
    units: str
    charge_minor: int
    service_on: date | None
    control_number: str
    words: str | None = None


def open_visit(book: Book, new: NewVisit, owner: tuple[str, str] | None = None) -> VisitState:
    """Put a visit on the books: under ``owner`` (guarantor and patient) where the source names them by number, else
    under a known patient's confirmed guarantor, else under an account of its own.
    """
    before = book.on_file(new.claim_id)
    owner = owner or _known_patient(book, new) or _open_account(book, new, len(before))
    visit = VisitState(new_id("vis"), owner[0], owner[1], book.hash_of(new.claim_id), len(before) + 1,
                       new.origin, 1, False, new.charge_minor, new.service_from_on)
    book.add_visit(visit, {
        "id": visit.visit_id, "guarantor_id": visit.guarantor_id, "patient_id": visit.patient_id,
        "external": new.claim_id, "external_hash": visit.external_hash, "ordinal": visit.ordinal, "origin": new.origin,
        "kind": new.kind, "version": 1, "void": False, "charge_minor": new.charge_minor,
        "place_of_service": new.place_of_service or None, "provider": new.provider or None,
        "provider_npi": new.provider_npi or None, "service_from_on": new.service_from_on,
        "service_to_on": new.service_to_on, "confidential": False, "import_id": book.import_id,
        "created_at": book.now, "first_statement_on": new.first_statement_on})
    before.append(visit)
    book.touched.add(visit.visit_id)
    return visit


def _known_patient(book: Book, new: NewVisit) -> tuple[str, str] | None:
    """The one patient of exactly this name and day of birth whose guarantor is confirmed; never a likeness.

    A child who has come of age since then answers for new charges alone (receivables.md D4), so nobody is found.
    """
    person = new.patient
    if person.born_on is None or not person.surname or not person.given:
        return None
    found = book_queries.find_patients(
        book.session, book.practice_id, blind("surname", book.practice_id, normal_name(person.surname)),
        blind("given", book.practice_id, normal_name(person.given)),
        blind("born", book.practice_id, person.born_on.isoformat()))
    if len(found) != 1:
        return None
    patient, guarantor = found[0]
    if _came_of_age(person.born_on, patient.created_at.date(), new.service_from_on or book.today):
        return None
    return guarantor.id, patient.id


def _came_of_age(born_on: date, recorded_on: date, service_on: date) -> bool:
    return _age(born_on, recorded_on) < 18 <= _age(born_on, service_on)


def _age(born_on: date, on: date) -> int:
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def _open_account(book: Book, new: NewVisit, repeats: int) -> tuple[str, str]:
    person = new.patient
    number = _free_number(book, new.claim_id, repeats)
    name = " ".join(part for part in (person.given, person.surname) if part) or "(name not given)"
    born = person.born_on.isoformat() if person.born_on else None
    surname = blind("surname", book.practice_id, normal_name(person.surname))
    guarantor_id, patient_id = new_id("gua"), new_id("pat")
    postal = person.postal_code[:5] or None
    book.opened.add(guarantor_id)
    book.add("guarantors", {
        "id": guarantor_id, "external": number, "external_hash": book.hash_of(number), "name": name,
        "surname_hash": surname, "born_on": born, "born_hash": born and blind("born", book.practice_id, born),
        "address": None, "postal_code": postal, "postal_hash": postal and blind("postal", book.practice_id, postal),
        "region": person.region or None, "zone": None, "language": "en", "origin": new.origin, "confirmed_at": None,
        "confirmed_by": None, "balance_version": 1, "created_at": book.now})
    book.add("patients", {
        "id": patient_id, "guarantor_id": guarantor_id, "external": None, "external_hash": None, "name": name,
        "given": person.given, "surname_hash": surname,
        "given_hash": blind("given", book.practice_id, normal_name(person.given)), "born_on": born,
        "born_hash": born and blind("born", book.practice_id, born), "created_at": book.now})
    return guarantor_id, patient_id


def _free_number(book: Book, claim_id: str, repeats: int) -> str:
    """The claim's number as an account number, or the first free one that starts with it."""
    number = claim_id if repeats == 0 else f"{claim_id}-{repeats + 1}"
    while book.hash_of(number) in book.taken:
        repeats += 1
        number = f"{claim_id}-{repeats + 1}"
        book.taken |= book_queries.accounts_taken(book.session, book.practice_id, {book.hash_of(number)})
    book.taken.add(book.hash_of(number))
    return number


def open_from_remittance(book: Book, claim: PaidClaim, claim_row: str, sender: Sender) -> VisitState:
    """Open a claim that only the payer told us of: its charge stands at that payer.

    A reversal of a claim from before our books opens at the negated amounts, against opening balances.
    """
    sign = -1 if claim.status_code == REVERSAL else 1
    visit = open_visit(book, NewVisit(
        claim.claim_id, "remittance", "835", sign * claim.charge_minor, claim.patient, _first_day(claim),
        claim.service_to_on, claim.rendering_name))
    coverage = add_coverage(book, visit, claim, sender)
    lines = [NewLine(n, line.position, line.procedure_code, line.modifiers, line.revenue_code, line.units,
                     sign * line.charge_minor, line.service_on or claim.service_from_on, line.control_number)
             for n, line in enumerate(claim.lines, 1)]
    against = "opening" if sign < 0 else "revenue"
    charge_lines(book, visit, coverage, lines, visit.charge_minor, claim.position, against=against, source="remittance",
                 ref=f"{claim_row}:charge", remittance_claim_id=claim_row)
    return visit


def _first_day(claim: PaidClaim) -> date | None:
    return claim.service_from_on or min((line.service_on for line in claim.lines if line.service_on), default=None)


def charge_lines(book: Book, visit: VisitState, coverage: CoverageState | None, lines: Sequence[NewLine],
                 total_minor: int, position: int, *, against: str, source: str, ref: str,
                 remittance_claim_id: str | None = None) -> None:
    """Charge a visit's service lines to its first payer, or to the patient where there is none.

    Where a document gives no lines, or lines that are not the whole charge, one line stands for the claim.
    """
    if sum(line.charge_minor for line in lines) != total_minor:
        lines = [NewLine(1, position, "", (), "", "", total_minor, visit.service_from_on, "")]
    debit = ledger.payer(coverage.coverage_id, visit.visit_id) if coverage else ledger.patient(visit.visit_id)
    visit.lines = []
    for line in lines:
        line_id = new_id("lin")
        book.add("service_lines", {
            "id": line_id, "visit_id": visit.visit_id, "version": visit.version, "number": line.number,
            "procedure_code": line.procedure_code, "modifiers": " ".join(line.modifiers),
            "revenue_code": line.revenue_code, "units": line.units, "charge_minor": line.charge_minor,
            "service_on": line.service_on, "control_number": line.control_number, "words": line.words,
            "position": line.position, "import_id": book.import_id})
        visit.lines.append(LineState(line_id, line.number, line.procedure_code, line.charge_minor, line.control_number,
                                     line.service_on))
        book.move(visit, debit, ledger.wide(against), line.charge_minor, code="charge", source=source,
                  ref=f"{ref}:{line.number}", on=line.service_on,
                  coverage_id=coverage.coverage_id if coverage else None, service_line_id=line_id,
                  remittance_claim_id=remittance_claim_id)


def add_coverage(book: Book, visit: VisitState, claim: PaidClaim, sender: Sender, rank: int = 0) -> CoverageState:
    """Add the payer that a remittance speaks for and that the claim did not name."""
    taken = {c.rank for c in visit.coverages}
    wanted = rank or RANK_OF_STATUS.get(claim.status_code, 1)
    free = wanted if wanted not in taken else max(taken) + 1
    return insert_coverage(book, visit, free, sender.name, sender.payer_id, None, claim.filing_code)


def insert_coverage(book: Book, visit: VisitState, rank: int, payer_name: str, payer_id: str, member_id: str | None,
                    filing_code: str) -> CoverageState:
    """Add a payer to a visit. What earlier payers left to the patient is now this one's to answer first."""
    coverage = CoverageState(new_id("cov"), rank, payer_name or "the insurer", payer_id, None, filing_code, "pending",
                             "")
    book.add_coverage(coverage, {
        "id": coverage.coverage_id, "visit_id": visit.visit_id, "rank": rank, "payer_name": coverage.payer_name,
        "payer_id": payer_id, "remit_payer": None, "member_id": member_id, "filing_code": filing_code,
        "status": "pending", "claim_of_record": "", "import_id": book.import_id})
    was_self_pay = not visit.coverages and bool(visit.lines)
    visit.coverages.append(coverage)
    visit.coverages.sort(key=lambda c: c.rank)
    book.touched.add(visit.visit_id)
    if was_self_pay or any(c.rank < rank and c.status != "pending" for c in visit.coverages):
        pull_back(book, visit, coverage, coverage.coverage_id)
    return coverage


def pull_back(book: Book, visit: VisitState, coverage: CoverageState, ref: str) -> None:
    """Take what earlier payers left to the patient back to a payer that has to answer first."""
    book.flush()
    shares: dict[str, int] = {}
    for t in ledger_queries.of_visit(book.session, visit.visit_id):
        share = _patient_part(t, visit)
        shares[t.reason] = shares.get(t.reason, 0) + share
    for number, (reason, amount) in enumerate(sorted(shares.items())):
        book.move(visit, ledger.payer(coverage.coverage_id, visit.visit_id), ledger.patient(visit.visit_id), amount,
                  code="next_payer", source="coverage", ref=f"{ref}:{number}",
                  coverage_id=coverage.coverage_id, reason=reason)


def _patient_part(t: ledger_queries.TransferRow, visit: VisitState) -> int:
    """What the transfer put on the patient from a payer or from a charge: never a payment's part."""
    mine = f"patient:{visit.visit_id}"
    other = {"payer", "revenue", "opening"}
    if t.debit.key == mine and t.credit.key.split(":")[0] in other:
        return t.amount_minor
    if t.credit.key == mine and t.debit.key.split(":")[0] in other:
        return -t.amount_minor
    return 0
