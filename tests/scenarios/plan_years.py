"""Simulated years of instalment plans, judged, and written down for a reader:

    python -m tests.scenarios.plan_years --out plans.csv [--seed 1] [--plans 25]

Every amount in the file is in cents. Issue 4, "Shown by" 2.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing import verify
from billing.store.seal import install_keyring
from bot.write import Store, open_store
from tests.conftest import TEST_KEYS
from tests.databases import copy_sqlite, make_sqlite_template
from tests.scenarios import plan_years_days as days
from tests.scenarios.plan_years_facts import Fact, Settled, Story
from tests.scenarios.plan_years_judge import Judge, Rules, judge_end
from tests.scenarios.plan_years_world import World, begin, day_of, instant_of

COLUMNS = ("seed", "plan", "interval", "day", "count", "total", "collects", "events", "charged", "skipped", "missed",
           "retries", "refunded", "insurer_changed_minor", "ended", "ended_on", "paid", "left", "explanation")


@dataclass(frozen=True)
class Years:
    """``faults``: promises that were broken, in words; empty when all were kept."""

    seed: int
    rows: tuple[dict[str, Any], ...]
    faults: tuple[str, ...]
    worked_days: int
    on_the_day: int  # instalments that had to be, and were looked at to be, charged exactly on their day


def live(store: Store, seed: int, plans: int, *, dense: bool = False, longest: int = 16, compared: bool = False,
         only: int | None = None) -> Years:
    """Three years of ``plans`` customers in an empty ``store``, and what the judge says of them. ``only`` one of them:
    to look at a life that broke a promise.
    """
    world = begin(store, seed, dense=dense, longest=longest, compared=compared)
    try:
        worked = days.live(world, plans, only)
        settled = {story.account_id: _settled(world, story) for story in days.stories(world)}
        days.settle_all(world)
        faults, rows, on_the_day = _books(world), [], 0
        for story in days.stories(world):
            found, lines, calm = _judged(world, story, settled[story.account_id])
            faults += found
            rows += lines
            on_the_day += calm
    finally:
        world.close()
    return Years(seed, tuple(rows), tuple(faults), worked, on_the_day)


def _settled(world: World, story: Story) -> list[Settled]:
    owed = world.owed(story)
    credit = -world.balance("a.kind = 'credit' and a.guarantor_id = :who", who=story.account_id)
    return [_one(world, plan_id, sum(owed.values()), credit) for plan_id in story.plans]


def _one(world: World, plan_id: str, owed: int, credit: int) -> Settled:
    status, ended, reason, interval, collects, total = world.rows(
        'select status, ended_at, end_reason, "interval", collects, total_minor from plans where id = :id',
        id=plan_id)[0]
    parts = tuple((int(n), day_of(due), int(asks), int(agreed), int(paid), str(state))
                  for n, due, asks, agreed, paid, state in world.rows(
                      "select number, due_on, amount_minor, agreed_minor, paid_minor, status from instalments"
                      " where plan_id = :id order by number", id=plan_id))
    ended_at = instant_of(ended) if ended is not None else None
    return Settled(plan_id, status, ended_at.astimezone(world.zone).date() if ended_at else None, reason or "",
                   interval, (), collects, int(total), parts, owed, credit, ended_at)


# The books -----------------------------------------------------------------------------------------------------------

def _books(world: World) -> list[str]:
    """Our ledger against the bank's own book, and against itself."""
    faults = [f"the processor was sent other content under {key}" for key in world.bank.faults]
    ledger, held = world.balance("a.key like 'cash:stripe:%'"), world.bank.held_minor()
    if ledger != held:
        faults.append(f"the bank holds {held}, the ledger has {ledger} in its cash: "
                      f"{_apart(world)}")
    found = world.store.read(lambda session: verify.verify(session))
    faults += [f"verify: {one.check} {one.object_id} {one.difference_minor}" for one in found.problems]
    open_calls = world.rows("select kind, status, code from processor_calls where status not in"
                            " ('done', 'refused', 'not_made')")
    faults += [f"a call is left open: {tuple(one)}" for one in open_calls]
    return faults


def _apart(world: World) -> list[str]:
    """Payments on which the two do not agree."""
    told: Counter[str] = Counter()
    for line in world.bank.book:
        told[line.payment_id] += line.amount_minor
    ours: Counter[str] = Counter()
    for payment_id, minor in world.rows(
            "select t.payment_id, sum(case when t.debit_id = a.id then t.amount_minor else -t.amount_minor end)"
            " from ledger_accounts a join transfers t on t.debit_id = a.id or t.credit_id = a.id"
            " where a.key like 'cash:stripe:%' group by t.payment_id"):
        ours[payment_id] = int(minor)
    return [f"{one}: bank {told[one]}, ledger {ours[one]}" for one in sorted({*told, *ours}) if told[one] != ours[one]]


