"""What the demo's page shows of the inside, in words: figures, derivation, verdicts, transfers, arrivals, cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import accounts, explain, figures, threads
from billing.explain import NAMING
from billing.hold_kinds import KINDS
from billing.phones import address_hash
from billing.store import demo_queries
from billing.store.tables import Conversation, Guarantor, Outbox
from billing.views import Explanation, Figures, Step
from bot.demo import words
from bot.demo.people import Person
from bot.turns import fresh_account
from config.practice import PracticePolicy
from handlers.core import State
from templates.format import day
from templates.sentences import sentence

_STOPPED = frozenset({"withheld", "deferred", "failed", "undelivered", "cancelled", "unknown"})
_NOTHING: dict[str, Any] = {"headline": "", "figures": [], "explanation": [], "messages": [], "ledger": [],
                            "inbox": [], "cases": [], "talks": []}


def inside_of(session: Session, practice_id: str, policy: PracticePolicy, person: Person,
              now: datetime) -> dict[str, Any]:
    """Return everything about one sample patient, ready to show."""
    zone = ZoneInfo(policy.zone)
    local = now.astimezone(zone)
    clock = f"{local:%A, %B %-d, %Y, %-I:%M %p}"
    guarantor = accounts.find_account(session, practice_id, person.account)
    if guarantor is None:
        return {"clock": clock, **_NOTHING}
    places = places_of(practice_id, person)
    messages = demo_queries.messages_to(session, practice_id, places.values(), guarantor.id)
    talks = demo_queries.talks_at(session, practice_id, places.values())
    account = figures.account_figures(session, guarantor.id, local.date())
    due = {visit.visit_id: visit.figures.due_now_minor for visit in account.visits}
    lanes = [*(threads.of_hash(practice_id, channel, hashed) for channel, hashed in places.items()),
             *(threads.of_message(row.id) for row, _ in messages),
             *map(threads.of_payment, demo_queries.payments_of(session, guarantor.id))]
    return {
        "clock": clock, "headline": _headline(account.total, person), "figures": _figures(account.total),
        "explanation": [_visit(one, person.language, due.get(one.visit_id))
                        for one in explain.explain_account(session, guarantor.id)],
        "messages": [_message(row, words.verdicts(verdicts, zone)) for row, verdicts in messages],
        "talks": [_talk(session, talk, places[channel], now) for channel, talk in sorted(talks.items())],
        "ledger": _ledger(session, guarantor),
        "cases": _cases(session, guarantor, [talk.id for talk in talks.values()], zone),
        "inbox": [words.arrival(row, zone) for row in demo_queries.inbox_of(session, practice_id, lanes)]}


def places_of(practice_id: str, person: Person) -> dict[str, str]:
    """Where the person can be reached, by channel, as the store knows it."""
    return {"sms": address_hash(practice_id, "sms", person.phone),
            "telegram": address_hash(practice_id, "telegram", str(person.chat))}


def states_of(session: Session, practice_id: str, person: Person) -> dict[str, State]:
    """Where each of the person's conversations stands, by channel; none yet where it is missing."""
    found = demo_queries.talks_at(session, practice_id, places_of(practice_id, person).values())
    return {channel: State.from_json(talk.state) for channel, talk in found.items()}


def console_of(session: Session, practice_id: str, person: Person) -> dict[str, str]:
    """Where the staff have this patient before them: the console, the account, and the thread of each channel."""
    guarantor = accounts.find_account(session, practice_id, person.account)
    talks = demo_queries.talks_at(session, practice_id, places_of(practice_id, person).values())
    account = {"account": f"/console/accounts/{guarantor.id}"} if guarantor is not None else {}
    return {"home": "/console/inbox", **account,
            **{channel: f"/console/inbox/{talk.id}" for channel, talk in talks.items()}}


def _talk(session: Session, talk: Conversation, hashed: str, now: datetime) -> dict[str, str]:
    return {"via": words.VIA[talk.channel], "text": words.standing(
        talk.language, State.from_json(talk.state), fresh_account(talk, now) is not None,
        demo_queries.joined_at(session, talk.practice_id, talk.channel, hashed))}


def _headline(total: Figures, person: Person) -> str:
    who = person.name.split(" ", maxsplit=1)[0]
    if total.due_now_minor > 0:
        return f"{who} owes {words.dollars(total.due_now_minor)} now"
    if total.credit_minor > 0:
        return f"{who} owes nothing and has {words.dollars(total.credit_minor)} of credit"
    return f"{who} owes nothing right now"


def _figures(total: Figures) -> list[dict[str, Any]]:
    shown = (("Due now", total.due_now_minor), ("With insurers", total.payer_minor),
             ("Pending", total.pending_minor), ("Held", total.held_minor), ("Credit", total.credit_minor),
             ("Open in all", total.open_minor))
    return [{"name": name, "amount": words.dollars(minor), "zero": minor == 0} for name, minor in shown]


def _visit(one: Explanation, language: str, due_minor: int | None) -> dict[str, Any]:
    heading = f"{one.external}" + (f", {day(one.service_on, 'en')}" if one.service_on else "")
    if not one.foots:
        return {"heading": heading, "refused": f"This does not add up, so a person looks at it: {one.reason}",
                "language": language, "steps": []}
    return {"heading": heading, "refused": "", "language": language,
            "steps": [_step(step, language, due_minor) for step in one.steps]}


def _step(step: Step, language: str, due_minor: int | None) -> dict[str, Any]:
    """``part``: the step names what is already in the sum above it, so its amount does not count again."""
    rows = len(step.sources)
    return {"text": sentence(step, language, "USD", True, due_minor), "amount": words.dollars(step.amount_minor),
            "code": step.code if "-" in step.code else "", "part": step.kind in NAMING, "left": step.kind == "left",
            "sources": f"from {rows} row{'s' if rows != 1 else ''} of the books: " + ", ".join(step.sources)}


def _message(row: Outbox, verdicts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": row.id, "line": _first_line(row), "template": row.template.replace("_", " "), "status": row.status,
            "stopped": row.status in _STOPPED, "verdicts": verdicts, "via": words.VIA.get(row.channel, row.channel),
            "passed": [words.passed_over(way, why) for way, why in row.passed or ()],
            "segments": f"{row.segments} segment{'s' if row.segments != 1 else ''}" if row.channel == "sms" else ""}


def _first_line(row: Outbox) -> str:
    """What tells a message from others; a letter's salutation does not."""
    lines = row.body.split("\n")
    return lines[1] if row.channel == "paper" and len(lines) > 1 else lines[0]


def _ledger(session: Session, guarantor: Guarantor) -> list[dict[str, str]]:
    payers = demo_queries.payers_of(session, guarantor.id)
    return [words.transfer(row, payers) for row in reversed(demo_queries.transfers_of(session, guarantor.id))]


def _cases(session: Session, guarantor: Guarantor, talks: list[str], zone: ZoneInfo) -> list[dict[str, str]]:
    holds = [{"kind": f"hold: {h.kind.replace('_', ' ')}", "text": KINDS[h.kind].why.capitalize(), "status": "standing"}
             for h in demo_queries.open_holds(session, guarantor.id)]
    cases = [{"kind": f"case {c.number}: {c.kind.replace('_', ' ')}", "status": c.status,
              "text": f"{c.title} (answer due {c.due_at.astimezone(zone):%A %-I:%M %p})"}
             for c in demo_queries.cases_of(session, guarantor.id, talks)]
    return holds + cases
