"""What has to be there before a practice's first message leaves: ``plainbill check --golive`` (issue 5, modes).

Every line says what is missing, why, and what to do. What no program can see (an agreement, a training) the practice
states in its policy, with a day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from config.practice import PracticePolicy
    from config.settings import Settings


VALIDATION = "letter_validation_notice"


@dataclass(frozen=True, slots=True)
class Missing:
    """``area``: carrier, agreements, opt-outs, people, safety, money, words, data."""

    area: str
    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What the store holds that going live depends on."""

    approvers: int
    staff: int
    with_phone: int
    deputies: int
    unreleased: int  # visits taken over from another system and not released yet
    restored: bool
    collectors: int = 0  # accounts that a debt collector asks


def count(session: Session, practice_id: str) -> Counts:
    """Read the store."""
    from billing import restorations
    from billing.store import opening_queries, practices, tally

    people = [one for one in practices.list_staff(session, practice_id) if one.active]
    return Counts(
        approvers=sum(one.role in ("supervisor", "manager") for one in people), staff=len(people),
        with_phone=sum(one.phone is not None for one in people),
        deputies=sum(one.deputy_login is not None for one in people),
        unreleased=opening_queries.unreleased(session, practice_id),
        restored=restorations.standing(session, practice_id) is not None,
        collectors=tally.count_collectors(session, practice_id))


def missing(settings: Settings, policy: PracticePolicy, counts: Counts) -> list[Missing]:
    """Everything that is not there yet, in the order of doing it."""
    return [*_carrier(policy), *_agreements(policy), *_opt_outs(policy), *_people(policy, counts),
            *_safety(settings, policy, counts), *_words(policy), *_data(counts),
            *without_validation(policy, counts.collectors)]


def without_validation(policy: PracticePolicy, collectors: int) -> list[Missing]:
    """A collector's accounts are asked for nothing while nobody has supplied the notice that comes first (T-28)."""
    from templates import source

    if (not collectors and policy.collector.capacity != "collector") or VALIDATION in source.names("en"):
        return []
    whose = f"{collectors} accounts" if collectors else "new accounts"
    return [Missing(
        "collector", f"the validation notice: {whose} are a debt collector's, and no demand leaves for them before it "
        "(T-28)", "none is built in, as the field notes do not give what it has to hold: the practice's counsel "
        "supplies it (docs/collections.md)")]


def _carrier(policy: PracticePolicy) -> Iterator[Missing]:
    if policy.sms_number is None:
        yield Missing("carrier", "no number to text from", "sms_number in the policy")
    if not policy.carrier.brand or not policy.carrier.campaign:
        yield Missing("carrier", "10DLC registration of the practice's own brand and campaign (T-15, T-16)",
                      "register them with the carrier's registry, then brand and campaign under [carrier]")


def _agreements(policy: PracticePolicy) -> Iterator[Missing]:
    wanted = {"twilio": policy.sms_number is not None, "email": policy.mail is not None}
    for vendor, used in wanted.items():
        if used and vendor not in policy.baa_signed:
            yield Missing("agreements", f"a business associate agreement with {vendor} (T-37)",
                          f"sign it, then {vendor!r} in baa_signed")
    for agency in policy.collections.agencies:
        if agency.baa_on is None:
            yield Missing("agreements", f"a business associate agreement with the agency {agency.key} (T-37)",
                          "sign it, then baa_on of the agency")
    if policy.readiness.risk_analysis_on is None:
        yield Missing("agreements", "the practice's own risk analysis (45 CFR 164.308)",
                      "do it, then risk_analysis_on under [readiness]")


