"""An independent, naive judge: replays what happened to a customer and says which promise was broken.

Written from the issue and the field's rules (T-47 to T-51); it shares no code with the plans, and believes the bank's
book, the words that were agreed to and the transfers, never the program's own figures.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from tests.scenarios.plan_years_facts import Fact, Settled, Story

#: As card networks and Nacha have it, written down here a second time.
NEVER = frozenset({"lost_card", "stolen_card", "expired_card", "pickup_card", "revocation_of_authorization",
                   "account_closed", "no_account", "debit_not_authorized", "bank_account_restricted"})
CARD_TRIES, CARD_DAYS = 15, 30
DEBIT_TRIES, DEBIT_DAYS = 3, 180

#: News of these takes money out of a plan and lets it rest.
TAKEN_BACK = frozenset({"disputed", "returned", "dispute_lost"})


@dataclass(frozen=True)
class Rules:
    """Of the practice: what the judge needs of its policy."""

    notice_days: int
    grace_days: int
    missed_before_default: int
    asleep: frozenset[date]


@dataclass
class _Plan:
    signed: Fact
    card: str | None
    most: int
    told: dict[int, list[tuple[date, int]]] = field(default_factory=dict)
    open_pause: bool = False
    paused_until: date | None = None
    over: str = ""  # cancelled, superseded
    presented: dict[int, list[Fact]] = field(default_factory=dict)
    took: dict[int, int] = field(default_factory=dict)
    changed: bool = False


@dataclass
class Judge:
    story: Story
    rules: Rules
    plans: dict[str, _Plan] = field(default_factory=dict)
    holds: dict[str, str | None] = field(default_factory=dict)
    opted_out: bool = False
    dead: dict[str, str] = field(default_factory=dict)
    declined: dict[str, list[datetime]] = field(default_factory=dict)
    paying: dict[str, Fact] = field(default_factory=dict)  # payment -> how it was asked
    paid: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)  # payments that came to nothing
    bounced: set[str] = field(default_factory=set)  # those of them that a bank refused or sent back
    on_the_day: int = 0  # instalments that had to be charged on their day, nothing having happened to their plan
    faults: list[str] = field(default_factory=list)

    def say(self, fact: Fact, words: str) -> None:
        self.faults.append(f"{self.story.name} {fact.on} {fact.at.isoformat()}: {words}")

    def replay(self) -> list[str]:
        for fact in self.story.facts:
            act = getattr(self, f"_{fact.kind}", None)
            if act is not None:
                act(fact)
        return self.faults

    # What changes the state ------------------------------------------------------------------------------------------

    def _signed(self, fact: Fact) -> None:
        self.plans[fact.plan] = plan = _Plan(fact, fact.card, fact.most)
        self.opted_out = False
        for number, due, minor in fact.parts:
            if (due - fact.on).days < self.rules.notice_days:  # too near for a notice: signing was one
                plan.told[number] = [(fact.on, minor)]
        if fact.replaces in self.plans:
            self.plans[fact.replaces].over = "superseded"
        self._check_schedule(fact)

    def _unsigned(self, fact: Fact) -> None:
        plan = self.plans.pop(fact.plan)
        if plan.signed.replaces in self.plans:
            self.plans[plan.signed.replaces].over = ""

    def _undisclosed(self, fact: Fact) -> None:
        self.say(fact, "T-47: signed five instalments without the disclosures")

    def _change(self, fact: Fact) -> None:
        plan = self.plans[fact.plan]
        plan.changed = True
        if fact.what == "pay_by_link":
            plan.card = None
            plan.open_pause = plan.open_pause and not self.opted_out
        elif fact.what == "cancel":
            plan.over = "cancelled"
        elif fact.what == "pause":
            plan.paused_until = fact.values.get("on")
        elif fact.what == "resume":
            plan.paused_until, plan.open_pause = None, False

    def _resumed(self, fact: Fact) -> None:
        plan = self.plans[fact.plan]
        plan.paused_until, plan.open_pause = None, False

    def _card(self, fact: Fact) -> None:
        plan = self.plans[fact.plan]
        if fact.most > plan.most:
            self.say(fact, f"a new card raised the most from {plan.most} to {fact.most}")
        plan.card, plan.most, plan.changed = fact.card, fact.most, True
        self.opted_out = False  # whoever gives a card after stopping texts has said what was meant

    def _card_removed(self, fact: Fact) -> None:
        self._no_more(fact.card, "removed")

    def _no_more(self, card: str, why: str) -> None:
        self.dead.setdefault(card, why)
        for plan in self.plans.values():
            if plan.card == card:
                plan.card, plan.changed = None, True

    def _opt_out(self, fact: Fact) -> None:
        self.opted_out = True
        for plan in self.plans.values():
            plan.changed = True

    def _asked_what_was_meant(self, fact: Fact) -> None:
        self.opted_out = False

    def _hold(self, fact: Fact) -> None:
        self.holds[fact.hold] = fact.visit
        for plan in self.plans.values():
            plan.changed = True

    def _released(self, fact: Fact) -> None:
        del self.holds[fact.hold]

    def _insurer(self, fact: Fact) -> None:
        for plan in self.plans.values():
            plan.changed = True

    def _told(self, fact: Fact) -> None:
        if fact.what in ("plan_notice", "letter") and fact.plan in self.plans:
            for number in fact.numbers:
                self.plans[fact.plan].told.setdefault(number, []).append((fact.on, fact.minor))

    def _hindered(self, fact: Fact) -> None:
        if fact.plan in self.plans:
            self.plans[fact.plan].changed = True

    def _unarrived(self, fact: Fact) -> None:
        if fact.what == "plan_notice" and fact.plan in self.plans:
            self.plans[fact.plan].changed = True
            for number in fact.numbers:
                known = self.plans[fact.plan].told.get(number, [])
                if known:
                    known.pop()

    # Charges ---------------------------------------------------------------------------------------------------------

    def _asked(self, fact: Fact) -> None:
        if fact.again:
            return  # the same charge asked about once more under its key: the bank does nothing
        plan = self.plans.get(fact.plan)
        if plan is None or plan.over:
            self.say(fact, f"charged for a plan that is {plan.over if plan else 'not signed'}")
            return
        self.paying[fact.payment] = fact
        self._check_consent(fact, plan)
        self._check_owed(fact, plan)
        self._check_notice(fact, plan)
        self._check_tries(fact, plan)
        if fact.due_on is not None and fact.on < fact.due_on:
            self.say(fact, f"instalment {fact.number} charged before its day {fact.due_on}")
        if fact.payment not in [one.payment for one in plan.presented.get(fact.number, [])]:
            plan.presented.setdefault(fact.number, []).append(fact)

    def _check_consent(self, fact: Fact, plan: _Plan) -> None:
        if plan.card is None:
            why = self.dead.get(fact.card, "revoked")
            self.say(fact, f"T-48: charged {fact.minor} with no consent standing ({why})")
        elif plan.card != fact.card:
            self.say(fact, "T-48: charged a card that the consent does not name")
        if fact.minor > plan.most:
            self.say(fact, f"T-48: charged {fact.minor}, above the consent's most of {plan.most}")
        if self.opted_out and fact.way == "autopay":
            self.say(fact, "T-48: charged after texts were stopped and before anybody asked what was meant")
        if plan.open_pause or (plan.paused_until is not None and fact.on < plan.paused_until):
            self.say(fact, "charged while paused")

    def _check_owed(self, fact: Fact, plan: _Plan) -> None:
        visits = {visit: minor for visit, minor in fact.owed.items() if visit in plan.signed.visits}
        if fact.minor > sum(max(minor, 0) for minor in visits.values()):
            self.say(fact, f"T-51: charged {fact.minor} while {sum(visits.values())} was owed")
        if sum(fact.for_visits.values()) != fact.minor:
            self.say(fact, "the split is not the amount")
        for visit, minor in fact.for_visits.items():
            if minor > visits.get(visit, 0):
                self.say(fact, f"T-51: {minor} for a visit that owes {visits.get(visit, 0)}")
            if None in self.holds.values() or visit in self.holds.values():
                self.say(fact, "T-51: charged under a hold")

    def _check_notice(self, fact: Fact, plan: _Plan) -> None:
        if fact.way != "autopay":
            return
        told = [(on, minor) for on, minor in plan.told.get(fact.number, [])
                if (fact.on - on).days >= self.rules.notice_days]
        if not told:
            self.say(fact, f"T-48: instalment {fact.number} charged without a notice {self.rules.notice_days} days "
                     f"before; told {plan.told.get(fact.number)}")
        elif fact.minor > max(minor for _, minor in told):
            self.say(fact, f"T-48: charged {fact.minor}, told of {told}")

    def _check_tries(self, fact: Fact, plan: _Plan) -> None:
        if fact.card in self.dead:
            self.say(fact, f"T-50: charged a card that was refused for good ({self.dead[fact.card]})")
        since = fact.at - timedelta(days=CARD_DAYS)
        tries = [at for at in self.declined.get(fact.card, []) if at > since]
        if fact.method_kind == "card" and len(tries) >= CARD_TRIES:
            self.say(fact, "T-50: a sixteenth try within 30 days")
        before = [one for one in plan.presented.get(fact.number, []) if one.payment != fact.payment]
        if any(one.on == fact.on for one in before):
            self.say(fact, f"instalment {fact.number} charged twice on one day")
        self._check_once(fact, plan, [one for one in before if one.payment not in self.ended])
        if fact.method_kind != "bank":
            return
        # What was paid and given back by staff later was no returned debit: the next one is an entry of its own.
        debits = [one for one in before if one.card == fact.card and one.payment in self.bounced
                  and (fact.on - one.on).days <= DEBIT_DAYS]
        if len(debits) >= DEBIT_TRIES:
            self.say(fact, "T-49: a debit presented a fourth time")
        if debits and debits[0].minor != fact.minor:
            self.say(fact, f"T-49: presented again for {fact.minor}, first for {debits[0].minor}")

    def _check_once(self, fact: Fact, plan: _Plan, standing: list[Fact]) -> None:
        """An instalment is charged once. Where only a part of it could be, the rest needs a notice of its own."""
        if not standing:
            return
        if any(one.payment not in self.paid for one in standing):
            self.say(fact, f"instalment {fact.number} charged while a charge of it is under way")
        anew = [on for on, _ in plan.told.get(fact.number, []) if on >= standing[-1].on
                and (fact.on - on).days >= self.rules.notice_days]
        if fact.way == "autopay" and not anew:
            self.say(fact, f"instalment {fact.number} charged again on one notice: {fact.minor} after "
                     f"{[one.minor for one in standing]}")
        agreed = {number: minor for number, _, minor in plan.signed.parts}.get(fact.number)
        taken = sum(one.minor for one in standing) + fact.minor
        if agreed is not None and taken > agreed:
            self.say(fact, f"instalment {fact.number} of {agreed} charged {taken} in all")

    def _answer(self, fact: Fact) -> None:
        if fact.status == "paid":
            self.paid.add(fact.payment)
        if fact.status == "failed":
            self.declined.setdefault(fact.card, []).append(fact.at)
            self._came_to_nothing(fact.payment, fact.card, fact.code)

    def _news(self, fact: Fact) -> None:
        asked = self.paying.get(fact.payment)
        if fact.what == "failed" and asked is not None:
            self._came_to_nothing(fact.payment, asked.card, fact.code)
        if fact.what == "paid":
            self.paid.add(fact.payment)
        if fact.what in TAKEN_BACK | {"refund_made", "refunded"}:
            self.ended.add(fact.payment)  # what was given back may be asked for again
            for plan in self.plans.values():
                plan.changed = True
        if fact.what == "returned":
            self.bounced.add(fact.payment)
        if fact.what in ("disputed", "returned"):
            for plan in self.plans.values():
                plan.open_pause = True

    def _came_to_nothing(self, payment: str, card: str, code: str) -> None:
        self.ended.add(payment)
        self.bounced.add(payment)
        asked = self.paying.get(payment)
        if asked is not None and asked.plan in self.plans:
            self.plans[asked.plan].changed = True
        if code in NEVER:
            self._no_more(card, code)

    # Days and sums ---------------------------------------------------------------------------------------------------

    def _check_schedule(self, fact: Fact) -> None:
        """The days and amounts that were agreed to, counted out by hand."""
        parts = [part for part in fact.parts if part[0] > 0]
        wanted = due_days(parts[0][1], fact.interval, fact.days, len(parts))
        if [part[1] for part in parts] != wanted:
            self.say(fact, f"due on {[str(part[1]) for part in parts]}, agreed {[str(day) for day in wanted]}")
        if sum(part[2] for part in fact.parts) != sum(fact.visits.values()):
            self.say(fact, "the instalments are not the balance")

    def calm(self, plan_id: str) -> list[str]:
        """A plan that nothing happened to is charged exactly once for each instalment, exactly on its day; a debit may
        have to wait for the one before it, which takes a bank days.
        """
        plan = self.plans[plan_id]
        paid_otherwise = any(one.kind in ("paid_page", "paid_desk") for one in self.story.facts)
        if plan.changed or plan.over or paid_otherwise or plan.signed.collects != "autopay":
            return []
        faults = []
        for number, due, minor in plan.signed.parts:
            if number == 0 or (due - plan.signed.on).days <= self.rules.notice_days:
                continue
            if self.rules.asleep & {due - timedelta(days=n) for n in range(self.rules.notice_days + 2)}:
                break  # nobody was there to charge; what follows may be late as well
            self.on_the_day += 1
            made = plan.presented.get(number, [])
            days = [(one.on, one.minor) for one in made]
            grace = timedelta(days=7 if made and made[0].method_kind == "bank" else 0)
            if not (len(days) == 1 and days[0][1] == minor and due <= days[0][0] <= due + grace):
                faults.append(f"{self.story.name} instalment {number} of {minor} due {due}: charged {days}")
        return faults


def due_days(first: date, interval: str, days: tuple[int, ...], count: int) -> list[date]:
    """Counted day by day: a day is due when the interval says so; the 31st is the last day of a shorter month."""
    if interval in ("week", "two_weeks"):
        return [first + timedelta(days=(7 if interval == "week" else 14) * n) for n in range(count)]
    found: list[date] = []
    day = first
    anchors = days or (first.day,)
    while len(found) < count:
        last = monthrange(day.year, day.month)[1]
        if day.day in {min(anchor, last) for anchor in anchors}:
            found.append(day)
        day += timedelta(days=1)
    return found


def judge_end(judge: Judge, settled: Settled, owed_then: int, late_news: int, from_before: int) -> list[str]:
    """Whether the end that a plan came to is what its facts say. ``owed_then``: cents owed on all visits at its end by
    charges, answers of the insurer and the bank's book; ``late_news``: cents gone back of which nobody had heard yet;
    ``from_before``: cents gone back of what was paid before it, which it never asked for.
    """
    name, plan = f"{judge.story.name} plan {settled.plan}", judge.plans.get(settled.plan)
    if plan is None:
        return [] if settled.status == "cancelled" else [f"{name}: never signed, and {settled.status}"]
    if plan.over:
        return [] if settled.status == plan.over else [f"{name}: {plan.over} by the patient, and {settled.status}"]
    if settled.status not in ("completed", "defaulted") or settled.ended_on is None:
        return [f"{name}: never ended ({settled.status}, {settled.reason}): {settled.parts}"]
    if settled.status == "completed":
        above = sum(max(one.minor, 0) for one in judge.story.facts if one.kind == "insurer")
        return [] if owed_then - late_news - from_before <= above else [f"{name}: completed while {owed_then} was owed"]
    return _judge_default(judge, plan, settled, owed_then, name)


def _judge_default(judge: Judge, plan: _Plan, settled: Settled, owed_then: int, name: str) -> list[str]:
    faults, ended_on = [], settled.ended_on
    assert ended_on is not None
    if owed_then <= 0:
        faults.append(f"{name}: defaulted while nothing was owed")
    late = [due for _, due, _, _, _, _ in settled.parts
            if due + timedelta(days=judge.rules.grace_days) < ended_on]
    still = [due for _, due, amount, _, paid, _ in settled.parts if amount > paid]
    # Where nothing else is to come, what was missed ends the plan however little it is: it would be behind for ever.
    if len(late) < judge.rules.missed_before_default and any(due not in late for due in still):
        faults.append(f"{name}: defaulted on {ended_on} with {len(late)} instalments past their grace")
    warned = [one for one in judge.story.facts if one.kind == "told" and one.what == "plan_behind"
              and one.plan == settled.plan and one.ends_on and date.fromisoformat(one.ends_on) < ended_on]
    if not warned:
        faults.append(f"{name}: defaulted without a word of the day on which it would end")
    return faults
