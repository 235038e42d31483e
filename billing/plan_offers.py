"""From what a patient asks to instalment plans inside the practice's policy, computed to the cent. Pure.

``make`` turns an Ask into an Answer: the plan that was asked for, or the nearest lawful ones and why. ``check`` asks
the same policy of finished terms and is what counts when a plan is signed. An offer is the same whether the patient
lets us charge a card or pays each instalment by link: autopay is never a condition of a plan (T-48: 12 CFR
1005.10(e)(1)), so ``collects`` is chosen after the terms.

Decisions, in the order in which they matter to a patient:
- An amount that is asked for is never exceeded. The last instalment is the rest; where the rest would be below the
  practice's smallest instalment, all of them become a little smaller instead, as even as cents allow.
- With a number of payments they are equal and the last one takes the rounding.
- A deposit, where the policy has one, is due on the day of the offer and is not counted as an instalment.
- Whoever names no day pays a full interval from today on, as far as the policy lets the first day wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from billing import plan_limits, plan_schedule
from billing.plan_terms import Collects, Part, PlanTerms, Spread
from config.payment_policy import SMALLEST_CHARGE_MINOR, PlanPolicy

#: Why an ask does not fit; the first that applies, in this order.
WHYS = ("nothing_due", "below_minimum_balance", "above_maximum_balance", "interval_not_offered", "instalment_too_small",
        "too_long", "does_not_add_up", "first_too_soon", "first_too_late")

#: What ``check`` may find beside them.
FAULTS = ("not_a_schedule", "deposit_missing", "balance_moved", "autopay_not_offered")

#: How many payments are offered to somebody who asks for "a plan".
USUAL_MONTHS = (3, 6, 12)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a patient said: "50 a month" (``amount_minor``, ``interval``), "in 4 payments" (``count``), "what would 6
    months be" (``months``), "the 15th" (``days``), "every other Friday" (``interval``, ``first_on`` a Friday).
    ``amount_minor`` is of one instalment, in cents. Nothing at all asks for a choice.
    """

    amount_minor: int | None = None
    count: int | None = None
    interval: str | None = None
    days: tuple[int, ...] = ()
    first_on: date | None = None
    months: int | None = None


@dataclass(frozen=True, slots=True)
class Offer(Spread):
    """A plan that may be signed as it stands."""

    @property
    def count(self) -> int:
        return len(self.instalments)

    @property
    def amount_minor(self) -> int:
        """Of every instalment but perhaps the last."""
        return self.instalments[0].amount_minor

    @property
    def last_minor(self) -> int:
        return self.parts[-1].amount_minor

    def terms(self, collects: Collects, method_id: str | None = None, replaces: str | None = None) -> PlanTerms:
        return PlanTerms(self.interval, self.days, self.parts, self.visits, collects, method_id, replaces)


@dataclass(frozen=True, slots=True)
class Answer:
    """``fits``: the first offer is what was asked for. Otherwise ``why`` (one of WHYS) and up to three lawful offers,
    the nearest first; none where only a person can help.
    """

    offers: tuple[Offer, ...]
    fits: bool
    why: str = ""


def make(total_minor: int, visits: Iterable[tuple[str, int]], policy: PlanPolicy, today: date, ask: Ask) -> Answer:
    """Answer an ask about a balance of ``total_minor`` cents, made of ``visits`` ((visit id, cents)).

    ``today`` is the practice-local day. Raises ValueError when the visits do not sum to the total, or an ask holds an
    amount, a count or a number of months below one.
    """
    shares = tuple(visits)
    if total_minor > 0 and sum(minor for _, minor in shares) != total_minor:
        raise ValueError(f"the visits sum to {sum(minor for _, minor in shares)} cents, the plan to {total_minor}")
    if any(number is not None and number < 1 for number in (ask.amount_minor, ask.count, ask.months)):
        raise ValueError("an amount, a number of payments and a number of months are at least 1")
    if why := _outside(total_minor, policy):
        return Answer((), fits=False, why=why)
    return _Room.of(total_minor, shares, policy, today, ask).answer()


