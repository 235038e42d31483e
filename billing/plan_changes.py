"""Changes to running plans: what patients ask for, cards that come and go, an opt-out from texts.

Whatever ends charges (T-48: in any words, until the moment of charging) is never refused for an old version. A charge
that was written down and not made yet is asked about again just before its call, and finds no authorization then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from billing import consents, plan_schedule
from billing.cases import open_case
from billing.command_context import Context, record
from billing.commands import ChangePlan, CommandRefused, Refused
from billing.plan_consents import PlanRefused, forget_notice, send_copy, stands, to_link, write
from billing.plan_money import open_of
from billing.plan_news import SYSTEM, TITLES, changed, tell
from billing.plan_pauses import begin_pause, end_pause
from billing.plan_staff import end
from billing.plan_status import COLLECTING, PAUSED, PROPOSED, RUNNING
from billing.plan_terms import Part
from billing.store import consent_queries
from billing.store import plan_queries as store
from billing.store.practices import policy_in
from billing.store.tables import Instalment, PaymentMethod, Plan, SetupRequest
from config.payment_policy import PlanPolicy

PATIENT = "patient"

#: These take charges back: they are heard whatever the patient had before them.
_ALWAYS_HEARD = frozenset({"pay_by_link", "cancel", "pause"})

#: Pauses that a patient began or may explain; others are a person's to end.
_OWN_PAUSES = frozenset({None, "patient", "opt_out"})


def apply_change(session: Session, command: ChangePlan, context: Context) -> None:
    """Carry out what a patient asked for. Raises CommandRefused: stale_plan, outside_policy, charging, card_gone, hold.
    """
    plan = store.lock(session, command.plan_id)
    if plan is None or plan.practice_id != context.practice_id or plan.guarantor_id != command.account_id:
        raise CommandRefused(Refused(command, "not_confirmed"))
    if plan.status not in RUNNING or (plan.version != command.plan_version and command.change not in _ALWAYS_HEARD):
        raise CommandRefused(Refused(command, "stale_plan"))
    try:
        _CHANGES[command.change](session, plan, command, context)
    except PlanRefused as error:
        raise CommandRefused(Refused(command, error.reason)) from error
    record(session, context, f"plan_{command.change}", plan.guarantor_id, plan.id)


def _rules(session: Session, plan: Plan) -> PlanPolicy:
    return policy_in(session, plan.practice_id).plans or PlanPolicy()


def _today(session: Session, plan: Plan, now: datetime) -> date:
    return policy_in(session, plan.practice_id).local_day(now)


def _pause(session: Session, plan: Plan, command: ChangePlan, context: Context) -> None:
    if plan.status == PAUSED:
        raise PlanRefused("stale_plan", "paused already")
    longest = _rules(session, plan).pause_days
    last_on = _today(session, plan, context.now) + timedelta(days=longest)
    until_on = command.on or last_on
    if longest == 0 or not _today(session, plan, context.now) < until_on <= last_on:
        raise PlanRefused("outside_policy", "pause_days")
    begin_pause(session, plan, "patient", until_on, PATIENT, "asked", context.now)


def _resume(session: Session, plan: Plan, command: ChangePlan, context: Context) -> None:
    if plan.status != PAUSED:
        raise PlanRefused("stale_plan", "not paused")
    if plan.pause_reason not in _OWN_PAUSES:
        raise PlanRefused("hold", "a person has to look first")
    end_pause(session, plan, PATIENT, "asked", context.now)


def _skip(session: Session, plan: Plan, command: ChangePlan, context: Context) -> None:
    """What is open of the instalment becomes a new last one, an interval after the last; no amount rises."""
    rows = store.instalments(session, plan.id)
    part = next((one for one in rows if open_of(one) > 0 and command.number in (None, one.number)), None)
    if plan.status == PAUSED or part is None or part.number == 0:
        raise PlanRefused("stale_plan")
    if part.status == "charging":
        raise PlanRefused("charging")
    if part.missed_on is not None or part.tries > 0 or skips_left(session, plan, context.now) < 1:
        raise PlanRefused("outside_policy", "skips_per_year")
    moved = plan_schedule.skip([Part(one.number, one.due_on, open_of(one)) for one in rows], part.number,
                               plan.interval, plan.days)[-1]
    store.add_instalment(session, Instalment(
        plan_id=plan.id, number=moved.number, practice_id=plan.practice_id, due_on=moved.due_on,
        amount_minor=moved.amount_minor, agreed_minor=0, paid_minor=0, status="planned", tries=0))
    part.amount_minor, part.status, part.settled_at, part.retry_on = part.paid_minor, "skipped", context.now, None
    changed(session, plan, "skipped", context.now, by=PATIENT, instalment=part.number, amount_minor=moved.amount_minor)


def skips_left(session: Session, plan: Plan, now: datetime) -> int:
    """Within the policy, in the year that ends now."""
    since = now - timedelta(days=365)
    used = sum(1 for event in store.events(session, plan.id, ("skipped",)) if event.at > since)
    return max(_rules(session, plan).skips_per_year - used, 0)


def _move_day(session: Session, plan: Plan, command: ChangePlan, context: Context) -> None:
    """From the next instalment that nothing has been tried for; its notice is given anew."""
    rows, today = store.instalments(session, plan.id), _today(session, plan, context.now)
    if plan.status == PAUSED:
        raise PlanRefused("stale_plan")
    if any(part.status == "charging" for part in rows):
        raise PlanRefused("charging")
    still = [part for part in rows if open_of(part) > 0]
    coming = [part for part in still if part.due_on >= today and part.status in ("planned", "noticed") and part.number]
    if not coming:
        raise PlanRefused("outside_policy", "no coming instalment")
    ahead = _rules(session, plan).notice_days if plan.collects == "autopay" else 1
    weekday = command.on.weekday() if command.on is not None and not command.days else None
    try:
        moved = plan_schedule.move_days([Part(one.number, one.due_on, open_of(one)) for one in still],
                                        coming[0].number, plan.interval, command.days, weekday,
                                        today + timedelta(days=ahead))
    except (ValueError, LookupError) as error:
        raise PlanRefused("outside_policy", str(error)) from error
    _put_days(plan, still, {part.number: part.due_on for part in moved}, command.days)
    changed(session, plan, "day_moved", context.now, by=PATIENT, instalment=coming[0].number,
            reason=",".join(str(day) for day in command.days) or str(weekday))


def _put_days(plan: Plan, rows: list[Instalment], due_on: Mapping[int, date], days: tuple[int, ...]) -> None:
    for part in rows:
        if due_on[part.number] != part.due_on:
            part.due_on = due_on[part.number]
            forget_notice(part)
    if days:
        first = min(part.due_on for part in rows if part.status == "planned")
        plan.days = list(plan_schedule.anchors(first, plan.interval, days))


def _use_card(session: Session, plan: Plan, command: ChangePlan, context: Context) -> None:
    """Another card, or a card for a plan that was paid by link: agreed to in the thread, so with its own record."""
    policy = policy_in(session, plan.practice_id)
    if policy.plans is None or not policy.plans.autopay or not policy.payments.saved_cards:
        raise PlanRefused("outside_policy", "autopay_not_offered")
    method = store.method(session, command.method_id)
    if method is None or method.guarantor_id != plan.guarantor_id or method.status != "active":
        raise PlanRefused("card_gone")
    charge_with(session, plan, method, words=command.wording, version="thread", given_by="text",
                message_id=context.message_ref, now=context.now)


def charge_with(session: Session, plan: Plan, method: PaymentMethod, *, words: str, version: str, given_by: str,
                message_id: str | None, now: datetime) -> None:
    """A new authorization takes the place of the one before; what could not be charged is tried with the new card."""
    before = store.authorization(session, plan.authorization_id)
    if before is not None and before.revoked_at is None:
        before.revoked_at, before.revoked_by, before.revoked_words = now, PATIENT, f"another card: {method.last4}"
    first = next(iter(store.authorizations(session, plan.id)), before)
    given = write(session, plan, words=words, words_version=version, given_by=given_by, message_id=message_id,
                  method=method, disclosures_version=first.disclosures_version if first else None,
                  esign_at=first.esign_at if first else None, now=now)
    given.disclosures = first.disclosures if first else None
    _try_again(session, plan, now)
    changed(session, plan, "use_card", now, by=PATIENT, reason=method.id)
    send_copy(session, plan, given, now)


def _try_again(session: Session, plan: Plan, now: datetime) -> None:
    """What is overdue is charged to the new card tomorrow, if its charge was told of; else after its notice."""
    today = _today(session, plan, now)
    told = {event.instalment for event in store.events(session, plan.id, ("notice",)) if event.reason == "plan_notice"}
    for part in store.instalments(session, plan.id):
        if open_of(part) == 0 or part.status == "charging":
            continue
        if part.number in told and part.noticed_at is not None and part.due_on <= today:
            part.status, part.tries, part.retry_on = "retrying", 0, today + timedelta(days=1)
        elif part.status != "planned":
            part.tries = 0
            forget_notice(part)


def _pay_by_link(session: Session, plan: Plan, command: ChangePlan, context: Context) -> None:
    to_link(session, plan, PATIENT, command.wording, "asked", context.now)
    if plan.status == PAUSED and plan.pause_reason == "opt_out":
        end_pause(session, plan, PATIENT, "asked", context.now)


def _on_extra(session: Session, plan: Plan, command: ChangePlan, context: Context) -> None:
    if command.value not in ("shorten", "lower"):
        raise PlanRefused("outside_policy", "shorten or lower")
    plan.on_extra = command.value
    changed(session, plan, "on_extra", context.now, by=PATIENT, reason=command.value)


def _cancel(session: Session, plan: Plan, command: ChangePlan, context: Context) -> None:
    end(session, plan, PATIENT, "asked", context.now)


_CHANGES: Mapping[str, Callable[[Session, Plan, ChangePlan, Context], None]] = {
    "pause": _pause, "resume": _resume, "skip": _skip, "move_day": _move_day, "use_card": _use_card,
    "pay_by_link": _pay_by_link, "on_extra": _on_extra, "cancel": _cancel,
}


def card_gone(session: Session, method_id: str, now: datetime) -> None:
    """A card on file was removed or refused for good: no plan charges it any more, and its patient hears the way on.

    Of a refused charge the news of that charge says so (plan_failures).
    """
    for plan_id in store.with_method(session, method_id, RUNNING | PROPOSED):
        plan = store.lock(session, plan_id)
        if plan is None or plan.method_id != method_id:
            continue
        if plan.status in PROPOSED:
            plan.collects, plan.method_id = "link", None
            continue
        refused = any(part.status == "charging" for part in store.instalments(session, plan.id))
        to_link(session, plan, "system", "the card is gone", "card_refused" if refused else "card_gone", now)
        if not refused:
            tell(session, plan, "plan_changed", f"{plan.version}", now, more={"change": "card_gone"})


def card_given(session: Session, setup: SetupRequest, method: PaymentMethod, now: datetime) -> None:
    """A card was given on a page for a plan. One that is not agreed to yet waits for its words, with the card in them.

    A running autopay plan goes on with the new card: giving it for this plan is the consent, kept with the words that
    the plan began with. A plan by link asks first whether its instalments shall be charged.
    """
    plan = store.lock(session, setup.plan_id) if setup.plan_id else None
    if plan is None or plan.guarantor_id != method.guarantor_id or method.status != "active":
        return
    if plan.status in PROPOSED:
        plan.method_id = method.id
        return
    if plan.status not in RUNNING or plan.method_id == method.id:
        return
    before = [given for given in store.authorizations(session, plan.id) if given.method_id is not None]
    if not before or (before[-1].revoked_by == PATIENT and stands(session, plan) is None):
        tell(session, plan, "plan_changed", f"card:{method.id}", now,
             more={"change": "card_given", "method_id": method.id, "last4": method.last4})
        return
    words = (f"The {method.kind} ending in {method.last4} was given for plan {plan.number} on its page. What was "
             f"agreed to before goes on with it: {before[-1].words}")
    charge_with(session, plan, method, words=words, version=f"page:{before[-1].words_version}"[:40], given_by="page",
                message_id=f"setup:{setup.id}", now=now)


def stop_for_opt_out(session: Session, practice_id: str, address_hash: str, now: datetime, wording: str) -> int:
    """No autopay plan of the accounts on this number charges until a person has asked what was meant (T-48); returns
    how many were stopped. One case for the number.
    """
    stopped = [plan for guarantor_id in consent_queries.guarantors_on(session, practice_id, address_hash)
               for plan in _stop_plans(session, guarantor_id, now)]
    if stopped:
        _ask_staff(session, stopped, address_hash, wording, now)
    return len(stopped)


def _stop_plans(session: Session, guarantor_id: str, now: datetime) -> list[Plan]:
    stopped = []
    for found in store.of_account(session, guarantor_id, COLLECTING):
        plan = store.lock(session, found.id)
        if plan is not None and plan.status in COLLECTING and plan.collects == "autopay":
            begin_pause(session, plan, "opt_out", None, PATIENT, "opt_out", now)
            stopped.append(plan)
    return stopped


def _ask_staff(session: Session, stopped: list[Plan], address_hash: str, wording: str, now: datetime) -> None:
    numbers = ", ".join(str(plan.number) for plan in stopped)
    open_case(session, stopped[0].practice_id, kind="autopay_opt_out", title=TITLES["autopay_opt_out"],
              detail=f"Plans {numbers} are paused: texts were stopped with \"{wording}\". Ask whether the charges "
              "shall stop as well. Then: plainbill plans resume or cancel; notices go by letter or call from now on.",
              now=now, dedupe=f"autopay_opt_out:{address_hash}", guarantor_id=stopped[0].guarantor_id,
              conversation_id=stopped[0].conversation_id)


def stop_if_opted_out(session: Session, plan: Plan, now: datetime) -> bool:
    """The same for an opt-out that came another way (the carrier's answer, an import), seen before a charge. Once a
    plan was resumed after it, somebody has asked; a STOP after that is asked about again.
    """
    own = store.conversation(session, plan.conversation_id)
    lines = {(point.channel, point.address_hash) for point in store.contacts(session, plan.guarantor_id)}
    lines |= {(own.channel, own.address_hash)} if own is not None else set()
    asked = [event.at for event in store.events(session, plan.id, tuple(RUNNING))
             if event.kind != PAUSED and event.by != SYSTEM]
    for channel, hashed in sorted(lines):
        stands_now = consents.standing(session, plan.practice_id, channel, hashed)
        if stands_now.last_stop_at is not None and stands_now.last_stop_at > max(asked, default=plan.offered_at):
            begin_pause(session, plan, "opt_out", None, "system", "opt_out", now)
            _ask_staff(session, [plan], hashed, "STOP", now)
            return True
    return False
