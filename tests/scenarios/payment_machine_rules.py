"""What hypothesis may draw: a dozen kinds of things that happen, each with how, and what the process does next."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from billing.plan_offers import Ask
from tests.scenarios.payment_machine_clinic import CHARGES
from tests.scenarios.payment_machine_plans import Life

WHO = st.sampled_from(["A", "A", "A", "B"])
PICK = st.integers(0, 99)
PERCENT = st.integers(1, 60) | st.just(100)
#: Cards at the hosted page; the last two wait with refunds or fail them afterwards.
NUMBERS = ("4242424242424242", "4242424242424242", "4000000000000002", "4000000000009995", "4000000000007726",
           "4000000000005126")
METHODS = ("pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired", "pm_card_refundFail",
           "pm_usBankAccount_processing")
HOLDS = ("dispute", "insurance_update", "assistance_pending", "bankruptcy", "agency")
CHANGES = ("pause", "resume", "skip", "skip", "move_day", "use_card", "pay_by_link", "on_extra", "cancel")
ASKS = st.builds(Ask, count=st.integers(2, 5), interval=st.sampled_from(["week", "two_weeks", "twice_month", "month"])
                 ) | st.builds(Ask, count=st.integers(2, 4), days=st.sampled_from([(31,), (1,), (15,)]))
#: Where the process may die.
DEATHS = ("before_commit", "after_commit", "call.claimed", "call.asked", "call.recorded", "call.refused", "pay.begun",
          "pay.asked", "pay.opened", "return.asked", "return.applied", "accept.stored", "accept.committed",
          "receive.claimed", "receive.finished", "receive.committed", "reconcile.entries", "reconcile.asked",
          "reconcile.applied", "reconcile.judged", "deliver.marked", "deliver.recorded")

#: What follows: nothing, our calls, our receiving, Stripe's news in some order, all work of a minute.
THEN = st.sampled_from(["", "", "calls", "receive", "news", "backwards", "twice", "lose", "work", "work"])
DEATH = st.none() | st.none() | st.tuples(st.sampled_from(DEATHS), st.integers(1, 3))


def _kind(weight: int, what: str, **drawn: st.SearchStrategy[Any]) -> list[st.SearchStrategy[dict[str, Any]]]:
    """A kind of step, ``weight`` times as likely as one of weight 1; ``what`` is a method of Machine."""
    return [st.fixed_dictionaries({"what": st.just(what), **drawn})] * weight


STEPS = st.one_of(
    *_kind(5, "somebody_pays", how=st.sampled_from(["page", "page", "asked", "card", "card", "desk", "instalment"]),
            who=WHO, pick=PICK, percent=PERCENT, early=st.booleans(), number=st.sampled_from(NUMBERS), then=THEN,
            dies=DEATH),
    *_kind(2, "a_payment_goes_on", how=st.sampled_from(["presses", "pays", "pays_by_bank", "comes_back", "bank_yes",
            "bank_no"]), pick=PICK, number=st.sampled_from(NUMBERS), then=THEN, dies=DEATH),
    *_kind(2, "a_refund_moves", how=st.sampled_from(["asked", "asked", "approved", "declined", "dashboard", "waits",
            "made", "failed"]), pick=PICK, percent=PERCENT, tender=st.sampled_from(["original", "original", "original",
            "check", "cash"]), then=THEN, dies=DEATH),
    *_kind(2, "a_bank_moves", how=st.sampled_from(["dispute", "dispute", "part", "inquiry", "won", "lost", "debit",
            "R01", "R10"]), pick=PICK, then=THEN, dies=DEATH),
    *_kind(2, "a_plan_is_made", who=WHO, ask=ASKS, autopay=st.sampled_from([True, True, True, False]),
            both=st.booleans(), how=st.sampled_from(["signs", "signs", "signs", "replaces", "only_asks"]), pick=PICK,
            then=THEN),
    *_kind(2, "a_plan_changes", how=st.sampled_from([*CHANGES, "staff_pause", "staff_resume", "staff_cancel"]),
            pick=PICK, which=PICK, then=THEN, dies=DEATH),
    *_kind(3, "time_passes", how=st.sampled_from(["minutes", "minutes", "days", "days", "plans_run", "plans_run",
            "plans_run"]), days=st.integers(1, 8), hour=st.integers(8, 20), dies=DEATH),
    *_kind(1, "an_insurer_thinks_again", claim=st.sampled_from(sorted(CHARGES)), percent=st.none() | st.integers(0,
            100), then=THEN),
    *_kind(2, "the_office_works", how=st.sampled_from(["hold", "released", "released", "credit", "moved", "card",
            "stranger", "payout"]), who=WHO, kind=st.sampled_from(HOLDS), method=st.sampled_from(METHODS), pick=PICK,
            percent=PERCENT, then=THEN),
    *_kind(1, "the_wire_breaks", mode=st.sampled_from(["drop_after", "drop_after", "drop_before", "500", "500_saved",
            "409", "429"]), path=st.sampled_from(["/v1/payment_intents", "/v1/refunds", "/v1/checkout/sessions"])),
    *_kind(2, "news_comes", how=st.sampled_from(["all", "all", "backwards", "one", "last", "twice", "lose"]),
            pick=PICK, then=THEN, dies=DEATH),
    *_kind(1, "the_books_are_compared", dies=DEATH),
)


class Machine(Life):
    """Any interleaving of all of it. One rule draws every kind alike: hypothesis would leave some out of an example."""

    @rule(step=STEPS)
    def happens(self, step: dict[str, Any]) -> None:
        getattr(self, step["what"])(**{name: value for name, value in step.items() if name != "what"})

    def go_on(self, then: str, pick: int) -> None:
        if then == "calls":
            self.calls_are_made()
        elif then == "receive":
            self.news_is_worked()
        elif then == "work":
            self.the_process_works()
        elif then:
            self.news_arrives({"news": "all"}.get(then, then), pick)
            if then != "lose":
                self.news_is_worked()

    def somebody_pays(self, how: str, who: str, pick: int, percent: int, early: bool, number: str, then: str,
                      dies: tuple[str, int] | None) -> None:
        self.may_die(dies)
        if how == "page":
            self.pays_at_once(who, percent, number, bank=pick % 9 == 5, keeps=pick % 3 == 1, returns=pick % 2 == 0)
        elif how == "asked":
            self.asks_to_pay(who, percent, early, pick % 2 == 0)
        elif how == "card":
            self.says_yes_to_the_card_on_file(who, percent, pick, early)
        elif how == "desk":
            self.pays_at_the_desk(who, percent * 2, ("cash", "check", "terminal")[pick % 3])
        else:
            self.an_instalment_is_paid_at_the_desk(pick, percent)
        self.go_on(then, pick)

    def a_payment_goes_on(self, how: str, pick: int, number: str, then: str, dies: tuple[str, int] | None) -> None:
        self.may_die(dies)
        if how == "presses":
            self.presses_the_button(pick)
        elif how.startswith("pays"):
            self.pays_on_the_page(pick, number, how == "pays_by_bank")
        elif how == "comes_back":
            self.comes_back(pick)
        else:
            self.answers_the_bank(pick, how == "bank_yes", returns=pick % 2 == 0)
        self.go_on(then, pick)

    def a_refund_moves(self, how: str, pick: int, percent: int, tender: str, then: str,
                       dies: tuple[str, int] | None) -> None:
        self.may_die(dies)
        if how == "asked":
            self.asks_for_a_refund(pick, percent, tender)
        elif how in ("approved", "declined"):
            self.decides_on_a_refund(pick, how == "approved")
        elif how in ("dashboard", "waits"):
            self.is_refunded_in_the_dashboard(pick, percent, how == "waits")
        else:
            self.a_bank_decides_on_a_refund(pick, how == "failed")
        self.go_on(then, pick)

    def a_bank_moves(self, how: str, pick: int, then: str, dies: tuple[str, int] | None) -> None:
        self.may_die(dies)
        if how in ("dispute", "part", "inquiry"):
            self.a_bank_takes_money_back(pick, 40 if how == "part" else 100, how == "inquiry")
        elif how in ("won", "lost"):
            self.a_dispute_is_decided(pick, how == "won")
        else:
            self.a_bank_answers_a_debit(pick, None if how == "debit" else how)
        self.go_on(then, pick)

    def a_plan_is_made(self, who: str, ask: Ask, autopay: bool, both: bool, how: str, pick: int, then: str) -> None:
        if how == "only_asks":
            self.asks_for_a_plan_and_thinks_about_it(who, ask)
        else:
            self.signs_a_plan(who, pick, ask, autopay, both, how == "replaces")
        self.go_on(then, pick)

    def a_plan_changes(self, how: str, pick: int, which: int, then: str, dies: tuple[str, int] | None) -> None:
        self.may_die(dies)
        if how.startswith("staff_"):
            self.staff_work_on_a_plan(pick, how.removeprefix("staff_"))
        else:
            self.changes_a_plan(pick, how, which)
        self.go_on(then, which)

    def time_passes(self, how: str, days: int, hour: int, dies: tuple[str, int] | None) -> None:
        self.may_die(dies)
        if how == "minutes":
            self.minutes_pass(days * hour)
        elif how == "days":
            self.days_pass(days * 4, hour)
        else:
            self.plans_run(days)

    def an_insurer_thinks_again(self, claim: str, percent: int | None, then: str) -> None:
        self.the_insurer_thinks_again(claim, percent)
        self.go_on(then, 0)

    def the_office_works(self, how: str, who: str, kind: str, method: str, pick: int, percent: int, then: str) -> None:
        if how == "hold":
            self.a_hold_is_placed(who, kind, pick)
        elif how == "released":
            self.a_hold_is_released(pick)
        elif how == "credit":
            self.credit_is_applied(who)
        elif how == "moved":
            self.money_is_put_elsewhere(pick, percent, percent)
        elif how == "card":
            self.keeps_a_card(who, method)
        elif how == "stranger":
            self.a_stranger_pays_the_same_account(700 + pick)
        else:
            self.a_payout_is_made(pick % 4, ("paid", "in_transit", "failed")[pick % 3])
        self.go_on(then, pick)

    def the_wire_breaks(self, mode: str, path: str) -> None:
        self.the_wire_breaks_once(mode, path)

    def news_comes(self, how: str, pick: int, then: str, dies: tuple[str, int] | None) -> None:
        self.may_die(dies)
        self.news_arrives(how, pick)
        self.go_on(then, pick)

    def the_books_are_compared(self, dies: tuple[str, int] | None) -> None:
        self.may_die(dies)
        self.the_books_are_reconciled()
