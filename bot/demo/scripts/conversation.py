"""What people ask when they do not ask to pay: is this real, are you a robot, I cannot pay, I have other insurance.

It ends well only if nobody was shown an amount before proving who they are, help came before any demand, a person has
every case that was promised, and no money moved.
"""

from __future__ import annotations

from billing import ledger
from billing.money import dollars
from billing.store import demo_queries
from billing.verify import verify
from bot.demo import acts
from bot.demo.acts import Say
from bot.demo.opening import open_practice
from bot.demo.people import Person, person_of
from bot.demo.stage import Stage, StageError

RUTH, OMAR, MARIA, PAUL = (person_of(account) for account in ("A-1007", "A-1006", "A-1014", "A-1013"))


async def play(stage: Stage, say: Say) -> None:
    """Raises StageError where something does not come as it should."""
    await open_practice(stage, say)
    await scene(stage, say)


async def scene(stage: Stage, say: Say) -> None:
    """After the opening. Raises StageError."""
    await _text(stage, say, RUTH, "is this a scam?", "are you a robot?")
    await _text(stage, say, OMAR, "i cant pay", "yes")
    await _text(stage, say, MARIA, "tengo otro seguro", f"{MARIA.born_on} {MARIA.postal_code}", "no", "Blue Shield")
    await _text(stage, say, PAUL, "i want to talk to a person")
    await _check(stage, say)


async def _text(stage: Stage, say: Say, person: Person, *bodies: str) -> None:
    say(acts.heading(stage, person))
    await acts.converse(stage, person, "sms", say, *bodies)


async def _check(stage: Stage, say: Say) -> None:
    for person in (RUTH, OMAR, MARIA, PAUL):
        thread = await acts.thread_of(stage, person)
        shown = [amount for message in thread for amount in acts.amounts_in(message["body"])]
        if shown:
            raise StageError(f"{person.account} was shown an amount by text without having asked for amounts")
    omar, maria = await _holds(stage, OMAR), await _holds(stage, MARIA)
    cash = await stage.store.aread(lambda s: ledger.balance(s, stage.practice_id, ledger.wide("cash:stripe:card")))
    found = await stage.store.aread(verify)
    say(f"\nOn hold meanwhile: {OMAR.name}: {', '.join(omar)}; {MARIA.name}: {', '.join(maria)}. "
        f"Money moved: {dollars(cash)}, {len(found.problems)} findings of the independent replay.")
    if "assistance_pending" not in omar or "insurance_update" not in maria or cash or found.problems:
        raise StageError("what was promised did not happen")


async def _holds(stage: Stage, person: Person) -> list[str]:
    return await stage.store.aread(lambda s: [
        hold.kind for hold in demo_queries.open_holds(s, acts.account_id(s, stage, person))])