def _outside(total_minor: int, policy: PlanPolicy) -> str:
    if total_minor <= 0:
        return "nothing_due"
    if total_minor < policy.minimum_balance_minor:
        return "below_minimum_balance"
    return "above_maximum_balance" if total_minor > policy.maximum_balance_minor else ""


@dataclass(frozen=True, slots=True)
class _Room:
    """What is to be spread, by which rhythm, and how far the policy lets it go. Amounts in cents."""

    rest_minor: int  # without the deposit
    deposit: tuple[Part, ...]
    visits: tuple[tuple[str, int], ...]
    ask: Ask  # in the interval that is offered
    interval: str
    days: tuple[int, ...]
    first_on: date
    least_minor: int
    longest: int
    why: str  # the interval is not the one asked for
    why_first: str

    @staticmethod
    def of(total_minor: int, visits: tuple[tuple[str, int], ...], policy: PlanPolicy, today: date, ask: Ask) -> _Room:
        asked = plan_limits.asked_interval(ask.interval, ask.days, policy)
        interval = plan_limits.nearest_interval(policy, asked)
        days = _days_for(ask, interval)
        first_on, kept, why_first = plan_limits.begin(policy, today, interval, days, ask.first_on)
        down = plan_limits.deposit(policy, total_minor)
        return _Room(total_minor - down, (Part(0, today, down),) if down else (), visits,
                     _converted(ask, asked, interval), interval, kept, first_on, policy.minimum_instalment_minor,
                     plan_limits.longest(policy, interval, first_on),
                     "interval_not_offered" if interval != asked else "", why_first)

    @property
    def most(self) -> int:
        """The largest number of instalments, none of them below the smallest allowed."""
        return min(self.longest, self.rest_minor // self.least_minor)

    def answer(self) -> Answer:
        if self.most < 1:
            return Answer((), fits=False, why=self.why or "instalment_too_small")
        found, why = self.sizes()
        why = self.why or why or self.why_first
        return Answer(tuple(self.offer(amounts) for amounts in dict.fromkeys(found)), fits=not why, why=why)

    def sizes(self) -> tuple[list[tuple[int, ...]], str]:
        """The amounts of the instalments of each offer, the nearest first, and why they are not as asked for."""
        count = self.ask.count
        if count is None and self.ask.months is not None:
            count = plan_limits.in_months(self.ask.months, self.interval, self.first_on)
        if self.ask.amount_minor is not None:
            return self.by_amount(self.ask.amount_minor, count)
        if count is not None:
            return self.by_count(count)
        return [plan_schedule.even_split(self.rest_minor, each) for each in self.usual()], ""

    def by_amount(self, amount_minor: int, count: int | None) -> tuple[list[tuple[int, ...]], str]:
        needed = -(-self.rest_minor // amount_minor)
        if amount_minor < self.least_minor or needed > self.longest:
            return [self.smallest()], "instalment_too_small" if amount_minor < self.least_minor else "too_long"
        amounts = plan_schedule.filled_split(self.rest_minor, amount_minor)
        if amounts[-1] < self.least_minor:
            if needed > self.most:
                return [plan_schedule.even_split(self.rest_minor, self.most)], "instalment_too_small"
            amounts = plan_schedule.even_split(self.rest_minor, needed, amount_minor)
        if count is not None and needed > count:
            return [amounts, self.by_count(count)[0][0]], "does_not_add_up"
        return [amounts], ""

    def by_count(self, count: int) -> tuple[list[tuple[int, ...]], str]:
        if self.rest_minor // count < self.least_minor:
            return [self.smallest()], "instalment_too_small"
        if count > self.longest:
            return [self.smallest()], "too_long"
        return [plan_schedule.even_split(self.rest_minor, count)], ""

    def smallest(self) -> tuple[int, ...]:
        """The longest plan that the policy allows: what is nearest to an ask for less at a time."""
        return plan_schedule.even_split(self.rest_minor, self.most)

    def usual(self) -> list[int]:
        """Numbers of payments for who asks for no particular plan: three, six and twelve months, or the longest."""
        counts = [plan_limits.in_months(months, self.interval, self.first_on) for months in USUAL_MONTHS]
        possible = [count for count in counts if count <= self.most]
        if len(possible) < len(counts) and self.most not in possible:
            possible.append(self.most)
        return possible

    def offer(self, amounts: tuple[int, ...]) -> Offer:
        due = plan_schedule.dates(self.first_on, self.interval, self.days, len(amounts))
        parts = tuple(Part(number, *pair) for number, pair in enumerate(zip(due, amounts, strict=True), start=1))
        return Offer(self.interval, self.days, (*self.deposit, *parts), self.visits)


def _days_for(ask: Ask, interval: str) -> tuple[int, ...]:
    """The asked days as far as the interval can have them."""
    asked = tuple(sorted(day for day in set(ask.days) if 1 <= day <= 31))
    if interval in plan_schedule.WEEKS or not asked:
        return ()
    if interval == "month":
        return asked[:1]
    if len(asked) == 1 or asked[0] >= 28:  # the other half of the month; two month ends are one day in February
        return plan_schedule.anchors(date(2000, 1, asked[-1]), interval)
    return asked[:2]


def _converted(ask: Ask, asked: str, interval: str) -> Ask:
    """The ask by another interval: about as much in a year, never more at a time than that comes to."""
    if asked == interval:
        return ask
    had, has = plan_schedule.PER_YEAR[asked], plan_schedule.PER_YEAR[interval]
    return replace(ask, amount_minor=ask.amount_minor and max(ask.amount_minor * had // has, 1),
                   count=ask.count and -(-ask.count * has // had))


def check(terms: PlanTerms, policy: PlanPolicy, today: date, owed: Mapping[str, int]) -> str:
    """Return why ``terms`` may not be signed on the practice-local day ``today`` (one of WHYS or FAULTS), or nothing.

    ``owed`` is what each visit owes now, in cents. An offer of some days ago may begin sooner than its notice allows;
    its first charge then waits for the notice (T-48).
    """
    if any(minor > owed.get(visit_id, 0) for visit_id, minor in terms.visits):
        return "balance_moved"
    if not _is_schedule(terms):
        return "not_a_schedule"
    return _outside(terms.total_minor, policy) or _beyond(terms, policy, today)


def _is_schedule(terms: PlanTerms) -> bool:
    parts, shares = terms.instalments, dict(terms.visits)
    whole = (parts and len(shares) == len(terms.visits) and all(minor > 0 for minor in shares.values())
             and sum(shares.values()) == terms.total_minor
             and all(part.amount_minor >= SMALLEST_CHARGE_MINOR for part in terms.parts)
             and [part.number for part in terms.parts] == list(range(1 - (terms.parts[0].number == 0), len(parts) + 1))
             and terms.interval in plan_schedule.PER_YEAR)
    if not whole:
        return False
    try:
        due = plan_schedule.dates(parts[0].due_on, terms.interval, terms.days, len(parts))
    except ValueError:
        return False
    return due == tuple(part.due_on for part in parts)


def _beyond(terms: PlanTerms, policy: PlanPolicy, today: date) -> str:
    parts, first_on = terms.instalments, terms.instalments[0].due_on
    faults = (
        (terms.interval not in policy.intervals, "interval_not_offered"),
        (min(part.amount_minor for part in parts) < policy.minimum_instalment_minor, "instalment_too_small"),
        (len(parts) > plan_limits.longest(policy, terms.interval, first_on), "too_long"),
        (first_on < today, "first_too_soon"),
        (first_on > plan_limits.window(policy, today)[1], "first_too_late"),
        (terms.deposit_minor < plan_limits.deposit(policy, terms.total_minor), "deposit_missing"),
        (terms.collects == "autopay" and not policy.autopay, "autopay_not_offered"),
    )
    return next((why for found, why in faults if found), "")
