"""A patient file's row: who the patient is, who answers for the bills, how they are reached, what they agreed to.

A practice's own patient file is its record of who answers: a guarantor named there is confirmed, unless the file says
no. Where none is named, only a grown patient whose row says "self" answers for themselves. A guarantor is never
inferred from anything else (issue 2; receivables.md D4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from billing import contacts
from billing.book import Book
from billing.ids import new_id
from billing.importers.csv_records import PatientRow
from billing.store import account_queries, csv_queries
from billing.store.seal import blind, normal_name
from billing.store.tables import Guarantor, Patient

NOBODY = "(name not given)"
ANOTHER_PERSON = ("account_id: this account is on file for a person of another name and another date of birth; give "
                  "the new guarantor an account number of their own")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who answers for an account, as far as the row says."""

    given: str
    surname: str
    born_on: date | None

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.given, self.surname) if part)


def is_adult(born_on: date, on: date) -> bool:
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day)) >= 18


def account_number(row: PatientRow) -> str:
    return row.account_id or row.patient_id


def holder_of(row: PatientRow) -> Holder | None:
    """The guarantor whom the row names; None where it only gives an account's number."""
    if row.guarantor_surname:
        return Holder(row.guarantor_given, row.guarantor_surname, row.guarantor_born_on)
    if row.relation == "self" or account_number(row) == row.patient_id or row.confirmed:
        return Holder(row.given, row.surname, row.born_on)
    return None


def confirms(row: PatientRow, today: date) -> bool | None:
    """True: confirmed; False: the file says that it is not; None: it says nothing that would confirm."""
    if row.confirmed is False:
        return False
    holder = holder_of(row)
    named = bool(row.guarantor_surname or row.confirmed or row.relation == "self")
    if holder is None or not named or (holder.born_on is not None and not is_adult(holder.born_on, today)):
        return None
    return True


def refusal(account: Guarantor | None, row: PatientRow, practice_id: str) -> str:
    """Why the row cannot be taken: it would give an account, with its debts, to somebody else."""
    holder = holder_of(row)
    if account is None or holder is None or holder.born_on is None or not account.born_on or account.name == NOBODY:
        return ""
    other_name = account.surname_hash != _surname(practice_id, holder.surname)
    return ANOTHER_PERSON if other_name and account.born_on != holder.born_on.isoformat() else ""


def post_patient(book: Book, row: PatientRow) -> str:
    """Add or update patient, account, numbers and consents; return posted, updated or duplicate (nothing new)."""
    number = account_number(row)
    account = csv_queries.find_account(book.session, book.practice_id, book.hash_of(number))
    opened = account is None
    account = account or open_account(book, number)
    before = (_seen(account), account.confirmed_at)
    _write_account(book, account, row)
    added = _write_patient(book, account, row)
    told = _write_contacts(book, account, row)
    changed = before != (_seen(account), account.confirmed_at) or told
    if changed:
        account_queries.bump(book.session, [account.id])
    book.session.flush()
    return "posted" if opened or added else "updated" if changed else "duplicate"


def open_account(book: Book, number: str, origin: str = "patients") -> Guarantor:
    """Open an account under its number, for nobody in particular yet and unconfirmed."""
    account = Guarantor(
        id=new_id("gua"), practice_id=book.practice_id, external=number, external_hash=book.hash_of(number),
        name=NOBODY, surname_hash=_surname(book.practice_id, ""), born_on=None, born_hash=None, address=None,
        postal_code=None, postal_hash=None, region=None, zone=None, language="en", origin=origin, confirmed_at=None,
        confirmed_by=None, balance_version=0, capacity=book.policy.collector.capacity, created_at=book.now)
    book.session.add(account)
    book.taken.add(account.external_hash)
    book.session.flush()
    return account


def open_patient(book: Book, guarantor_id: str, number: str) -> Patient:
    """A patient of whom only the number is known."""
    patient = Patient(
        id=new_id("pat"), practice_id=book.practice_id, guarantor_id=guarantor_id, external=number or None,
        external_hash=book.hash_of(number) if number else None, name=NOBODY, given="",
        surname_hash=_surname(book.practice_id, ""), given_hash=blind("given", book.practice_id, ""), born_on=None,
        born_hash=None, created_at=book.now)
    book.session.add(patient)
    book.session.flush()
    return patient


def _seen(a: Guarantor) -> tuple[object, ...]:
    return (a.name, a.surname_hash, a.born_on, a.address, a.postal_code, a.region, a.language)


def _surname(practice_id: str, surname: str) -> str:
    return blind("surname", practice_id, normal_name(surname))


def _write_account(book: Book, account: Guarantor, row: PatientRow) -> None:
    holder = holder_of(row)
    if holder is not None:
        account.name, account.surname_hash = holder.name, _surname(book.practice_id, holder.surname)
        if holder.born_on is not None:
            account.born_on = holder.born_on.isoformat()
            account.born_hash = blind("born", book.practice_id, account.born_on)
    if row.address:
        account.address = ", ".join(part for part in (row.address, row.city, f"{row.region} {row.postal_code}".strip())
                                    if part)
    if row.postal_code:
        account.postal_code = row.postal_code
        account.postal_hash = blind("postal", book.practice_id, row.postal_code)
    account.region = row.region or account.region
    account.language = row.language or account.language
    sure = confirms(row, book.today)
    if sure and account.confirmed_at is None:
        account.confirmed_at, account.confirmed_by = book.now, f"import {book.import_id}"
    elif sure is False:
        account.confirmed_at, account.confirmed_by = None, None


def _write_patient(book: Book, account: Guarantor, row: PatientRow) -> bool:
    """New charges go to the account that the newest row names; old visits stay where they are (receivables.md D4)."""
    patient = csv_queries.find_patient(book.session, book.practice_id, book.hash_of(row.patient_id))
    added = patient is None
    patient = patient or open_patient(book, account.id, row.patient_id)
    patient.guarantor_id = account.id
    patient.name, patient.given = f"{row.given} {row.surname}", row.given
    patient.surname_hash = _surname(book.practice_id, row.surname)
    patient.given_hash = blind("given", book.practice_id, normal_name(row.given))
    patient.born_on = row.born_on.isoformat()
    patient.born_hash = blind("born", book.practice_id, patient.born_on)
    return added


def _write_contacts(book: Book, account: Guarantor, row: PatientRow) -> bool:
    told = [contacts.add_phone(book.session, book.practice_id, account.id, number, source=book.import_id, now=book.now)
            for number in row.phones]
    if row.email:
        told.append(contacts.add_email(book.session, book.practice_id, account.id, row.email, source=book.import_id,
                                       now=book.now))
    if row.consent_given_on and row.phones:
        given = contacts.Given(_beginning(book, row.consent_given_on), row.consent_wording, row.consent_medium,
                               row.consent_recorded_by)
        told.append(contacts.add_consent(book.session, book.practice_id, account.id, row.phones[0], given))
    if row.opted_out:
        at = _beginning(book, row.opted_out_on) if row.opted_out_on else None
        told += [contacts.add_opt_out(book.session, book.practice_id, number, at=at, recorded_by=book.actor,
                                      now=book.now) for number in row.phones]
    return any(told)


def _beginning(book: Book, day: date) -> datetime:
    """A day of a file as an instant: its beginning at the practice."""
    return datetime.combine(day, time(), ZoneInfo(book.policy.zone))
