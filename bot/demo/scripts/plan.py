"""Luis agrees by text, in Spanish, to four instalments; a card is declined and replaced; he pays off early.

It ends well only if every charge was announced before it was made, the plan is completed, the ledger owes nothing, and
the processor's books, read line by line, agree with ours to the cent.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from billing import figures, plans
from billing.money import dollars
from billing.verify import verify
from billing.views import PlanView
from bot.demo import acts
from bot.demo.acts import Say
from bot.demo.opening import open_practice
from bot.demo.people import person_of
from bot.demo.stage import Stage, StageError
from bot.plan_days import work_plans
from bot.reconcile import reconcile

LUIS = person_of("A-1002")
FIRST_CARD, NEXT_CARD = "4242 4242 4242 4242", "5555 5555 5555 4444"
AT = time(13)  # practice-local: charges are made from ten o'clock on, and a Sunday's texts wait until twelve


async def play(stage: Stage, say: Say) -> None:
    """Raises StageError where something does not come as it should."""
    began = stage.clock.now()
    await open_practice(stage, say)
    await stage.wait_for(lambda: acts.thread_of(stage, LUIS), "the statement text")
    await _text(stage, say, "puedo pagar 20 al mes?", f"{LUIS.born_on} {LUIS.postal_code}", "si", "1", "1", "si")
    await _sign(stage, say)
    await _announced(stage, say, 1)
    await _charged(stage, say, 1, "the receipt of the first instalment")
    await _announced(stage, say, 2)
    await _decline_next_charge(stage)
    await _charged(stage, say, 2, "word of the declined card")
    await _other_card(stage, say)
    await _charged(stage, say, 2, "the receipt of the second instalment", later=timedelta(days=3))
    await _announced(stage, say, 3)
    await _text(stage, say, "quiero pagar todo lo que falta", f"{LUIS.born_on} {LUIS.postal_code}", "si")
    await _check(stage, say, began)


async def _text(stage: Stage, say: Say, *bodies: str) -> None:
    say(acts.heading(stage, LUIS))
    await acts.converse(stage, LUIS, "sms", say, *bodies)


async def _sign(stage: Stage, say: Say) -> None:
    """Read the plan behind the link, give a card on the processor's page, come back, agree to the words."""
    link = await acts.last_link(stage, LUIS)
    before = len(await acts.thread_of(stage, LUIS))
    async with acts.new_browser() as browser:
        page = await acts.open_page(browser, link, LUIS)
        say(f"\nThe plan behind the link shows {', '.join(dict.fromkeys(acts.amounts_in(page)))}.")
        await acts.give_card(browser, f"{link}/plan", {"do": "card"}, FIRST_CARD, LUIS)
        say(f"Gave a card ending {FIRST_CARD[-4:]} on the processor's page.")
        page = await acts.get(browser, f"{link}?way=auto&lang=es")
        await acts.post(browser, f"{link}/plan?lang=es", {**acts.hidden(page), "do": "agree", "yes": "yes"})
    say("Ticked the box under the words of the agreement, and signed.")
    await _hear(stage, say, before, "the copy of the agreement")


async def _announced(stage: Stage, say: Say, number: int) -> None:
    """Three days before: what is charged when, and how to stop it."""
    plan = await _plan(stage)
    part = next(one for one in plan.instalments if one.number == number)
    await _day(stage, say, part.due_on - timedelta(days=3), "the notice before the charge")


async def _charged(stage: Stage, say: Say, number: int, what: str, later: timedelta = timedelta(0)) -> None:
    plan = await _plan(stage)
    part = next(one for one in plan.instalments if one.number == number)
    await _day(stage, say, part.due_on + later, what)


async def _day(stage: Stage, say: Say, day: date, what: str) -> None:
    """Go to that day, let the plans' daily work be done, and print what Luis hears."""
    before = len(await acts.thread_of(stage, LUIS))
    stage.clock.move_to(datetime.combine(day, AT, ZoneInfo(stage.policy.zone)))
    await work_plans(stage.app.road)
    await _hear(stage, say, before, what)


async def _hear(stage: Stage, say: Say, before: int, what: str) -> None:
    async def heard() -> bool:
        return len(await acts.thread_of(stage, LUIS)) > before

    await stage.wait_for(heard, what)
    await acts.settled(stage)
    say(acts.heading(stage, LUIS))
    await acts.say_new(stage, LUIS, "sms", before, say)


async def _decline_next_charge(stage: Stage) -> None:
    fault = {"path": "/v1/payment_intents", "mode": "decline", "decline_code": "expired_card", "times": 1}
    async with stage.http.post(f"{stage.stripe.url}/_standin/fault", json=fault) as answer:
        answer.raise_for_status()


async def _other_card(stage: Stage, say: Say) -> None:
    """The link of the bad news leads to the processor's page; the new card is used from the next charge on."""
    link = await acts.last_link(stage, LUIS)
    before = len(await acts.thread_of(stage, LUIS))
    async with acts.new_browser() as browser:
        await acts.open_page(browser, link, LUIS)
        await acts.give_card(browser, f"{link}/card", {"do": "card"}, NEXT_CARD, LUIS)
    say(f"\nGave another card, ending {NEXT_CARD[-4:]}.")
    await _hear(stage, say, before, "word that the new card is used")


async def _plan(stage: Stage) -> PlanView:
    now = stage.clock.now()
    found = await stage.store.aread(lambda s: plans.of_account(s, acts.account_id(s, stage, LUIS), now))
    if not found:
        raise StageError("there is no plan")
    return found[0]


async def _check(stage: Stage, say: Say, began: datetime) -> None:
    done = await reconcile(stage.app.road, stage.app.processor, stage.practice_id, since=began - timedelta(days=1),
                           until=stage.clock.now(), by="demo")
    [told] = await stage.store.aread(lambda s: plans.listing(s, stage.practice_id))
    plan = await stage.store.aread(lambda s: plans.show(s, stage.practice_id, str(told["number"])))
    today = acts.local_now(stage).date()
    account = await stage.store.aread(
        lambda s: figures.account_figures(s, acts.account_id(s, stage, LUIS), today))
    found = await stage.store.aread(verify)
    say(f"\nPlan {plan['number']}: {plan['status']}.")
    for part in plan["schedule"]:
        say(f"  {part['number']}  {part['due_on']}  agreed {dollars(part['agreed_minor'])}, paid "
            f"{dollars(part['paid_minor'])}, {part['status']}")
    say(f"Ledger: {LUIS.name} owes {dollars(account.total.open_minor)}, {len(found.problems)} findings of the "
        f"independent replay.\nProcessor's books, {done.entries} entries: {dollars(done.processor_minor or 0)} there, "
        f"{dollars(done.ledger_minor or 0)} in our ledger, {len(done.open)} differences.")
    if (plan["status"] != "completed" or account.total.open_minor or found.problems or done.open
            or done.processor_minor != done.ledger_minor):
        raise StageError("the plan does not end as it should")
