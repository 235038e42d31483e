"""What the demo's scripts are made of: saying something on a phone, waiting for the answer, printing both."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import aiohttp

from billing import accounts
from billing.store import account_queries
from bot.demo.people import Person
from bot.demo.stage import Stage, StageError

Say = Callable[[str], None]
Thread = list[dict[str, Any]]
PHONES = {"sms": "phone", "telegram": "Telegram"}
_LINK = re.compile(r"https?://\S+")
_FORM = re.compile(r'<form[^>]*action="([^"]*)"', re.IGNORECASE)
_FIELD = re.compile(r'<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"', re.IGNORECASE)
_TAG = re.compile(r"<[^>]+>")


def clock_of(stage: Stage) -> str:
    local = stage.clock.now().astimezone(ZoneInfo(stage.policy.zone))
    return f"{local:%A %-d %B %Y, %H:%M}"


async def thread_of(stage: Stage, person: Person, channel: str = "sms") -> Thread:
    return await (stage.thread(person.phone) if channel == "sms" else stage.chats.thread(person))


def heading(stage: Stage, person: Person, channel: str = "sms") -> str:
    return f"\n{person.name}'s {PHONES[channel]}, {clock_of(stage)}"


async def converse(stage: Stage, person: Person, channel: str, say: Say, *bodies: str) -> None:
    """Say these one after the other's answer. Raises StageError where no answer comes."""
    for body in bodies:
        send = (partial(stage.text, person.phone, body) if channel == "sms"
                else partial(stage.chats.write, person, body))
        await answered(stage, person, channel, send, f"the answer to {body!r}", say)


async def press(stage: Stage, person: Person, label: str, say: Say) -> None:
    """Press the newest button with this label. Raises StageError when there is none."""
    for message in reversed(await thread_of(stage, person, "telegram")):
        labels = [one for row in message["buttons"] for one in row]
        if label in labels:
            say(f"  > pressed [{label}]")
            await answered(stage, person, "telegram", partial(
                stage.chats.press, person, message["id"], labels.index(label)), f"the answer to [{label}]", say)
            return
    raise StageError(f"no message has a button {label!r}")


async def answered(stage: Stage, person: Person, channel: str, act: Callable[[], Awaitable[None]], what: str,
                   say: Say) -> None:
    """Act, wait until the answer is there and nothing more of it is on its way, and print what is new."""
    before = await thread_of(stage, person, channel)
    await act()
    await stage.wait_for(partial(_more_from_us, stage, person, channel, _ours(before)), what)
    await settled(stage)
    await say_new(stage, person, channel, len(before), say)


async def _more_from_us(stage: Stage, person: Person, channel: str, before: int) -> bool:
    return _ours(await thread_of(stage, person, channel)) > before


def _ours(thread: Thread) -> int:
    return sum(message["direction"] != "inbound" for message in thread)


async def settled(stage: Stage) -> None:
    """A turn may answer with several messages: wait until none is on its way."""
    await stage.wait_for(lambda: stage.store.aread(
        lambda s: account_queries.nothing_under_way(s, stage.practice_id)), "the end of the turn")


async def say_new(stage: Stage, person: Person, channel: str, before: int, say: Say) -> None:
    for message in (await thread_of(stage, person, channel))[before:]:
        mark = ">" if message["direction"] == "inbound" else "<"
        say(f"  {mark} {message['body'].replace(chr(10), chr(10) + '    ')}")
        for row in message.get("buttons", ()):
            say("    " + " ".join(f"[{label}]" for label in row))


async def last_link(stage: Stage, person: Person, channel: str = "sms") -> str:
    """The address in the newest message of ours that has one. Raises StageError."""
    for message in reversed(await thread_of(stage, person, channel)):
        found = _LINK.search(message["body"])
        if found and message["direction"] != "inbound":
            return found.group().rstrip(".")
    raise StageError("no message has a link")


async def open_page(browser: aiohttp.ClientSession, link: str, person: Person) -> str:
    """Do what a phone's browser does: open the link and prove who one is. Returns the page as text."""
    await get(browser, link)
    month, day, year = person.born_on.split("/")
    return await post(browser, link, {"month": month, "day": day, "year": year, "zip": person.postal_code})


async def pay_by_card(browser: aiohttp.ClientSession, link: str, person: Person, say: Say) -> None:
    """Press pay on an open page and fill in the hosted one."""
    say("Pressed pay; the hosted page of the payment processor opened.")
    await give_card(browser, f"{link}/pay", {}, "4242 4242 4242 4242", person)
    say("Paid with a test card.")


async def give_card(browser: aiohttp.ClientSession, url: str, fields: dict[str, str], number: str,
                    person: Person) -> str:
    """Press a button that leads to the processor's page, and fill that in; returns the page that comes after."""
    async with browser.post(url, data=fields) as answer:
        answer.raise_for_status()
        hosted, at = await answer.text(), str(answer.url)
    action = _FORM.search(hosted)
    card = {**hidden(hosted), "number": number, "exp": "12/30", "cvc": "123", "zip": person.postal_code}
    return await post(browser, urljoin(at, action.group(1) if action else at), card)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's forms."""
    return dict(_FIELD.findall(page))


def new_browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def get(browser: aiohttp.ClientSession, url: str) -> str:
    async with browser.get(url) as answer:
        answer.raise_for_status()
        return await answer.text()


async def post(browser: aiohttp.ClientSession, url: str, fields: dict[str, str]) -> str:
    async with browser.post(url, data=fields) as answer:
        answer.raise_for_status()
        return await answer.text()


def amounts_in(page: str) -> list[str]:
    """The amounts that a page or a message shows, in order."""
    return re.findall(r"[$][0-9][0-9,.]*[0-9]", _TAG.sub(" ", page))


def account_id(session: Any, stage: Stage, person: Person) -> str:
    found = accounts.find_account(session, stage.practice_id, person.account)
    if found is None:
        raise StageError(f"account {person.account} is not there")
    return found.id


def local_now(stage: Stage) -> datetime:
    return stage.clock.now().astimezone(ZoneInfo(stage.policy.zone))
