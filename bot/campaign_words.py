"""The words of a campaign: that they are there in every language of the practice and fit what a campaign can say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from billing.campaigns import CampaignRefused
from billing.gate_sets import Words
from billing.store.tables import Campaign
from bot import own_words
from bot.demanding import SUPPLY
from config.dunning_policy import EVERY_WAY
from config.practice import PracticePolicy
from templates import source
from templates.render import TemplateError, render

#: What only an account with a statement has.
OF_A_STATEMENT = frozenset({"url", "statement_on", "due_on", "number", "days_late"})

_PREFIX = {"sms": "", "telegram": "", "email": "email_", "paper": "letter_"}

#: Purposes that a template's header may declare for a campaign's purpose.
_FITS = {"statement": ("statement",), "reminder": ("reminder",), "notice": ("notice", "reply")}


@dataclass(frozen=True, slots=True)
class File:
    """One template file that a campaign may use: by this way, in this language, to numbers known to us or new."""

    way: str
    language: str
    introduced: bool
    name: str


def files(template: str, ways: Sequence[str], languages: Sequence[str]) -> Iterator[File]:
    """Every file that a campaign of this template may need (T-14: a new number is told who writes)."""
    for language in languages:
        for way in ways:
            name = _PREFIX[way] + template
            if way in ("email", "paper"):
                yield File(way, language, True, name)
                yield File(way, language, False, name)
            else:
                yield File(way, language, True, name)
                yield File(way, language, False, name if name.endswith("_intro") else f"{name}_intro")


def ways_with_words(template: str, languages: Sequence[str]) -> tuple[str, ...]:
    """The ways for which the words are there in all of these languages, in their usual order."""
    return tuple(way for way in EVERY_WAY if all(_exists(one) for one in files(template, [way], languages)))


def _exists(file: File) -> bool:
    try:
        source.load(file.name, file.language)
    except TemplateError:
        return False
    return True


def versions(template: str, ways: Sequence[str], languages: Sequence[str]) -> dict[str, str]:
    """The version of each file by "language/name": what an approval is bound to. Raises CampaignRefused."""
    try:
        return {f"{one.language}/{one.name}": source.load(one.name, one.language).version
                for one in files(template, ways, languages)}
    except TemplateError as error:
        raise CampaignRefused(str(error)) from error


def versions_of(session: Session, campaign: Campaign, policy: PracticePolicy) -> dict[str, str]:
    """As ``versions``, of a campaign, in the practice's own words where it has any. Raises CampaignRefused."""
    with own_words.spoken_for(session, campaign.practice_id):
        return versions(campaign.template, campaign.ways, policy.languages)


def check(template: str, purpose: str, ways: Sequence[str], policy: PracticePolicy) -> None:
    """See that a campaign of these words can be sent. Raises CampaignRefused naming each file and what is wrong."""
    if not ways:
        raise CampaignRefused(f"no way has words named {template!r} in {' and '.join(policy.languages)}; "
                              "plainbill campaign templates lists what there is")
    faults = sorted({fault for one in files(template, ways, policy.languages) for fault in _faults(one, purpose)})
    if not faults:
        faults = sorted({fault for one in files(template, ways, policy.languages) for fault in _renders(one, policy)})
    if faults:
        raise CampaignRefused("\n".join([f"{template} cannot be used for this campaign:", *(f"  {f}" for f in faults)]))


def _faults(file: File, purpose: str) -> Iterator[str]:
    where = f"templates/{file.language}/{file.name}.txt"
    try:
        found = source.load(file.name, file.language)
    except TemplateError as error:
        yield str(error)
        return
    if found.purpose not in _FITS[purpose]:
        yield f"{where}: is written for {found.purpose}, the campaign's purpose is {purpose}"
    if found.privacy != "open" and file.way != "paper":
        yield f"{where}: its privacy level is {found.privacy}; unasked and to many only open words leave (T-32)"
    for name, kind in found.placeholders:
        if SUPPLY.get(name, "").removesuffix("?") != kind.removesuffix("?"):
            yield f"{where}: a campaign has no {name}:{kind} to fill in"
        elif purpose == "notice" and name in OF_A_STATEMENT:
            yield f"{where}: {name} belongs to a statement, and a notice has none"


def _renders(file: File, policy: PracticePolicy) -> Iterator[str]:
    try:
        example(file, policy)
    except TemplateError as error:
        yield str(error)


def example(file: File, policy: PracticePolicy, link: str = "https://pay.example/l/0123456789abcdefghijkl",
            ) -> Words:
    """The words as they would look, with made-up amounts and a link of the usual length."""
    declared = source.load(file.name, file.language).types
    arguments = {name: value for name, value in made_up(policy, link).items() if name in declared}
    words = render(file.name, file.language, arguments, file.way)
    return Words(file.name, words.version, file.language, words.privacy, words.body, words.segments)


def made_up(policy: PracticePolicy, link: str) -> Mapping[str, Any]:
    day = date(2026, 11, 3)
    return {"practice": policy.name, "url": link, "phone": policy.phone, "help_url": policy.assistance_url,
            "statement_on": day, "due_on": day + timedelta(days=policy.statement_due_days), "amount_minor": 123_45,
            "name": "Alex Sample", "number": 1234, "address": "1 Sample St, Sampleton", "days_late": 12}


def examples(template: str, ways: Sequence[str], policy: PracticePolicy, link: str,
             ) -> dict[tuple[str, str, bool], Words]:
    """What the preview needs: words by (way, language, introduced)."""
    return {(one.way, one.language, one.introduced): example(one, policy, link)
            for one in files(template, ways, policy.languages)}


def choices(policy: PracticePolicy) -> list[tuple[str, str, tuple[str, ...]]]:
    """Templates that campaigns can use: (name, purpose, ways with words in every language of the practice)."""
    found = []
    for name in source.names(policy.languages[0]):
        if name.endswith("_intro") or name.startswith(("email_", "letter_")):
            continue
        purpose = {"statement": "statement", "reminder": "reminder", "notice": "notice"}.get(
            source.load(name, policy.languages[0]).purpose)
        ways = ways_with_words(name, policy.languages) if purpose else ()
        if purpose and ways and not [fault for one in files(name, ways, policy.languages)
                                     for fault in _faults(one, purpose)]:
            found.append((name, purpose, ways))
    return found
