"""A thousand random conversations end in no error, no disclosure before identity, no money without a yes, no dead end.

Seeded, and mutated from the transcripts (mutations.py); judged after every turn (judge.py). A failure prints the seed
and the shortest beginning that fails, as a transcript. The fast suite plays the first 150, CI plays all.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import lru_cache

import pytest

from billing.commands import (
    AgreePlan,
    ChangePlan,
    ChargeSavedCard,
    Command,
    MarkVerified,
    OpenCase,
    RecordOptOut,
    RequestPayment,
)
from handlers.core import State
from tests.conversations import judge, mutations
from tests.conversations.judge import Fault
from tests.conversations.mutations import Script, Step
from tests.conversations.thread import Moment, Thread, begin, transcript

FAST, ALL, AT_ONCE = 150, 1000, 10
FAST_MISHEARD, MISHEARD = 30, 300
LONG_SILENCE = 45


def run(script: Script, *, mishears: bool = False) -> tuple[Fault | None, Thread, int]:
    """Play to the end or to the first fault: what it is, the thread, and how many steps were played."""
    thread = begin(script, mishears=mishears)
    for number, step in enumerate(script.steps, 1):
        if fault := play(thread, step):
            return fault, thread, number
    thread.log.append((Step("@", f"minutes {LONG_SILENCE}"), []))
    fault = attempt(thread, lambda: thread.wait(LONG_SILENCE))
    if fault is None and not judge.ending(thread.moments):
        fault = Fault("no dead end", f"the thread stands at {thread.talk.state.flow}.{thread.talk.state.step}")
    return fault, thread, len(script.steps)


def play(thread: Thread, step: Step) -> Fault | None:
    return attempt(thread, lambda: thread.act(step))


def attempt(thread: Thread, act: object) -> Fault | None:
    assert callable(act)
    before = len(thread.moments)
    try:
        act()
    except Exception as error:  # whatever it is, the conversation that led to it is wanted
        return Fault("no error", f"{type(error).__name__}: {error}")
    for end in range(before + 1, len(thread.moments) + 1):
        if fault := judge.judge(thread.moments[:end]):
            return fault
    return None


def shrink(script: Script, fault: Fault, played: int, mishears: bool) -> Script:
    """The shortest beginning that breaks the same rule, without the steps that it does not need."""
    script = replace(script, steps=script.steps[:played])
    at = len(script.steps) - 1
    while at >= 0:
        without = replace(script, steps=script.steps[:at] + script.steps[at + 1:])
        found, _, number = run(without, mishears=mishears)
        if found is not None and found.rule == fault.rule:
            script = replace(without, steps=without.steps[:number])
        at = min(at, len(script.steps)) - 1
    return script


@lru_cache(maxsize=FAST)
def outcome(seed: int, mishears: bool) -> tuple[Fault | None, Thread, int]:
    return run(mutations.script(seed), mishears=mishears)


def complaint(seed: int, *, mishears: bool = False) -> str:
    """Empty, or what is wrong with the conversation of ``seed`` and how to come to it."""
    fault, _, number = outcome(seed, mishears)
    if fault is None:
        return ""
    small = shrink(mutations.script(seed), fault, number, mishears)
    found, thread, _ = run(small, mishears=mishears)
    assert found is not None
    return f"seed {seed}: {found.rule}: {found.how}\n{transcript(small, thread)}\n"


def seeds(of: int, fast: int) -> list[object]:
    """Batches of seeds; those beyond the fast suite's share are slow."""
    return [pytest.param(range(start, start + AT_ONCE), id=f"{start}-{start + AT_ONCE - 1}",
                         marks=[pytest.mark.slow] if start >= fast else []) for start in range(0, of, AT_ONCE)]


@pytest.mark.parametrize("batch", seeds(ALL, FAST))
def test_random_conversations_break_no_rule_and_end_answered_closed_or_with_a_person(batch: range) -> None:
    found = [text for text in map(complaint, batch) if text]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("batch", seeds(MISHEARD, FAST_MISHEARD))
def test_no_rule_is_broken_when_whatever_the_model_decides_alone_is_misheard(batch: range) -> None:
    """What is safe rests on fixed words and grammar: any intent at any confidence may cost a detour, nothing else."""
    found = [text for text in (complaint(seed, mishears=True) for seed in batch) if text]
    assert not found, "\n".join(found)


def played(*lines: str, account: str = "one_visit, spouse", verified: bool = False, marks: str = "") -> list[Moment]:
    thread = begin(Script(0, account, "en", verified, marks, ()))
    for line in lines:
        thread.act(Step(line[0], line[2:]))
    return thread.moments


def saying(moments: list[Moment], body: str) -> list[Moment]:
    """The same thread, but its last reply reads ``body``."""
    last = moments[-1]
    return [*moments[:-1], replace(last, rendered=(*last.rendered[:-1], replace(last.rendered[-1], body=body)))]


def doing(moments: list[Moment], *commands: Command) -> list[Moment]:
    return [*moments[:-1], replace(moments[-1], decision=replace(moments[-1].decision, commands=commands))]


