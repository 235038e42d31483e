"""The sample practice's patients: who a visitor of the demo can be, and what is special about each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A guarantor of the sample practice. The second factor is shown beside the phone: everybody here is made up."""

    account: str
    name: str
    phone: str
    born_on: str  # as a patient would type it
    postal_code: str
    about: str
    language: str = "en"
    try_saying: str = "Why do I owe this?"

    @property
    def chat(self) -> int:
        """The id of the Telegram chat on the same phone: who shares the phone shares it."""
        return int(self.phone[-10:])


PEOPLE = (
    Person("A-1001", "Anna Keller", "+12125550131", "03/12/1984", "10013", "Deductible and coinsurance on one visit."),
    Person("A-1002", "Luis Ortega", "+12125550132", "05/21/1979", "10025",
           "Habla español; un copago y un deducible en dos visitas.", "es", "¿Por qué debo esto?"),
    Person("A-1003", "Grace Kim", "+12125550133", "08/04/1991", "10011", "Her insurer has not answered yet.",
           try_saying="Did my insurance pay?"),
    Person("A-1004", "Samuel Price", "+12125550134", "09/30/1956", "11201",
           "Medicare answered; his second insurer has not.", try_saying="what's my balance"),
    Person("A-1005", "Denise Moore", "+12125550135", "01/17/1968", "10463",
           "Her plan denied the claim: nothing is hers to pay.", try_saying="what do I owe"),
    Person("A-1006", "Omar Haddad", "+12125550136", "02/25/1987", "10003",
           "Part of the bill waits for a check of his signed waiver."),
    Person("A-1007", "Ruth Feldman", "+12125550137", "07/14/1948", "10024",
           "Medicare and a Medigap plan both answered."),
    Person("A-1008", "Peter Novak", "+12125550138", "02/28/1983", "10009",
           "Answers for his daughter's visit.", try_saying="send me my statement"),
    Person("A-1009", "Joan Whitaker", "+12125550139", "04/28/1972", "10128",
           "Paid more at the desk than her plan asks: she has credit. Shares her phone with Paul."),
    Person("A-1010", "Carlos Mendez", "+12125550140", "03/03/1965", "10030",
           "Said STOP: his bill goes by letter, and no text may reach him.", try_saying="START"),
    Person("A-1011", "Helen Brooks", "+12125550141", "02/12/1944", "10027",
           "Her plan's remark says QMB: she may not be billed at all."),
    Person("A-1012", "Victor Chen", "+12125550142", "09/11/1989", "10012",
           "Self-pay, billed far above his good-faith estimate: held, with his rights explained."),
    Person("A-1013", "Paul Whitaker", "+12125550139", "12/03/1970", "10128", "Shares a phone with Joan; owes a copay."),
    Person("A-1014", "Maria Santos", "+12125550144", "01/26/1993", "10040",
           "Su plan corrigió su respuesta: debe mucho menos que antes.", "es", "cuánto debo"),
)


def person_of(account: str) -> Person:
    """Raises KeyError for an account that is not of the sample."""
    return {p.account: p for p in PEOPLE}[account]
