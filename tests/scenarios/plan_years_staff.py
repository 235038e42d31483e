"""What people do of a morning: staff work their cases, patients answer what they were told. Diligent, never magic."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial

from billing import cases, overpayments, plans, refunds
from billing.dispute_status import OPEN
from billing.plan_consents import PlanRefused
from billing.refunds import RefundRefused
from tests.scenarios import plan_years_lives as lives
from tests.scenarios import plan_years_money as money
from tests.scenarios.plan_years_bank import NEVER_AGAIN
from tests.scenarios.plan_years_facts import Story
from tests.scenarios.plan_years_world import PRACTICE, World, day_of

#: A person tries to reach somebody for so long before they give a plan up.
GIVES_UP = timedelta(days=45)


def work_cases(world: World) -> bool:
    """Every open case, by its kind; tells whether there was work."""
    found = world.rows("select id, kind, guarantor_id, dedupe, opened_at from cases where status <> 'closed'"
                       " order by number")
    done = False
    for case_id, kind, account_id, dedupe, _ in found:
        story = world.stories.get(account_id)
        if story is not None and kind in _WORK:
            done |= _WORK[kind](world, story, case_id, dedupe)
    return done


def _close(world: World, case_id: str) -> bool:
    world.do(lambda session: cases.close(session, PRACTICE, case_id, by="ana", resolution="done", now=world.clock()))
    return True


def _notice(world: World, story: Story, case_id: str, dedupe: str) -> bool:
    """The notice did not leave: it is given by letter. A plan that is behind and out of reach is given up at last."""
    plan_id = dedupe.split(":")[1]
    if dedupe.endswith(":behind"):
        return _give_up(world, story, case_id, plan_id)
    for number, minor in world.rows(
            "select number, amount_minor - paid_minor from instalments where plan_id = :id and notice_id like 'lost:%'"
            " and amount_minor > paid_minor order by number", id=plan_id):
        try:
            world.do(partial(plans.record_notice, practice_id=PRACTICE, plan_id=plan_id, number=int(number), by="ana",
                             how="by letter", now=world.clock()))
            world.note(story, "told", what="letter", plan=plan_id, numbers=[int(number)], minor=int(minor), reason="",
                       ends_on=None)
        except PlanRefused as error:
            world.note(story, "refused", what="record_notice", why=str(error))
    return _close(world, case_id)


def _give_up(world: World, story: Story, case_id: str, plan_id: str) -> bool:
    since = next((fact.at for fact in story.facts if fact.kind == "seen" and fact.case == case_id), None)
    if since is None:
        world.note(story, "seen", case=case_id)
        world.soon.add(world.today + GIVES_UP)
        return True
    if world.clock() - since < GIVES_UP - timedelta(hours=12):
        return False
    if lives.running(world, story) == plan_id:
        staff_cancel(world, story, plan_id)
    return _close(world, case_id)


def staff_cancel(world: World, story: Story, plan_id: str) -> None:
    world.do(partial(plans.cancel, practice_id=PRACTICE, plan_id=plan_id, by="ana", reason="they want no charges",
                     now=world.clock()))
    world.note(story, "change", what="cancel", plan=plan_id)


def _resume(world: World, story: Story, plan_id: str) -> None:
    status = world.rows("select status from plans where id = :id", id=plan_id)
    if status and status[0][0] == "paused":
        world.do(partial(plans.resume, practice_id=PRACTICE, plan_id=plan_id, by="ana", reason="asked them",
                         now=world.clock()))
        world.note(story, "resumed", plan=plan_id, by="staff")


def use_credit(world: World) -> None:
    """Credit is used on what is due before anything more is asked for: meanwhile the program takes nothing."""
    for account_id in due_with_credit(world, world.today):
        used = world.do(partial(overpayments.apply_credit, practice_id=PRACTICE, guarantor_id=account_id, by="ana",
                                now=world.clock()))
        if used:
            world.note(world.stories[account_id], "credit_used", minor=used)


def due_with_credit(world: World, today: date) -> list[str]:
    return [account_id for (account_id,) in world.rows(
        "select distinct p.guarantor_id from plans p join instalments i on i.plan_id = p.id"
        " join ledger_accounts a on a.guarantor_id = p.guarantor_id"
        " where p.status in ('active', 'cured', 'behind') and i.amount_minor > i.paid_minor and i.due_on <= :today"
        " and a.kind = 'credit' and a.balance_minor < 0 order by p.guarantor_id", today=_sql_day(world, today))]


def _sql_day(world: World, day: date) -> date | str:
    return day if world.store.engine.dialect.name == "postgresql" else day.isoformat()


def _opted_out(world: World, story: Story, case_id: str, dedupe: str) -> bool:
    """Staff ask on the telephone what was meant: the texts, or the charges as well."""
    _close(world, case_id)
    goes_on = world.draw(story).random() < 0.6
    world.note(story, "asked_what_was_meant", goes_on=goes_on)
    plan_id = lives.running(world, story)
    if plan_id is not None and goes_on:
        _resume(world, story, plan_id)
    elif plan_id is not None:
        staff_cancel(world, story, plan_id)
    return True


def _taken_back(world: World, story: Story, case_id: str, dedupe: str) -> bool:
    """A bank took money back: once that is decided, the case and its hold end; a plan that rested goes on."""
    if _at_the_banks(world, story):
        return False
    _close(world, case_id)
    plan_id = lives.running(world, story)
    if plan_id is not None and not _at_the_banks(world, story):
        _resume(world, story, plan_id)
    return True


def _at_the_banks(world: World, story: Story) -> bool:
    marks = ", ".join(f"'{status}'" for status in sorted(OPEN))
    return bool(world.rows(f"select 1 from payment_disputes d join payments p on p.id = d.payment_id"
                           f" where p.guarantor_id = :who and d.status in ({marks})", who=story.account_id))


def _rest(world: World, story: Story, case_id: str, dedupe: str) -> bool:
    """Too little for a card: the patient pays it at the desk."""
    parts = lives.open_parts(world, dedupe.split(":")[1])
    if parts and lives.running(world, story) is not None:
        money.pay_desk(world, story, sum(minor for _, minor in parts), dedupe.split(":")[1])
    return _close(world, case_id)


def _refund(world: World, story: Story, case_id: str, dedupe: str) -> bool:
    try:
        world.do(partial(refunds.approve, practice_id=PRACTICE, refund_id=dedupe.split(":")[1], by="sam",
                         now=world.clock()))
    except RefundRefused as error:
        world.note(story, "refused", what="approve", why=str(error))
        return _close(world, case_id)
    for (minor,) in world.rows("select r.amount_minor from refunds r join payments p on p.id = r.payment_id"
                               " where r.id = :id and p.processor = 'manual'", id=dedupe.split(":")[1]):
        world.note(story, "desk_back", minor=int(minor))
    return True


def _looked(world: World, story: Story, case_id: str, dedupe: str) -> bool:
    return _close(world, case_id)


_WORK: Mapping[str, Callable[[World, Story, str, str], bool]] = {
    "plan_notice": _notice, "autopay_opt_out": _opted_out, "plan_paused": _taken_back, "chargeback": _taken_back,
    "bank_return": _taken_back, "bank_inquiry": _taken_back, "plan_rest": _rest, "refund_approval": _refund,
    "plan_withheld": _looked, "plan_defaulted": _looked,
}


# Patients ------------------------------------------------------------------------------------------------------------

def react(world: World, story: Story) -> None:
    """After a card was refused for good most people give another, some days later."""
    heard = {fact.payment for fact in story.facts if fact.kind == "reacted"}
    for fact in [one for one in story.facts if one.kind == "news" and one.what in ("failed", "returned")]:
        if fact.payment in heard:
            continue
        world.note(story, "reacted", payment=fact.payment)
        draw = world.draw(story)
        if fact.code in NEVER_AGAIN and draw.random() < 0.7:
            lives.later(world, story, draw.randrange(1, 9), "new_card")


def pay_what_is_asked(world: World) -> bool:
    """Whoever pays by link, or was told that a charge did not work, pays on a day of their own, or never."""
    done = False
    for account_id, plan_id, number, minor, due_on in world.rows(
            "select p.guarantor_id, p.id, i.number, i.amount_minor - i.paid_minor, i.due_on"
            " from instalments i join plans p on p.id = i.plan_id where p.status in ('active', 'cured', 'behind')"
            " and i.amount_minor > i.paid_minor and ((p.collects = 'link' and i.noticed_at is not null)"
            " or i.status = 'missed' or (i.status = 'retrying' and i.retry_on is null)) order by i.due_on, i.number"):
        story = world.stories[account_id]
        wait = _waits(world, story, plan_id, int(number))
        if wait is None:
            continue
        day = max(day_of(due_on) + timedelta(days=wait), world.today)
        told = [one.on for one in story.facts if one.kind == "tries_to_pay" and (one.plan, one.number) == (
            plan_id, int(number))]
        if told:
            day = max(day, told[-1] + timedelta(days=7))
        if day > world.today:
            world.soon.add(day)
            continue
        world.note(story, "tries_to_pay", plan=plan_id, number=int(number))
        money.pay_page(world, story, int(minor), plan_id, int(number))
        done = True
    return done


def _waits(world: World, story: Story, plan_id: str, number: int) -> int | None:
    """Days after the due day, drawn once for an instalment; None: never."""
    draw = random.Random(f"{world.seed}:{story.name}:pays:{story.plans.index(plan_id)}:{number}")
    return draw.choice((-1, 0, 0, 0, 2, 4, 9)) if draw.random() < story.pays else None
