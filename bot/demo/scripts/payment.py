"""Anna is told of her bill, asks why, pays, and gets a receipt; the ledger shows it.

It ends well only if the ledger ends as it should: the visit paid, the money in the processor's clearing account, and
the independent replay without a finding.
"""

from __future__ import annotations

from billing import figures, ledger
from billing.money import dollars
from billing.store import account_queries
from billing.verify import verify
from bot.demo import acts
from bot.demo.acts import Say
from bot.demo.opening import open_practice
from bot.demo.people import person_of
from bot.demo.stage import Stage, StageError

ANNA = person_of("A-1001")
OWED_MINOR = 8420


async def play(stage: Stage, say: Say) -> None:
    """Raises StageError where something does not come as it should."""
    await open_practice(stage, say)
    await scene(stage, say)


async def scene(stage: Stage, say: Say) -> None:
    """After the opening. Raises StageError."""
    await stage.wait_for(lambda: acts.thread_of(stage, ANNA), "the statement text")
    say(acts.heading(stage, ANNA))
    await acts.say_new(stage, ANNA, "sms", 0, say)
    await acts.converse(stage, ANNA, "sms", say, "why do I owe this?", f"{ANNA.born_on} {ANNA.postal_code}", "yes",
                        "pay", "all", "yes")
    link = await acts.last_link(stage, ANNA)
    async with acts.new_browser() as browser:
        page = await acts.open_page(browser, link, ANNA)
        say(f"\nThe page behind the link shows {', '.join(dict.fromkeys(acts.amounts_in(page)))}.")
        await acts.pay_by_card(browser, link, ANNA, say)
    await _receipt(stage, say)
    await _check_ledger(stage, say)


async def _receipt(stage: Stage, say: Say) -> None:
    await stage.wait_for(lambda: _paid(stage), "the webhook that makes the payment paid")
    await acts.settled(stage)
    say("\nThe signed webhook arrived, the payment is posted:")
    await acts.say_new(stage, ANNA, "sms", len(await acts.thread_of(stage, ANNA)) - 1, say)


async def _paid(stage: Stage) -> bool:
    return await stage.store.aread(lambda s: account_queries.has_paid(
        s, stage.practice_id, acts.account_id(s, stage, ANNA)))


async def _check_ledger(stage: Stage, say: Say) -> None:
    today = acts.local_now(stage).date()
    account = await stage.store.aread(
        lambda s: figures.account_figures(s, acts.account_id(s, stage, ANNA), today))
    cash = await stage.store.aread(lambda s: ledger.balance(s, stage.practice_id, ledger.wide("cash:stripe:card")))
    found = await stage.store.aread(verify)
    say(f"\nLedger: {ANNA.name} owes {dollars(account.total.due_now_minor)}, processor clearing holds "
        f"{dollars(cash)}, {len(found.problems)} findings of the independent replay.")
    if account.total.open_minor or cash != OWED_MINOR or found.problems:
        raise StageError("the ledger does not end as it should")
