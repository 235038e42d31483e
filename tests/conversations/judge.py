"""What no conversation may do, whatever is written to it; asked after every turn, and once more at its end.

A thread ends in one of three ways, after the last text and the time-out that follows it; anything else is a dead end:

* answered: the last text got a reply, and no question is open any more;
* closed: the sender has opted out, or the open question was put away, which a reply said unless silence meant STOP;
* with a person: the last text or the silence after it opened a case.

And for every text on the way there was a reply, a case, or a change of consent that the carrier had confirmed itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from billing.commands import (
    ForgetVerification,
    MarkVerified,
    OpenCase,
    RecordDetailPreference,
    RecordOptOut,
    RestoreConsent,
)
from billing.views import AccountView
from handlers.core import Happened, Text
from handlers.understanding.languages import find_language
from templates.format import month
from templates.source import load
from tests.conversations import judge_money
from tests.conversations.crowds import HIDDEN_ON, HIDDEN_PAYER, HIDDEN_PROVIDER, legal_amounts
from tests.conversations.thread import Moment

PASSCODE_WORDS = "482913"  # what people.PASSCODE is made of
STATE_BYTES = 8 * 1024
ASKED_AT_MOST = 4  # times in a row, before a person is offered

_AMOUNT = re.compile(r"\$ ?([\d,]*\d)(?:\.(\d{2}))?")
_LINK = re.compile(r"https?://\S+")
_MONEY_WORDS = re.compile(r"\$|\b(?:pay\w*|bills?|billed|owe\w*|balance|pag\w+|cuenta|debe\w*|saldo|cobr\w+)\b", re.I)
_A_PERSON = re.compile(r"\bHUMAN\b|\bperson\b|\bcall us\b|\bcall \(|\bPERSONA\b|\bpersona\b|\bll[aá]m\w+", re.I)
_YES = frozenset(
    "yes y yeah yep yup ya yea sure ok okay k si sip correct right confirm confirmed claro dale va correcto exacto "
    "absolutely definitely vale sale bueno ye yess yesss sii siii adelante bien go ahead do it sounds good thats that "
    "is por supuesto de acuerdo esta asi es hagale favor please gracias thanks thank you i agree acepto confirmo lets "
    "of course pls the sir maam que".split())
_THUMBS = ("\U0001f44d", "\u2705", "\U0001f44c")


@dataclass(frozen=True, slots=True)
class Fault:
    """``rule`` that was broken, and how."""

    rule: str
    how: str


def amounts_in(body: str) -> list[int]:
    """Cents of every amount that is written with a dollar sign."""
    return [int(whole.replace(",", "")) * 100 + int(cents or 0) for whole, cents in _AMOUNT.findall(body)]


def is_certain_yes(text: str) -> bool:
    """Written a second time, apart from the product's own reading: nothing but words of agreement."""
    words = re.sub(r"[^a-z ]+", " ", _plain(text)).split()
    if not words:
        return any(sign in text for sign in _THUMBS)
    return len(words) <= 6 and all(word in _YES for word in words) and not re.search(r"\d", text)


def _plain(text: str) -> str:
    folded = text.casefold().replace("'", "").replace("\u2019", "")
    return folded.translate(str.maketrans("áéíóúüñ", "aeiouun"))


# -- rules: each looks at the moments so far and says what is wrong with the last one, or nothing ---------------------


def _in_its_language(moments: Sequence[Moment]) -> str:
    now = moments[-1]
    other = "es" if now.language == "en" else "en"
    for words, reply in zip(now.rendered, now.decision.replies, strict=True):
        if not words.body.strip():
            return f"{reply.template} is empty"
        said = _LINK.sub("", words.body)
        if reply.template != "language_ask" and find_language(said) == other and len(said.split()) > 4:
            return f"{reply.template} is not in {now.language}"
    if now.after.language != now.language:
        return f"answered in {now.language}, and the conversation is in {now.after.language}"
    return ""


def _keeps_secrets(moments: Sequence[Moment]) -> str:
    now = moments[-1]
    account = known(now)
    said = _said_amounts(moments)
    for words, reply in zip(now.rendered, now.decision.replies, strict=True):
        if words.privacy != "open" and (account is None or not account.detail_allowed):
            return f"{reply.template} is for a verified account that asked for amounts by text"
        written = set(amounts_in(words.body)) - _fixed_amounts(reply.template, now.language)
        if account is None and written:
            return f"{reply.template} names an amount to somebody unverified"
        legal = legal_amounts(account) if account is not None else frozenset()
        written -= judge_money.of_offers(reply, legal | set(said))
        if account is not None and (strange := written - legal - said - _event_amounts(now, account)):
            return f"{reply.template} names {sorted(strange)}, which are no amounts of {account.account_id}"
        if leak := _leak(words.body, account, now.people):
            return f"{reply.template} names {leak}"
    return ""


