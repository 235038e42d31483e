"""A demand on its way: the account read once more, a way chosen, a statement made, the words said, the gate asked.

One account is one transaction and one key: whoever repeats it tells nobody twice. Statements, the calendar's reminders
and bulk runs all come through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from billing import account_stops, cases, consents, figures, links, outbox, record, statements, ways
from billing.account_facts import facts_of
from billing.figures import AccountFigures
from billing.policy.core import RecipientFacts, Ruling
from billing.store import account_queries, facts
from billing.store.tables import Guarantor, Statement
from bot import own_words
from bot.road import Road
from config.dunning_policy import EVERY_WAY, Way
from config.practice import PracticePolicy
from templates import source
from templates.render import render

__all__ = ["SUPPLY", "Demand", "Line", "queue_demand", "template_for"]

#: What a demand's words may use; a template declares those that it does.
SUPPLY: Mapping[str, str] = {
    "practice": "text", "url": "link", "phone": "phone", "help_url": "link?", "statement_on": "date", "due_on": "date",
    "amount_minor": "money", "name": "text", "number": "count", "address": "text", "days_late": "count"}

_PREFIX: Mapping[Way, str] = {"sms": "", "telegram": "", "email": "email_", "paper": "letter_"}


@dataclass(frozen=True, slots=True)
class Demand:
    """What is to be said, and how. ``key`` is the message's own: the same one again sends nothing.

    ``template`` is the name for texts; an e-mail's is ``email_NAME``, a letter's ``letter_NAME``. ``fresh_statement``:
    a new one is made; otherwise the newest is pointed at, and an account without any is not asked.
    """

    purpose: Literal["statement", "reminder", "notice"]
    template: str
    key: str
    ways: tuple[Way, ...] = EVERY_WAY
    campaign_id: str | None = None
    step: str | None = None
    minimum_minor: Mapping[Way, int] = field(default_factory=dict)
    fresh_statement: bool = True
    due_on: date | None = None  # of the fresh statement, where it only says again what an earlier one has said
    #: A notice about something else than a statement: what its words may say more, and what its link opens (purpose,
    #: object id). No statement goes with it.
    about: Mapping[str, Any] | None = None
    opens: tuple[str, str] | None = None
    letter: str = ""  # on paper another template's words; empty: the same name's


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one account: queued, deferred, withheld, or none of these and why. ``rule`` is the gate's, or a
    code of our own; ``passed`` has (way, why) of each channel that was passed over.
    """

    account: str
    outcome: str
    reason: str
    message_id: str | None = None
    statement: int | None = None
    due_minor: int = 0
    rule: str = ""
    way: str = ""
    passed: tuple[tuple[str, str], ...] = ()


def queue_demand(session: Session, road: Road, policy: PracticePolicy, guarantor_id: str, demand: Demand,
                 now: datetime, account: AccountFigures | None = None) -> Line:
    """Queue one account's message, unless nothing is due, nobody is confirmed, there are no words in the account's
    language, or no way leads there. ``account``: its figures of today, where the caller has locked it and read them.

    Raises templates.render.TemplateError for words that do not fit.
    """
    guarantor = session.get_one(Guarantor, guarantor_id)
    today = now.astimezone(ZoneInfo(policy.zone)).date()
    account = account or figures.account_figures(session, guarantor_id, today)
    due = account.total.due_now_minor
    if due <= 0 and demand.purpose != "notice":
        why = _why_nothing_due(session, policy, guarantor, account, now)
        return Line(guarantor.external, "none", why.reason, rule=why.rule)
    if guarantor.confirmed_at is None:
        return Line(guarantor.external, "none", "the guarantor is not confirmed", due_minor=due,
                    rule="guarantor-unconfirmed")
    if guarantor.language not in policy.languages:
        return Line(guarantor.external, "none", "the practice has no words in the account's language", due_minor=due,
                    rule="language-unmet")
    if account_queries.has_message(session, guarantor.practice_id, demand.key):
        return Line(guarantor.external, "none", "this was sent before", due_minor=due, rule="sent-before")
    choice = ways.choose(session, guarantor_id, demand.ways, amount_minor=due, minimum_minor=demand.minimum_minor)
    passed = tuple((one.way, one.why) for one in choice.passed)
    if isinstance(choice, ways.NoWay):
        return Line(guarantor.external, "none", choice.words, due_minor=due, rule="no-way", passed=passed)
    return _queue(session, _Errand(road, policy, guarantor, demand, choice, passed, account, today, now))


def _why_nothing_due(session: Session, policy: PracticePolicy, guarantor: Guarantor, account: AccountFigures,
                     now: datetime) -> Ruling:
    known = facts_of(account, unfinished=facts.import_running(session, guarantor.practice_id),
                     stale=record.is_stale(session, guarantor.practice_id, policy, now),
                     in_flight=facts.page_open(session, guarantor.id, now),
                     language_met=guarantor.language in policy.languages)
    return account_stops.why_nothing_due(policy, RecipientFacts(
        guarantor.id, confirmed=guarantor.confirmed_at is not None, region=guarantor.region), known, now)


