"""More patients of the sample practice, by rule and not by hand: 186 beside the fourteen, so that a campaign has two
hundred accounts to look at. Some moved away, to three other time zones. The people are made up.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from bot.demo.people import Person
from bot.demo.x12_files import CITY, HARBOR, MEDICARE, Claim, Line, answers_of, claim_file

COUNT = 186
FIRST = 2001
FILES = ("patients-more.csv", "claims-more.837", "remittances-more.835")
"""In the order in which they are imported."""

_GIVEN = ("James", "Mary", "Robert", "Linda", "David", "Susan", "Karen", "Daniel", "Nancy", "Mark", "Emma", "Kevin",
          "Laura", "Brian", "Julia", "Eric", "Diane", "Frank", "Alice", "Walter")
_SURNAMES = ("Abbott", "Barnes", "Carver", "Dalton", "Ellis", "Fisher", "Garner", "Hayes", "Irwin", "Jensen", "Kirby",
             "Lawson", "Mercer", "Norris", "Osborn", "Parker", "Quigley", "Rhodes", "Sutton")
_CONSENT = {
    "en": "I agree to get texts (SMS) about my bills from Maple Street Family Medicine at this number. Msg & data "
          "rates may apply. Reply STOP to stop.",
    "es": "Acepto recibir mensajes de texto (SMS) sobre mis cuentas de Maple Street Family Medicine en este número. "
          "Responda STOP para no recibir más."}


@dataclass(frozen=True, slots=True)
class Town:
    city: str
    state: str
    postal_code: str
    area_codes: tuple[str, ...]
    people: int


#: From east to west; their people sum to COUNT.
TOWNS = (Town("New York", "NY", "10016", ("646", "917"), 120), Town("Chicago", "IL", "60605", ("312",), 24),
         Town("Denver", "CO", "80203", ("303",), 20), Town("Los Angeles", "CA", "90014", ("213",), 22))


@dataclass(frozen=True, slots=True)
class Resident:
    """One of the crowd. What is odd about some of them follows from their number."""

    number: int
    town: Town
    place: int  # in the town, from 0

    @property
    def account(self) -> str:
        return f"A-{self.number}"

    @property
    def given(self) -> str:
        return _GIVEN[self.number % len(_GIVEN)]

    @property
    def surname(self) -> str:
        return _SURNAMES[self.number % len(_SURNAMES)]

    @property
    def born(self) -> date:
        return date(1950, 1, 9) + timedelta(days=self.number % 97 * 173)

    @property
    def language(self) -> str:
        return "es" if self.number % 6 == 0 else "en"

    @property
    def phone(self) -> str:
        """Empty: none is known."""
        codes = self.town.area_codes
        area, line = codes[self.place % len(codes)], 111 + self.place // len(codes)
        return "" if self.number % 37 == 9 else f"+1{area}555{line:04}"

    @property
    def consented(self) -> bool:
        return bool(self.phone) and self.number % 41 != 11

    @property
    def opted_out(self) -> bool:
        return bool(self.phone) and self.number % 43 == 13

    def person(self) -> Person:
        return Person(self.account, f"{self.given} {self.surname}", self.phone, f"{self.born:%m/%d/%Y}",
                      self.town.postal_code, "", self.language)

    def claim(self) -> Claim:
        """One visit; what the plan left to the patient goes by the number, some answers are odd or still to come."""
        payer = HARBOR if self.number % 2 else CITY
        share, kind, remark = 2000 + self.number % 53 * 95, ("3", "1")[self.number % 2], ""
        if self.number % 23 == 4:
            share = 0
        elif self.number % 29 == 3:
            kind = "96"  # a person checks the patient's signed waiver first
        elif self.number % 31 == 7:
            payer, kind, remark = MEDICARE, "2", "N781"  # a QMB may not be billed
        day = date(2026, 10, 1) + timedelta(days=self.number % 28)
        cas = (("CO", "45", "62"), *((("PR", kind, _dollars(share)),) if share else ()))
        line = Line("99213", "185", _dollars(12_300 - share), cas, remark)
        return Claim(f"MS-{self.number}", self.surname.upper(), self.given.upper(), f"{self.born:%Y%m%d}",
                     "FM"[self.number % 2], f"{day:%Y%m%d}", (payer,), (line,),
                     answer="" if self.number % 17 == 5 else "1")


def _dollars(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}".rstrip("0").rstrip(".")


def residents() -> list[Resident]:
    """Everybody, in the order of their account numbers: town after town."""
    found = [(town, place) for town in TOWNS for place in range(town.people)]
    return [Resident(FIRST + number, town, place) for number, (town, place) in enumerate(found)]


def write_files(folder: Path, everybody: Sequence[Resident] = ()) -> list[Path]:
    """Write the patient, claim and remittance files of the crowd, or of ``everybody``; return them in the order of
    their import.
    """
    everybody = everybody or residents()
    claims = [one.claim() for one in everybody]
    paths = [folder / name for name in FILES]
    with paths[0].open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, _row(everybody[0]))
        table.writeheader()
        table.writerows(_row(one) for one in everybody)
    paths[1].write_text(claim_file(claims, 11), encoding="ascii")
    paths[2].write_text(answers_of(claims, "EFT2026119", 12), encoding="ascii")
    return paths


def _row(one: Resident) -> dict[str, str]:
    return {
        "patient_id": f"P-{one.number}", "account_id": one.account, "given_name": one.given, "surname": one.surname,
        "born_on": one.born.isoformat(), "relation": "self", "address": f"{one.place + 1} Sample St",
        "city": one.town.city, "state": one.town.state, "zip": one.town.postal_code, "language": one.language,
        "phone": one.phone, "consent_given_on": "2026-02-03" if one.consented else "",
        "consent_wording": _CONSENT[one.language] if one.consented else "",
        "consent_medium": "form" if one.consented else "", "consent_recorded_by": "front desk" if one.consented else "",
        "opted_out": "2026-06-02" if one.opted_out else "no"}
