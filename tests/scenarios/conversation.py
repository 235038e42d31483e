"""The short conversation of the crash tests: who is it, what is owed, pay it, the hosted page, the receipt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from sqlalchemy.orm import Session

from billing import accounts, figures, ledger
from billing.store.tables import Case
from billing.verify import verify
from bot.demo.people import PEOPLE
from tests.scenarios import sample
from tests.scenarios.town import Town

ANNA = PEOPLE[0]
OWED_MINOR = 8420
WORDS = ("what do I owe?", f"{ANNA.born_on} {ANNA.postal_code}", "yes", "pay all", "yes")


async def converse(town: Town, *, webhook_first: bool = True) -> None:
    """Everything from the first text to the receipt; Stripe's news come before or after the patient comes back."""
    await ask_for_a_link(town)
    page = await town.browse(lambda: press_pay(town))
    if not webhook_first:
        await town.events("hold")
    back = await town.browse(lambda: fill_in(town, page))
    if webhook_first:
        await town.settle()
    await town.browse(lambda: come_back(town, back))
    await town.events("release")
    await town.settle()


async def ask_for_a_link(town: Town) -> None:
    await town.settle()
    for words in WORDS:
        await town.text(ANNA.phone, words)


def link_of(town: Town) -> str:
    """The link in the newest text that has one."""
    bodies = [row["resource"]["body"] for row in town.twilio.journal.table("messages").values()]
    found = [link for body in bodies for link in re.findall(r"http://\S+", body)]
    return str(found[-1].rstrip("."))


async def press_pay(town: Town) -> str:
    """Open the link, prove who one is, press the button; return the hosted page's address."""
    link = link_of(town)
    month, day, year = ANNA.born_on.split("/")
    async with town.http.get(link) as page:
        page.raise_for_status()
    async with town.http.post(link, data={"month": month, "day": day, "year": year, "zip": ANNA.postal_code}) as page:
        page.raise_for_status()
    async with town.http.post(f"{link}/pay", allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
        assert answer.headers["location"].startswith(town.stripe_url)
        return answer.headers["location"]


async def fill_in(town: Town, page: str) -> str:
    """Pay with a test card; return the address that the patient is sent back to."""
    card = {"number": "4242 4242 4242 4242", "exp": "12/30", "cvc": "123", "zip": ANNA.postal_code}
    async with town.http.post(page, data=card, allow_redirects=False) as answer:
        assert answer.status == 303, await answer.text()
        return urljoin(page, answer.headers["location"])


async def come_back(town: Town, address: str) -> None:
    async with town.http.get(address) as answer:
        answer.raise_for_status()


@dataclass(frozen=True, slots=True)
class Books:
    """Where it all ends."""

    owed_minor: int
    cash_minor: int
    findings: int
    cases: tuple[str, ...]


def books_of(town: Town) -> Books:
    def read(session: Session) -> Books:
        anna = accounts.find_account(session, sample.PRACTICE, ANNA.account)
        assert anna is not None
        total = figures.account_figures(session, anna.id, town.clock.now().date()).total
        cash = ledger.balance(session, sample.PRACTICE, ledger.wide("cash:stripe:card"))
        cases = tuple(case.kind for case in session.query(Case).where(Case.guarantor_id == anna.id))
        return Books(total.open_minor, cash, len(verify(session).problems), cases)

    return town.store.read(read)