@dataclass(frozen=True, slots=True)
class _Errand:
    road: Road
    policy: PracticePolicy
    guarantor: Guarantor
    demand: Demand
    choice: ways.Choice
    passed: tuple[tuple[str, str], ...]
    account: AccountFigures
    today: date
    now: datetime


def _queue(session: Session, errand: _Errand) -> Line:
    demand, guarantor, policy = errand.demand, errand.guarantor, errand.policy
    made = _statement(session, errand)
    if isinstance(made, Line):
        return made
    # Making the statement may have placed holds; the message stands on the balance as it is after that.
    statement, account = made
    due = account.total.due_now_minor
    name = demand.letter if demand.letter and errand.choice.way == "paper" else demand.template
    template = template_for(session, guarantor, name, errand.choice)
    arguments = _arguments(session, errand, template, statement, due)
    with own_words.spoken_for(session, guarantor.practice_id):
        words = render(template, guarantor.language, arguments, errand.choice.way)
    asks = demand.purpose != "notice"
    row = outbox.put(session, outbox.Draft(
        guarantor.practice_id, errand.choice.way, errand.choice.address, errand.choice.address_hash, demand.purpose,
        template, words.version, guarantor.language, words.privacy, words.body, words.segments, demand.key,
        arguments, guarantor_id=guarantor.id, balance_version=account.balance_version if asks else None,
        amount_minor=due if asks else None, statement_id=statement.id if statement else None, buttons=words.buttons,
        campaign_id=demand.campaign_id, step=demand.step, subject=_subject(policy, guarantor, errand.choice),
        passed=errand.passed), errand.now)
    verdict = account_queries.last_verdict(session, row.id)
    return Line(guarantor.external, row.status, f"{verdict.rule}: {verdict.reason}" if verdict else "", row.id,
                statement.number if statement else None, due, verdict.rule if verdict else "", errand.choice.way,
                errand.passed)


def _statement(session: Session, errand: _Errand) -> tuple[Statement | None, AccountFigures] | Line:
    guarantor = errand.guarantor
    if errand.demand.about is not None:
        return None, errand.account
    if not errand.demand.fresh_statement:
        last = account_queries.last_statement(session, guarantor.id)
        if last is None and errand.demand.purpose == "reminder":
            return Line(guarantor.external, "none", "a statement comes before any reminder",
                        due_minor=errand.account.total.due_now_minor, rule="no-statement")
        return last, errand.account
    try:
        return statements.make_of(session, errand.account, guarantor.language, errand.now,
                                  due_on=errand.demand.due_on)
    except statements.StatementRefused as error:
        cases.open_case(session, guarantor.practice_id, kind=error.code, title="A statement could not be made",
                        detail=str(error), now=errand.now, dedupe=f"{error.code}:{guarantor.id}",
                        guarantor_id=guarantor.id)
        return Line(guarantor.external, "none", str(error), rule=error.code,
                    due_minor=errand.account.total.due_now_minor)


def template_for(session: Session, guarantor: Guarantor, name: str, choice: ways.Choice) -> str:
    """The file whose words go by this way; a number that is new to us is told who writes (T-14)."""
    if choice.way in ("email", "paper"):
        return _PREFIX[choice.way] + name
    stands = consents.standing(session, guarantor.practice_id, choice.way, choice.address_hash, guarantor.id)
    return name if stands.introduced or name.endswith("_intro") else f"{name}_intro"


def _arguments(session: Session, errand: _Errand, template: str, statement: Statement | None,
               due_minor: int) -> dict[str, Any]:
    """What the template declares, of what there is; the link is made only where the words have one."""
    declared = source.load(template, errand.guarantor.language).types
    policy, guarantor = errand.policy, errand.guarantor
    there: dict[str, Any] = {
        "practice": policy.name, "phone": policy.phone, "help_url": policy.assistance_url, "amount_minor": due_minor,
        "name": guarantor.name, "address": errand.choice.address}
    if statement is not None:
        there |= {"statement_on": statement.statement_on, "due_on": statement.due_on, "number": statement.number,
                  "days_late": max((errand.today - statement.due_on).days, 0)}
    there |= errand.demand.about or {}
    opens = errand.demand.opens or (("statement", statement.id) if statement is not None else None)
    if "url" in declared and opens is not None:
        token = links.make(session, guarantor.practice_id, guarantor.id, *opens, policy.link_days, errand.now)
        there["url"] = errand.road.link(token)
    return {key: value for key, value in there.items() if key in declared}


def _subject(policy: PracticePolicy, guarantor: Guarantor, choice: ways.Choice) -> str:
    if choice.way != "email" or policy.mail is None:
        return ""
    return policy.mail.subject_es if guarantor.language == "es" else policy.mail.subject_en