def _judged(world: World, story: Story, settled: Sequence[Settled]) -> tuple[list[str], list[dict[str, Any]], int]:
    plans = world.policy.plans
    assert plans is not None
    judge = Judge(story, Rules(plans.notice_days, plans.grace_days, plans.missed_before_default,
                               frozenset(world.asleep)))
    faults = [*judge.replay()]
    faults += _customer_sum(world, story)
    for one in settled:
        if one.plan in judge.plans:
            faults += judge.calm(one.plan)
        faults += judge_end(judge, one, _naive_owed(world, story, one.ended_at), _unheard(world, story, one),
                            _from_before(world, story, one, judge))
        faults += _plan_sum(world, story, one, judge)
    return faults, [_row(world, story, one, judge) for one in settled], judge.on_the_day


def _customer_sum(world: World, story: Story) -> list[str]:
    """Charged, changed by the insurer, paid and given back: what is left is what the transfers say, to the cent."""
    left = _naive_owed(world, story, None)
    owed = sum(world.owed(story).values())
    credit = -world.balance("a.kind = 'credit' and a.guarantor_id = :who", who=story.account_id)
    payable = world.balance("a.key = 'refunds_payable' and t.guarantor_id = :who", who=story.account_id)
    if left != owed - credit + payable:
        return [(f"{story.name}: by the facts {left} is owed; the transfers say {owed}, credit {credit}, payable "
                 f"{payable}")]
    return []


def _naive_owed(world: World, story: Story, until: Any) -> int:
    """Charges and the insurer's answers, less what the bank and the desk took in all."""
    insurer = sum(one.minor for one in story.facts if one.kind == "insurer" and (until is None or one.at <= until))
    return sum(story.visits.values()) + int(insurer) - _paid(world, story, until)


def _paid(world: World, story: Story, until: Any) -> int:
    bank = sum(line.amount_minor for line in world.bank.book
               if line.customer == story.account_id and (until is None or line.at <= until))
    desk = sum(-one.minor if one.kind == "desk_back" else one.minor for one in story.facts
               if one.kind in ("paid_desk", "desk_back") and (until is None or one.at <= until))
    return int(bank + desk)


def _from_before(world: World, story: Story, one: Settled, judge: Judge) -> int:
    """Cents that went back of payments from before the plan was signed: owed again, and none of the plan's."""
    plan = judge.plans.get(one.plan)
    if plan is None:
        return 0
    older = {line.payment_id for line in world.bank.book if line.what == "paid" and line.at < plan.signed.at}
    bank = -sum(line.amount_minor for line in world.bank.book
                if line.customer == story.account_id and line.what != "paid" and line.payment_id in older)
    desk = sum(fact.minor for fact in story.facts if fact.kind == "desk_back" and story.plans[0] != one.plan)
    return bank + int(desk)


def _unheard(world: World, story: Story, one: Settled) -> int:
    """Cents that had gone back at the bank when the plan ended, and of which no news had come."""
    if one.ended_at is None:
        return 0
    heard = {fact.payment for fact in story.facts if fact.kind == "news" and fact.at <= one.ended_at
             and fact.what in ("disputed", "returned", "refund_made", "refunded")}
    return -sum(line.amount_minor for line in world.bank.book
                if line.customer == story.account_id and line.amount_minor < 0 and line.at <= one.ended_at
                and line.payment_id not in heard)


def _plan_sum(world: World, story: Story, one: Settled, judge: Judge) -> list[str]:
    """Paid, still open and taken off by the insurer are what was agreed to: for whom nothing else moved."""
    plan = judge.plans.get(one.plan)
    if plan is None or len(story.plans) != 1 or one.ended_at is None or one.credit_minor:
        return []
    insurer = [fact for fact in story.facts if fact.kind == "insurer"]
    moved_after = any(line.customer == story.account_id and line.at > one.ended_at for line in world.bank.book) or any(
        fact.kind in ("paid_desk", "desk_back") and fact.at > one.ended_at for fact in story.facts)
    if any(fact.minor > 0 or fact.at > one.ended_at for fact in insurer) or moved_after or _unheard(world, story, one):
        return []
    paid = _paid(world, story, one.ended_at)
    ours = sum(part[4] for part in one.parts)
    still = sum(part[2] - part[4] for part in one.parts)
    agreed = sum(plan.signed.visits.values())
    faults = []
    if ours != paid:
        faults.append(f"{story.name}: its instalments say {ours} was paid, the bank and the desk took {paid}")
    changed = sum(fact.minor for fact in insurer)
    # A plan that is cancelled keeps what it asked for last; the insurer may have moved the balance since.
    if one.status in ("completed", "defaulted") and agreed + changed != paid + still:
        faults.append(f"{story.name}: agreed {agreed}, insurer {changed}, paid {paid}, open {still}")
    return faults