def _leak(body: str, account: AccountView | None, people: Sequence[AccountView]) -> str:
    folded = _LINK.sub("", body).casefold()
    own = [visit for visit in account.visits if not visit.confidential] if account and account.detail_allowed else []
    payers = {one.payer_name for visit in own for one in visit.coverages}
    payers |= {step.payer_name for visit in own if visit.explanation for step in visit.explanation.steps}
    own_months = {_month(visit.service_on, language) for visit in own for language in ("en", "es")}
    for person in people:
        for visit in person.visits:
            secrets = {visit.provider, *(one.payer_name for one in visit.coverages)} - payers
            secrets |= {_month(visit.service_on, language) for language in ("en", "es")} - own_months
            for secret in {*secrets, HIDDEN_PAYER, HIDDEN_PROVIDER} - {""}:
                if re.search(rf"\b{re.escape(secret.casefold())}\b", folded):
                    return f"{secret!r} of {person.account_id}"
    hidden = {_month(HIDDEN_ON, language) for language in ("en", "es")}
    return next((f"the hidden {one}" for one in hidden if re.search(rf"\b{one}\b", folded)), "")


def _month(day: Any, language: str) -> str:
    return month(day, language).split()[0].casefold() if day else ""


def _fixed_amounts(template: str, language: str) -> set[int]:
    """Examples that stand in the template itself ("like $25.00")."""
    return set(amounts_in(load(template, language).text))


def _said_amounts(moments: Sequence[Moment]) -> set[int]:
    """Amounts that the patient named, which a confirmation says again."""
    read = [one.turn.reading.slots.amount_minor for one in moments if one.is_text]
    return {cents for cents in read if cents is not None}


def _event_amounts(now: Moment, account: AccountView) -> set[int]:
    event = now.turn.message
    if isinstance(event, Happened) and event.data.get("account_id") == account.account_id:
        return {int(event.data["amount_minor"]), int(event.data.get("left_minor", 0))}
    return set()


def _moves_money_only_on_yes(moments: Sequence[Moment]) -> str:
    """Nothing is paid, charged, agreed to or changed without a certain yes to the very question that names it."""
    return judge_money.judge(moments, known(moments[-1]), is_certain_yes)


def _acts_for_the_verified_only(moments: Sequence[Moment]) -> str:
    now = moments[-1]
    account = known(now)
    allowed = {None, account.account_id if account else None, now.turn.talk.account_id}
    if isinstance(now.turn.message, Happened):
        allowed.add(now.turn.message.data.get("account_id"))
    for command in now.decision.commands:
        if isinstance(command, MarkVerified):
            if fault := _unproved(moments, command.account_id):
                return fault
        elif getattr(command, "account_id", None) not in allowed:
            return f"{type(command).__name__} for an account that is not verified"
    return ""


def _unproved(moments: Sequence[Moment], account_id: str) -> str:
    """Both factors have been written in this thread, by somebody who is not locked out, and fit this account alone."""
    now = moments[-1]
    written = " ".join(one.turn.reading.text for one in moments if one.is_text)
    account = next(one for one in now.people if one.account_id == account_id)
    locked = now.turn.talk.locked_until is not None and now.turn.talk.locked_until > now.turn.now
    if locked or not account.confirmed or account.born_on is None or account.postal_code is None:
        return "verified though locked, or an account that nobody confirmed"
    second = f"{account.born_on:%y}" in written or (account.passcode is not None and PASSCODE_WORDS in written)
    if account.postal_code[:5] not in written or not second:
        return "verified without both factors"
    alike = [one for one in now.people if one.confirmed and one.born_on == account.born_on
             and (one.postal_code or "")[:5] == account.postal_code[:5]]
    return "verified though two answer to that" if len(alike) > 1 else ""


def _is_silent_after_stop(moments: Sequence[Moment]) -> str:
    now = moments[-1]
    stops = any(isinstance(one, RecordOptOut) for one in now.decision.commands)
    for reply, words in zip(now.decision.replies, now.rendered, strict=True):
        purpose = reply.purpose if reply.purpose != "reply" else words.purpose
        if now.turn.talk.opted_out and now.is_text and purpose not in ("start_confirmation", "help", "emergency"):
            return f"{reply.template} was said to somebody who has opted out"
        if stops and purpose not in ("stop_confirmation", "emergency"):
            return f"{reply.template} was said beside the confirmation of STOP"
    restores = any(isinstance(one, RestoreConsent) for one in now.decision.commands)
    if restores and re.sub(r"[^a-z]", "", _plain(now.turn.reading.text)) not in ("start", "unstop"):
        return "consent restored by something else than START"
    return ""


