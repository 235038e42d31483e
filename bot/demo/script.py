"""``plainbill demo --script``: one whole conversation, from the claim file to the receipt, printed as it happens.

It ends well only if the ledger ends as it should: the visit paid, the money in the processor's clearing account, and
the independent replay without a finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import aiohttp

from billing import accounts, figures, ledger
from billing.money import dollars
from billing.store import account_queries
from billing.verify import verify
from bot.demo.people import PEOPLE, Person
from bot.demo.stage import Stage, StageError, next_morning
from bot.importing.report import Report
from bot.statement_runs import Line

Say = Callable[[str], None]
_FORM = re.compile(r'<form[^>]*action="([^"]*)"', re.IGNORECASE)
_FIELD = re.compile(r'<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"', re.IGNORECASE)


async def play(stage: Stage, say: Say) -> None:
    """Play the conversation. Raises StageError where something does not come as it should."""
    anna = PEOPLE[0]
    say(f"It is {_clock(stage)} at {stage.policy.legal_name}.\n")
    await stage.import_sample(lambda report: say_import(report, say))
    await _send_statements(stage, anna, say)
    await _converse(stage, anna, say)
    link = await _last_link(stage, anna)
    await _pay(stage, anna, link, say)
    await _receipt(stage, anna, say)
    await _check_ledger(stage, anna, say)


def _clock(stage: Stage) -> str:
    local = stage.clock.now().astimezone(ZoneInfo(stage.policy.zone))
    return f"{local:%A %-d %B %Y, %H:%M}"


def say_import(report: Report, say: Say) -> None:
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(report.tally.items()))
    say(f"import {report.file.rsplit('/', 1)[-1]}: {report.outcome} ({counts})")
    if report.outcome != "posted":
        raise StageError(f"{report.file} was {report.outcome}: {report.reason}")


async def _send_statements(stage: Stage, anna: Person, say: Say) -> None:
    say("\nStatements, each through the gate:")
    lines = await stage.send_statements()
    for line in lines:
        say(f"  {line.account}: {line.outcome}, {line.reason}")
    hers = next(line for line in lines if line.account == anna.account)
    if hers.outcome == "deferred":
        await _wait_for_the_hour(stage, hers, say)
    await stage.wait_for(lambda: _count(stage, anna, 1), "the statement text")
    say(f"\n{anna.name}'s phone, {_clock(stage)}")
    await _say_new(stage, anna, 0, say)


async def _wait_for_the_hour(stage: Stage, line: Line, say: Say) -> None:
    """At night, on a Sunday morning or on a holiday the text waits for its hour; the demo's clock goes there."""
    row = await stage.store.aread(lambda s: account_queries.last_verdict(s, line.message_id or ""))
    if row is None or row.until_at is None:
        raise StageError("a deferred message does not say until when")
    until: datetime = row.until_at
    say(f"\nNothing may leave now. The text waits until {until.astimezone(ZoneInfo(stage.policy.zone)):%A %H:%M}.")
    next_morning(stage, until)


async def _converse(stage: Stage, anna: Person, say: Say) -> None:
    for words in ("why do I owe this?", f"{anna.born_on} {anna.postal_code}", "yes", "pay", "all", "yes"):
        before = len(await stage.thread(anna.phone))
        await stage.text(anna.phone, words)
        await stage.wait_for(partial(_count, stage, anna, before + 2), f"the answer to {words!r}")
        await _settled(stage, anna)
        await _say_new(stage, anna, before, say)


async def _count(stage: Stage, person: Person, at_least: int) -> bool:
    return len(await stage.thread(person.phone)) >= at_least


async def _settled(stage: Stage, person: Person) -> None:
    """A turn may answer with several texts: wait until none is on its way."""
    await stage.wait_for(lambda: stage.store.aread(
        lambda s: account_queries.nothing_under_way(s, stage.practice_id)), "the end of the turn")


async def _say_new(stage: Stage, person: Person, before: int, say: Say) -> None:
    for message in (await stage.thread(person.phone))[before:]:
        mark = ">" if message["direction"] == "inbound" else "<"
        say(f"  {mark} {message['body']}")


async def _last_link(stage: Stage, person: Person) -> str:
    for message in reversed(await stage.thread(person.phone)):
        found = re.search(r"https?://\S+", message["body"])
        if found and message["direction"] != "inbound":
            return found.group().rstrip(".")
    raise StageError("no message has a link to pay")


async def _pay(stage: Stage, anna: Person, link: str, say: Say) -> None:
    """Do what a phone's browser does: open the link, prove who one is, press pay, fill in the hosted page."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        await _get(browser, link)
        month, day, year = anna.born_on.split("/")
        proof = {"month": month, "day": day, "year": year, "zip": anna.postal_code}
        page = await _post(browser, link, proof)
        say(f"\nThe page behind the link shows {', '.join(re.findall(r'[$][0-9,.]+', page)[:4])}.")
        hosted, at = await _press_pay(browser, f"{link}/pay")
        say("Pressed pay; the hosted page of the payment processor opened.")
        action = _FORM.search(hosted)
        fields = dict(_FIELD.findall(hosted))
        card = {**fields, "number": "4242 4242 4242 4242", "exp": "12/30", "cvc": "123", "zip": anna.postal_code}
        await _post(browser, urljoin(at, action.group(1) if action else at), card)
        say("Paid with a test card.")


async def _get(browser: aiohttp.ClientSession, url: str) -> str:
    async with browser.get(url) as answer:
        answer.raise_for_status()
        return await answer.text()


async def _post(browser: aiohttp.ClientSession, url: Any, fields: dict[str, str]) -> str:
    async with browser.post(url, data=fields) as answer:
        answer.raise_for_status()
        return await answer.text()


async def _press_pay(browser: aiohttp.ClientSession, url: str) -> tuple[str, str]:
    async with browser.post(url, data={}) as answer:
        answer.raise_for_status()
        return await answer.text(), str(answer.url)


async def _receipt(stage: Stage, anna: Person, say: Say) -> None:
    before = len(await stage.thread(anna.phone))
    await _settled(stage, anna)
    await stage.wait_for(lambda: _paid(stage, anna), "the webhook that makes the payment paid")
    await _settled(stage, anna)
    say("\nThe signed webhook arrived, the payment is posted:")
    await _say_new(stage, anna, min(before, len(await stage.thread(anna.phone)) - 1), say)


async def _paid(stage: Stage, anna: Person) -> bool:
    return await stage.store.aread(lambda s: account_queries.has_paid(s, stage.practice_id, _id(s, stage, anna)))


def _id(session: Any, stage: Stage, person: Person) -> str:
    found = accounts.find_account(session, stage.practice_id, person.account)
    if found is None:
        raise StageError(f"account {person.account} is not there")
    return found.id


async def _check_ledger(stage: Stage, anna: Person, say: Say) -> None:
    today = stage.clock.now().astimezone(ZoneInfo(stage.policy.zone)).date()
    account = await stage.store.aread(lambda s: figures.account_figures(s, _id(s, stage, anna), today))
    cash = await stage.store.aread(lambda s: ledger.balance(s, stage.practice_id, ledger.wide("cash:stripe:card")))
    found = await stage.store.aread(verify)
    say(f"\nLedger: {anna.name} owes {dollars(account.total.due_now_minor)}, processor clearing holds "
        f"{dollars(cash)}, {len(found.problems)} findings of the independent replay.")
    if account.total.open_minor or cash != 8420 or found.problems:
        raise StageError("the ledger does not end as it should")