# For a reader --------------------------------------------------------------------------------------------------------

def _row(world: World, story: Story, one: Settled, judge: Judge) -> dict[str, Any]:
    plan = judge.plans.get(one.plan)
    own = [fact for fact in story.facts if _is_of(fact, one)]
    asked = [fact for fact in own if fact.kind == "asked" and not fact.again]
    payments = {fact.payment for fact in asked}
    good = {fact.payment for fact in story.facts if fact.kind in ("answer", "news") and fact.payment in payments
            and "paid" in (fact.values.get("status"), fact.values.get("what"))}
    back = -sum(line.amount_minor for line in world.bank.book
                if line.customer == story.account_id and line.what != "paid")
    counted = Counter(fact.what for fact in own if fact.kind == "change")
    events = [f"{name} x{n}" if n > 1 else name for name, n in sorted(counted.items())]
    events += sorted({fact.kind for fact in own if fact.kind in (
        "hold", "opt_out", "insurer", "chargeback", "paid_page", "paid_desk", "card_removed", "refund_asked")})
    numbers = Counter(fact.number for fact in asked if fact.payment)
    signed = plan.signed if plan else None
    return {
        "seed": world.seed, "plan": f"{story.name}-{story.plans.index(one.plan) + 1}", "interval": one.interval,
        "day": " ".join(str(day) for day in (signed.days if signed else ())),
        "count": len([part for part in signed.parts if part[0] > 0]) if signed else len(one.parts),
        "total": one.total_minor, "collects": signed.collects if signed else one.collects,
        "events": "; ".join(events), "charged": len(good),
        "skipped": sum(1 for fact in own if fact.kind == "change" and fact.what == "skip"),
        "missed": int(world.rows("select count(*) from instalments where plan_id = :id and missed_on is not null",
                                 id=one.plan)[0][0]),
        "retries": sum(n - 1 for n in numbers.values()), "refunded": back,
        "insurer_changed_minor": sum(fact.minor for fact in own if fact.kind == "insurer"),
        "ended": one.status, "ended_on": one.ended_on.isoformat() if one.ended_on else "",
        "paid": sum(part[4] for part in one.parts), "left": one.owed_minor - one.credit_minor,
        "explanation": _explanation(story, one, plan is not None, own)}


def _is_of(fact: Fact, one: Settled) -> bool:
    return fact.values.get("plan") in (None, one.plan) and (one.ended_on is None or fact.on <= one.ended_on)


def _explanation(story: Story, one: Settled, signed: bool, own: Sequence[Fact]) -> str:
    """Why it ended as it did, in a sentence or two."""
    if not signed:
        return "offered and never agreed to; the offer ran out"
    done = sum(1 for part in one.parts if part[2] == part[4] and part[4] > 0)
    codes = sorted({fact.code for fact in own if fact.kind in ("answer", "news") and fact.values.get("code")})
    words = [f"{done} of {len(one.parts)} instalments paid in full"]
    if codes:
        words.append(f"the bank said {', '.join(codes)}")
    by = {"completed": "nothing is left to pay", "cancelled": "ended on request; the rest is due as before",
          "defaulted": "too many were missed, the patient was told; the rest is due as before",
          "superseded": "another plan took its place"}
    return "; ".join([*words, by.get(one.status, f"still {one.status}")])


def write_csv(path: Path, years: Sequence[Years]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for one in years:
            writer.writerows(one.rows)


def ends(years: Sequence[Years]) -> dict[str, int]:
    return dict(Counter(row["ended"] for one in years for row in one.rows))


def main(arguments: Sequence[str] | None = None) -> int:
    reader = argparse.ArgumentParser(description="Simulated years of instalment plans")
    reader.add_argument("--out", type=Path, required=True)
    reader.add_argument("--seed", type=int, action="append")
    reader.add_argument("--plans", type=int, default=25)
    reader.add_argument("--longest", type=int, default=16, help="instalments that anybody asks for")
    reader.add_argument("--only", type=int, help="one customer, by number from 0")
    given = reader.parse_args(arguments)
    years = []
    install_keyring(TEST_KEYS)
    with tempfile.TemporaryDirectory() as folder:
        template = make_sqlite_template(Path(folder))
        for seed in given.seed or [1]:
            place = Path(folder) / str(seed)
            place.mkdir()
            store = open_store(copy_sqlite(template, place), TEST_KEYS)
            years.append(live(store, seed, given.plans, longest=given.longest, only=given.only))
            store.close()
            print(f"seed {seed}: {ends(years[-1:])}, {years[-1].worked_days} days worked", file=sys.stderr)
    write_csv(given.out, years)
    faults = [fault for one in years for fault in one.faults]
    print("\n".join(faults) or "no promise was broken", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