def _is_humane_in_an_emergency(moments: Sequence[Moment]) -> str:
    for reply, words in zip(moments[-1].decision.replies, moments[-1].rendered, strict=True):
        if reply.purpose == "emergency":
            if found := _MONEY_WORDS.search(words.body):
                return f"{reply.template} says {found[0]!r}"
            if not ("988" in words.body and "911" in words.body):
                return f"{reply.template} names neither 988 nor 911"
    return ""


def _keeps_a_small_state(moments: Sequence[Moment]) -> str:
    size = len(json.dumps(moments[-1].after.state.to_json()))
    return f"a state of {size} bytes" if size > STATE_BYTES else ""


def _answers(moments: Sequence[Moment]) -> str:
    now = moments[-1]
    if not now.is_text or now.decision.replies:
        return ""
    done = any(isinstance(one, OpenCase | RecordOptOut | RestoreConsent) for one in now.decision.commands)
    carrier = isinstance(now.turn.message, Text) and now.turn.message.answered_by_carrier
    return "" if done or carrier else "a text got neither a reply nor a case"


def _does_not_go_round(moments: Sequence[Moment]) -> str:
    asked: list[str] = []
    for one in reversed(moments):
        if not one.is_text and not _is_timeout(one):
            continue
        if _is_timeout(one) or _offers_a_person(one) or not one.decision.replies or not one.after.state.flow:
            break
        asked.append(json.dumps([one.decision.replies[-1].template, one.decision.replies[-1].arguments], default=str))
        if asked[-1] != asked[0]:
            break
        if len(asked) > ASKED_AT_MOST:
            return f"{one.decision.replies[-1].template} was asked {len(asked)} times in a row"
    return ""


def _is_timeout(now: Moment) -> bool:
    return isinstance(now.turn.message, Happened) and now.turn.message.kind == "timeout"


def _offers_a_person(now: Moment) -> bool:
    """After an emergency one has been called already."""
    opened = now.turn.talk.emergency or any(isinstance(one, OpenCase) for one in now.decision.commands)
    return opened or any(_A_PERSON.search(words.body) for words in now.rendered)


def known(now: Moment) -> AccountView | None:
    """The account whose matters the replies of this turn may be about."""
    account_id = now.turn.talk.account_id
    for command in now.decision.commands:
        if isinstance(command, MarkVerified):
            account_id = command.account_id
        elif isinstance(command, ForgetVerification):
            account_id = None
    person = next((one for one in now.people if one.account_id == account_id), None)
    return _as_preferred(now, person) if person else None


def _as_preferred(now: Moment, person: AccountView) -> AccountView:
    """What the patient has just allowed counts at once."""
    for command in now.decision.commands:
        if isinstance(command, RecordDetailPreference) and command.account_id == person.account_id:
            person = replace(person, detail_allowed=command.allowed)
    return person


RULES: tuple[tuple[str, Callable[[Sequence[Moment]], str]], ...] = (
    ("in its language", _in_its_language), ("no disclosure", _keeps_secrets),
    ("no money without a yes", _moves_money_only_on_yes), ("the verified only", _acts_for_the_verified_only),
    ("silent after STOP", _is_silent_after_stop), ("no money in an emergency", _is_humane_in_an_emergency),
    ("small state", _keeps_a_small_state), ("answers", _answers), ("no loop", _does_not_go_round))


def judge(moments: Sequence[Moment]) -> Fault | None:
    """The first rule that the last moment breaks."""
    for rule, check in RULES:
        if how := check(moments):
            return Fault(rule, how)
    return None


def ending(moments: Sequence[Moment]) -> str:
    """``answered``, ``closed`` or ``person``; empty for a dead end. Call it after the last text's time-out."""
    if not moments:
        return "closed"
    last = moments[-1]
    if last.after.state.flow:
        return ""
    final = [last] if last.is_text else _last_text_on(moments)
    if any(isinstance(one, OpenCase) for moment in final for one in moment.decision.commands):
        return "person"
    if last.after.opted_out or any(one.template == "timeout" for one in last.decision.replies):
        return "closed"
    carrier = any(isinstance(one.turn.message, Text) and one.turn.message.answered_by_carrier for one in final)
    return "answered" if carrier or any(moment.decision.replies for moment in final) else ""


def _last_text_on(moments: Sequence[Moment]) -> list[Moment]:
    """From the last text to the end; everything where there was none."""
    at = max((place for place, one in enumerate(moments) if one.is_text), default=0)
    return list(moments[at:])