def _bad_threads() -> list[tuple[str, list[Moment]]]:
    """Threads that did happen, each falsified in one way, and the rule that has to notice."""
    stranger, ann = played("> balance"), played("> balance", verified=True)
    hidden = played("> balance", account="confidential", verified=True)
    confirmed = played("> pay $20", verified=True)
    pay = RequestPayment("one_visit", 2000, (("march", 2000),), 7, "en")
    paid = played("> pay $20", "> yes", verified=True)
    silent = replace(stranger[-1], decision=replace(stranger[-1].decision, replies=()), rendered=())
    stopped = replace(stranger[-1], turn=replace(stranger[-1].turn, talk=replace(
        stranger[-1].turn.talk, opted_out=True)))
    with_card = played("> pay all", "> yes", account="card", verified=True)
    charge = ChargeSavedCard("card", "pm_1", 4500, (("march", 4500),), 7, "en", "asked:x", "asked:x")
    agreed = played("> in 4 payments", "> 1", "> 1", "> yes", account="owing_card", verified=True, marks="plans")
    (plan,) = (one for one in agreed[-1].decision.commands if isinstance(one, AgreePlan))
    more = replace(plan.terms, parts=(replace(plan.terms.parts[0], amount_minor=15001), *plan.terms.parts[1:]))
    skipped = played("> skip this month", "> yes", account="on_plan", verified=True, marks="plans")
    (skip,) = (one for one in skipped[-1].decision.commands if isinstance(one, ChangePlan))
    big = replace(stranger[-1], after=replace(stranger[-1].after, state=State("verify", "identity", {"x": "y" * 9000})))
    emergency = played("> i want to kill myself")
    return [
        ("no disclosure", saying(stranger, "You owe $45.00.")), ("no disclosure", saying(stranger, "In March 2026.")),
        ("no disclosure", saying(stranger, "Blue Shield has answered.")),
        ("no disclosure", saying(ann, "You owe $1,683.00.")), ("no disclosure", saying(ann, "Your visit in June.")),
        ("no disclosure", saying(ann, "You saw Dr. Rowan.")),
        ("no disclosure", saying(hidden, "And Silver Peak was asked in September.")),
        ("no disclosure", [replace(ann[-1], turn=stranger[-1].turn)]),
        ("in its language", saying(stranger, "Primero necesitamos saber que es usted quien nos escribe por favor")),
        ("no money without a yes", doing(confirmed, pay)),
        ("no money without a yes", doing(paid, replace(pay, amount_minor=2500, split=(("march", 2500),)))),
        ("no money without a yes", doing([confirmed[0], *ann, paid[-1]], pay)),
        ("the verified only", doing(stranger, OpenCase("handover", "t", "d", "one_visit"))),
        ("the verified only", doing(stranger, MarkVerified("one_visit"))),
        ("silent after STOP", [stopped]), ("small state", [big]), ("answers", [silent]),
        ("no money in an emergency", saying(emergency, "988 or 911. Your bill can wait.")),
        ("no loop", stranger * 5),
        ("no money without a yes", doing(with_card, replace(charge, method_id="pm_2"))),
        ("no money without a yes", doing(with_card[:1], charge)),
        ("no money without a yes", doing(agreed[:-1], plan)),
        ("no money without a yes", doing(agreed, replace(plan, terms=more))),
        ("no money without a yes", doing(agreed, replace(plan, terms=replace(plan.terms, method_id="pm_2")))),
        ("no money without a yes", doing(skipped, replace(skip, change="cancel", wording="asked:plan_stop_ask"))),
        ("no money without a yes", doing(skipped, replace(skip, plan_version=2)))]


@pytest.mark.parametrize("number", range(26))
def test_the_judge_notices_a_thread_that_was_falsified(number: int) -> None:
    rule, moments = _bad_threads()[number]
    fault = judge.judge(moments)
    assert fault is not None and fault.rule == rule, (rule, fault)
    assert len(_bad_threads()) == 26


def test_a_thread_is_answered_closed_with_a_person_or_else_at_a_dead_end() -> None:
    assert judge.ending(played("> pay", verified=True)) == ""
    assert judge.ending(played("> pay", "@ minutes 45", verified=True)) == "closed"
    assert judge.ending(played("> human")) == "person"
    assert judge.ending(played("> balance", verified=True)) == "answered"


def test_the_same_seed_is_the_same_conversation() -> None:
    assert all(mutations.script(seed) == mutations.script(seed) for seed in range(20))
    assert len({mutations.script(seed).steps for seed in range(100)}) > 95


def test_the_random_conversations_go_everywhere() -> None:
    """A generator that only wandered about outside would prove nothing: they verify, pay, stop, and meet people."""
    seen: Counter[str] = Counter()
    for seed in range(2 * FAST):
        _, thread, _ = outcome(seed, False)
        seen[judge.ending(thread.moments)] += 1
        for moment in thread.moments:
            seen.update(type(one).__name__ for one in moment.decision.commands)
            seen[f"{moment.after.state.flow}.{moment.after.state.step}"] += 1
    for command in (RequestPayment, MarkVerified, OpenCase, RecordOptOut):
        assert seen[command.__name__] >= 5, seen
    assert sum(seen[command.__name__] for command in (ChargeSavedCard, ChangePlan, AgreePlan)) >= 3, seen
    for where in ("pay.confirm", "pay.amount", "verify.identity", "verify.detail", "explain.which", "menu.choose",
                  "consent.which", "plan.offers", "plan.collect", "plan.confirm", "my_plan.menu", "my_plan.change",
                  "my_plan.pay", "saved_card.choose"):
        assert seen[where], (where, seen)
    assert min(seen["answered"], seen["closed"], seen["person"]) >= 5, seen