def _opt_outs(policy: PracticePolicy) -> Iterator[Missing]:
    ready = policy.readiness
    if ready.opt_outs_taken_over_on is None:
        yield Missing("opt-outs", "the opt-outs of every former vendor (T-04, T-11)",
                      "plainbill import --opening with its opt-outs, then opt_outs_taken_over_on under [readiness]; "
                      "the day alone where there was no vendor")
    if ready.consent_wording_reviewed_on is None:
        yield Missing("opt-outs", "consent wording that names texts and their purpose (T-14)",
                      "read the form that patients sign, then consent_wording_reviewed_on under [readiness]")
    if not ready.privacy_page:
        yield Missing("opt-outs", "a privacy page that says that opt-in data is not shared (T-14)",
                      "privacy_page under [readiness]")


def _people(policy: PracticePolicy, counts: Counts) -> Iterator[Missing]:
    if not counts.staff:
        yield Missing("people", "somebody to hand over to", "plainbill staff add LOGIN --name NAME --role biller")
    if counts.approvers < 1:
        yield Missing("people", "somebody who may approve", "plainbill staff add LOGIN --name NAME --role supervisor")
    if counts.staff > 1 and not counts.deputies:
        yield Missing("people", "cover: nobody has a deputy for holidays and illness",
                      "plainbill staff add ... --deputy LOGIN")
    if not counts.with_phone:
        yield Missing("people", "a phone that is told of cases", "--phone of plainbill staff add")
    if policy.on_call_phone is None:
        yield Missing("people", "whom to alert when a text sounds like an emergency", "on_call_phone in the policy")
    if all(window.bounds() is None for window in (policy.office_hours.weekday, policy.office_hours.saturday,
                                                  policy.office_hours.sunday)):
        yield Missing("people", "office hours in which a person answers", "[office_hours] in the policy")
    if policy.readiness.staff_trained_on is None:
        yield Missing("people", "training of whoever works with it (45 CFR 164.530(b))",
                      "staff_trained_on under [readiness]")


def _safety(settings: Settings, policy: PracticePolicy, counts: Counts) -> Iterator[Missing]:
    if not settings.in_production:
        yield Missing("safety", "production settings", "PLAINBILL_ENVIRONMENT=production and what it then asks for")
    if policy.mail is not None and (settings.smtp_url is None or "smtp_url" in settings.stand_ins()):
        yield Missing("safety", "a mail server: the policy has [mail]", "PLAINBILL_SMTP_URL (docs/mail.md)")
    if settings.backup_key is None:
        yield Missing("safety", "backups", "PLAINBILL_BACKUP_KEY, and plainbill backup by a timer")
    if policy.npi is None or policy.tax_id is None:
        yield Missing("safety", "who the practice is, on its statements", "npi and tax_id in the policy")
    if counts.restored:
        yield Missing("safety", "this copy came out of a backup", "plainbill restored show")


def notice_of_help(policy: PracticePolicy) -> Iterator[Missing]:
    """T-45: what the statements of a hospital under 501(r) would lack of the notice of assistance."""
    from billing.clocks import missing_words
    from billing.statement_content import assistance_notice

    if not policy.collections.hospital_501r:
        return
    settings = {"phone": "phone", "url": "assistance_url"}
    lacking = [settings.get(name, f"assistance_note_{language}") for language in policy.languages
               for name in missing_words({"assistance": assistance_notice(policy, language)})]
    for setting in dict.fromkeys(lacking):
        yield Missing("words", "a part of the assistance notice on every statement (T-45)", f"{setting} in the policy")


def _words(policy: PracticePolicy) -> Iterator[Missing]:
    yield from notice_of_help(policy)
    if policy.readiness.words_read_on is None:
        yield Missing("words", "a reading of all messages by the practice",
                      "read templates/en and templates/es, then words_read_on under [readiness]")
    if not policy.assistance:
        yield Missing("words", "a policy of financial assistance: applications would all wait for a person",
                      "[[assistance]] in the policy, if the practice has one")


def _data(counts: Counts) -> Iterator[Missing]:
    if counts.unreleased:
        yield Missing("data", f"{counts.unreleased} visits taken over and not released yet",
                      "plainbill import --opening --release, after the totals agree")
