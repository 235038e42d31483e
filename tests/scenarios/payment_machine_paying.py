"""What patients and the process do: pages, cards on file, the bank's questions, the desk; work, and death."""

from __future__ import annotations

from sqlalchemy.orm import Session

from billing import payments, saved_charges
from billing.commands import ChargeSavedCard, RequestPayment
from billing.payment_limits import limits
from tests.scenarios.payment_machine_base import Base, cards
from tests.scenarios.payment_machine_clinic import PRACTICE


class Paying(Base):
    """Payments, by every way."""

    # time, and the process

    def minutes_pass(self, minutes: int) -> None:
        self.clinic.clock.advance(minutes=minutes)

    def days_pass(self, days: int, hour: int) -> None:
        self.clinic.pass_days(days, hour)

    def the_process_works(self) -> None:
        self.clinic.run(self.clinic.work())
        self.plans_follow_their_visits()

    def news_is_worked(self) -> None:
        self.clinic.run(self.clinic.receive())

    def calls_are_made(self) -> None:
        """Whatever is charged now was owed, not held and not waiting for an insurer when the call was made."""
        before = self.stripe().charged()
        may = {guarantor: self._payable(guarantor, early=True) for guarantor in self.clinic.ids.values()}
        self.clinic.run(self.clinic.make_calls())
        fresh = {intent: one for intent, one in self.stripe().charged().items() if intent not in before}
        for payment_id, minor in fresh.values():
            payment = self.payment(payment_id)
            split = {str(visit): int(part) for visit, part in payment.instruction}
            assert sum(split.values()) == minor
            assert all(part <= may[payment.guarantor_id].get(visit, 0) for visit, part in split.items())

    def may_die(self, dies: tuple[str, int] | None) -> None:
        """From now on; who was to die before and did not need not."""
        self.clinic.death.disarm()
        if dies is not None:
            self.clinic.death.arm(*dies)

    def the_wire_breaks_once(self, mode: str, path: str) -> None:
        self.clinic.run(self.clinic.order("fault", path=path, mode=mode, times=1, verb="POST"))

    # patients pay

    def asks_to_pay(self, who: str, percent: int, early: bool, keeps: bool) -> None:
        def ask(session: Session) -> str:
            split, version = self._split(session, who, percent, early)
            return payments.request(session, RequestPayment(
                self.clinic.ids[who], sum(m for _, m in split), split, version, "en", early=early, saves_method=keeps),
                self._context(who)).id

        payment_id = self.tried(ask)
        if payment_id and payment_id not in self.pages:
            self.pages.append(payment_id)

    def presses_the_button(self, pick: int) -> None:
        payment_id = self.chosen(self.pages, pick)
        if payment_id:
            self.clinic.run(self.clinic.press(payment_id))

    def pays_on_the_page(self, pick: int, number: str, bank: bool) -> None:
        pages = [one for one in self.pages if self.payment(one).session_url]
        payment_id = self.chosen(pages, pick)
        if payment_id:
            self.pays_page(payment_id, number, bank)

    def pays_page(self, payment_id: str, number: str, bank: bool) -> None:
        form = {"number": number, "exp": "12/34", "cvc": "123", "name": "A", "email": "a@b.co", "zip": "10001"}
        if bank:
            form = {"method": "us_bank_account", "holder": "P. Payer", "routing": "110000000",
                    "account": "000123456789", "email": "a@b.co"}
        self.clinic.run(self.clinic.submit(self.payment(payment_id).session_url or "", form))

    def pays_at_once(self, who: str, percent: int, number: str, *, bank: bool, keeps: bool, returns: bool) -> None:
        """The usual way: asked, pressed, paid, and mostly back."""
        before = len(self.pages)
        self.asks_to_pay(who, percent, False, keeps)
        if len(self.pages) > before:
            self.presses_the_button(before)
            if self.payment(self.pages[before]).session_url:
                self.pays_page(self.pages[before], number, bank)
                if returns:
                    self.comes_back(before)

    def comes_back(self, pick: int) -> None:
        payment_id = self.chosen(self.pages, pick)
        if payment_id:
            self.clinic.run(self.clinic.come_back(payment_id))

    def says_yes_to_the_card_on_file(self, who: str, percent: int, pick: int, early: bool) -> None:
        def charge(session: Session) -> None:
            method = self.chosen(cards(session, self.clinic.ids[who]), pick)
            if method is not None:
                split, version = self._split(session, who, percent, early)
                saved_charges.by_yes(session, ChargeSavedCard(
                    self.clinic.ids[who], method.id, sum(m for _, m in split), split, version, "en",
                    f"Charge the card ending in {method.last4}?", "1", early=early), self._context(who))

        self.tried(charge)

    def keeps_a_card(self, who: str, method: str) -> None:
        with_death, self.clinic.death.at = self.clinic.death.at, ""
        self.clinic.run(self.clinic.keep_method(who, method))
        self.clinic.death.at = with_death

    def answers_the_bank(self, pick: int, passed: bool, returns: bool) -> None:
        waiting = self.clinic.run(self.clinic.listed("payment_intents")) or []
        intent = self.chosen([one for one in waiting if one["status"] == "requires_action"], pick)
        if intent:
            self.clinic.run(self.clinic.submit(f"{self.clinic.standin.url}/3ds/{intent['id']}",
                                               {"outcome": "complete" if passed else "fail"}))
            if returns:
                self.clinic.run(self.clinic.back_from_bank(intent["id"]))

    def pays_at_the_desk(self, who: str, percent: int, tender: str) -> None:
        reference = f"receipt {next(self.counter)}"

        def record(session: Session) -> None:
            due = sum(limits(session, PRACTICE, self.clinic.ids[who], self.clinic.clock(), early=True).values())
            payments.record_desk_payment(
                session, PRACTICE, self.clinic.ids[who], amount_minor=max(due * percent // 100, 1000), currency="USD",
                tender=tender, reference=reference, recorded_by="ana", now=self.clinic.clock())

        self.tried(record)
