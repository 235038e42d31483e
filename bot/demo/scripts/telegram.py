"""Peter moves from texts to Telegram, is warned, stays with links; Luis disputes his bill in Spanish.

It ends well only if the chat was joined by its one-time link, no amount was written in it, the page behind the link
showed what Peter owes, and Luis's bill is on hold with a case for a person.
"""

from __future__ import annotations

import re

from billing import figures
from billing.money import dollars
from billing.phones import address_hash
from billing.store import csv_queries, demo_queries
from bot.demo import acts
from bot.demo.acts import Say
from bot.demo.opening import open_practice
from bot.demo.people import Person, person_of
from bot.demo.stage import Stage, StageError

PETER, LUIS = person_of("A-1008"), person_of("A-1002")
_TOKEN = re.compile(r"https://t\.me/\w+\?start=([A-Za-z0-9_-]+)")


async def play(stage: Stage, say: Say) -> None:
    """Raises StageError where something does not come as it should."""
    await open_practice(stage, say)
    await scene(stage, say)


async def scene(stage: Stage, say: Say) -> None:
    """After the opening. Raises StageError."""
    say(acts.heading(stage, PETER))
    await acts.converse(stage, PETER, "sms", say, "can we use telegram instead of texts", "yes", proof(PETER), "no")
    await join(stage, PETER, say)
    await acts.converse(stage, PETER, "telegram", say, proof(PETER))
    await acts.press(stage, PETER, "No", say)
    await acts.converse(stage, PETER, "telegram", say, "why do I owe this?")
    await _check_links_only(stage, say)
    await dispute(stage, say)


def proof(person: Person) -> str:
    return f"{person.born_on} {person.postal_code}"


async def join(stage: Stage, person: Person, say: Say) -> None:
    """Open the link of the newest text in the Telegram app. Raises StageError when there is no such link."""
    found = _TOKEN.search(await acts.last_link(stage, person))
    if found is None:
        raise StageError("the text does not lead to Telegram")
    await stage.wait_for(lambda: _ready(stage), "the start of Telegram", seconds=60)
    say(acts.heading(stage, person, "telegram"))
    await acts.answered(stage, person, "telegram", lambda: stage.chats.open_link(person, found[1]),
                        "the answer to Start", say)


async def _ready(stage: Stage) -> bool:
    return stage.chats.ready


async def _check_links_only(stage: Stage, say: Say) -> None:
    """The chat holds no amount; the page behind its link shows what the ledger says."""
    hashed = address_hash(stage.practice_id, "telegram", str(PETER.chat))
    joined = await stage.store.aread(lambda s: csv_queries.contact_of(
        s, acts.account_id(s, stage, PETER), "telegram", hashed))
    chat = await stage.chats.thread(PETER)
    owed = await stage.store.aread(lambda s: figures.account_figures(
        s, acts.account_id(s, stage, PETER), acts.local_now(stage).date()).total.due_now_minor)
    async with acts.new_browser() as browser:
        page = await acts.open_page(browser, await acts.last_link(stage, PETER, "telegram"), PETER)
    written = [amount for message in chat for amount in acts.amounts_in(message["body"])]
    say(f"\nThe chat was joined by its one-time link and holds {len(written)} amounts; the page behind its link shows "
        f"{dollars(owed)}.")
    if joined is None or joined.status != "ok" or written or dollars(owed) not in acts.amounts_in(page):
        raise StageError("the Telegram scene does not end as it should")


async def dispute(stage: Stage, say: Say) -> None:
    """Spanish, by text. Raises StageError unless a person has the case and nothing asks for the money meanwhile."""
    say(acts.heading(stage, LUIS))
    await acts.converse(stage, LUIS, "sms", say, "esto está mal, yo nunca tuve esa visita", proof(LUIS), "sí", "1")
    cases, holds = await stage.store.aread(lambda s: (
        [case.kind for case in demo_queries.cases_of(s, acts.account_id(s, stage, LUIS), ())],
        [hold.kind for hold in demo_queries.open_holds(s, acts.account_id(s, stage, LUIS))]))
    say(f"\nFor the staff: case {', '.join(cases)}; on hold until a person is done: {', '.join(holds)}.")
    if "dispute" not in cases or "dispute" not in holds:
        raise StageError("the dispute did not reach a person")
